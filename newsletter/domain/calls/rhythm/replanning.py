"""A planned issue's days are moved by hand; a year that was laid out is taken back while nobody has begun with it."""

import logging
from datetime import date, datetime

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import aliased

from .... import dates
from ....db import db
from ....deadlines import Deadline
from ....errors import Invalid, Problem, Refused
from ....i18n import gettext as _
from ....models import Account, Activity, Block, Contribution, Issue, MailingList
from ....states import IssueState
from ...issues.creating import change_deadline, change_frame, set_next_issue
from ...issues.reviewing import approval_day
from ...queries import issue_before
from ...staff import activity
from ...staff.permissions import Permission, require
from .planning import LAID_OUT

_log = logging.getLogger(__name__)
#: What is recorded of an issue that nobody has done anything with.
_OF_ITSELF = ("issue.next_issue_set", "issue.approval_reminded", "issue.held")


def move(
    issue: Issue,
    *,
    planned_at: datetime,
    deadline: Deadline | None,
    approval_on: date | None,
    confirmation: str = "",
    actor: Account | None,
    now: datetime,
) -> None:
    """Give the issue these days. The call's deadline moves by its own rules (see `change_deadline`).

    An `approval_on` that stays as it was follows the day on which the issue goes out. Raises Invalid at "planned",
    "deadline", "approval" or "confirmation", NotAllowed, Refused.
    """
    if actor is not None:
        require(actor, Permission.EDIT_ISSUES, issue.mailing_list)
    goes_out = dates.local(planned_at, issue.mailing_list.timezone).date()
    approval = _approval(issue, planned_at, approval_on)
    _require_order(goes_out, planned_at, deadline or issue.deadline, approval)
    before = issue.planned_at
    if before != planned_at:
        change_frame(issue, planned_at=planned_at, keep_planned_at=False, actor=actor, now=now)
    if deadline is not None:
        change_deadline(issue, deadline, confirmation=confirmation, actor=actor, now=now)
    issue.approval_on = approval
    db.session.flush()
    if before != planned_at:
        activity.record(
            "issue.replanned", actor=actor, now=now, issue=issue,
            before=before.isoformat() if before else "", after=planned_at.isoformat(),
        )  # fmt: skip
        _log.info("Issue %s is planned for %s", issue.id, planned_at.isoformat())


def _approval(issue: Issue, planned_at: datetime, typed: date | None) -> date | None:
    """The day of approval to keep: as typed, or none, so that it follows the sending, where it was left as it was."""
    left_alone = typed is None or typed == approval_day(issue)
    if left_alone and issue.planned_at != planned_at:
        return None
    return issue.approval_on if left_alone else typed


def _require_order(goes_out: date, planned_at: datetime, deadline: Deadline | None, approval: date | None) -> None:
    problems = []
    if deadline is not None and deadline.instant >= planned_at:
        problems.append(Problem("deadline", _("News must close before the issue goes out")))
    if approval is not None and approval > goes_out:
        problems.append(Problem("approval", _("It must be approved before it goes out")))
    if problems:
        raise Invalid(problems)


# --- taking a year back --------------------------------------------------------------------------------------------


def untouched(mailing_list: MailingList, year: int) -> list[Issue]:
    """The issues that laying out the year has made and with which nobody has begun: no word, no date, no news."""
    entries = db.session.scalars(
        select(Activity).where(Activity.list_id == mailing_list.id, Activity.action == LAID_OUT)
    )
    # An id alone may have come again, after an empty issue was taken back.
    made = {(number, entry.at) for entry in entries if entry.detail["year"] == year for number in entry.detail["made"]}
    issues = db.session.scalars(
        select(Issue)
        .where(Issue.list_id == mailing_list.id, Issue.planned_key.startswith(f"{year}-"), *_nobody_began())
        .order_by(Issue.planned_key)
    )
    return [issue for issue in issues if (issue.id, issue.created_at) in made]


def take_back(mailing_list: MailingList, year: int, *, actor: Account | None, now: datetime) -> list[str]:
    """Delete what laying out the year has made and nobody has begun with. Returns the names.

    Raises NotAllowed, and Refused where there is nothing of the kind.
    """
    if actor is not None:
        require(actor, Permission.EDIT_ISSUES, mailing_list)
    db.session.refresh(mailing_list, with_for_update=True)
    issues = untouched(mailing_list, year)
    if not issues:
        raise Refused(_("Somebody has begun with each of these issues. Cancel one that is not wanted."))
    names = [issue.title for issue in issues]
    for issue in issues:
        before = db.session.scalar(issue_before(issue.id))
        if before is not None:
            set_next_issue(before, None, actor=actor, now=now)
    for issue in issues:
        db.session.delete(issue)
    db.session.flush()
    activity.record("list.year_taken_back", actor=actor, now=now, mailing_list=mailing_list, year=year, titles=names)
    _log.info("%d empty issues of list %s for %d were taken back", len(names), mailing_list.slug, year)
    return names


def _nobody_began() -> tuple[ColumnElement[bool], ...]:
    """What holds of an issue with which nobody has begun."""
    before = aliased(Issue)
    # Its deadline is among words that somebody has approved, or that people have read.
    printed = exists().where(before.next_issue_id == Issue.id, before.state != IssueState.DRAFT)
    done = exists().where(
        Activity.issue_id == Issue.id, Activity.at > Issue.created_at, Activity.action.not_in(_OF_ITSELF)
    )
    written = exists().where(Block.issue_id == Issue.id, (Block.version > 1) | Block.deleted_at.is_not(None))
    came_in = exists().where(Contribution.issue_id == Issue.id)
    return (
        Issue.state == IssueState.DRAFT, Issue.call_opened_at.is_(None), ~printed, ~done, ~written, ~came_in
    )  # fmt: skip
