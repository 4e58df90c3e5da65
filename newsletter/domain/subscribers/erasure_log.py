"""Who was erased, kept outside the database: a backup that is put back brings people back, and this takes them out.

A line is a moment and the keyed hash that stands in the suppression; that of somebody who worked here ends with the
word "colleague". The file lies in the data directory, readable by its owner alone; keep it apart from the backups of
the database, and with the keys.
"""

import logging
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ...config import current_settings
from ...db import db, on_commit, transaction
from ...models import Account, Activity, Contribution, Contributor, Notice, SignUp, Subscriber, Suppression, ViewsAnswer
from ...states import SuppressionReason
from ..staff import erasing
from . import suppressing

_log = logging.getLogger(__name__)
_NAME = "erasures.log"
_COLLEAGUE = "colleague"
#: Where an address stands in whole, and since when: what a backup may bring back.
_SOURCES: tuple[tuple[Any, Any], ...] = (
    (Subscriber.address, Subscriber.created_at),
    (SignUp.address, SignUp.created_at),
    (Contributor.address, Contributor.created_at),
    (Contribution.contact_address, Contribution.created_at),
    (ViewsAnswer.address, ViewsAnswer.at),
    (Notice.address, Notice.created_at),
    (Account.email, Account.created_at),
)
_CHUNK = 5_000


def path() -> Path:
    """Where the log lies."""
    return current_settings().data_dir / _NAME


def note(address_hash: bytes, at: datetime) -> None:
    """Add one line, and see it on the disk."""
    _add(f"{at.astimezone(UTC).isoformat()} {address_hash.hex()}\n".encode())


def erase_colleague(account: Account, *, actor: Account | None, now: datetime) -> int:
    """Erase an account as `erasing.erase_account` does, and note it once the running transaction is committed."""
    mark = suppressing.address_hash(account.email).hex()
    number = erasing.erase_account(account, mark=mark, actor=actor, now=now)
    on_commit(lambda: _note_colleague(mark, now))
    return number


def _note_colleague(mark: str, at: datetime) -> None:
    _add(f"{at.astimezone(UTC).isoformat()} {mark} {_COLLEAGUE}\n".encode())


def _add(line: bytes) -> None:
    handle = os.open(path(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line)
        os.fsync(handle)
    finally:
        os.close(handle)


def entries(*, of_colleagues: bool = False) -> dict[bytes, datetime]:
    """The last erasure of each hash, of readers or of colleagues. A line that a crash cut short is passed over."""
    found: dict[bytes, datetime] = {}
    if not path().exists():
        return found
    for line in path().read_text("utf-8", "replace").splitlines():
        moment, _space, rest = line.partition(" ")
        digits, _space, colleague = rest.partition(" ")
        try:
            at, address_hash = datetime.fromisoformat(moment), bytes.fromhex(digits)
        except ValueError:
            continue
        whole = len(address_hash) == 32 and at.tzinfo is not None
        if whole and colleague == (_COLLEAGUE if of_colleagues else ""):
            found[address_hash] = max(at, found.get(address_hash, at))
    return found


def catch_up() -> int:
    """Note what the database knows and the log does not: a process may have died between the two. Returns how many."""
    known = entries()
    chosen = select(Suppression.address_hash, Suppression.at).where(Suppression.reason == SuppressionReason.ERASED)
    missing = [(digest, at) for digest, at in db.session.execute(chosen) if digest not in known]
    for digest, at in missing:
        note(digest, at)
    known = entries(of_colleagues=True)
    erased = select(Activity.detail, Activity.at).where(Activity.action == erasing.ERASED)
    marks = [(detail.get("mark", ""), at) for detail, at in db.session.execute(erased)]
    gone = [(mark, at) for mark, at in marks if mark and bytes.fromhex(mark) not in known]
    for mark, at in gone:
        _note_colleague(mark, at)
    return len(missing) + len(gone)


def brought_back() -> Iterator[str]:
    """The addresses in the database that were erased after they had come into it, each once."""
    known, seen = entries(), set[bytes]()
    if not known:
        return
    for address, since in _SOURCES:
        rows = db.session.execute(select(address, since).where(address != "").execution_options(yield_per=_CHUNK))
        for value, at in rows.all():
            digest = suppressing.address_hash(value)
            if digest in known and digest not in seen and at < known[digest]:
                seen.add(digest)
                yield value


def colleagues_brought_back() -> list[Account]:
    """The accounts in the database that were erased after they had been made."""
    known = entries(of_colleagues=True)
    return [
        account
        for account in (db.session.scalars(select(Account)) if known else ())
        if account.created_at < known.get(suppressing.address_hash(account.email), account.created_at)
    ]


def replay(erase: Callable[[str], object]) -> int:
    """Erase again whomever a backup brought back, each in a transaction of its own. Returns how many."""
    people = list(brought_back())
    for address in people:
        with transaction():
            erase(address)
    _log.info("Erased again after a restore: %d", len(people))
    return len(people)
