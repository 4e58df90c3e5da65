"""Dates as a block stores them: ISO text of a month, a day or a local moment; and their words.

    "2027-05"            May 2027                      where the world speaks so ("from May 2027")
    "2027-01-19"         Tuesday 19 January 2027
    "2027-01-19T17:00"   5pm, Tuesday 19 January 2027  in the issue's own time zone

What cannot be read (a draft may hold anything) is printed as it stands.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time

from newsletter import dates

_MONTH = re.compile(r"(\d{4})-(\d{2})")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?")


@dataclass(frozen=True, order=True)
class When:
    """A date with its precision: `at` is a naive local datetime, midnight where no time is meant."""

    at: datetime
    month_only: bool = False
    timed: bool = False

    @property
    def iso(self) -> str:
        """The stored form."""
        if self.month_only:
            return self.at.strftime("%Y-%m")
        return self.at.strftime("%Y-%m-%dT%H:%M" if self.timed else "%Y-%m-%d")

    def words(self) -> str:
        if self.month_only:
            return dates.month(self.at)
        return dates.moment(self.at) if self.timed else dates.day(self.at.date())

    def short(self, *, year: bool = True) -> str:
        """For a table: "Tue 19 Jan 2027", "May 2027"."""
        if self.month_only:
            return dates.month(self.at) if year else dates.month(self.at).rpartition(" ")[0]
        return dates.short_day(self.at.date(), year=year)

    def past(self, local_now: datetime) -> bool:
        """Whether all of it is over at a naive local time."""
        if self.month_only:
            return (self.at.year, self.at.month) < (local_now.year, local_now.month)
        return self.at < local_now if self.timed else self.at.date() < local_now.date()


def parse(value: str) -> When | None:
    """The date in a stored text, or None."""
    try:
        if found := _MONTH.fullmatch(value):
            return When(datetime(int(found[1]), int(found[2]), 1), month_only=True)  # noqa: DTZ001 - local by design
        if _DAY.fullmatch(value):
            return When(datetime.combine(date.fromisoformat(value), time()))
        if found := _MOMENT.fullmatch(value):
            return When(datetime.fromisoformat(f"{found[1]}T{found[2]}"), timed=True)
    except ValueError:
        pass
    return None


def words(value: str) -> str:
    """The date in words, or the text itself where it is no date."""
    found = parse(value)
    return found.words() if found else value


def span_words(start: str, end: str) -> str:
    """From when to when, in words."""
    first, last = parse(start), parse(end)
    if first and last and first.timed and last.timed:
        return dates.span(first.at, last.at)
    if first and last and first != last:
        return f"{first.words()} to {last.words()}"
    return words(start or end)
