"""What a relay may still be given: so many a second, an hour, a day, for all who send through it together.

One row of `RelayPace` a relay, locked while it is read and written. Time is the clock of `work.liveness`, counted up
from row to row: where the machine was started anew or the clock went back, no time has passed. So a clock that is
set cannot open a window, and a limit errs to the side of too few.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select

from ...config import Settings
from ...db import conflict_aware_insert, db, transaction
from ...models import RelayPace
from ...work.liveness import machine_clock

_T = TypeVar("_T")
_MICROSECONDS = 1_000_000
#: Whoever reserves uses it within this time, or gives it back. Windows are longer by it.
VALID_SECONDS = 60
_TIME = "time"


@dataclass(frozen=True)
class _Window:
    """So many in any stretch of `seconds`, counted in slots; `letter` begins the names of its slots in the row."""

    letter: str
    slot_seconds: int
    seconds: int

    def slot(self, time: int) -> int:
        """The slot that the microsecond `time` falls into."""
        return time // (self.slot_seconds * _MICROSECONDS)

    def end(self, slot: int) -> int:
        """The microsecond from which nothing that was reserved in the slot lies in the window any more."""
        return ((slot + 1) * self.slot_seconds + VALID_SECONDS + self.seconds) * _MICROSECONDS

    def usable(self, slot: int) -> int:
        """The microsecond from which nothing reserved in the slot may be used or given back any more."""
        return self.end(slot) - self.seconds * _MICROSECONDS


_HOUR, _DAY = _Window("m", 60, 3_600), _Window("h", 3_600, 86_400)


class Pace:
    """The arithmetic: what was given, and what may be. Knows no database and no clock.

    `time` is in microseconds and only grows. A rate of N a second is a bucket of N/20 that fills so much more slowly
    that no second sees more than N. `used` holds the time, and what was given by slot.
    """

    def __init__(self, settings: Settings, *, time: int, tokens: float, used: dict[str, int]) -> None:
        self.time = time
        self._per_second = settings.relay_per_second
        self._limits = ((_HOUR, settings.relay_per_hour), (_DAY, settings.relay_per_day))
        self._slots = {
            window.letter: {int(name[1:]): number for name, number in used.items() if name[0] == window.letter}
            for window, _ in self._limits
        }
        self.tokens = min(tokens, self.capacity)

    @property
    def capacity(self) -> float:
        """What the bucket holds when it is full."""
        return float(max(1, self._per_second // 20))

    @property
    def _rate(self) -> float:
        return self._per_second - self.capacity + 1

    @property
    def used(self) -> dict[str, int]:
        """What to keep: the time, and the slots that still matter."""
        kept = {_TIME: self.time}
        for window, _ in self._limits:
            slots = self._slots[window.letter].items()
            kept |= {f"{window.letter}{slot}": number for slot, number in slots if window.end(slot) > self.time}
        return kept

    def go_on(self, microseconds: int) -> None:
        """So much time has passed; less than none counts as none."""
        passed = max(0, microseconds)
        self.time += passed
        if self._per_second:
            self.tokens = min(self.capacity, self.tokens + self._rate * passed / _MICROSECONDS)

    def reserve(self, wanted: int) -> tuple[int, float]:
        """How many of `wanted` may leave now, and in how many seconds more may (0 when all may)."""
        granted = wanted
        if self._per_second:
            # A float that lacks the last bit of a whole number must not cost a whole turn.
            granted = min(granted, int(self.tokens + 1e-6))
        for window, limit in self._limits:
            if limit:
                granted = min(granted, limit - self._given(window))
        granted = max(0, granted)
        self.count(granted)
        return granted, self._seconds_until_more(wanted - granted)

    def count(self, number: int) -> None:
        """So many left, allowed or not."""
        if self._per_second:
            self.tokens = max(self.tokens - number, -float(self._per_second))
        for window, _ in self._limits:
            slots = self._slots[window.letter]
            slot = window.slot(self.time)
            slots[slot] = slots.get(slot, 0) + number

    def give_back(self, number: int) -> None:
        """So many were reserved within the last minute and not used."""
        if self._per_second:
            self.tokens = min(self.capacity, self.tokens + number)
        for window, _ in self._limits:
            slots, left = self._slots[window.letter], number
            # The oldest first: what stays counts for longer, never for less long than it should.
            for slot in sorted(slot for slot in slots if window.usable(slot) > self.time):
                taken = min(left, slots[slot])
                slots[slot] -= taken
                left -= taken

    def _given(self, window: _Window) -> int:
        return sum(number for slot, number in self._slots[window.letter].items() if window.end(slot) > self.time)

    def _seconds_until_more(self, missing: int) -> float:
        """Seconds until the first that is missing may leave; of a bucket, until it is worth asking."""
        if missing <= 0:
            return 0.0
        waits = [0.0]
        if self._per_second:
            waits.append((min(float(missing), self.capacity) - self.tokens) / self._rate)
        for window, limit in self._limits:
            if limit and (surplus := self._given(window) - limit + 1) > 0:
                waits.append(self._until_fewer(window, surplus))
        return max(waits)

    def _until_fewer(self, window: _Window, surplus: int) -> float:
        """Seconds until `surplus` of what was given lie outside the window."""
        for slot, number in sorted(self._slots[window.letter].items()):
            if window.end(slot) <= self.time:
                continue
            surplus -= number
            if surplus <= 0:
                return (window.end(slot) - self.time) / _MICROSECONDS
        return 0.0


class RelayBudget:
    """The budget of the relay of that name. Each call is one short transaction; where no limit is set, none at all.

    `read_clock` gives the id of what the clock counts from, and its microseconds; called within the transaction.
    """

    def __init__(
        self, relay_name: str, settings: Settings, *, read_clock: Callable[[], tuple[str, int]] = machine_clock
    ) -> None:
        self.limited = bool(settings.relay_per_second or settings.relay_per_hour or settings.relay_per_day)
        self._name = relay_name[:255]
        self._settings = settings
        self._read_clock = read_clock

    def reserve(self, wanted: int) -> tuple[int, float]:
        """How many of `wanted` messages may leave within the next minute, and in how many seconds to ask for more.

        What is not used by then is to be given back. The seconds are 0 when all were granted.
        """
        if not self.limited:
            return wanted, 0.0
        return self._change(lambda pace: pace.reserve(wanted))

    def give_back(self, number: int) -> None:
        """So many were reserved and not used."""
        if self.limited and number > 0:
            self._change(lambda pace: pace.give_back(number))

    def count(self, number: int) -> None:
        """So many left without asking: mail to one person is not held back, but counts."""
        if self.limited and number > 0:
            self._change(lambda pace: pace.count(number))

    def seconds_until_more(self) -> float:
        """In how many seconds one more may leave; 0 when one may now. Reads only."""
        row = db.session.get(RelayPace, self._name) if self.limited else None
        if row is None:
            return 0.0
        boot_id, at = self._read_clock()
        return self._pace(row, boot_id, at).reserve(1)[1]

    def _pace(self, row: RelayPace, boot_id: str, at: int) -> Pace:
        """The arithmetic of the row as it stands at that moment of the clock."""
        pace = Pace(self._settings, time=row.used.get(_TIME, 0), tokens=row.tokens, used=row.used)
        pace.go_on(at - row.at if boot_id == row.boot_id else 0)
        return pace

    def _change(self, work: Callable[[Pace], _T]) -> _T:
        with transaction() as session:
            new = conflict_aware_insert(RelayPace).on_conflict_do_nothing()
            session.execute(new.values(relay=self._name, boot_id="", at=0, tokens=1e9, used={}))
            row = session.scalars(select(RelayPace).where(RelayPace.relay == self._name).with_for_update()).one()
            # After the lock, not before: others may have held it for a while.
            boot_id, at = self._read_clock()
            pace = self._pace(row, boot_id, at)
            result = work(pace)
            row.boot_id, row.at, row.tokens, row.used = boot_id, at, pace.tokens, pace.used
        return result
