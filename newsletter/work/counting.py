"""What this process did and how long it took, counted in memory until `newsletter.operations.totals` writes it down.

Counting costs a microsecond and never a transaction, so it may stand anywhere. What a process that is killed had not
written down yet is lost: these are figures to watch by, the accounts of a send are kept elsewhere.
"""

import threading
from dataclasses import dataclass
from datetime import datetime

from .. import clock

_LONGEST_WORDS = 300


@dataclass
class Count:
    """Of one thing: how often, the sum and the last of what was measured, when, and the words that came with it."""

    number: int
    total: float
    latest: float
    at: datetime
    said: str


#: By what was counted ("job", "relay") and which.
Counts = dict[tuple[str, str], Count]

_lock = threading.Lock()
_counts: Counts = {}


def note(name: str, label: str, measured: float = 0.0, *, number: int = 1, said: str = "") -> None:
    """Count one thing, or `number` of them. `said` may name nobody."""
    _add({(name, label): Count(number, measured, measured, clock.now(), said[:_LONGEST_WORDS])})


def take() -> Counts:
    """All that was counted since this was last asked; it is the caller's to write down, or to `give_back`."""
    global _counts
    with _lock:
        taken, _counts = _counts, {}
    return taken


def give_back(counts: Counts) -> None:
    """Count these again: they could not be written down."""
    _add(counts)


def _add(counts: Counts) -> None:
    with _lock:
        for key, more in counts.items():
            before = _counts.get(key)
            if before is None:
                _counts[key] = more
                continue
            newest = max(before, more, key=lambda count: count.at)
            number, total = before.number + more.number, before.total + more.total
            _counts[key] = Count(number, total, newest.latest, newest.at, newest.said)
