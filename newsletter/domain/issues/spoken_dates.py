"""Dates as people write them in running text: "9 January 2018", "Friday 19 January 2018", "January 9th, 2018"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_NAMES = "|".join(f"{month[:3]}(?:{month[3:]})?" if len(month) > 3 else month for month in MONTHS)
FULL_DATE = re.compile(
    rf"\b(?:(?P<weekday>{WEEKDAYS}),? (?:the )?)?"
    rf"(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<month>{_NAMES})"
    rf"|(?P<month2>{_NAMES}) (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?),? (?P<year>(?:19|20)\d{{2}})\b"
)


@dataclass(frozen=True)
class SpokenDate:
    """One full date: its words, the day they name (None where there is no such day), the weekday they claim."""

    words: str
    day: date | None
    weekday: str = ""


def spoken_dates(text: str) -> Iterator[SpokenDate]:
    """Every date in `text` that has day, month and year, in order."""
    for found in FULL_DATE.finditer(text):
        month = _month(found["month"] or found["month2"])
        try:
            day = date(int(found["year"]), month, int(found["day"] or found["day2"]))
        except ValueError:
            day = None
        yield SpokenDate(found[0], day, found["weekday"] or "")


def _month(name: str) -> int:
    return next(number for number, month in enumerate(MONTHS, 1) if month.startswith(name[:3]))
