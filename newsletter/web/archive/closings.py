"""Questions in a published issue that have closed since: the article says so, and their button goes."""

import re
from datetime import datetime, timedelta

from newsletter.domain.calls.asking_views import views_reading
from newsletter.domain.calls.asking_views.views_reading import Standing
from newsletter.domain.issues.content import address
from newsletter.i18n import gettext as _
from newsletter.models import Issue

#: The line that says when a question closes, and the button below it: ours, by email/blocks/ask_views.html.
_CLOSES = re.compile(
    r'<p class="issue-fact issue-closes">[^<]*<strong><time datetime="(?P<instant>[^"]+)">(?P<words>[^<]*)</time>'
    r'</strong></p>(?P<button>\s*<p><a class="issue-button" href="(?P<url>[^"]*)"[^>]*>[^<]*</a></p>)?'
)


def with_closings(web: str, issue: Issue, now: datetime) -> str:
    """The article with every question that is over marked as closed. All else stays, byte for byte."""
    if "issue-closes" not in web:
        return web
    early = {
        address(f"/views/{page.public_id}")
        for page in views_reading.pages_in(issue)
        if views_reading.standing(page, now) is Standing.CLOSED_EARLY
    }

    def said(found: re.Match[str]) -> str:
        if found["url"] in early:
            return f'<p class="issue-fact issue-closes"><strong>{_("This has closed.")}</strong></p>'
        # Until the end of the named minute, like every deadline.
        if now < datetime.fromisoformat(found["instant"]) + timedelta(minutes=1):
            return found[0]
        when = f'<time datetime="{found["instant"]}">{found["words"]}</time>'
        return f'<p class="issue-fact issue-closes">{_("Closed")} <strong>{when}</strong></p>'

    return _CLOSES.sub(said, web)
