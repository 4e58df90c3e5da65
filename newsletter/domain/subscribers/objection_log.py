"""Who is not to be written to, kept outside the database too: a backup that is put back knows nothing of what followed.

A line is a moment, a word, and whom it is about: the keyed hash that stands in a suppression with its reason, or the
random id of a subscription. No address, no name. The file lies in the data directory, readable by its owner alone,
beside `erasures.log`; a restore is given both.

    2026-12-07T10:00:00+00:00 suppressed 6f1c… complaint
    2026-12-08T09:30:00+00:00 lifted 6f1c… complaint
    2026-12-09T14:05:00+00:00 left 41f7…
    2026-12-10T08:00:00+00:00 joined 41f7…
"""

import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from ...config import current_settings
from ...db import gather_for_commit
from ...states import SuppressionReason

NAME = "objections.log"


class Kind(StrEnum):
    """What became of the wish to be written to."""

    SUPPRESSED = "suppressed"
    LIFTED = "lifted"
    LEFT = "left"
    JOINED = "joined"


@dataclass(frozen=True)
class Objection:
    """One line. `about` is 32 bytes of a hash for the first two kinds, the 16 of a subscription's id for the others."""

    at: datetime
    kind: Kind
    about: bytes
    reason: SuppressionReason | None = None

    @property
    def of_address(self) -> bool:
        return self.kind in (Kind.SUPPRESSED, Kind.LIFTED)

    def line(self) -> str:
        words = [self.at.astimezone(UTC).isoformat(), self.kind.value, self.about.hex()]
        return " ".join(words + ([self.reason.value] if self.reason else [])) + "\n"


def path() -> Path:
    """Where the log lies."""
    return current_settings().data_dir / NAME


def suppressed(hashes: Iterable[bytes], reason: SuppressionReason, at: datetime) -> None:
    """Note, once the running transaction is committed, that these addresses get no mail for this reason."""
    _note_later([Objection(at, Kind.SUPPRESSED, each, reason) for each in hashes])


def lifted(address_hash: bytes, reasons: Iterable[SuppressionReason], at: datetime) -> None:
    """Note, once the running transaction is committed, that these reasons hold no longer."""
    _note_later([Objection(at, Kind.LIFTED, address_hash, each) for each in reasons])


def left(subscription: uuid.UUID, at: datetime) -> None:
    """Note, once the running transaction is committed, that this subscription has ended."""
    _note_later([Objection(at, Kind.LEFT, subscription.bytes)])


def joined(subscription: uuid.UUID, at: datetime) -> None:
    """Note, once the running transaction is committed, that this subscription, which had ended, is active again."""
    _note_later([Objection(at, Kind.JOINED, subscription.bytes)])


def newest(log: Path) -> Iterator[Objection]:
    """The last word on each subscription, and on each address and reason. A line that was cut short is passed over."""
    last: dict[tuple[bytes, SuppressionReason | None], Objection] = {}
    if log.exists():
        with log.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                found = _read(line)
                if found is not None:
                    before = last.get((found.about, found.reason), found)
                    last[found.about, found.reason] = max(before, found, key=lambda each: each.at)
    yield from last.values()


def _read(line: str) -> Objection | None:
    words = line.split()
    try:
        at, kind, about = datetime.fromisoformat(words[0]), Kind(words[1]), bytes.fromhex(words[2])
        found = Objection(at, kind, about, SuppressionReason(words[3]) if len(words) > 3 else None)
    except (ValueError, IndexError):
        return None
    right = (32, True) if found.of_address else (16, False)
    return found if at.tzinfo is not None and (len(about), found.reason is not None) == right else None


def _note_later(objections: list[Objection]) -> None:
    if objections:
        gather_for_commit(add, [each.line() for each in objections])


def add(lines: list[str]) -> None:
    """Add lines, and see them on the disk: once for a transaction, however many people it is about."""
    handle = os.open(path(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, "".join(lines).encode())
        os.fsync(handle)
    finally:
        os.close(handle)
