"""Dates and times as people type, paste and dictate them.

A day: "19 January 2027", "Friday 19 Jan 2027", "19/1/2027" (day first), "2027-01-19". A time: "5pm", "5:30 pm",
"17:00", "noon". A moment: both, in either order, with a comma or not. What cannot be read raises Unreadable, whose
text is the sentence to show.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time

from newsletter import dates
from newsletter.deadlines import Deadline
from newsletter.domain.issues.working_days import USUAL_REGION, holiday
from newsletter.i18n import gettext as _

#: The years of which issues and deadlines can be.
FIRST_YEAR, LAST_YEAR = 2000, 2100
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
            "september sept sep", "october oct", "november nov", "december dec",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY = r"(?:(?P<weekday>mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?(?:the\s+)?"
_WORDED = re.compile(
    _WEEKDAY + r"(?P<day>\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>[a-z]+)\.?,?\s+(?P<year>\d{4})"
)
_NUMBERED = re.compile(_WEEKDAY + r"(?P<day>\d{1,2})[/.](?P<number>\d{1,2})[/.](?P<year>\d{4})")
_ISO = re.compile(r"(?P<year>\d{4})-(?P<number>\d{2})-(?P<day>\d{2})")
_MONTH = re.compile(r"(?P<month>[a-z]+)\.?,?\s+(?P<year>\d{4})|(?P<iso_year>\d{4})-(?P<number>\d{2})")
_HALF = r"(?:am|pm|a\.m\.?|p\.m\.?)"
_TIME = re.compile(rf"(?P<hour>\d{{1,2}})(?:[:.](?P<minute>\d{{2}}))?(?::\d{{2}})?\s*(?P<half>{_HALF})?")
_SOME_TIME = rf"(?P<time>noon|midday|midnight|\d{{1,2}}(?:[:.]\d{{2}})?\s*{_HALF}|\d{{1,2}}:\d{{2}}(?::\d{{2}})?)"
_TIME_FIRST = re.compile(_SOME_TIME + r"(?:,\s*(?:on\s+)?|\s+on\s+|\s+)(?P<day>.+)")
_TIME_LAST = re.compile(r"(?P<day>.*?\d)(?:,\s*(?:at\s+)?|\s+at\s+|\s+|t)" + _SOME_TIME)


class Unreadable(ValueError):
    """No date or time can be read; the text says what to type instead."""


def read_day(typed: str) -> date:
    """The day in `typed`. Raises Unreadable, also where the weekday named is not that day's."""
    text = _plain(typed)
    found = _WORDED.fullmatch(text) or _NUMBERED.fullmatch(text) or _ISO.fullmatch(text)
    if not found:
        raise Unreadable(_("Enter a date, such as 15 January 2027"))
    parts = found.groupdict()
    month = int(parts["number"]) if parts.get("number") else _MONTHS.get(parts.get("month") or "", 0)
    try:
        day = date(int(parts["year"]), month, int(parts["day"]))
    except ValueError:
        raise Unreadable(_("There is no such day. Enter a date, such as 15 January 2027")) from None
    weekday = parts.get("weekday")
    if weekday and _WEEKDAYS[day.weekday()] != weekday:
        raise Unreadable(_("That day is a {weekday}. Check the date").format(weekday=dates.day(day).split()[0]))
    return day


def read_planned_day(typed: str) -> date:
    """A day on which something is planned. Raises Unreadable as `read_day` does, and for a year that nobody plans."""
    day = read_day(typed)
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Unreadable(_("Check the year: it can be {first} to {last}").format(first=FIRST_YEAR, last=LAST_YEAR))
    return day


def read_time(typed: str) -> time:
    """The time of day in `typed`. Raises Unreadable; "midnight" is asked back, for nobody can place it."""
    text = _plain(typed)
    if text in ("noon", "midday"):
        return time(12)
    if text == "midnight":
        raise Unreadable(_("Enter 11:59pm or 12am: “midnight” can mean the start of the day or its end"))
    found = _TIME.fullmatch(text)
    if found:
        hour, minute, half = int(found["hour"]), int(found["minute"] or 0), (found["half"] or "")[:1]
        sensible = 1 <= hour <= 12 if half else (found["minute"] is not None and hour <= 23)
        if sensible and minute <= 59:
            return time(hour % 12 + (12 if half == "p" else 0), minute) if half else time(hour, minute)
    raise Unreadable(_("Enter a time, such as 5pm or 10:30am"))


def read_moment(typed: str) -> datetime:
    """The local day and time in `typed`, naive. Raises Unreadable."""
    text = _plain(typed)
    for pattern in (_TIME_LAST, _TIME_FIRST):
        if found := pattern.fullmatch(text):
            try:
                return datetime.combine(read_day(found["day"]), read_time(found["time"]))
            except Unreadable:
                continue
    read_day(text)  # says what is wrong with the day, if anything is
    raise Unreadable(_("Enter the time as well, such as 5pm, 15 January 2027"))


def to_stored(typed: str, *, timed: bool = False, month_allowed: bool = False) -> str:
    """What a block stores for a typed date (see newsletter.rendering.when); unread words stay as they are."""
    text = _plain(typed)
    try:
        if timed:
            return read_moment(text).isoformat(timespec="minutes")
        if month_allowed and (found := _MONTH.fullmatch(text)):
            month = int(found["number"]) if found["number"] else _MONTHS.get(found["month"], 0)
            if 1 <= month <= 12:
                return f"{found['year'] or found['iso_year']}-{month:02d}"
        return read_day(text).isoformat()
    except Unreadable:
        return typed.strip()


def _plain(typed: str) -> str:
    return " ".join(typed.split()).strip(" .,").lower().removesuffix(" (uk time)")


# --- what to tell people about the moment they chose ------------------------------------------------------------


@dataclass(frozen=True)
class Chosen:
    """A local day and time in a zone, read from a form; `instant` is the UTC instant that it names."""

    day: date
    at: time
    zone: str
    instant: datetime

    @property
    def deadline(self) -> Deadline:
        return Deadline(self.day, self.at, self.zone, self.instant)

    @property
    def words(self) -> str:
        """ "5pm, Friday 19 January 2018 (UK time)"."""
        return self.deadline.words_with_zone


def choose(day: date, at: time, zone: str, fold: dates.Fold | None) -> Chosen | None:
    """The instant that is meant; None where the time comes twice and `fold` does not say which.

    Raises Unreadable for a time that the zone skips.
    """
    if fold is None and dates.is_ambiguous(day, at, zone):
        return None
    try:
        return Chosen(day, at, zone, dates.to_instant(day, at, zone, fold or dates.Fold.LATER))
    except ValueError as error:
        raise Unreadable(_("{sentence}. Choose another time").format(sentence=error)) from None


def remark(what: str, chosen: Chosen, now: datetime, region: str = USUAL_REGION) -> str:
    """A sentence about a choice worth a second look (a weekend, a bank holiday, a time gone by), or ""."""
    if chosen.instant <= now:
        return _("{what} is in the past: {when}.").format(what=what, when=chosen.words)
    if chosen.day.weekday() >= 5:
        weekday = dates.day(chosen.day).split()[0]
        return _("{what} is on a {weekday}: {when}.").format(what=what, weekday=weekday, when=chosen.words)
    if name := holiday(chosen.day, region):
        return _("{what} is on a bank holiday ({name}): {when}.").format(what=what, name=name, when=chosen.words)
    return ""
