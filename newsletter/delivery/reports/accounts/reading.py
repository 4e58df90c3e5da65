"""Why, who and when: what the totals do not say."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text

from ....db import db
from ....models import Activity, Delivery, Issue, Subscriber, Subscription
from ....states import DeliveryState, SkipReason

_IS_UNSURE = text("delivery.state = 'unsure'")


@dataclass(frozen=True)
class Reason:
    """Why some are refused or deferred, in the relay's words, and how many. `enhanced` is the RFC 3463 status."""

    code: int | None
    enhanced: str
    words: str
    people: int


@dataclass(frozen=True)
class InDoubt:
    """One message of which nobody knows whether it arrived. `taken`: something came back about it since, so it did."""

    delivery: int
    address: str | None
    at: datetime
    words: str
    decided: bool
    taken: bool


def reasons(issue: Issue, state: DeliveryState, limit: int = 20) -> list[Reason]:
    """Why rows are in `state` (refused, deferred), the most frequent first."""
    number = func.count()
    rows = db.session.execute(
        select(Delivery.code, Delivery.enhanced, func.min(Delivery.reply), number)
        .where(Delivery.issue_id == issue.id, Delivery.state == state)
        .group_by(Delivery.code, Delivery.enhanced)
        .order_by(number.desc())
        .limit(limit)
    )
    return [Reason(code, enhanced or "", reply or "", people) for code, enhanced, reply, people in rows]


def skipped(issue: Issue) -> dict[SkipReason, int]:
    """Why people were skipped, and how many for each reason."""
    rows = db.session.execute(
        select(Delivery.skip_reason, func.count())
        .where(Delivery.issue_id == issue.id, Delivery.state == DeliveryState.SKIPPED)
        .group_by(Delivery.skip_reason)
    )
    return {reason: people for reason, people in rows if reason is not None}


def in_doubt(issue: Issue, *, undecided_only: bool = False) -> list[InDoubt]:
    """The unsure ones. Nobody but a person decides about them."""
    chosen = (
        select(Delivery.id, Subscriber.address, Delivery.updated_at, Delivery.reply, Delivery.decided_at)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id, isouter=True)
        .where(Delivery.issue_id == issue.id, _IS_UNSURE)
        .order_by(Delivery.id)
    )
    if undecided_only:
        chosen = chosen.where(Delivery.decided_at.is_(None))
    rows = db.session.execute(chosen).all()
    taken = _evidently_taken(issue) if rows else set()
    return [
        InDoubt(delivery, address, at, words or "", decided is not None, delivery in taken)
        for delivery, address, at, words, decided in rows
    ]


def _evidently_taken(issue: Issue) -> set[int]:
    """The unsure ones of which a report came later; it is on record, and changed nothing."""
    chosen = select(Activity.subject_id).where(
        Activity.issue_id == issue.id, Activity.action == "delivery.evidently_taken"
    )
    return {int(number) for number in db.session.scalars(chosen)}


def next_retry(issue: Issue) -> datetime | None:
    """When the next of those put off is tried again."""
    return db.session.scalar(
        select(func.min(Delivery.retry_at)).where(Delivery.issue_id == issue.id, text("delivery.state = 'deferred'"))
    )


def recent_events(issue: Issue, limit: int = 20) -> list[Activity]:
    """What happened to the issue, newest first: the lines of the record of activity."""
    chosen = select(Activity).where(Activity.issue_id == issue.id).order_by(Activity.id.desc()).limit(limit)
    return list(db.session.scalars(chosen))
