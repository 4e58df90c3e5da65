"""Every machine's logs tell of everybody: what another machine wrote down stands here, too, a few minutes later.

`erasures.log` and `objections.log` are for a restore, when the database is gone; with it may go the machine on which
somebody left. So each adds to its own what the database knows and they lack. That heals what a program that was killed
left between its commit and its line, as well.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from ...config import current_settings
from ...db import db
from ...models import Consent, Subscription, Suppression
from ...states import ConsentEvent
from . import erasure_log, objection_log
from .objection_log import Kind, Objection

_log = logging.getLogger(__name__)
_STATE = "logs-seen.json"
#: Rows get their numbers before they can be seen: so many are looked at again each time.
_OVERLAP = 5_000
_LOOK_BACK = timedelta(hours=1)
_AT_ONCE = 5_000
_LEAVES = (ConsentEvent.WITHDRAWN, ConsentEvent.COMPLAINED)
_COMES = (ConsentEvent.GIVEN, ConsentEvent.IMPORTED)
_LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)
_Known = dict[tuple[bytes, Any], Objection]


@dataclass
class _Seen:
    """How far this machine has looked: numbers of rows, and a moment; and how long its log was then."""

    consent: int = 0
    suppression: int = 0
    lifted: datetime = _LONG_AGO
    size: int = -1


def catch_up() -> int:
    """Add what is missing to this machine's logs. Returns how many lines. Reads the database only.

    One process of a machine does it at a time; another that comes meanwhile has nothing to do.
    """
    with _alone(current_settings().data_dir) as alone:
        if not alone:
            return 0
        seen = _read()
        number = erasure_log.catch_up()
        if _is_more(seen):
            known: _Known = {(one.about, one.reason): one for one in objection_log.newest(objection_log.path())}
            lines = [one.line() for one in _new(seen, known)]
            if lines:
                objection_log.add(lines)
            number += len(lines)
            seen.size = _size()
            _keep(seen)
        db.session.rollback()
    if number:
        _log.info("Lines added to the logs that a restore needs: %d", number)
    return number


def _is_more(seen: _Seen) -> bool:
    """Whether anything has happened since. A log of years is not read every five minutes for nothing."""
    newest = [db.session.scalar(select(func.max(table.id))) or 0 for table in (Consent, Suppression)]
    lifted = db.session.scalar(select(func.max(Suppression.lifted_at))) or _LONG_AGO
    return (*newest, lifted, _size()) != (seen.consent, seen.suppression, seen.lifted, seen.size)


def _size() -> int:
    path = objection_log.path()
    return path.stat().st_size if path.exists() else 0


def _new(seen: _Seen, known: _Known) -> Iterator[Objection]:
    """What is not known yet, or known of an earlier day; both arguments know it afterwards."""
    for found in _found(seen):
        key = found.about, found.reason
        before = known.get(key)
        if found.kind is Kind.JOINED and (before is None or before.kind is not Kind.LEFT):
            continue  # most join for the first time: nobody would keep them out
        if before is None or before.at < found.at:
            known[key] = found
            yield found


def _found(seen: _Seen) -> Iterator[Objection]:
    """In the order in which it happened, as far as one subscription or one address is concerned."""
    newest = db.session.scalar(select(func.max(Consent.id))) or 0
    events = (
        select(Consent.at, Consent.event, Subscription.public_id)
        .join(Subscription, Subscription.id == Consent.subscription_id)
        .where(Consent.id > seen.consent - _OVERLAP, Consent.event.in_(_LEAVES + _COMES))
        .order_by(Consent.id)
    )
    for at, event, public_id in _rows(events):
        yield Objection(at, Kind.LEFT if event in _LEAVES else Kind.JOINED, public_id.bytes)
    seen.consent = newest
    made = select(Suppression.id, Suppression.at, Suppression.address_hash, Suppression.reason).where(
        Suppression.id > seen.suppression - _OVERLAP
    )
    for number, at, address_hash, reason in _rows(made.order_by(Suppression.id)):
        seen.suppression = max(seen.suppression, number)
        yield Objection(at, Kind.SUPPRESSED, address_hash, reason)
    lifted = select(Suppression.lifted_at, Suppression.address_hash, Suppression.reason).where(
        Suppression.lifted_at > seen.lifted - _LOOK_BACK
    )
    for at, address_hash, reason in _rows(lifted.order_by(Suppression.lifted_at)):
        seen.lifted = max(seen.lifted, at)
        yield Objection(at, Kind.LIFTED, address_hash, reason)


def _rows(statement: Any) -> Iterator[Any]:
    yield from db.session.execute(statement.execution_options(yield_per=_AT_ONCE))


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    lock = os.open(folder / f"{_STATE}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(lock)


def _read() -> _Seen:
    """How far it was last time; from the beginning where that is not known, or the database went back in time."""
    try:
        kept = json.loads((current_settings().data_dir / _STATE).read_text("ascii"))
        lifted = datetime.fromisoformat(kept["lifted"])
        seen = _Seen(int(kept["consent"]), int(kept["suppression"]), lifted, int(kept["size"]))
    except (OSError, ValueError, KeyError, TypeError):
        return _Seen()
    newest = [db.session.scalar(select(func.max(table.id))) or 0 for table in (Consent, Suppression)]
    return seen if newest[0] >= seen.consent and newest[1] >= seen.suppression else _Seen()


def _keep(seen: _Seen) -> None:
    path = current_settings().data_dir / _STATE
    draft = path.with_name(f".{_STATE}.{os.getpid()}")
    draft.write_text(json.dumps(vars(seen) | {"lifted": seen.lifted.isoformat()}), "ascii")
    draft.chmod(0o600)
    draft.replace(path)
