"""What came of messages, written into the ledger: one statement for each state they came to, with their totals.

The rows travel as one JSON text that the database takes apart: a statement for each row costs a round trip on
PostgreSQL, and on SQLite a turn of the interpreter's lock, which the sending loop would wait for.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from ...db import transaction
from ...states import DeliveryState
from . import tallies

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SLOT = tallies.SLOT // _MICROSECOND
_LONGEST_REPLY, _LONGEST_STATUS = 500, 12


class Outcome(NamedTuple):
    """What came of one try, ready to be recorded. Instants are aware."""

    delivery: int
    attempt: int
    state: DeliveryState
    at: datetime
    code: int | None = None
    enhanced: str = ""
    reply: str = ""
    retry_at: datetime | None = None


def record(outcomes: Collection[Outcome], issue_id: int, epoch: int) -> int:
    """Write down what came of messages that run `epoch` holds. Returns how many rows took it.

    An `unsure` that others concluded from this run's silence is still its own to correct. What comes late, or twice,
    changes nothing and counts nowhere. Opens its own transaction.
    """
    if not outcomes:
        return 0
    moves: Counter[tuple[DeliveryState, DeliveryState]] = Counter()
    arrivals: Counter[tuple[datetime, DeliveryState]] = Counter()
    groups = _grouped(outcomes)
    with transaction() as session:
        for (slot, state), rows in groups.items():
            for before, number in _write(session, rows, state, epoch).items():
                moves[before, state] += number
                if state is not DeliveryState.QUEUED:
                    arrivals[_EPOCH + slot * tallies.SLOT, state] += number
        tallies.write(session, issue_id, moves, arrivals)
    return moves.total()


def _grouped(outcomes: Collection[Outcome]) -> dict[tuple[int, DeliveryState], list[tuple[object, ...]]]:
    """The rows in the order that the statement wants, by the number of their slot since 1970 and by state.

    Written out, in one pass: it is done for every message, and the sending loop waits meanwhile.
    """
    groups: defaultdict[tuple[int, DeliveryState], list[tuple[object, ...]]] = defaultdict(list)
    for delivery, attempt, state, at, code, enhanced, reply, retry_at in outcomes:
        instant = (at - _EPOCH) // _MICROSECOND
        row = (
            delivery,
            attempt,
            instant,
            code,
            enhanced[:_LONGEST_STATUS] or None,
            reply[:_LONGEST_REPLY] or None,
            None if retry_at is None else (retry_at - _EPOCH) // _MICROSECOND,
        )
        groups[instant // _SLOT, state].append(row)
    return groups


def _write(
    session: Session, rows: list[tuple[object, ...]], state: DeliveryState, epoch: int
) -> dict[DeliveryState, int]:
    """How many rows came from `claimed`, and how many that were thought unsure: those are few, and asked for only
    where the first statement did not find everybody."""
    values = {"rows": json.dumps(rows), "state": state.value, "owner": epoch}
    connection = session.connection()
    changed: dict[DeliveryState, int] = {}
    for before in (DeliveryState.CLAIMED, DeliveryState.UNSURE):
        changed[before] = connection.execute(_record(connection.dialect.name, before), values).rowcount
        if sum(changed.values()) >= len(rows):
            break
    return changed


@cache
def _record(dialect: str, before: DeliveryState) -> TextClause:
    """The UPDATE for rows that stand in `before`, which is written out for the sake of the partial indexes."""
    if dialect == "sqlite":
        given = "json_each(:rows)"
        field, number, instant = "value ->> {}", "value ->> {}", "value ->> {}"
    else:
        given = "jsonb_array_elements(CAST(:rows AS jsonb)) AS value"
        field, number = "value ->> {}", "CAST(value ->> {} AS bigint)"
        instant = "timestamptz 'epoch' + CAST(value ->> {} AS bigint) * interval '1 microsecond'"
    fields = (
        f"{number.format(0)} AS id, {number.format(1)} AS attempt, {instant.format(2)} AS at, "
        f"{number.format(3)} AS code, {field.format(4)} AS enhanced, {field.format(5)} AS reply, "
        f"{instant.format(6)} AS retry_at"
    )
    return text(
        "UPDATE delivery SET state = :state, attempts = given.attempt, code = given.code,"  # noqa: S608 (made of our own words alone)
        " enhanced = given.enhanced, reply = given.reply, retry_at = given.retry_at,"
        " first_tried_at = coalesce(first_tried_at, given.at), updated_at = given.at"
        f" FROM (SELECT {fields} FROM {given}) AS given"
        f" WHERE delivery.id = given.id AND delivery.owner = :owner AND delivery.state = '{before.value}'"
    )
