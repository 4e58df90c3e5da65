"""The last backup: when it was made, on which machine, under which name and how long it was."""

import socket
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..models import OperationTotal
from ..work import counting
from . import totals

#: What a count keeps of words; a longer path is left out.
_LONGEST_WORDS = 300


@dataclass(frozen=True)
class LastBackup:
    """`host` is "" where it is not known, `path` None where it is not known or too long to be kept."""

    at: datetime
    host: str = ""
    path: Path | None = None
    size: int = 0

    @property
    def is_here(self) -> bool:
        """Whether this is the machine that it was written on."""
        return self.host == socket.gethostname()


def note(path: Path, size: int) -> None:
    """Note, for whoever watches the age of the last backup, that one was made. Opens its own transaction."""
    words = f"{size} {socket.gethostname()} {path.resolve()}"
    if len(words) > _LONGEST_WORDS or not words.isprintable():
        words = f"{size} {socket.gethostname()[:200]} "
    counting.note(totals.BACKUP, "", said=words)
    totals.write_down()


def last_of(found: dict[tuple[str, str], OperationTotal]) -> LastBackup | None:
    """The last one, from the totals; None where there never was one."""
    row = found.get((totals.BACKUP, ""))
    if row is None:
        return None
    size, _space, rest = row.said.partition(" ")
    host, _space, path = rest.partition(" ")
    return LastBackup(row.at, host, Path(path) if path else None, int(size) if size.isdecimal() else 0)
