"""The accounts of a sent issue: where each frozen recipient stands, and whether it adds up. Reads only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, select, text

from ..db import db
from ..models import Activity, Delivery, Issue, Subscriber, Subscription, Worker
from ..states import DeliveryState, IssueState, SkipReason
from ..work.liveness import gone, wire_folder
from .wirelog import Phase, Verdict, WireLogDamaged, last_records

#: The rate is that of the last half minute: long enough to be steady, short enough to show a change.
RATE_WINDOW = timedelta(seconds=30)
_IS_UNSURE = text("delivery.state = 'unsure'")


@dataclass(frozen=True)
class Counts:
    """How many of the `recipients` stand where. The seven add up to it, at every instant."""

    recipients: int
    queued: int = 0
    claimed: int = 0
    accepted: int = 0
    deferred: int = 0
    refused: int = 0
    unsure: int = 0
    skipped: int = 0

    def as_dict(self) -> dict[str, int]:
        """The seven, by the names of their states."""
        return {state.value: getattr(self, state.value) for state in DeliveryState}

    @property
    def total(self) -> int:
        return sum(self.as_dict().values())

    @property
    def adds_up(self) -> bool:
        return self.total == self.recipients

    @property
    def done(self) -> int:
        """Those for whom nothing more happens by itself."""
        return self.accepted + self.refused + self.unsure + self.skipped


@dataclass(frozen=True)
class Rate:
    """How fast it goes: accepted messages a second of late, and how long the rest will take at that."""

    per_second: float
    time_left: timedelta | None


@dataclass(frozen=True)
class Reason:
    """Why some are refused, deferred or skipped, in the relay's words, and how many."""

    code: int | None
    words: str
    people: int


@dataclass(frozen=True)
class InDoubt:
    """One message of which nobody knows whether it arrived."""

    delivery: int
    address: str | None
    at: datetime
    words: str
    decided: bool


def counts(issue: Issue) -> Counts:
    """The seven counts of one issue: one GROUP BY, so they belong to one instant."""
    rows = db.session.execute(
        select(Delivery.state, func.count()).where(Delivery.issue_id == issue.id).group_by(Delivery.state)
    )
    return Counts(issue.recipients, **{state.value: number for state, number in rows})


def rate(issue: Issue, now: datetime) -> Rate:
    """Messages accepted a second in the last half minute. `time_left` is None when none was."""
    since = max(now - RATE_WINDOW, issue.started_at or now)
    seconds = (now - since).total_seconds()
    going = issue.state is IssueState.SENDING
    accepted, left = db.session.execute(
        select(
            func.count(case((Delivery.state == DeliveryState.ACCEPTED, 1))),
            func.count(case((Delivery.state.in_([DeliveryState.QUEUED, DeliveryState.CLAIMED]), 1))),
        ).where(
            Delivery.issue_id == issue.id,
            (Delivery.updated_at > since) | Delivery.state.in_([DeliveryState.QUEUED, DeliveryState.CLAIMED]),
        )
    ).one()
    per_second = accepted / seconds if going and seconds > 0 else 0.0
    return Rate(per_second, timedelta(seconds=left / per_second) if per_second else None)


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
    return [Reason(code, reply or "", people) for code, _enhanced, reply, people in rows]


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
    return [
        InDoubt(delivery, address, at, words or "", decided is not None)
        for delivery, address, at, words, decided in db.session.execute(chosen)
    ]


def next_retry(issue: Issue) -> datetime | None:
    """When the next of those put off is tried again."""
    return db.session.scalar(
        select(func.min(Delivery.retry_at)).where(Delivery.issue_id == issue.id, text("delivery.state = 'deferred'"))
    )


def recent_events(issue: Issue, limit: int = 20) -> list[Activity]:
    """What happened to the issue, newest first: the lines of the record of activity."""
    chosen = select(Activity).where(Activity.issue_id == issue.id).order_by(Activity.id.desc()).limit(limit)
    return list(db.session.scalars(chosen))


def verify(issue: Issue) -> list[str]:
    """What does not add up, as sentences; empty when all is right.

    Looks at the sum, the states that do not go together, rows that dead runs hold, and what wire logs contradict.
    """
    return [*_sum(issue), *_duplicates(issue), *_states(issue), *_claims(issue), *_wire_logs(issue)]


def _sum(issue: Issue) -> Iterator[str]:
    found = counts(issue)
    if not found.adds_up:
        yield f"{found.total} recipients are in the accounts, and {found.recipients} were frozen at the start."


def _duplicates(issue: Issue) -> Iterator[str]:
    # The table forbids it; a table that was restored or mended by hand may not.
    twice = (
        select(Delivery.subscription_id)
        .where(Delivery.issue_id == issue.id)
        .group_by(Delivery.subscription_id)
        .having(func.count() > 1)
    )
    number = db.session.scalar(select(func.count()).select_from(twice.subquery())) or 0
    if number:
        yield f"{number} subscriptions stand in the accounts more than once."


def _states(issue: Issue) -> Iterator[str]:
    found = counts(issue)
    started = issue.state in {IssueState.SENDING, IssueState.PAUSED, IssueState.SENT}
    if not started and issue.state is not IssueState.CANCELLED and found.total:
        yield f"The issue is {issue.state.value}, and yet {found.total} deliveries exist."
    if issue.state is IssueState.SENT and found.queued:
        yield f"The issue is called sent, and {found.queued} messages are still queued."
    if issue.state is IssueState.CANCELLED and found.queued + found.deferred:
        yield f"The issue is cancelled, and {found.queued + found.deferred} messages still wait to be sent."
    unanswered = db.session.scalar(
        select(func.count()).where(
            Delivery.issue_id == issue.id, Delivery.state == DeliveryState.ACCEPTED, Delivery.attempts == 0
        )
    )
    if unanswered:
        yield f"{unanswered} messages are called accepted and were never tried."


def _claims(issue: Issue) -> Iterator[str]:
    dead = [worker.id for worker, _fate in gone()]
    held = db.session.scalar(
        select(func.count())
        .select_from(Delivery)
        .join(Worker, Worker.id == Delivery.owner)
        .where(
            Delivery.issue_id == issue.id,
            text("delivery.state = 'claimed'"),
            Worker.id.in_(dead) | Worker.ended_at.is_not(None),
        )
    )
    if held:
        yield f"{held} messages are held by a sending program that has ended; they are settled within a minute."


def _wire_logs(issue: Issue) -> Iterator[str]:
    """A log that says "accepted" where the accounts say "still to be sent" means that somebody gets it twice."""
    waiting = set(
        db.session.scalars(
            select(Delivery.id).where(
                Delivery.issue_id == issue.id, Delivery.state.in_([DeliveryState.QUEUED, DeliveryState.DEFERRED])
            )
        )
    )
    for path in sorted(wire_folder().glob("*.wire")):
        try:
            records = last_records(path, waiting).values()
        except WireLogDamaged:
            yield f"The wire log {path.name} is damaged."
            continue
        except OSError:
            continue
        for record in records:
            if record.phase is Phase.ANSWERED and record.verdict is Verdict.ACCEPTED:
                yield f"Delivery {record.delivery} was accepted, as a wire log says, and is still to be sent."
