"""The chain over the consent events: no event can be changed, put between others or taken away unseen.

Each event gets a digest of its facts, salted, so that the digest says nothing of a person whose words were erased.
Each seal is SHA-256 of the seal before and the digests of its events in order. The newest one, the head, is mailed
with each issue's report: whoever changes the table cannot change what lies in people's mailboxes.

Where an address came from on the network and who on the staff acted are no part of the facts: the first is kept for
90 days only, the second goes with the account. A note is, until its person is erased; the salt goes with it then.
"""

import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, select, text, update
from sqlalchemy.exc import OperationalError

from ...db import db, take_turn, transaction
from ...models import Consent, ConsentSeal, Subscription

_log = logging.getLogger(__name__)

#: How many events are digested for one seal at most: that is one transaction, and everybody waits for a writer.
MOST = 5_000
#: How many times as many a seal covers of those that have their digest.
_DIGESTED = 10
#: What stands before the first seal.
FIRST = bytes(32)
_FACTS = (
    Consent.id,
    Consent.subscription_id,
    Consent.event,
    Consent.at,
    Consent.asked_at,
    Consent.wording_id,
    Consent.wording,
    Consent.privacy_version,
    Consent.route,
    Consent.source,
    Consent.note,
)
_SHOWN = 20


@dataclass(frozen=True)
class Verified:
    """What came of walking the chain. `wrong` names, in sentences, what does not fit; at most twenty are named."""

    seals: int
    events: int
    erased: int
    unsealed: int
    head: str
    sealed_at: datetime | None
    wrong: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether everything fits."""
        return not self.wrong


def seal_all(now: datetime, *, most: int = MOST) -> int:
    """Seal every event that stands, in batches with a transaction each. Returns how many. Run by a job.

    Whoever comes second, in another process, finds nothing left.
    """
    last = _settled()
    sealed = 0
    while batch := _seal_batch(last, now, most):
        sealed += batch
    return sealed


def _settled() -> int:
    """The number up to which no event can still appear.

    PostgreSQL hands out numbers before their rows are committed: a lock that waits for every writer shows which have
    come. Where a writer takes long, the next run does it.
    """
    with transaction() as session:
        if db.engine.dialect.name == "postgresql":
            try:
                session.execute(text("SET LOCAL lock_timeout = '2s'"))
                session.execute(text("LOCK TABLE consent IN SHARE ROW EXCLUSIVE MODE"))
            except OperationalError:
                session.rollback()
                return 0
        return session.scalar(select(func.max(Consent.id))) or 0


def _seal_batch(last: int, now: datetime, most: int) -> int:
    with transaction() as session:
        take_turn("consent seals")
        before = _newest()
        chosen = select(Consent.id, Consent.digest).where(Consent.id > (before.last_id if before else 0))
        found = session.execute(chosen.where(Consent.id <= last).order_by(Consent.id).limit(most * _DIGESTED)).all()
        undigested = [number for number, known in found if known is None]
        if len(undigested) > most:
            undigested = undigested[:most]
            found = [row for row in found if row.id <= undigested[-1]]
        if not found:
            return 0
        made = _digest(undigested) if undigested else {}
        digests = [known or made[number] for number, known in found]
        _follow(before, found[0].id, found[-1].id, digests, now)
    _log.info("Sealed %d consent events", len(found))
    return len(found)


def seal_at_once(first: int, last: int, digests: Sequence[bytes], now: datetime) -> bool:
    """Seal the events from number `first` to `last`, which were written digested, in the transaction that wrote them.

    Not if there are others before them that no seal covers yet; then the job seals all. Only where nobody else writes
    meanwhile, as on SQLite.
    """
    before = _newest()
    between = select(Consent.id).where(Consent.id > (before.last_id if before else 0), Consent.id < first)
    if not digests or db.session.scalar(between.limit(1)) is not None:
        return False
    _follow(before, first, last, digests, now)
    return True


def _newest() -> ConsentSeal | None:
    return db.session.scalar(select(ConsentSeal).order_by(ConsentSeal.id.desc()).limit(1))


def _follow(before: ConsentSeal | None, first: int, last: int, digests: Sequence[bytes], now: datetime) -> None:
    chain = _chain(before.chain if before else FIRST, digests)
    db.session.add(ConsentSeal(first_id=first, last_id=last, rows=len(digests), chain=chain, at=now))


def _digest(numbers: Sequence[int]) -> dict[int, bytes]:
    """Salt and digest these events, and say the digests. What an import wrote has them already."""
    # Locked, so that nobody is erased between the reading and the writing.
    chosen = select(*_FACTS).where(Consent.id.between(numbers[0], numbers[-1]), Consent.digest.is_(None))
    rows = db.session.execute(chosen.with_for_update(of=Consent)).all()
    made = [{"number": row.id, "a_salt": secrets.token_bytes(16)} for row in rows]
    for row, one in zip(rows, made, strict=True):
        one["a_digest"] = digest(row, one["a_salt"])
    db.session.connection().execute(
        update(Consent.__table__)  # type: ignore[arg-type]  # a declared class's table is one
        .where(Consent.__table__.c.id == bindparam("number"))
        .values(salt=bindparam("a_salt"), digest=bindparam("a_digest")),
        made,
    )
    return {one["number"]: one["a_digest"] for one in made}


def digest(row: Row[*tuple[Any, ...]], salt: bytes) -> bytes:
    """SHA-256 of the salt and the facts, each written in one way only."""
    facts = [_written(getattr(row, column.key)) for column in _FACTS]
    return hashlib.sha256(salt + _json(facts).encode()).digest()


def facts_after_numbers(**facts: object) -> str:
    """The facts as they are digested, but for the two numbers that come first: the same for all events of an import.

    The digest of an event is SHA-256 of its salt, "[", its number, ",", its subscription's, and this. `facts` are by
    column; one that is not said is null.
    """
    said = [_written(facts.get(column.key)) for column in _FACTS[2:]]
    return "," + _json(said)[1:]


def _json(facts: list[object]) -> str:
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def _written(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _chain(before: bytes, digests: Sequence[bytes]) -> bytes:
    return hashlib.sha256(before + b"".join(digests)).digest()


def head() -> str:
    """The newest seal in hexadecimal digits, in groups of eight; "" before the first."""
    chain = db.session.scalar(select(ConsentSeal.chain).order_by(ConsentSeal.id.desc()).limit(1))
    return chain.hex(" ", 4) if chain else ""


def verify(known_head: str = "") -> Verified:
    """Walk the whole chain and compute everything anew. Reads only, a seal's events at a time.

    `known_head`: a head that somebody kept elsewhere (from a report), spaces or not; it must be one of the chain's.
    """
    wanted = "".join(known_head.split()).lower()
    wrong: list[str] = []
    before, last, events, erased, seals = FIRST, 0, 0, 0, 0
    met, newest = not wanted, None
    for seal in db.session.scalars(select(ConsentSeal).order_by(ConsentSeal.id)).all():
        rows = _rows_of(seal)
        wrong += _gaps(seal, rows, last)
        for row in rows:
            if problem := _problem(row):
                wrong.append(problem)
            erased += row.salt is None
        chain = _chain(before, [row.digest or b"" for row in rows])
        if not hmac.compare_digest(chain, seal.chain):
            wrong.append(f"Seal {seal.id} does not follow from the one before and its events.")
        met = met or seal.chain.hex() == wanted
        before, last, newest = seal.chain, seal.last_id, seal.at
        events, seals = events + len(rows), seals + 1
    if not met:
        wrong.append("The head that you have is none of this chain's.")
    unsealed = db.session.scalar(select(func.count(Consent.id)).where(Consent.id > last)) or 0
    hidden = len(wrong) - _SHOWN
    shown = (*wrong[:_SHOWN], f"And {hidden:,} more.") if hidden > 0 else tuple(wrong)
    return Verified(seals, events, erased, unsealed, before.hex(" ", 4) if seals else "", newest, shown)


def _rows_of(seal: ConsentSeal) -> Sequence[Row[*tuple[Any, ...]]]:
    chosen = (
        select(*_FACTS, Consent.salt, Consent.digest, Subscription.subscriber_id)
        .join(Subscription, Subscription.id == Consent.subscription_id)
        .where(Consent.id.between(seal.first_id, seal.last_id))
        .order_by(Consent.id)
    )
    return db.session.execute(chosen).all()


def _gaps(seal: ConsentSeal, rows: Sequence[Row[*tuple[Any, ...]]], last: int) -> list[str]:
    wrong = []
    if len(rows) != seal.rows:
        wrong.append(f"Seal {seal.id} covers {seal.rows:,} events; there are {len(rows):,}.")
    between = select(func.count(Consent.id)).where(Consent.id > last, Consent.id < seal.first_id)
    if seal.first_id <= last or db.session.scalar(between):
        wrong.append(f"There are events before seal {seal.id} that no seal covers.")
    return wrong


def _problem(row: Row[*tuple[Any, ...]]) -> str:
    """What is wrong with one event; "" for nothing."""
    if row.digest is None:
        return f"Event {row.id} has lost its digest."
    if row.salt is None:
        # Only erasing a person takes the salt, and leaves neither a note nor the person.
        return "" if row.subscriber_id is None and not row.note else f"Event {row.id} has lost its salt."
    return "" if hmac.compare_digest(digest(row, row.salt), row.digest) else f"Event {row.id} was changed."
