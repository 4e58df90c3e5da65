"""The ledger: claim what is to be sent, give back what was not tried. (`recording` writes down what came of it.)

Every function is one short transaction, or a part of one; none waits for the network. A row in state `claimed`
belongs to the run whose epoch stands in `owner`, and only that run, or the recovery of its remains, takes it further.
"""

import uuid
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, Select, Update, select, text, update
from sqlalchemy.orm import Session

from ..addresses import key
from ..db import transaction
from ..domain.subscribers.suppressing import address_hash, suppressed_hashes
from ..errors import Refused
from ..models import Account, Delivery, Issue, Organisation, Subscriber, Subscription
from ..states import DeliveryState, IssueState, SendingMode, SkipReason, SubscriptionState
from . import tallies

BATCH = 500

#: While an issue is in one of these, its rows may be claimed: the rest of it, and what was put off.
_GOING = frozenset({IssueState.SENDING, IssueState.SENT})
_ledger = Delivery.__table__

# Written out, not bound: the partial indexes serve only a query that names the state itself.
_IS_QUEUED = text("delivery.state = 'queued'")
_IS_DEFERRED = text("delivery.state = 'deferred'")
_IS_CLAIMED = text("delivery.state = 'claimed'")


class SendingSwitchedOff(Refused):
    """The installation's sending mode is "nothing"."""


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One message to send: `attempt` counts from 1, `subscription` is the public id."""

    delivery: int
    attempt: int
    address: str
    name: str
    subscription: uuid.UUID
    first_tried_at: datetime | None


@dataclass(frozen=True, slots=True)
class Claim:
    """What one claim brought. `seen` counts the rows it looked at, those it skipped included."""

    items: list[WorkItem]
    seen: int


def claim(issue_id: int, epoch: int, now: datetime, *, any_address: bool = False, limit: int = BATCH) -> Claim:
    """Take up to `limit` rows into the hands of run `epoch`, in order of their keys; due deferred ones after new ones.

    Each is looked at once more: whoever left, paused, was suppressed or erased since the freeze is skipped, and so
    is everybody but staff in an installation that sends to its team only, unless `any_address` (the built-in
    mailbox lets nothing out). Nothing is claimed of an issue that is paused. Raises SendingSwitchedOff.
    """
    with transaction() as session:
        state = session.scalar(select(Issue.state).where(Issue.id == issue_id))
        mode = SendingMode.EVERYONE if any_address else session.scalar(select(Organisation.sending_mode))
        if state not in _GOING:
            return Claim([], 0)
        if mode is SendingMode.NOTHING:
            raise SendingSwitchedOff("Sending is switched off for this installation")
        rows = _candidates(session, issue_id, now, limit)
        barred = _suppressed([row.address for row in rows if row.address])
        team = _team(session) if mode is SendingMode.TEAM else None
        moves: Counter[tuple[DeliveryState, DeliveryState]] = Counter()
        skipped: dict[SkipReason, list[int]] = {}
        items = []
        for row in rows:
            reason = _skip_reason(row, now, barred, team)
            if reason is None:
                items.append(_work_item(row))
                moves[row.state, DeliveryState.CLAIMED] += 1
            else:
                skipped.setdefault(reason, []).append(row.id)
                moves[row.state, DeliveryState.SKIPPED] += 1
        for reason, deliveries in skipped.items():
            _change(session, deliveries, state=DeliveryState.SKIPPED, skip_reason=reason, owner=None, updated_at=now)
        claimed = [item.delivery for item in items]
        _change(session, claimed, state=DeliveryState.CLAIMED, owner=epoch, updated_at=now)
        tallies.write(session, issue_id, moves)
    return Claim(items, len(rows))


def release(issue_id: int, epoch: int, now: datetime) -> None:
    """Give back what run `epoch` still holds: it was not tried, since all that was has been recorded."""
    with transaction() as session:
        held = session.scalars(
            select(Delivery.id).where(Delivery.issue_id == issue_id, Delivery.owner == epoch, _IS_CLAIMED)
        )
        give_back(session, issue_id, epoch, list(held), now)


def give_back(session: Session, issue_id: int, epoch: int, deliveries: list[int], now: datetime) -> None:
    """Claimed rows return, within a running transaction: to the queue, or to those put off if they came from there.

    Of a cancelled issue nothing returns: it is skipped.
    """
    if not deliveries:
        return
    # Held against `cancel`, which would otherwise pass by between our look and our change.
    state = session.scalar(select(Issue.state).where(Issue.id == issue_id).with_for_update(read=True))
    ours = update(Delivery).where(Delivery.id.in_(deliveries), Delivery.owner == epoch, _IS_CLAIMED)
    ours = ours.values(owner=None, updated_at=now).execution_options(synchronize_session=False)
    moves: dict[tuple[DeliveryState, DeliveryState], int] = {}

    def turn(rows: Update, to: DeliveryState, **values: object) -> None:
        number: int = session.execute(rows.values(state=to, **values)).rowcount  # type: ignore[attr-defined]  # an UPDATE's
        moves[DeliveryState.CLAIMED, to] = number

    if state is IssueState.CANCELLED:
        turn(ours, DeliveryState.SKIPPED, skip_reason=SkipReason.CANCELLED)
    else:
        turn(ours.where(Delivery.retry_at.is_not(None)), DeliveryState.DEFERRED)
        turn(ours, DeliveryState.QUEUED)
    tallies.write(session, issue_id, moves)


def put_off(issue_id: int, epoch: int, deliveries: Collection[int], until: datetime, now: datetime) -> None:
    """Put off what run `epoch` has claimed and need not hold, without a try: its domain takes mail slowly."""
    with transaction() as session:
        ours = update(Delivery).where(Delivery.id.in_(deliveries), Delivery.owner == epoch, _IS_CLAIMED)
        values = {"state": DeliveryState.DEFERRED, "retry_at": until, "owner": None, "updated_at": now}
        result = session.execute(ours.values(**values).execution_options(synchronize_session=False))
        number: int = result.rowcount  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
        tallies.moved(session, issue_id, DeliveryState.CLAIMED, DeliveryState.DEFERRED, number)


def skip_the_rest(session: Session, issue_id: int, now: datetime) -> None:
    """Of a cancelled issue, within a running transaction: what has not been tried, or was put off, is skipped."""
    moves: dict[tuple[DeliveryState, DeliveryState], int] = {}
    for before, which in ((DeliveryState.QUEUED, _IS_QUEUED), (DeliveryState.DEFERRED, _IS_DEFERRED)):
        result = session.execute(
            update(Delivery)
            .where(Delivery.issue_id == issue_id, which)
            .values(state=DeliveryState.SKIPPED, skip_reason=SkipReason.CANCELLED, owner=None, updated_at=now)
            .execution_options(synchronize_session=False)
        )
        moves[before, DeliveryState.SKIPPED] = result.rowcount  # type: ignore[attr-defined]  # an UPDATE's
    tallies.write(session, issue_id, moves)


def _candidates(session: Session, issue_id: int, now: datetime, limit: int) -> list[Row[tuple[object, ...]]]:
    queued = _rows().where(Delivery.issue_id == issue_id, _IS_QUEUED).order_by(Delivery.id).limit(limit)
    found = list(session.execute(queued))
    if len(found) < limit:
        due = _rows().where(Delivery.issue_id == issue_id, _IS_DEFERRED, Delivery.retry_at <= now)
        found += session.execute(due.order_by(Delivery.retry_at).limit(limit - len(found)))
    return found


def _rows() -> Select[tuple[object, ...]]:
    """The rows with all that a claim decides on. On PostgreSQL each claim passes by what another has locked."""
    statement = (
        select(
            Delivery.id,
            Delivery.state,
            Delivery.attempts,
            Delivery.first_tried_at,
            Subscription.public_id,
            Subscription.state.label("subscription_state"),
            Subscription.paused_until,
            Subscriber.address,
            Subscriber.name,
        )
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id, isouter=True)
    )
    return statement.with_for_update(of=_ledger, skip_locked=True)  # type: ignore[return-value]  # the same select


def _suppressed(addresses: list[str]) -> set[str]:
    hashes = {address_hash(address): address for address in addresses}
    return {hashes[found] for found in suppressed_hashes(hashes)}


def _team(session: Session) -> set[str]:
    return set(session.scalars(select(Account.email_key).where(Account.active)))


def _skip_reason(
    row: Row[tuple[object, ...]], now: datetime, barred: set[str], team: set[str] | None
) -> SkipReason | None:
    if row.address is None:
        return SkipReason.ERASED
    if row.subscription_state is not SubscriptionState.ACTIVE:
        return SkipReason.LEFT
    if row.paused_until is not None and row.paused_until > now:
        return SkipReason.PAUSED
    if row.address in barred:
        return SkipReason.SUPPRESSED
    if team is not None and key(row.address) not in team:
        return SkipReason.TEAM_ONLY
    return None


def _change(session: Session, deliveries: list[int], **values: object) -> None:
    """Change rows that this transaction holds."""
    if deliveries:
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_(deliveries))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def _work_item(row: Row[tuple[object, ...]]) -> WorkItem:
    return WorkItem(row.id, row.attempts + 1, row.address, row.name, row.public_id, row.first_tried_at)
