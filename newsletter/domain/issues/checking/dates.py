"""Dates in running text: past when the issue goes out, on the wrong weekday, or readable in two ways."""

import re
from collections.abc import Iterator
from datetime import date

from .... import dates
from ....i18n import gettext as _
from ..spoken_dates import FULL_DATE, MONTHS, WEEKDAYS, SpokenDate, spoken_dates
from .excerpts import around, sentences
from .findings import Change, Finding, Fix
from .passages import Passage
from .surroundings import Surroundings

_RANGE = re.compile(rf"\b({'|'.join(MONTHS)})\s*(?:-|–|—|to|until)\s*({'|'.join(MONTHS)}) (\d{{4}})\b")
_SHORT_DATE = re.compile(
    rf"\b(?P<weekday>{WEEKDAYS}),? (?:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<month>{'|'.join(MONTHS)})\b"
    r"(?!,? \d{4})"
)
_ASKS = re.compile(
    r"\b(?:by|before|until|no later than|deadline|clos(?:e|es|ing)|book|apply|respond|reply|submit|register|return)\b",
    re.IGNORECASE,
)
#: A request whose date is years back is quoted history; one of last month is a slip that sends readers nowhere.
_SLIP_DAYS = 366


def check_dates(passage: Passage, around_it: Surroundings) -> Iterator[Finding]:
    """The findings of one passage."""
    yield from _two_ways(passage)
    for sentence in sentences(passage.text):
        for spoken in spoken_dates(sentence):
            yield from _real(passage, spoken)
            yield from _past(passage, sentence, spoken, around_it)
        yield from _without_year(passage, sentence, around_it)


def _two_ways(passage: Passage) -> Iterator[Finding]:
    for found in _RANGE.finditer(passage.text):
        first, last, year = MONTHS.index(found[1]), MONTHS.index(found[2]), int(found[3])
        if first <= last:
            continue
        better = f"{found[1]} {year - 1} to {found[2]} {year}"
        yield Finding(
            "ambiguous_range", False, "These dates could be read two ways.",
            why=f"We suggest “{better}”.",
            block_id=passage.block_id, field=passage.field, excerpt=around(passage.text, found), suggestion=better,
            fix=Fix(_("Use “{words}”").format(words=better), (Change(passage.field, found[0], better, passage.rich),)),
        )  # fmt: skip


def _real(passage: Passage, spoken: SpokenDate) -> Iterator[Finding]:
    if spoken.day is None:
        yield _finding(passage, "no_such_date", spoken.words, f"There is no {spoken.words}.", "")
    elif spoken.weekday and not dates.day(spoken.day).startswith(spoken.weekday):
        right = dates.day(spoken.day)
        yield _finding(
            passage, "wrong_weekday", spoken.words, f"{spoken.words} is a {right.split()[0]}.",
            "Readers would come on one of two days.",
        )  # fmt: skip


def _without_year(passage: Passage, sentence: str, around_it: Surroundings) -> Iterator[Finding]:
    """A weekday that the day has neither this time round nor the last: nobody need say the year to be wrong."""
    goes_out = around_it.send.date()
    for found in _SHORT_DATE.finditer(sentence):
        month, number = MONTHS.index(found["month"]) + 1, int(found["day"])
        days = [day for year in (-1, 0, 1) if (day := _day(goes_out.year + year, month, number))]
        near = [day for day in days if abs((day - goes_out).days) < _SLIP_DAYS]
        if near and not any(dates.day(day).startswith(found["weekday"]) for day in near):
            ahead = min((day for day in near if day >= goes_out), default=near[-1])
            yield _finding(
                passage, "wrong_weekday", found[0], f"{dates.day(ahead)} is the next {number} {found['month']}.",
                "Readers would come on one of two days.",
            )  # fmt: skip


def _day(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None


def _past(passage: Passage, sentence: str, spoken: SpokenDate, around_it: Surroundings) -> Iterator[Finding]:
    goes_out: date = around_it.send.date()
    if spoken.day is None or spoken.day >= goes_out:
        return
    asks = _ASKS.search(sentence) is not None
    late = (goes_out - spoken.day).days
    if not asks and not re.search(r"\b(?:will|are to|is to|due)\b|['’]ll\b", sentence):
        return  # what is told of the past may have its date
    found = FULL_DATE.search(sentence, max(0, sentence.find(spoken.words)))
    yield Finding(
        "past_date", asks and late <= _SLIP_DAYS, "A date will be past when this arrives.",
        why=f"The issue goes out on {dates.day(goes_out)}." if around_it.dated else "That day is over.",
        block_id=passage.block_id, field=passage.field,
        excerpt=around(sentence, found) if found else spoken.words,
    )  # fmt: skip


def _finding(passage: Passage, code: str, excerpt: str, sentence: str, why: str) -> Finding:
    return Finding(code, True, sentence, why, passage.block_id, passage.field, excerpt)
