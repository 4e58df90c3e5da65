"""The totals of an issue, moved in the very transaction that moves its deliveries.

Whoever changes the state of deliveries says here how many went from where to where, by what the statement really
changed. The totals are then as true as the rows, and a page that watches reads seven numbers.

Call it last in the transaction. On PostgreSQL whoever writes a total holds it until the commit: deliveries are locked
before totals, totals in the order of their states, so no two transactions wait for each other.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from ...db import UTCDateTime
from ...states import DeliveryState

#: What `DeliveryProgress` counts by.
SLOT = timedelta(seconds=10)
#: From where to where, and how many.
Moves = Mapping[tuple[DeliveryState, DeliveryState], int]
#: How many came to an end in which slot.
Arrivals = Mapping[tuple[datetime, DeliveryState], int]

_ORDER = {state: place for place, state in enumerate(DeliveryState)}


def moved(session: Session, issue_id: int, before: DeliveryState, after: DeliveryState, number: int) -> None:
    """`number` deliveries of the issue went from `before` to `after`. Nothing is written of none."""
    write(session, issue_id, {(before, after): number})


def write(session: Session, issue_id: int, moves: Moves, arrivals: Arrivals | None = None) -> None:
    """Several moves at once; `arrivals` are outcomes of tries, by slot (see `slot_of`), for the rate and the chart."""
    change: Counter[DeliveryState] = Counter()
    for (before, after), number in moves.items():
        change[before] -= number
        change[after] += number
    _add(session, issue_id, change)
    rows = [
        {"issue": issue_id, "slot": slot, "state": state.value, "number": number}
        for (slot, state), number in sorted((arrivals or {}).items(), key=lambda each: (each[0][0], _ORDER[each[0][1]]))
        if number
    ]
    if rows:
        session.connection().execute(_ADD_PROGRESS, rows)


def begin(session: Session, issue_id: int, queued: int) -> None:
    """The issue was frozen: that many wait, and nobody is anywhere else."""
    _add(session, issue_id, {DeliveryState.QUEUED: queued})


def slot_of(at: datetime) -> datetime:
    """The start of the ten seconds that the aware instant `at` falls into."""
    return at.replace(second=at.second // 10 * 10, microsecond=0)


def _add(session: Session, issue_id: int, change: Mapping[DeliveryState, int]) -> None:
    rows = [
        {"issue": issue_id, "state": state.value, "number": change[state]}
        for state in DeliveryState
        if change.get(state, 0)
    ]
    if rows:
        session.connection().execute(_ADD_TALLY, rows)


# Spelled out: both databases read these, and building them anew at each batch would cost more than running them.
_ADD_TALLY = text(
    "INSERT INTO delivery_tally (issue_id, state, number) VALUES (:issue, :state, :number)"
    " ON CONFLICT (issue_id, state) DO UPDATE SET number = delivery_tally.number + excluded.number"
)
_ADD_PROGRESS = text(
    "INSERT INTO delivery_progress (issue_id, slot, state, number) VALUES (:issue, :slot, :state, :number)"
    " ON CONFLICT (issue_id, slot, state) DO UPDATE SET number = delivery_progress.number + excluded.number"
).bindparams(bindparam("slot", type_=UTCDateTime))
