"""Recurrence rules (RFC 5545, 3.3.10), as far as a newsletter needs them: days in months, year after year.

A rule is a text of one or more lines, each what stands after "RRULE:"; the days of its lines are taken together. The
rule says the days by itself: nothing is counted from a beginning (no DTSTART, COUNT, UNTIL or INTERVAL), so the days
of a year are the same whoever asks and whenever.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from dateutil import rrule  # type: ignore[import-untyped]  # the library has no types of its own

from .... import dates
from ....i18n import gettext as _

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_MOST_LINES = 6
_LONGEST = 1_000
#: More often than every other week is no rhythm in which somebody writes, asks, closes and approves.
_MOST_A_YEAR = 26
_LENGTHS = {month: (28, 29) if month == 2 else (30,) if month in (4, 6, 9, 11) else (31,) for month in range(1, 13)}
_DAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_COUNTED = ("DTSTART", "COUNT", "UNTIL")
#: Parts that calendar programs add and that change nothing here.
_WITHOUT_EFFECT = {"INTERVAL": re.compile("1"), "WKST": re.compile("|".join(WEEKDAYS))}


@dataclass(frozen=True)
class Line:
    """One recurrence. No `months` are all months; a weekday is (which of its month, 0 for each; 0 for Monday …)."""

    yearly: bool
    months: tuple[int, ...] = ()
    weekdays: tuple[tuple[int, int], ...] = ()
    days: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """The line as it is kept: "FREQ=YEARLY;BYMONTH=1,4,7,10;BYDAY=3FR"."""
        named = [f"{number or ''}{WEEKDAYS[weekday]}" for number, weekday in self.weekdays]
        parts = {
            "BYMONTH": [str(month) for month in self.months], "BYDAY": named,
            "BYMONTHDAY": [str(day) for day in self.days], "BYSETPOS": [str(position) for position in self.positions],
        }  # fmt: skip
        kept = [f"{name}={','.join(values)}" for name, values in parts.items() if values]
        return ";".join([f"FREQ={'YEARLY' if self.yearly else 'MONTHLY'}", *kept])


@dataclass(frozen=True)
class Rule:
    """A rule that was read: each of its months has its days, every year."""

    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The rule as it is kept, a line each."""
        return "\n".join(line.text for line in self.lines)

    def days(self, year: int) -> list[date]:
        """The days of the year that the rule names, in order; weekends and holidays among them."""
        return sorted({day for line in self.lines for day in _days(line, year)})


@lru_cache(maxsize=64)
def parse(text: str) -> Rule:
    """The rule in `text`. Raises ValueError, in a sentence that names what is wrong, for what cannot be used here."""
    written = [line.strip() for line in text.splitlines() if line.strip()]
    if not written:
        raise ValueError(_("Write a rule, such as FREQ=YEARLY;BYMONTH=1,4,7,10;BYDAY=3FR."))
    if len(written) > _MOST_LINES or len(text) > _LONGEST:
        raise ValueError(_("Use {number} lines at most.").format(number=_MOST_LINES))
    rule = Rule(tuple(dict.fromkeys(_line(line) for line in written)))
    _require_steady(rule)
    return rule


def _line(text: str) -> Line:
    parts = _parts(text)
    frequency = parts.pop("FREQ", "")
    if frequency not in ("YEARLY", "MONTHLY"):
        raise ValueError(_("A rule begins with FREQ=YEARLY or FREQ=MONTHLY."))
    line = Line(
        yearly=frequency == "YEARLY",
        months=_numbers("BYMONTH", parts.pop("BYMONTH", ""), 1, 12),
        weekdays=_weekdays(parts.pop("BYDAY", "")),
        days=_numbers("BYMONTHDAY", parts.pop("BYMONTHDAY", ""), -31, 31),
        positions=_numbers("BYSETPOS", parts.pop("BYSETPOS", ""), -31, 31),
    )
    if parts:
        raise ValueError(_unknown(next(iter(parts))))
    if not line.weekdays and not line.days:
        raise ValueError(_("Say which day, with BYDAY (such as 3FR) or BYMONTHDAY (such as 22)."))
    if line.yearly and not line.months:
        raise ValueError(_("A yearly rule says its months, such as BYMONTH=1,4,7,10."))
    if line.positions and line.yearly:
        raise ValueError(_("BYSETPOS chooses among the days of a month here: write FREQ=MONTHLY."))
    return line


