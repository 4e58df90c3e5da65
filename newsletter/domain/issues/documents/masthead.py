"""The head of a document: its title, which issue it is, its strapline."""

import re
from dataclasses import replace

from ..spoken_dates import MONTHS
from .shapes import LONGEST_HEADING, may_head
from .units import Bullets, Paragraph, Unit

_LONGEST_STRAPLINE = 200
_SEASONS = ("Spring", "Summer", "Autumn", "Winter", "Christmas", "Easter", *MONTHS, *(month[:3] for month in MONTHS))
_LABEL = re.compile(
    rf"^.{{0,60}}?\b(?:(?:{'|'.join(_SEASONS)})(?:\s*(?:/|-|–|to|and)\s*(?:{'|'.join(_SEASONS)}))?,? (?:19|20)\d\d"
    r"|(?:issue|edition|number|no\.?|volume|vol\.?) ?\d{1,4})$",
    re.IGNORECASE,
)


def masthead(found: list[Unit]) -> tuple[str, str, str, list[Unit]]:
    """(label, strapline, publication, the units below) of a document; "" where it has none."""
    found = _titled(found)
    publication, label, rest = "", "", found
    if _is_label(found, 0):
        label, rest = _text(found[0]), found[1:]
    elif _is_title(found) and not _is_label(found, 1):
        return _titled_masthead(found)
    elif _is_label(found, 1) and _is_name(found[0]):
        publication, label, rest = _text(found[0]), _text(found[1]), found[2:]
    if not label or len(rest) < 3 or not isinstance(rest[0], Paragraph):
        return label, "", publication, rest
    short = len(rest[0].text) <= _LONGEST_STRAPLINE and not rest[0].level
    if short and may_head(rest[1], rest[2]) and (not may_head(rest[0], rest[1]) or not may_head(rest[2], _at(rest, 3))):
        return label, rest[0].text, publication, rest[1:]
    return label, "", publication, rest


def _is_title(found: list[Unit]) -> bool:
    first = _at(found, 0)
    return isinstance(first, Paragraph) and first.title and len(found) > 1


def _titled_masthead(found: list[Unit]) -> tuple[str, str, str, list[Unit]]:
    """A document that has a title and no label: the title may hold both, as in "Larkmere news, March 2027"."""
    title, second = _text(found[0]), _at(found, 1)
    publication, _mark, label = title.rpartition(", ")
    if not publication or not _LABEL.match(label):
        publication, label = title, ""
    third = _at(found, 2)
    strapline = (
        isinstance(second, Paragraph) and not second.level and len(second.text) <= _LONGEST_STRAPLINE
        and isinstance(third, Paragraph) and third.level > 0
    )  # fmt: skip
    return label, _text(found[1]) if strapline else "", publication, found[2 if strapline else 1 :]


def _titled(found: list[Unit]) -> list[Unit]:
    """The units, with the heading that names the whole as the title it is: the only one of the highest level, on top,
    where several of the next one follow."""
    first = _at(found, 0)
    if not isinstance(first, Paragraph) or not first.level or first.title:
        return found
    levels = [unit.level for unit in found[1:] if isinstance(unit, Paragraph) and unit.level]
    if levels and min(levels) > first.level and levels.count(min(levels)) > 1 and levels[0] == min(levels):
        return [replace(first, title=True), *found[1:]]
    return found


def _is_label(found: list[Unit], position: int) -> bool:
    unit = _at(found, position)
    return isinstance(unit, Paragraph) and len(unit.text) <= 80 and bool(_LABEL.match(unit.text))


def _is_name(unit: Unit) -> bool:
    return isinstance(unit, Paragraph) and len(unit.text) <= LONGEST_HEADING and unit.text[-1] not in ".:;,!?…"


def _at(found: list[Unit], position: int) -> Unit | None:
    return found[position] if position < len(found) else None


def _text(unit: Unit) -> str:
    return " ".join(unit.items) if isinstance(unit, Bullets) else unit.text
