"""Which calls are open, and what came in for them. Reads only."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select

from ...db import db
from ...errors import NotFound
from ...models import Activity, Contribution, Issue, MailingList
from ...states import ContributionState, IssueState
from ..issues.finding import find_issue

#: An issue in one of these takes nothing more: its words are on their way, or will never be.
CLOSED = frozenset({IssueState.SENDING, IssueState.PAUSED, IssueState.SENT, IssueState.CANCELLED})


def open_calls(now: datetime) -> list[Issue]:
    """The issues of public lists that take news now, the nearest deadline first."""
    chosen = (
        select(Issue)
        .join(MailingList, MailingList.id == Issue.list_id)
        .where(MailingList.public, Issue.has_call, Issue.state.not_in(CLOSED))
        .order_by(Issue.deadline_at, Issue.id)
    )
    return [issue for issue in db.session.scalars(chosen) if issue.accepts_contributions(now, now)]


def open_call(mailing_list: MailingList, now: datetime) -> Issue | None:
    """The list's issue whose deadline comes next, if it takes news now."""
    return next((issue for issue in open_calls(now) if issue.list_id == mailing_list.id), None)


def find_call(slug: str, *, even_cancelled: bool = False) -> Issue:
    """The issue whose call stands at this address, open or closed. Where its `slug` differs, it has moved.

    Raises NotFound: for an issue without a call, of a list that is not public, or that was cancelled (unless
    `even_cancelled`: somebody may be writing to it).
    """
    issue = None if slug.isdecimal() else _found(slug)
    hidden = issue is not None and issue.state is IssueState.CANCELLED and not even_cancelled
    if issue is None or hidden or not issue.has_call or not issue.mailing_list.public:
        raise NotFound("There is no call for news at this address.")
    return issue


def _found(slug: str) -> Issue | None:
    try:
        return find_issue(slug)
    except NotFound:
        return None


def find_contribution(public_id: uuid.UUID) -> Contribution:
    """The contribution of this id. Raises NotFound."""
    found = db.session.scalar(select(Contribution).where(Contribution.public_id == public_id))
    if found is None:
        raise NotFound("There is no such contribution.")
    return found


def contributions_to(issue: Issue) -> list[Contribution]:
    """All that came in for the issue, oldest first."""
    return list(
        db.session.scalars(select(Contribution).where(Contribution.issue_id == issue.id).order_by(Contribution.id))
    )


def contributions_of(lists: Iterable[MailingList], *, limit: int = 200) -> list[Contribution]:
    """What came in for these lists, newest first."""
    ids = [one.id for one in lists]
    chosen = select(Contribution).join(Issue).where(Issue.list_id.in_(ids)).order_by(Contribution.id.desc())
    return list(db.session.scalars(chosen.limit(limit)))


def undecided(issue: Issue) -> list[Contribution]:
    """What was sent in, in time, and waits for a decision; oldest first."""
    return [one for one in contributions_to(issue) if one.state is ContributionState.SUBMITTED]


def late(issue: Issue) -> list[Contribution]:
    """What came after the deadline and is kept; nobody has decided on it."""
    return [one for one in contributions_to(issue) if one.state is ContributionState.DRAFT and one.late]


def counts(issue: Issue) -> dict[ContributionState, int]:
    """How many contributions to the issue stand where."""
    rows = db.session.execute(
        select(Contribution.state, func.count()).where(Contribution.issue_id == issue.id).group_by(Contribution.state)
    )
    return dict(rows.tuples().all())


def deadline_set_at(issue: Issue) -> datetime:
    """When the issue's deadline got its present value."""
    changed = db.session.scalar(
        select(func.max(Activity.at)).where(Activity.issue_id == issue.id, Activity.action == "issue.deadline_changed")
    )
    return changed or issue.created_at
