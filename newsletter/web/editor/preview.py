"""The issue as it stands, in each of its forms, at an address of its own: for the frame beside the desk."""

from flask import Response, render_template

from newsletter.domain.issues.content import render_issue
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid, NotFound
from newsletter.i18n import gettext as _
from newsletter.rendering.personalise import fill
from newsletter.web.access import staff
from newsletter.web.headers import PREVIEW_POLICY, preview_response

from .room import blueprint, find_issue

#: What stands where each reader's own links will stand.
_SAMPLE = {"unsubscribe_url": "https://example.org/unsubscribe", "preferences_url": "https://example.org/preferences"}


@blueprint.get("/desk/issues/<slug>/preview/<any(html, text, web):form>")
@staff(Permission.VIEW_ISSUES)
def issue_preview(slug: str, form: str) -> Response:
    """The mail's HTML, its text part, or the web page's article. Links lead nowhere: the frame stops them."""
    issue = find_issue(slug)
    try:
        rendered = render_issue(issue)
    except Invalid as error:
        raise NotFound(_("The preview cannot be drawn. {why}").format(why=error.problems[0].sentence)) from None
    if form == "html":
        return preview_response(fill(rendered.html, _SAMPLE, html=True))
    words = fill(rendered.text, _SAMPLE, html=False) if form == "text" else ""
    page = render_template(f"editor/preview_{form}.html", issue=issue, text=words, article=rendered.web)
    response = preview_response(page)
    # These two wear the product's own style sheet, as the page itself will.
    response.headers["Content-Security-Policy"] = PREVIEW_POLICY.replace("'unsafe-inline'", "'self'")
    return response


@blueprint.get("/desk/issues/<slug>/as-sent")
@staff(Permission.VIEW_ISSUES)
def issue_as_sent(slug: str) -> Response:
    """The mail's HTML as it was approved and sent, to the byte, but for each reader's own links."""
    issue = find_issue(slug)
    if issue.rendition is None:
        raise NotFound(_("Nothing of this issue was approved to be sent."))
    return preview_response(fill(issue.rendition.html, _SAMPLE, html=True))
