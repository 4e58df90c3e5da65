"""The demo's calendar: issues on the second Thursday of each quarter's last month, deadlines by rule before them."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from .. import dates
from ..deadlines import Deadline
from ..domain.calls.rhythm.cadence import Rhythm

ZONE = "Europe/London"
#: The same days as rules, by which editors lay out the years to come.
RHYTHM = Rhythm("FREQ=YEARLY;BYMONTH=3,6,9,12;BYDAY=2TH", "FREQ=YEARLY;BYMONTH=1,4,7,10;BYDAY=3FR")
_FRIDAY, _THURSDAY = 4, 3


@dataclass(frozen=True)
class Quarter:
    """One issue's dates. `number` counts the quarters since the year 0."""

    number: int

    @classmethod
    def next_after(cls, now: datetime) -> "Quarter":
        """The quarter whose issue goes out next."""
        found = cls(dates.local(now, ZONE).year * 4)
        while found.goes_out <= now:
            found = cls(found.number + 1)
        return found

    def later(self, quarters: int) -> "Quarter":
        """The one so many quarters on; negative for the past."""
        return Quarter(self.number + quarters)

    @property
    def month(self) -> date:
        """The first day of the month that the issue is named after: March, June, September or December."""
        return date(self.number // 4, self.number % 4 * 3 + 3, 1)

    @property
    def title(self) -> str:
        """ "December 2026"."""
        return dates.month(self.month)

    @property
    def day(self) -> date:
        """When it goes out: the second Thursday."""
        return _nth(self.month, _THURSDAY, 2)

    @property
    def goes_out(self) -> datetime:
        """At 10am."""
        return dates.to_instant(self.day, time(10), ZONE)

    @property
    def deadline(self) -> Deadline:
        """For news: 5pm on the third Friday, two months before."""
        before = (self.month - timedelta(days=32)).replace(day=1)
        return Deadline.of(_nth(before, _FRIDAY, 3), time(17), ZONE)


def _nth(month: date, weekday: int, number: int) -> date:
    first = month + timedelta(days=(weekday - month.weekday()) % 7)
    return first + timedelta(weeks=number - 1)
