"""An issue that went out before this installation was: it stands in the archive under its own date, and nowhere else.

It has no recipients, no schedule and no approval; nothing that sends takes it, and the table itself forbids it.
"""

import logging
from datetime import date, datetime, time

from sqlalchemy import update

from ... import dates
from ...db import db
from ...errors import Conflict, Invalid, Problem, Refused
from ...models import Account, Issue, MailingList
from ...states import IssueState
from ..staff import activity
from .creating import create_issue
from .documents import Document, import_document
from .editing import delete_block, live_blocks
from .renditions import Prepared, keep
from .transitions import lock

_log = logging.getLogger(__name__)

#: Nobody sent newsletters by email before: a year typed with a digit too few.
_EARLIEST = date(1980, 1, 1)
#: The hour it is said to have gone out, where only the day is known: the same day in every zone of Europe.
_HOUR = time(10)
#: What asks readers for something, or is made for the next issue: out of place in one that is over.
_NOT_IN_PAST = frozenset({"call", "key_dates"})
#: The checks that guard people, and not only the readers' time: they hold on the web as in a mail.
_GUARDS_PEOPLE = frozenset({
    "nhs_number", "ni_number", "upn", "birth_date", "personal_email", "postal_address", "hidden_link",
})  # fmt: skip


def begin_past_issue(
    mailing_list: MailingList, *, title: str, day: date, actor: Account | None, now: datetime
) -> Issue:
    """A draft of an issue that went out on `day`. It can be written and published, and never sent.

    Raises Invalid for a title or a day that cannot be: in the future, or before there was email.
    """
    went_out = _moment(day, mailing_list, now)
    issue = create_issue(mailing_list, title=title, planned_at=went_out, actor=actor, now=now)
    issue.archive_only = True
    db.session.flush()
    for block in live_blocks(issue):
        if block.kind in _NOT_IN_PAST:
            delete_block(block, actor=actor, now=now)
    activity.record("issue.past_begun", actor=actor, now=now, issue=issue, day=day.isoformat())
    return issue


def import_past(
    mailing_list: MailingList, document: Document, *, title: str, day: date, actor: Account | None, now: datetime
) -> Issue:
    """`begin_past_issue`, with a document in it."""
    issue = begin_past_issue(mailing_list, title=title, day=day, actor=actor, now=now)
    import_document(issue, document, actor=actor, now=now)
    return issue


def publish_past(issue: Issue, prepared: Prepared, *, actor: Account | None, now: datetime) -> None:
    """Put the issue in the archive under its own date. `prepared` was made outside of the transaction.

    No mail is made and nobody is told: it is old news. Raises Refused where it is no past issue or shows what must
    not be published, Conflict where its words changed meanwhile.
    """
    lock(issue)
    if not issue.archive_only or issue.planned_at is None:
        raise Refused(f"{issue.title} is no past issue: it goes out by email, and is published then.")
    if issue.state is not IssueState.DRAFT:
        raise Refused(f"{issue.title} is in the archive already.")
    if prepared.issue_id != issue.id or prepared.content_version != issue.content_version:
        raise Conflict("The words changed while you were reading. Read them again before you go on.")
    private = [each for each in prepared.blocking if each.stops and each.code in _GUARDS_PEOPLE]
    if private:
        raise Refused(f"{private[0].sentence} Mend it, or say at the checks why it may be published.")
    went_out = issue.planned_at
    rendition = keep(prepared, now)
    moved = db.session.execute(
        update(Issue)
        .where(Issue.id == issue.id, Issue.state == IssueState.DRAFT, Issue.archive_only)
        .values(
            state=IssueState.SENT, started_at=went_out, sent_at=went_out, published_at=went_out,
            rendition_id=rendition.id, recipients=0,
        )
    )  # fmt: skip
    if moved.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
        raise Conflict(f"{issue.title} was changed by somebody else. Look at it again before you go on.")
    db.session.refresh(issue)
    activity.record("issue.past_published", actor=actor, now=now, issue=issue, went_out=went_out.isoformat())
    _log.info("Issue %s was put in the archive as of %s", issue.id, went_out.date())


def _moment(day: date, mailing_list: MailingList, now: datetime) -> datetime:
    went_out = dates.to_instant(day, _HOUR, mailing_list.timezone)
    if day > dates.local(now, mailing_list.timezone).date():
        raise Invalid([Problem("day", "A past issue went out on a day that is over, or today.")])
    if day < _EARLIEST:
        raise Invalid([Problem("day", f"Enter the year in full: {day.year} is before there was email.")])
    return min(went_out, now)
