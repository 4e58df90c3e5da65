"""The ledger: claim what is to be sent, give back what was not tried. (`recording` writes down what came of it.)

Every function is one short transaction, or a part of one; none waits for the network. A row in state `claimed`
belongs to the run whose epoch stands in `owner`, and only that run, or the recovery of its remains, takes it further.
"""

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from sqlalchemy import TextClause, Update, bindparam, select, text, update
from sqlalchemy.orm import Session

from ...db import UTCDateTime, transaction
from ...domain.subscribers.suppressing import suppressed_keys
from ...errors import Refused
from ...models import Account, Delivery, Issue, Organisation
from ...states import DeliveryState, IssueState, SendingMode, SkipReason
from . import tallies

BATCH = 500
_FEW = 200

#: While an issue is in one of these, its rows may be claimed: the rest of it, and what was put off.
_GOING = frozenset({IssueState.SENDING, IssueState.SENT})

# Written out, not bound: the partial indexes serve only a query that names the state itself.
_IS_QUEUED = text("delivery.state = 'queued'")
_IS_DEFERRED = text("delivery.state = 'deferred'")
_IS_CLAIMED = text("delivery.state = 'claimed'")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS = "CAST(extract(epoch FROM {}) * 1000000 AS bigint)"


class SendingSwitchedOff(Refused):
    """The installation's sending mode is "nothing"."""


class WorkItem(NamedTuple):
    """One message to send: `attempt` counts from 1, `subscription` is the 16 bytes of the public id."""

    delivery: int
    attempt: int
    address: str
    name: str
    subscription: bytes
    first_tried_at: datetime | None


class _Candidate(NamedTuple):
    """What a claim decides on, as the database says it: ids in hexadecimal, instants in microseconds since 1970."""

    delivery: int
    attempt: int
    address: str | None
    name: str
    subscription: str
    first_tried_at: int | None
    state: str
    reason: str | None
    address_key: str


@dataclass(frozen=True, slots=True)
class Claim:
    """What one claim brought. `seen` counts the rows it looked at, those it skipped included.

    `held` says that nothing may be claimed, whatever is left: the issue is paused, cancelled or gone.
    """

    items: list[WorkItem]
    seen: int
    held: bool = False


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
            return Claim([], 0, held=True)
        if mode is SendingMode.NOTHING:
            raise SendingSwitchedOff("Sending is switched off for this installation")
        rows = _candidates(session, issue_id, now, limit)
        barred = suppressed_keys({row.address_key for row in rows if row.reason is None})
        team = _team(session) if mode is SendingMode.TEAM else None
        from_state: Counter[str] = Counter()
        skipped: dict[tuple[SkipReason, str], list[int]] = {}
        items: list[WorkItem] = []
        for row in rows:
            reason = _why_not(row, barred, team)
            if reason is None:
                items.append(_item(row))
                from_state[row.state] += 1
            else:
                skipped.setdefault((reason, row.state), []).append(row.delivery)
        moves = {(DeliveryState(state), DeliveryState.CLAIMED): number for state, number in from_state.items()}
        for (reason, before), deliveries in skipped.items():
            _skip(session, deliveries, reason, now)
            move = DeliveryState(before), DeliveryState.SKIPPED
            moves[move] = moves.get(move, 0) + len(deliveries)
        _hold(session, [item.delivery for item in items], epoch, now)
        tallies.write(session, issue_id, moves)
    return Claim(items, len(rows))


def release(issue_id: int, epoch: int, now: datetime) -> None:
    """Give back what run `epoch` still holds: it was not tried, since all that was has been recorded."""
    with transaction() as session:
        held = session.scalars(
            select(Delivery.id).where(Delivery.issue_id == issue_id, Delivery.owner == epoch, _IS_CLAIMED)
        )
        give_back(session, issue_id, epoch, list(held), now)


def hand_back(issue_id: int, epoch: int, deliveries: list[int], now: datetime) -> None:
    """Give back these of what run `epoch` holds: they have waited for so long that who left has to be asked anew."""
    # A few at a time: a statement of thousands of numbers takes megabytes, and nobody waits for this.
    for start in range(0, len(deliveries), _FEW):
        with transaction() as session:
            give_back(session, issue_id, epoch, deliveries[start : start + _FEW], now)


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


