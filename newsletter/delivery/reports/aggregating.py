"""Giving up the single deliveries of old issues for their totals and their report.

Who got the issue of three years ago is nobody's business any more (UK GDPR art. 5(1)(e)), and half a million rows a
quarter are a weight. The totals stay, so `status` and `verify` still answer; the report stays, made from the
deliveries at the last moment.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, Select, delete, func, insert, or_, select, update
from sqlalchemy.orm import aliased

from ...db import clear_log, db, transaction
from ...domain.issues.transitions import lock
from ...domain.staff import activity
from ...models import Delivery, DeliveryTally, Issue, IssueReport
from ...states import DeliveryState, IssueState
from ..returns.consequences import SOFT_IN_A_ROW
from . import accounts, report

_log = logging.getLogger(__name__)

#: The newest issues of a list that were sent keep their deliveries: a mailbox that is full is given up by what became
#: of so many in a row.
KEPT_ISSUES = SOFT_IN_A_ROW
#: So does what ended less than so long ago: bounces of it may still come, and people still ask.
OLD_ENOUGH = timedelta(days=30)
#: Rows deleted in one transaction: a writer who waits for it waits a moment.
CHUNK = 10_000

_OPEN = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.DEFERRED)


@dataclass(frozen=True)
class Aggregated:
    """An issue, and how many of its deliveries were given up, or would be."""

    issue: int
    title: str
    deliveries: int


def due(now: datetime) -> list[Aggregated]:
    """What `aggregate_due` would give up. Reads only."""
    rows = db.session.execute(_old_enough(now).order_by(Issue.id))
    return [Aggregated(issue, title, deliveries) for issue, title, deliveries in rows]


def aggregate_due(now: datetime) -> list[Aggregated]:
    """Give up the deliveries of every old issue. Opens its own transactions; what is broken off goes on the next day.

    Old is an issue that ended thirty days ago or more, with three later ones of its list sent, of which nobody is
    still to be sent to and no unsure one of the last thirty days waits for a decision.
    """
    done = []
    waiting = due(now)
    db.session.rollback()
    for each in waiting:
        if _begin(each, now):
            done.append(Aggregated(each.issue, each.title, _delete(each.issue)))
    if done:
        clear_log()
    return done


def _old_enough(now: datetime) -> Select[int, str, int]:
    later = aliased(Issue)
    later_ones = (
        select(func.count())
        .where(later.list_id == Issue.list_id, later.state == IssueState.SENT, later.started_at > Issue.started_at)
        .scalar_subquery()
    )
    rows = select(Delivery.id).where(Delivery.issue_id == Issue.id)
    undecided = (
        (Delivery.state == DeliveryState.UNSURE)
        & Delivery.decided_at.is_(None)
        & (Delivery.updated_at > now - OLD_ENOUGH)
    )
    number = select(func.count()).where(Delivery.issue_id == Issue.id).scalar_subquery()
    return select(Issue.id, Issue.title, number).where(
        Issue.state.in_([IssueState.SENT, IssueState.CANCELLED]),
        func.coalesce(Issue.sent_at, Issue.cancelled_at, type_=Issue.sent_at.type) <= now - OLD_ENOUGH,
        later_ones >= KEPT_ISSUES,
        rows.exists(),
        ~rows.where(or_(Delivery.state.in_(_OPEN), undecided)).exists(),
    )


def _begin(each: Aggregated, now: datetime) -> bool:
    """Make the last report, and the totals exact; from then on the two speak for the issue. False if it may not be."""
    issue = db.session.get_one(Issue, each.issue)
    if accounts.aggregated_at(issue) is not None:
        return True  # begun before, and broken off
    last = report.build(issue, now)
    with transaction() as session:
        lock(issue)
        if session.execute(_old_enough(now).where(Issue.id == issue.id)).first() is None:
            return False
        report.keep(last, issue.id)
        session.execute(update(IssueReport).where(IssueReport.issue_id == issue.id).values(aggregated_at=now))
        counts = _make_exact(issue)
        activity.record(
            "issue.deliveries_aggregated",
            actor=None,
            now=now,
            issue=issue,
            deliveries=each.deliveries,
            counts=counts.as_dict(),
        )
    _log.info("The %d deliveries of issue %d are given up for their totals", each.deliveries, each.issue)
    return True


def _make_exact(issue: Issue) -> accounts.Counts:
    """The totals as the deliveries are: for issues of before there were any, and against what went wrong."""
    counts = accounts.counted(issue)
    if accounts.tallied(issue) != counts:
        db.session.execute(delete(DeliveryTally).where(DeliveryTally.issue_id == issue.id))
        db.session.execute(
            insert(DeliveryTally),
            [
                {"issue_id": issue.id, "state": DeliveryState(state), "number": number}
                for state, number in counts.as_dict().items()
            ],
        )
    return counts


def _delete(issue_id: int) -> int:
    """Delete what is settled, chunk by chunk. Returns how many rows."""
    chunk = select(Delivery.id).where(Delivery.issue_id == issue_id, Delivery.state.not_in(_OPEN)).limit(CHUNK)
    deleted = 0
    while True:
        with transaction() as session:
            result = session.execute(
                delete(Delivery).where(Delivery.id.in_(chunk)).execution_options(synchronize_session=False)
            )
            assert isinstance(result, CursorResult)
        deleted += result.rowcount
        if result.rowcount < CHUNK:
            return deleted
