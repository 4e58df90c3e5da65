"""Calls for views: a page for each question of an issue that is out, its answers, and their end.

Whoever answers without a name leaves nothing that leads to them: no address, no cookie, no network; of the time, the
hour.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import delete, select

from .... import addresses, dates
from ....config import current_settings
from ....db import conflict_aware_insert, db
from ....deadlines import Deadline
from ....errors import Conflict, Invalid, Problem
from ....i18n import gettext as _
from ....models import Account, Block, Issue, ViewsAnswer, ViewsPage
from ....tokens import keyed_hash
from ...issues.protocols import Happening, register_issue_event
from ...staff import activity
from ...staff.wording import Problems, line, text
from .views_reading import ASK_VIEWS, Standing, accepts, deadline_of, number_of_answers, question_of, standing

_log = logging.getLogger(__name__)

LONGEST_ANSWER = 5_000
LONGEST_NAME, LONGEST_ORGANISATION = 100, 150
#: Answers are for one purpose, and that is over by then (UK GDPR art. 5(1)(e)).
KEPT_AFTER_CLOSING = timedelta(days=365)
#: An administrator may send an issue past its checks; its button must lead somewhere all the same.
_OTHERWISE_OPEN = timedelta(days=28)
_OTHERWISE_AT = time(17)


@dataclass(frozen=True)
class Answer:
    """What somebody answers, as typed; once `checked`, as kept."""

    body: str
    name: str = ""
    organisation: str = ""
    address: str = ""

    @property
    def names_somebody(self) -> bool:
        return bool(self.name or self.organisation or self.address)


def register() -> None:
    """Make the pages when an issue goes out; done when the application is made, and harmless a second time."""
    register_issue_event("views", open_pages)


def open_pages(happening: Happening, issue: Issue, now: datetime) -> None:
    """Make a page for each section of the issue that asks on a page of ours; its address is the section's id."""
    if happening is not Happening.PUBLISHED:
        return
    zone = issue.mailing_list.timezone
    for block in db.session.scalars(
        select(Block).where(Block.issue_id == issue.id, Block.kind == ASK_VIEWS, Block.deleted_at.is_(None))
    ):
        if not block.data.get("own_page"):
            continue
        asked = question_of(block.data)
        page = ViewsPage(
            public_id=block.id, block_id=block.id, issue_id=issue.id, question=asked.heading, explanation=asked.words,
            anonymous=not asked.named, created_at=now,
        )  # fmt: skip
        page.deadline = deadline_of(block.data, zone) or Deadline.of(
            dates.local(now + _OTHERWISE_OPEN, zone).date(), _OTHERWISE_AT, zone
        )
        db.session.add(page)
        db.session.flush()
        activity.record("views.opened", actor=None, now=now, issue=issue, subject=("views page", page.id))


def checked(typed: Answer, *, named: bool) -> Answer:
    """The answer, cleaned; `named` wants a name and an address. Raises Invalid with every problem at its field."""
    problems = Problems()
    name, address = (_("Enter your name"), _("Enter your email address")) if named else ("", "")
    clean = Answer(
        body=problems.of(
            lambda: text(typed.body, field="body", longest=LONGEST_ANSWER, missing=_("Write your answer")), ""
        ),
        name=problems.of(lambda: line(typed.name, field="name", longest=LONGEST_NAME, missing=name), ""),
        organisation=problems.of(
            lambda: line(typed.organisation, field="organisation", longest=LONGEST_ORGANISATION), ""
        ),
        address=problems.of(lambda: _address(typed.address, missing=address), ""),
    )
    problems.raise_any()
    return clean


def _address(typed: str, *, missing: str) -> str:
    if typed.strip():
        return addresses.clean(typed, field="address")
    if missing:
        raise Invalid([Problem("address", missing)])
    return ""


def answer(page: ViewsPage, typed: Answer, *, form: str, opened_at: datetime, now: datetime) -> bool:
    """Keep an answer; False if this form has brought one before, which then stands.

    `form` is what the form carried to tell it from all others; without one, the same words are the same answer.
    Raises Invalid with every problem, Conflict when the page takes no answers any more.
    """
    clean = checked(typed, named=not page.anonymous)
    if not accepts(page, now, opened_at):
        raise Conflict(_("This call for views has closed."))
    secret = current_settings().secret_keys
    closed = standing(page, now) is not Standing.OPEN
    inserted = db.session.scalar(
        conflict_aware_insert(ViewsAnswer)
        .values(
            page_id=page.id,
            form_key=keyed_hash(secret, "views-answer.v1", form or f"words:{clean.body}"),
            body=clean.body,
            name=clean.name,
            organisation=clean.organisation,
            address=clean.address,
            in_grace=closed,
            at=now if clean.names_somebody else now.replace(minute=0, second=0, microsecond=0),
        )
        .on_conflict_do_nothing()
        .returning(ViewsAnswer.id)
    )
    if inserted is None:
        return False
    # No line in the record of activity: its minute would say when somebody without a name answered.
    _log.info("Views page %d has another answer", page.id)
    return True


def close_early(page: ViewsPage, *, actor: Account, now: datetime) -> None:
    """Take no more answers from now on. Raises Conflict for a page that is closed."""
    if standing(page, now) is not Standing.OPEN:
        raise Conflict(_("This call for views is closed already."))
    page.closed_early_at = now
    _record("views.closed_early", page, actor, now)


def reopen(page: ViewsPage, *, actor: Account, now: datetime) -> None:
    """Take answers again, until the day that readers were told. Raises Conflict where that is over."""
    if standing(page, now) is not Standing.CLOSED_EARLY or page.purged_at is not None:
        raise Conflict(_("Only what was closed early can be opened again, and only until its own closing time."))
    page.closed_early_at = None
    _record("views.reopened", page, actor, now)


def purge(page: ViewsPage, *, actor: Account | None, now: datetime) -> int:
    """Delete the answers for good; how many there were is kept. Raises Conflict while the page takes answers."""
    if page.purged_at is not None:
        return 0
    if accepts(page, now, page.created_at):
        raise Conflict(_("It still takes answers: close it first, and give those who have begun 15 minutes."))
    page.answered = number_of_answers(page)
    db.session.execute(delete(ViewsAnswer).where(ViewsAnswer.page_id == page.id))
    page.purged_at = now
    _record("views.purged", page, actor, now, number=page.answered)
    return page.answered


def purge_due(now: datetime) -> None:
    """Delete the answers of pages that closed a year ago. Run daily; a second run finds nothing."""
    old = ViewsPage.deadline_at <= now - KEPT_AFTER_CLOSING
    for page in db.session.scalars(select(ViewsPage).where(old, ViewsPage.purged_at.is_(None))).all():
        purge(page, actor=None, now=now)


def _record(action: str, page: ViewsPage, actor: Account | None, now: datetime, *, number: int | None = None) -> None:
    db.session.flush()
    subject = ("views page", page.id)
    if number is None:
        activity.record(action, actor=actor, now=now, issue=page.issue, subject=subject)
    else:
        activity.record(action, actor=actor, now=now, issue=page.issue, subject=subject, number=number)
    _log.info("%s: page %d", action, page.id)