def _candidates(session: Session, issue_id: int, now: datetime, limit: int) -> list[_Candidate]:
    """The rows with all that a claim decides on. On PostgreSQL each claim passes by what another has locked."""
    dialect = session.get_bind().dialect.name
    values = {"issue": issue_id, "now": now}
    found = _rows(session, _look_up("queued", dialect), {**values, "limit": limit})
    if len(found) < limit:
        found += _rows(session, _look_up("deferred", dialect), {**values, "limit": limit - len(found)})
    return found


def _rows(session: Session, statement: TextClause, values: dict[str, object]) -> list[_Candidate]:
    found: str | None = session.scalar(statement, values)
    return [_Candidate._make(row) for row in json.loads(found or "[]")]


@cache
def _look_up(state: str, dialect: str) -> TextClause:
    """The state is written out, not bound: the partial indexes serve only a query that names it.

    All rows as one JSON text: row by row, SQLite's driver gives the interpreter's lock away at each, and waits for it
    again while the sending loop is busy.
    """
    sqlite = dialect == "sqlite"
    which = "" if state == "queued" else "AND delivery.retry_at <= :now"
    order = "delivery.id" if state == "queued" else "delivery.retry_at"
    locking = "" if sqlite else "FOR UPDATE OF delivery SKIP LOCKED"
    first_tried_at = "delivery.first_tried_at" if sqlite else _MICROSECONDS.format("delivery.first_tried_at")
    public_id = "subscription.public_id" if sqlite else "replace(CAST(subscription.public_id AS text), '-', '')"
    fields = (
        "delivery.id AS a, delivery.attempts + 1 AS b, subscriber.address AS c, subscriber.name AS d,"
        f" {public_id} AS e, {first_tried_at} AS f, delivery.state AS g, CASE"
        " WHEN subscriber.address IS NULL THEN 'erased'"
        " WHEN subscription.state <> 'active' THEN 'left'"
        " WHEN subscription.paused_until > :now THEN 'paused' END AS h, subscriber.address_key AS i"
    )
    together = "json_group_array(json_array({}))" if sqlite else "CAST(json_agg(json_build_array({})) AS text)"
    return text(
        f"SELECT {together.format('a, b, c, d, e, f, g, h, i')} FROM (SELECT {fields}"  # noqa: S608 (made of our own words alone)
        " FROM delivery JOIN subscription ON subscription.id = delivery.subscription_id"
        " LEFT JOIN subscriber ON subscriber.id = subscription.subscriber_id"
        f" WHERE delivery.issue_id = :issue AND delivery.state = '{state}' {which}"
        f" ORDER BY {order} LIMIT :limit {locking}) AS candidate"
    ).bindparams(bindparam("now", type_=UTCDateTime))


def _why_not(row: _Candidate, barred: Collection[str], team: Collection[str] | None) -> SkipReason | None:
    if row.reason is not None:
        return SkipReason(row.reason)
    if row.address_key in barred:
        return SkipReason.SUPPRESSED
    if team is not None and row.address_key not in team:
        return SkipReason.TEAM_ONLY
    return None


def _item(row: _Candidate) -> WorkItem:
    assert row.address is not None  # or there is a reason not to
    tried = row.first_tried_at
    first = None if tried is None else _EPOCH + timedelta(microseconds=tried)
    return WorkItem(row.delivery, row.attempt, row.address, row.name, bytes.fromhex(row.subscription), first)


def _team(session: Session) -> set[str]:
    return set(session.scalars(select(Account.email_key).where(Account.active)))


def _skip(session: Session, deliveries: list[int], reason: SkipReason, now: datetime) -> None:
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(deliveries))
        .values(state=DeliveryState.SKIPPED, skip_reason=reason, owner=None, updated_at=now)
        .execution_options(synchronize_session=False)
    )


def _hold(session: Session, deliveries: list[int], epoch: int, now: datetime) -> None:
    """The rows, which this transaction has looked at, are the run's."""
    if session.get_bind().dialect.name == "sqlite":
        given = "SELECT value FROM json_each(:ids)"
    else:
        given = "SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:ids AS json)) AS value"
    statement = text(
        f"UPDATE delivery SET state = 'claimed', owner = :epoch, updated_at = :now WHERE id IN ({given})"  # noqa: S608 (ours)
    ).bindparams(bindparam("now", type_=UTCDateTime))
    session.execute(statement, {"ids": json.dumps(deliveries), "epoch": epoch, "now": now})
