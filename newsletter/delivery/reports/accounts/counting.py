"""How many stand where, and how fast it goes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, select

from ....db import db
from ....models import Delivery, DeliveryProgress, DeliveryTally, Issue, IssueReport
from ....states import DeliveryState, IssueState
from ...ledger.tallies import SLOT, slot_of

#: The rate is that of the last half minute: long enough to be steady, short enough to show a change.
RATE_WINDOW = 3 * SLOT
_A_SECOND = timedelta(seconds=1)
_NEW = (DeliveryState.QUEUED, DeliveryState.CLAIMED)


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


def counts(issue: Issue) -> Counts:
    """The seven counts of one issue, all of one instant.

    From the totals that are kept as deliveries move: seven rows, however long the list. An issue that is without
    them, or whose totals cannot be right because they do not add up, is counted out.
    """
    kept = tallied(issue)
    return kept if kept is not None and kept.adds_up else counted(issue)


def tallied(issue: Issue) -> Counts | None:
    """The totals as they are kept; None for an issue that was sent before there were any."""
    rows = db.session.execute(
        select(DeliveryTally.state, DeliveryTally.number).where(DeliveryTally.issue_id == issue.id)
    ).all()
    return Counts(issue.recipients, **{state.value: number for state, number in rows}) if rows else None


def counted(issue: Issue) -> Counts:
    """The deliveries themselves, counted: one GROUP BY over all of them."""
    rows = db.session.execute(
        select(Delivery.state, func.count()).where(Delivery.issue_id == issue.id).group_by(Delivery.state)
    )
    return Counts(issue.recipients, **{state.value: number for state, number in rows})


def aggregated_at(issue: Issue) -> datetime | None:
    """When the issue's single deliveries were given up for their totals; None while they are all there."""
    return db.session.scalar(select(IssueReport.aggregated_at).where(IssueReport.issue_id == issue.id))


def rate(issue: Issue, now: datetime) -> Rate:
    """Messages accepted a second in the last half minute. `time_left` is None when none was."""
    if issue.state is not IssueState.SENDING or issue.started_at is None:
        return Rate(0.0, None)
    kept = tallied(issue)
    if kept is None:
        accepted, left, since = _counted_rate(issue, now)
    else:
        # The slot that is being filled, and the two before it.
        since = slot_of(now) - RATE_WINDOW + SLOT
        accepted, left = _accepted_since(issue, since), kept.queued + kept.claimed
    seconds = max(now - max(since, issue.started_at), _A_SECOND).total_seconds()
    per_second = accepted / seconds
    return Rate(per_second, timedelta(seconds=left / per_second) if per_second else None)


def _accepted_since(issue: Issue, since: datetime) -> int:
    return (
        db.session.scalar(
            select(func.sum(DeliveryProgress.number)).where(
                DeliveryProgress.issue_id == issue.id,
                DeliveryProgress.slot >= since,
                DeliveryProgress.state == DeliveryState.ACCEPTED,
            )
        )
        or 0
    )


def _counted_rate(issue: Issue, now: datetime) -> tuple[int, int, datetime]:
    """How many were accepted since when, and how many are still new: by the deliveries themselves."""
    since = now - RATE_WINDOW
    accepted, left = db.session.execute(
        select(
            func.count(case((Delivery.state == DeliveryState.ACCEPTED, 1))),
            func.count(case((Delivery.state.in_(_NEW), 1))),
        ).where(Delivery.issue_id == issue.id, (Delivery.updated_at > since) | Delivery.state.in_(_NEW))
    ).one()
    return accepted, left, since
