"""What the public pages show of issues that are out, and of calls that are open."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from flask import render_template, url_for
from markupsafe import Markup
from sqlalchemy import select

from newsletter import dates
from newsletter.db import db
from newsletter.deadlines import Deadline
from newsletter.domain.calls.deadline import reading as calls
from newsletter.models import Issue, MailingList

from .closings import with_closings

#: The line of the call in a published article, and the ways to answer below it (a button, and whom to write to): ours,
#: written by email/blocks/call.html.
_DEADLINE_LINE = re.compile(
    r'<p class="issue-deadline">.*?</p>'
    r'(?P<ways>\s*<p><a class="issue-button"[^>]*>[^<]*</a></p>'
    r'(?:\s*<p>[^<]*<a href="mailto:[^"]*">[^<]*</a>\.</p>)?)?',
    re.DOTALL,
)
#: The invitation under "In this issue": it goes when it is over or no longer true.
_SHARE_LINE = re.compile(r"(?<=</ol>)\s*<p>[^<]*<strong>[^<]*</strong>\.</p>(?=\s*</nav>)")


@dataclass(frozen=True)
class Call:
    """A call for news that is open now: the issue it is for, until when, and how many seconds are left."""

    issue: Issue
    deadline: Deadline
    seconds_left: float

    @property
    def url(self) -> str:
        return contribute_url(self.issue)


def public_lists() -> Sequence[MailingList]:
    """The lists that anybody may know of, oldest first."""
    return db.session.scalars(select(MailingList).where(MailingList.public).order_by(MailingList.id)).all()


def open_calls(now: datetime) -> list[Call]:
    """The call of each list that closes next, where one is open; the nearest on top."""
    nearest: dict[int, Call] = {}
    for issue in calls.open_calls(now):
        deadline = issue.deadline
        if deadline is not None and issue.list_id not in nearest:
            nearest[issue.list_id] = Call(issue, deadline, (deadline.closes_at - now).total_seconds())
    return list(nearest.values())


def by_year(issues: Sequence[Issue], zone: str) -> list[tuple[int, list[Issue]]]:
    """Published issues under their years, newest first."""
    return [(year, list(group)) for year, group in groupby(issues, key=lambda issue: published_on(issue, zone).year)]


def published_on(issue: Issue, zone: str) -> datetime:
    """When the issue came out, as people in the zone read it."""
    return dates.local(issue.published_at or issue.created_at, zone)


def summary(issue: Issue) -> str:
    """One line about an issue for lists: its preview text, or its subject."""
    return issue.preheader or (issue.subject if issue.subject != issue.title else "")


def article(issue: Issue, now: datetime) -> Markup:
    """The published article, with a deadline that lives: it follows an extension, and says when it is over.

    The rest is what was approved, byte for byte.
    """
    web = with_closings(issue.rendition.web if issue.rendition else "", issue, now)
    following = issue.next_issue
    deadline = following.deadline if following else None
    if following is None or deadline is None:
        return Markup(web)  # noqa: S704 - our renderer's own output
    is_open = deadline.is_open(now) and following.state not in calls.CLOSED
    panel = render_template(
        "archive/_deadline.html",
        following=following,
        deadline=deadline,
        is_open=is_open,
        seconds_left=(deadline.closes_at - now).total_seconds(),
        days_left=(deadline.day - dates.local(now, deadline.zone).date()).days,
        send_url=contribute_url(following),
        calendar_url=url_for("contribute.deadlines"),
    )
    web = _DEADLINE_LINE.sub(lambda found: panel + (found["ways"] or "" if is_open else ""), web, count=1)
    invitation = _SHARE_LINE.search(web)
    if invitation and not (deadline.is_open(now) and deadline.words in _spaces(invitation[0])):
        web = _SHARE_LINE.sub("", web, count=1)
    return Markup(web)  # noqa: S704 - the same, and our own template


def _spaces(html: str) -> str:
    """The words with plain spaces, as a date is written."""
    return html.replace("\u00a0", " ").replace("&nbsp;", " ")


def contribute_url(issue: Issue) -> str:
    """Where news for this issue is sent in."""
    return url_for("contribute.call", slug=issue.slug)


def sign_up_url() -> str:
    return url_for("public.subscribe")


def feed_title(lists: Sequence[MailingList], fallback: str) -> str:
    return lists[0].name if len(lists) == 1 else fallback
