"""Dates in running text: past when the issue goes out, on the wrong weekday, or readable in two ways."""

import re
from collections.abc import Iterator
from datetime import date

from .... import dates
from ..spoken_dates import FULL_DATE, MONTHS, SpokenDate, spoken_dates
from .findings import Finding
from .passages import Passage
from .surroundings import Surroundings
from .words import around

_RANGE = re.compile(rf"\b({'|'.join(MONTHS)})\s*(?:-|–|—|to|until)\s*({'|'.join(MONTHS)}) (\d{{4}})\b")
_ASKS = re.compile(
    r"\b(?:by|before|until|no later than|deadline|clos(?:e|es|ing)|book|apply|respond|reply|submit|register|return)\b",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"(?<=[.!?])\s+")
#: A request whose date is years back is quoted history; one of last month is a slip that sends readers nowhere.
_SLIP_DAYS = 366


def check_dates(passage: Passage, around_it: Surroundings) -> Iterator[Finding]:
    """The findings of one passage."""
    yield from _two_ways(passage)
    for sentence in _SENTENCES.split(passage.text):
        for spoken in spoken_dates(sentence):
            yield from _real(passage, spoken)
            yield from _past(passage, sentence, spoken, around_it)


def _two_ways(passage: Passage) -> Iterator[Finding]:
    for found in _RANGE.finditer(passage.text):
        first, last, year = MONTHS.index(found[1]), MONTHS.index(found[2]), int(found[3])
        if first <= last:
            continue
        better = f"{found[1]} {year - 1} to {found[2]} {year}"
        yield Finding(
            "ambiguous_range", False, "These dates could be read two ways.",
            why=f"We suggest “{better}”.",
            block_id=passage.block.id, field=passage.field, excerpt=around(passage.text, found), suggestion=better,
        )  # fmt: skip


def _real(passage: Passage, spoken: SpokenDate) -> Iterator[Finding]:
    if spoken.day is None:
        yield _finding(passage, "no_such_date", spoken.words, f"There is no {spoken.words}.", "")
    elif spoken.weekday and not dates.day(spoken.day).startswith(spoken.weekday):
        right = dates.day(spoken.day)
        yield _finding(
            passage, "wrong_weekday", spoken.words, f"{spoken.words} is a {right.split()[0]}.",
            "Readers would come on one of two days. Mend the day or the date.",
        )  # fmt: skip


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
        block_id=passage.block.id, field=passage.field,
        excerpt=around(sentence, found) if found else spoken.words,
    )  # fmt: skip


def _finding(passage: Passage, code: str, excerpt: str, sentence: str, why: str) -> Finding:
    return Finding(code, False, sentence, why, passage.block.id, passage.field, excerpt)
