"""Moving the demo's issues through time: their dates, and the dates in their words, by whole weeks.

The issues were written once, for one December. A demo that is tried in another quarter moves them, so that what
they announce is still to come: a Thursday stays a Thursday, "4 January" becomes the day that is as many weeks on,
and the name of a month alone the month that is as many quarters on.
"""

import re
from datetime import date, datetime, timedelta
from typing import Any

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_NAME = "|".join(_MONTHS)
_DATES = re.compile(
    rf"\b(?:(?P<first>\d{{1,2}}) to )?(?P<day>\d{{1,2}}) (?P<month>{_NAME})\b(?: (?P<year>\d{{4}}))?"
    rf"|\b(?P<alone>{_NAME})\b(?: (?P<of>\d{{4}}))?"
    r"|\b(?P<only>20\d\d)\b"
)
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2})?")
_ISO_MONTH = re.compile(r"\d{4}-\d{2}")
_TAG = re.compile(r"(<[^>]*>)")
#: Fields whose letters and digits are no words.
_NO_WORDS = frozenset({"id", "kind", "url", "email", "phone", "media", "category", "type", "src", "language", "accent"})
_DAYS_A_QUARTER = 365.25 / 4


class Shift:
    """From `written`, the day the words were written for, to `day`, the same weekday in another quarter."""

    def __init__(self, written: date, day: date) -> None:
        self.written = written
        self.days = (day - written).days
        self.months = 3 * round(self.days / _DAYS_A_QUARTER)

    def __call__(self, value: Any, name: str = "") -> Any:
        """JSON data with every date in it moved. `name` is that of the field it stands in."""
        if isinstance(value, dict):
            return {key: self(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [self(inner, name) for inner in value]
        if not isinstance(value, str) or not self.days or name in _NO_WORDS:
            return value
        if _ISO.fullmatch(value):
            return self._iso(value)
        if _ISO_MONTH.fullmatch(value):
            return self._month(int(value[5:]), int(value[:4])).strftime("%Y-%m")
        return "".join(part if part.startswith("<") else self.words(part) for part in _TAG.split(value))

    def words(self, text: str) -> str:
        """The text with every date in it moved."""
        return _DATES.sub(self._moved, text) if self.days else text

    def _iso(self, value: str) -> str:
        moved = datetime.fromisoformat(value) + timedelta(days=self.days)
        return moved.strftime("%Y-%m-%dT%H:%M") if "T" in value else moved.date().isoformat()

    def _moved(self, found: re.Match[str]) -> str:
        if found["only"]:
            return str(int(found["only"]) + round(self.days / 365.25))
        if found["alone"]:
            month = self._month(_number(found["alone"]), int(found["of"]) if found["of"] else self.written.year)
            return _MONTHS[month.month - 1] + (f" {month.year}" if found["of"] else "")
        year = int(found["year"]) if found["year"] else self._year(int(found["day"]), _number(found["month"]))
        last = self._day(int(found["day"]), _number(found["month"]), year)
        words = f"{last.day} {_MONTHS[last.month - 1]}" + (f" {last.year}" if found["year"] else "")
        if not found["first"]:
            return words
        first = self._day(int(found["first"]), _number(found["month"]), year)
        other_month = f" {_MONTHS[first.month - 1]}" if first.month != last.month else ""
        return f"{first.day}{other_month} to {words}"

    def _day(self, day: int, month: int, year: int) -> date:
        return date(year, month, day) + timedelta(days=self.days)

    def _month(self, month: int, year: int) -> date:
        whole = year * 12 + month - 1 + self.months
        return date(whole // 12, whole % 12 + 1, 1)

    def _year(self, day: int, month: int) -> int:
        """The year that was meant by a day without one: the nearest to when it was written."""
        years = (self.written.year - 1, self.written.year, self.written.year + 1)
        return min(years, key=lambda year: abs((date(year, month, min(day, 28)) - self.written).days))


def _number(month: str) -> int:
    return _MONTHS.index(month) + 1
