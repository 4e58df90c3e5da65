"""How many messages a run takes in hand: what leaves within a short while, so that the look at who left is a fresh one.

A fast run takes a thousand at a time, and the next thousand before it needs them: claiming takes the database a
moment, in which the connections would stand idle. One that may send a thousand an hour takes a hundred.
"""

from collections.abc import Callable

#: A run wants to hold what leaves within so many seconds, and as much again.
AHEAD_SECONDS = 0.25
LEAST, MOST = 100, 1_000
#: By how much the next claim may be larger than the last.
_MOST_GROWTH = 4


class Appetite:
    """Made for one run. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._asked_at: float | None = None
        #: How many the next claim should take, and how few in hand are a reason to claim.
        self.portion = LEAST

    def next_portion(self) -> int:
        """A claim is made now: how many it should take, by how long the last portion sufficed."""
        now = self._clock()
        if self._asked_at is not None:
            sufficed = max(now - self._asked_at, 1e-6)
            growth = min(AHEAD_SECONDS / sufficed, _MOST_GROWTH)
            self.portion = max(LEAST, min(int(self.portion * growth), MOST))
        self._asked_at = now
        return self.portion
