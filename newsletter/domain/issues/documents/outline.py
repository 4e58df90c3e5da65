"""From units to an outline: what is the masthead, what is a section, what is a sub-heading in one.

Plain text does not say how high a heading stands, so this is a proposal: an editor raises or lowers a heading with
one click. What it goes by: a heading right above another one heads a group; so does a paragraph that ends with a
colon right above a heading; a group goes on while its members look like its first, and ends where a section that
newsletters always have begins.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ....errors import Invalid, Problem
from ..spoken_dates import FULL_DATE
from .masthead import masthead
from .shapes import may_head
from .units import Bullets, Paragraph, Unit

#: Sections that come back in every issue: no group of findings swallows them. Words that a finding may hold as well
#: count in the shortest headings only.
_STANDING = re.compile(
    r"\b(?:priorities|policies|procedures|newsletters?|bulletins?|diary|website|chair|consultations?|contributions?"
    r"|vacanc(?:y|ies))\b",
    re.IGNORECASE,
)
_STANDING_SHORT = re.compile(
    r"\b(?:training|news|events?|people|staff|dates|contacts?|resources|survey|reminders?)\b", re.IGNORECASE
)
_FINDINGS = re.compile(r"\b(?:findings?|lessons?|themes?|messages|learning|recommendations?|learned)\b", re.IGNORECASE)
_LEADS_ON = re.compile(r"^(?:view|read|see|review|visit|download|find out|look at)\b.{0,110}$", re.IGNORECASE)
_DEADLINE = re.compile(
    r"\bdeadline\b.*\b(?:next|bulletin|newsletter|issue|edition|contributions?|articles?|news)\b"
    r"|\b(?:next|bulletin|newsletter|issue|edition|contributions?|articles?|news)\b.*\bdeadline\b",
    re.IGNORECASE,
)
SENTENCES = re.compile(r"(?<=[.!?])\s+")


@dataclass
class Entry:
    """A heading ("" before the first) and what stands under it; `parts` are its sub-headings."""

    heading: str
    content: list[Unit] = field(default_factory=list)
    parts: list["Entry"] = field(default_factory=list)
    #: The heading of a group of findings: each part is one, and there is nothing else.
    findings: bool = False
    level: int = 0


@dataclass(frozen=True)
class Outline:
    """The masthead's words, where the document has any ("" else), and the sections."""

    label: str
    strapline: str
    publication: str
    sections: tuple[Entry, ...]


def outline(found: list[Unit]) -> Outline:
    """The outline of a document's units."""
    label, strapline, publication, rest = masthead(found)
    entries = _entries(rest)
    explicit = _levels(entries)
    return Outline(label, strapline, publication, tuple(_by_level(entries) if explicit else _by_look(entries)))


def deadline_sentence(unit: Unit) -> str:
    """The sentence that names the day on which the next issue closes, or ""."""
    if not isinstance(unit, Paragraph):
        return ""
    for sentence in SENTENCES.split(unit.text):
        if _DEADLINE.search(sentence) and FULL_DATE.search(sentence):
            return sentence
    return ""


def _entries(found: list[Unit]) -> list[Entry]:
    entries = [Entry("")]
    for unit, following in zip(found, [*found[1:], None], strict=False):
        if isinstance(unit, Paragraph) and may_head(unit, following):
            entries.append(Entry(unit.text, level=unit.level))
        else:
            entries[-1].content.append(unit)
    return entries if entries[0].content else entries[1:]


def _levels(entries: list[Entry]) -> bool:
    """Whether the headings say themselves how high they stand; capitals count as higher. Sets `level`."""
    headed = [entry for entry in entries if entry.heading]
    marked = [entry for entry in headed if entry.level]
    if len(marked) > 1:
        lowest = max(entry.level for entry in marked) + 1
        for entry in headed:
            entry.level = entry.level or lowest
        return True
    loud = [entry for entry in headed if entry.heading.isupper() and len(entry.heading) > 3]
    if len(loud) > 1 and len(loud) < len(headed):
        for entry in headed:
            entry.level = 1 if entry in loud else 2
        return True
    return False


def _by_level(entries: list[Entry]) -> Iterator[Entry]:
    top = min(entry.level for entry in entries if entry.heading)
    current: Entry | None = None
    for entry in entries:
        if current is None or not entry.heading or entry.level == top:
            if current is not None:
                yield _judged(current)
            current = entry
        else:
            current.parts.append(entry)
    if current is not None:
        yield _judged(current)


def _judged(entry: Entry) -> Entry:
    """The entry, which knows whether it is a group of findings."""
    filled = all(part.content for part in entry.parts)
    alone = not entry.content and len(entry.parts) > 1
    entry.findings = alone and filled and bool(_FINDINGS.search(entry.heading))
    return entry


def _by_look(entries: list[Entry]) -> Iterator[Entry]:
    position = 0
    while position < len(entries):
        entry = entries[position]
        number = _group_length(entries, position)
        entry.parts = entries[position + 1 : position + 1 + number]
        heads_only = not entry.content and bool(entry.parts)
        entry.findings = heads_only and len(entry.parts) > 1 and bool(_FINDINGS.search(entry.heading))
        yield entry
        position += 1 + number


def _group_length(entries: list[Entry], start: int) -> int:
    """How many of the entries after `start` are sub-headings of it."""
    head = entries[start]
    stacked = bool(head.heading) and not head.content
    led_in = bool(head.content) and _is_lead_in(head.content[-1])
    if not (stacked or led_in) or start + 1 >= len(entries):
        return 0
    first = entries[start + 1]
    most = max(len(first.content), 2 if led_in else 1)
    number = 0
    for entry in entries[start + 1 :]:
        if number and (_ends_group(entry, first, most) or _leads_away(entries[start + number])):
            break
        if not entry.content or _holds_deadline(entry):
            break
        number += 1
    return number if number > 1 or stacked else 0


def _ends_group(entry: Entry, first: Entry, most: int) -> bool:
    listed = any(isinstance(unit, Bullets) for unit in entry.content)
    first_listed = any(isinstance(unit, Bullets) for unit in first.content)
    too_much = len(entry.content) > most or (listed and not first_listed)
    opens_group = _is_lead_in(entry.content[-1] if entry.content else None)
    return too_much or opens_group or _is_standing(entry.heading)


def _is_standing(heading: str) -> bool:
    words = len(heading.split())
    return bool((words < 5 and _STANDING.search(heading)) or (words < 3 and _STANDING_SHORT.search(heading)))


def _leads_away(entry: Entry) -> bool:
    """Whether an entry ends with a line that sends readers elsewhere, as the last one of a section does."""
    last = entry.content[-1] if len(entry.content) > 1 else None
    return isinstance(last, Paragraph) and bool(_LEADS_ON.match(last.text))


def _is_lead_in(unit: Unit | None) -> bool:
    return (
        isinstance(unit, Paragraph)
        and unit.text.endswith(":")
        and not re.search(r"(?:e-?mail|tel|phone|contact|address|to)\W*$", unit.text, re.IGNORECASE)
    )


def _holds_deadline(entry: Entry) -> bool:
    return any(deadline_sentence(unit) for unit in entry.content)


def require_sensible(sections: tuple[Entry, ...], most: int) -> None:
    """Raise Invalid for more sections than any newsletter has."""
    if len(sections) > most:
        raise Invalid(
            [Problem("document", f"The document would make {len(sections)} sections; {most} are the most we take.")]
        )
