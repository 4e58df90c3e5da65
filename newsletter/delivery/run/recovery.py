"""What becomes of the claims of a run that died.

Its wire log knows: what is not in it never left, what was answered has its answer, and only what was started and
not answered is in doubt. Without the log (another machine's, or this one's after it was switched off) every row
the run held is in doubt. A run that lives is never touched. Of a process that is gone the mails to one person that it
had in hand are free again.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from ...db import db, transaction
from ...models import Delivery, Worker
from ...states import DeliveryState
from ...work.liveness import Fate, gone, wire_folder
from ..ledger import tallies
from ..ledger.batches import give_back
from ..ledger.wirelog import Phase, Record, Verdict, WireLogDamaged, last_records
from ..notices import claims
from ..pace.pacing import retry_at

_log = logging.getLogger(__name__)

_IN_DOUBT = "The sending program ended before the answer came"
_LOST = "The machine was lost while this message was in hand"
_KNOWN = {
    Verdict.ACCEPTED: DeliveryState.ACCEPTED,
    Verdict.REFUSED: DeliveryState.REFUSED,
    Verdict.BUSY: DeliveryState.DEFERRED,
    Verdict.UNSURE: DeliveryState.UNSURE,
}


def recover(now: datetime) -> int:
    """Settle what dead runs left behind. Returns how many runs were settled. Safe to call at any time, by anybody."""
    remains = [(worker.id, worker.wire_log, fate) for worker, fate in gone()]
    db.session.rollback()
    return sum(_recover_run(epoch, wire_log, fate, now) for epoch, wire_log, fate in remains)


def _recover_run(epoch: int, wire_log: str, fate: Fate, now: datetime) -> bool:
    path = wire_folder() / wire_log if wire_log else None
    held = {row.id for row in db.session.execute(_claims_of(epoch))}
    records: dict[int, Record] | None = None
    if fate is Fate.DEAD and path is not None:
        try:
            records = last_records(path, held)
        except (OSError, WireLogDamaged):
            _log.exception("The wire log of run %d cannot be read", epoch)
    with transaction() as session:
        ended = update(Worker).where(Worker.id == epoch, Worker.ended_at.is_(None)).values(ended_at=now)
        if session.execute(ended).rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
            return False
        _settle_claims(session, epoch, records, now)
        claims.give_up_claims_of(epoch, now)
    if path is not None:
        path.unlink(missing_ok=True)
    return True


def _claims_of(epoch: int):  # type: ignore[no-untyped-def]  # a generic Update of many columns
    return select(Delivery.id, Delivery.issue_id, Delivery.attempts).where(
        Delivery.owner == epoch, text("delivery.state = 'claimed'")
    )


def _settle_claims(session: Session, epoch: int, records: dict[int, Record] | None, now: datetime) -> None:
    settled: dict[int, Counter[DeliveryState]] = defaultdict(Counter)
    never_left: dict[int, list[int]] = defaultdict(list)
    for delivery, issue_id, attempts in session.execute(_claims_of(epoch)).all():
        if records is None:
            state, attempt, code, reply = DeliveryState.UNSURE, attempts + 1, 0, _LOST
        else:
            record = records.get(delivery)
            if record is None or record.attempt != attempts + 1 or record.verdict is Verdict.NOT_TAKEN:
                never_left[issue_id].append(delivery)
                continue
            attempt = record.attempt
            if record.phase is Phase.STARTED:
                state, code, reply = DeliveryState.UNSURE, 0, _IN_DOUBT
            else:
                state, code, reply = _KNOWN[record.verdict], record.code, None
        settled[issue_id][state] += _set(session, delivery, epoch, attempt, state, now, code=code, reply=reply)
    slot = tallies.slot_of(now)
    for issue_id in sorted({*settled, *never_left}):
        give_back(session, issue_id, epoch, never_left[issue_id], now)
        to = settled[issue_id]
        moves = {(DeliveryState.CLAIMED, state): number for state, number in to.items()}
        tallies.write(session, issue_id, moves, {(slot, state): number for state, number in to.items()})
    if settled or never_left:
        told = {state.value: sum(to[state] for to in settled.values()) for state in DeliveryState}
        _log.warning("Run %d died; of what it held, %d were not tried, others: %s", epoch, _total(never_left), told)


def _total(lists: Mapping[int, list[int]]) -> int:
    return sum(len(each) for each in lists.values())


def _set(
    session: Session,
    delivery: int,
    epoch: int,
    attempt: int,
    state: DeliveryState,
    now: datetime,
    *,
    code: int,
    reply: str | None,
) -> int:
    """How many rows it was, 1 or 0. The owner stays: an answer that a run thought lost still has to tell may correct
    an `unsure`."""
    result = session.execute(
        update(Delivery)
        .where(Delivery.id == delivery, Delivery.owner == epoch, text("delivery.state = 'claimed'"))
        .values(
            state=state,
            attempts=attempt,
            code=code or None,
            reply=reply,
            retry_at=retry_at(attempt, now) if state is DeliveryState.DEFERRED else None,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
