"""A deadline: what people were told, and what follows from it.

One object serves calls for news, calls for views and approvals. It is made of a local date, a local time and a
zone, and names one instant. It closes at the end of the named minute, so "5pm" still takes what comes at 5:00:30pm;
and a form that was opened before then may be posted for fifteen minutes more, so nobody loses a text they were
typing. Open or closed is computed from the clock, never stored: a scheduler that stands still keeps no call open.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from . import dates

GRACE = timedelta(minutes=15)


@dataclass(frozen=True)
class Deadline:
    """The local `day` and `at` in the IANA zone `zone`, and the UTC `instant` N that they name."""

    day: date
    at: time
    zone: str
    instant: datetime

    @classmethod
    def of(cls, day: date, at: time, zone: str) -> "Deadline":
        """The deadline at a local date and time; of two equal times, when the clocks go back, the later.

        Raises ValueError, in a sentence, for a time that the zone skips.
        """
        return cls(day, at, zone, dates.to_instant(day, at, zone, dates.Fold.LATER))

    @property
    def closes_at(self) -> datetime:
        """The first instant that is too late: N + 60 s."""
        return self.instant + timedelta(seconds=60)

    @property
    def grace_ends_at(self) -> datetime:
        """The first instant that is too late for a form opened before the close: N + 60 s + 15 min."""
        return self.closes_at + GRACE

    def is_open(self, now: datetime) -> bool:
        """Whether what is posted now is in time."""
        return now < self.closes_at

    def is_in_grace(self, now: datetime, opened_at: datetime) -> bool:
        """Whether what is posted now is late, and counts because its form was opened in time."""
        return not self.is_open(now) and opened_at < self.closes_at and now < self.grace_ends_at

    def accepts(self, now: datetime, opened_at: datetime) -> bool:
        """Whether a form opened at `opened_at` may be posted now."""
        return self.is_open(now) or self.is_in_grace(now, opened_at)

    @property
    def words(self) -> str:
        """ "5pm, Friday 19 January 2018"."""
        return f"{dates.clock_time(self.at)}, {dates.day(self.day)}"

    @property
    def words_with_zone(self) -> str:
        """ "5pm, Friday 19 January 2018 (UK time)"."""
        return f"{self.words} ({dates.zone_words(self.zone)})"
