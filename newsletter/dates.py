"""The one place where dates become words, and where people's dates become instants.

Instants are aware UTC datetimes. What a person says is a local date, a local time and a zone (an IANA name):
"5pm, Friday 19 January 2018 (UK time)".
"""

from datetime import UTC, date, datetime, time
from enum import Enum
from zoneinfo import ZoneInfo

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


class Fold(Enum):
    """Which of two equal local times is meant when the clocks go back."""

    EARLIER = 0
    LATER = 1


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name."""
    return ZoneInfo(name)


def local(instant: datetime, zone_name: str) -> datetime:
    """The instant as people in the zone read it."""
    return instant.astimezone(ZoneInfo(zone_name))


def to_instant(day_: date, time_: time, zone_name: str, fold: Fold = Fold.LATER) -> datetime:
    """The UTC instant of a local date and time.

    A time that comes twice (the clocks go back) is taken as `fold` says; ask `is_ambiguous` first where there
    is somebody to ask. Raises ValueError, in a sentence, for a time that the zone skips.
    """
    wall = datetime.combine(day_, time_, ZoneInfo(zone_name)).replace(fold=fold.value)
    instant = wall.astimezone(UTC)
    if instant.astimezone(ZoneInfo(zone_name)).replace(tzinfo=None) != wall.replace(tzinfo=None):
        raise ValueError(f"{clock_time(time_)} on {day(day_)} does not exist: the clocks go forward then")
    return instant


def is_ambiguous(day_: date, time_: time, zone_name: str) -> bool:
    """Whether the local time comes twice on that day, because the clocks go back."""
    wall = datetime.combine(day_, time_, ZoneInfo(zone_name))
    return wall.replace(fold=0).utcoffset() != wall.replace(fold=1).utcoffset() and _exists(wall)


def _exists(wall: datetime) -> bool:
    return wall.astimezone(UTC).astimezone(wall.tzinfo).replace(tzinfo=None) == wall.replace(tzinfo=None)


def clock_time(value: time | datetime) -> str:
    """ "5pm", "10:42am", "noon"; never "midnight", which nobody can place: "12am"."""
    if (value.hour, value.minute) == (12, 0):
        return "noon"
    hour = value.hour % 12 or 12
    minutes = f":{value.minute:02d}" if value.minute else ""
    return f"{hour}{minutes}{'am' if value.hour < 12 else 'pm'}"


def day(value: date) -> str:
    """ "Friday 19 January 2018"."""
    return f"{_DAYS[value.weekday()]} {value.day} {_MONTHS[value.month - 1]} {value.year}"


def short_day(value: date, *, year: bool = True) -> str:
    """ "Fri 19 Jan 2018", for tables."""
    words = f"{_DAYS[value.weekday()][:3]} {value.day} {_MONTHS[value.month - 1][:3]}"
    return f"{words} {value.year}" if year else words


def month(value: date) -> str:
    """ "January 2018"."""
    return f"{_MONTHS[value.month - 1]} {value.year}"


def moment(value: datetime, zone_name: str | None = None) -> str:
    """ "5pm, Friday 19 January 2018".

    A naive datetime is a local one and printed as it stands; an aware one needs the zone to print it in.
    """
    if value.tzinfo is not None:
        if zone_name is None:
            raise ValueError("An instant needs a time zone to be printed in")
        value = local(value, zone_name)
    return f"{clock_time(value)}, {day(value)}"


def span(start: datetime, end: datetime) -> str:
    """ "9:30am to 12:30pm, Tuesday 26 January 2027"; both local. Over several days, both moments."""
    if start.date() != end.date():
        return f"{moment(start)} to {moment(end)}"
    return f"{clock_time(start)} to {clock_time(end)}, {day(start)}"


def zone_words(zone_name: str) -> str:
    """How people name the zone: "UK time" for London, else the IANA name's last part."""
    if zone_name == "Europe/London":
        return "UK time"
    return f"{zone_name.rpartition('/')[2].replace('_', ' ')} time"


def in_words(seconds: float) -> str:
    """A length of time, rounded to what a person would say: "about 5 minutes"."""
    if seconds < 50:
        return "less than a minute"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"about {minutes} minute{'s' if minutes != 1 else ''}"
    hours = round(minutes / 60)
    if hours < 48:
        return f"about {hours} hour{'s' if hours != 1 else ''}"
    return f"about {round(hours / 24)} days"