def _parts(text: str) -> dict[str, str]:
    plain = re.sub(r"\s+", "", text).upper().removeprefix("RRULE:")
    if plain.startswith("DTSTART"):
        raise ValueError(_unknown("DTSTART"))
    parts: dict[str, str] = {}
    for part in filter(None, plain.split(";")):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise ValueError(
                _("“{part}” is no part of a rule: a part is a name, = and a value.").format(part=part[:40])
            )
        if name in parts:
            raise ValueError(_("{name} stands there twice.").format(name=name[:40]))
        parts[name] = value
    for name, harmless in _WITHOUT_EFFECT.items():
        if harmless.fullmatch(parts.get(name, "")):
            del parts[name]
    return parts


def _unknown(name: str) -> str:
    if name in _COUNTED:
        return _("Leave {name} out: a rhythm goes on, and its rule says the days by itself.").format(name=name)
    if name == "INTERVAL":
        return _("Leave INTERVAL out, and name the months with BYMONTH.")
    return _("{name} is not used here. Use BYMONTH, BYDAY and BYMONTHDAY.").format(name=name[:40])


def _numbers(name: str, value: str, least: int, most: int) -> tuple[int, ...]:
    found = set()
    for word in filter(None, value.split(",")):
        if not re.fullmatch(r"[+-]?[0-9]{1,2}", word, re.ASCII) or not least <= int(word) <= most or int(word) == 0:
            raise ValueError(_("{name} cannot be “{word}”.").format(name=name, word=word[:20]))
        found.add(int(word))
    return tuple(sorted(found))


def _weekdays(value: str) -> tuple[tuple[int, int], ...]:
    found = []
    for word in filter(None, value.split(",")):
        read = _DAY.fullmatch(word)
        if read is None:
            raise ValueError(
                _("BYDAY cannot be “{word}”. The third Friday is 3FR, the last one -1FR.").format(word=word[:20])
            )
        found.append((int(read[1] or 0), WEEKDAYS.index(read[2])))
    return tuple(sorted(set(found)))


def _require_steady(rule: Rule) -> None:
    """Raise ValueError for a rule with a month that does not have its days each year, or with too many days."""
    a_year = 0
    for line in rule.lines:
        for month in line.months or range(1, 13):
            # Each month there can be: as long as it may be, and beginning on each day of the week.
            numbers = {
                len(_days_of(line, length, first)) for length in _LENGTHS[month] for first in range(len(WEEKDAYS))
            }
            if numbers == {0}:
                raise ValueError(_("There is never such a day in {month}.").format(month=month_name(month)))
            if len(numbers) > 1:
                raise ValueError(
                    _(
                        "{month} does not have the same number of such days each year. "
                        "There is not always a 29th or a fifth Friday; the last one there always is: -1."
                    ).format(month=month_name(month))
                )
            a_year += numbers.pop()
    if a_year > _MOST_A_YEAR:
        raise ValueError(
            _("These are {number} days a year; {most} are the most.").format(number=a_year, most=_MOST_A_YEAR)
        )


def _days_of(line: Line, length: int, first: int) -> list[int]:
    """The days that the line names in a month of so many days that begins on the weekday `first`.

    Asked before the library is, which goes on looking for a day that never comes until the year 9999.
    """
    found = []
    for day in range(1, length + 1):
        weekday = (first + day - 1) % 7
        among = {(0, weekday), ((day - 1) // 7 + 1, weekday), (-((length - day) // 7 + 1), weekday)}
        if line.weekdays and among.isdisjoint(line.weekdays):
            continue
        if not line.days or day in line.days or day - length - 1 in line.days:
            found.append(day)
    if not line.positions:
        return found
    return [day for at, day in enumerate(found) if at + 1 in line.positions or at - len(found) in line.positions]


def month_name(number: int) -> str:
    """ "January" for 1."""
    return dates.month(date(2000, number, 1)).split()[0]


@lru_cache(maxsize=1024)
def _days(line: Line, year: int) -> tuple[date, ...]:
    named = [rrule.weekday(weekday, number or None) for number, weekday in line.weekdays]
    found = rrule.rrule(
        rrule.YEARLY if line.yearly else rrule.MONTHLY,
        # The library reckons in naive local days.
        dtstart=datetime(year, 1, 1),  # noqa: DTZ001 - days, in no zone
        until=datetime(year, 12, 31),  # noqa: DTZ001 - days, in no zone
        bymonth=line.months or None,
        byweekday=named or None,
        bymonthday=line.days or None,
        bysetpos=line.positions or None,
    )
    return tuple(each.date() for each in found)
