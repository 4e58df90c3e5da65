"""What stands at the end of a section and is more than text: the people to ask, a table."""

import re
from dataclasses import dataclass
from typing import Any

from .... import addresses
from ....errors import Invalid
from ....rendering.blocks.table import COLUMNS
from .units import Paragraph, Table, Unit

_EMAIL_LINE = re.compile(
    r"(?:e-?mail(?: address)?|contact)?\s*:?\s*(?P<address>[^\s@:<>,;]+@[^\s@:<>,;]+)", re.IGNORECASE
)
_PHONE_LINE = re.compile(
    r"(?:(?:tel(?:ephone)?|phone|mobile|call)\.?(?: number)?\s*:?\s*)(?P<number>\+?[0-9][0-9() -]{6,24}[0-9])",
    re.IGNORECASE,
)
_APART = re.compile(r"\s+[|•·]\s+|\s*;\s+|,\s+(?=tel|phone|e-?mail|mobile)", re.IGNORECASE)
_LONGEST_NAME, _LONGEST_ROLE = 100, 120
_HREF = re.compile(r'href="(?P<href>[^"]*)"')
_MOST_LINES = 4
_MOST_ROWS, _LONGEST_CELL, _LONGEST_COLUMN = 20, 240, 60


@dataclass(frozen=True)
class Found:
    """A contact's fields, and how many units at the end of the section they were read from."""

    data: dict[str, Any]
    length: int


def contact_at_end(content: list[Unit]) -> Found | None:
    """The contact that a section ends with: a name or a role, then an address, a number, or both on lines of their
    own. None where a word would be lost by reading it so (the labels "Email:" and "Tel:" are drawn, not kept)."""
    fields: dict[str, str] = {}
    start = len(content)
    while start and len(content) - start < _MOST_LINES:
        line = content[start - 1]
        read = _ways(line) if isinstance(line, Paragraph) else {}
        if not read or set(read) & set(fields):
            break
        fields = {**read, **fields}
        start -= 1
    named = _named(content[start - 1]) if fields and start else {}
    if not named:
        return None
    return Found({**named, **fields}, len(content) - start + 1)


def _ways(unit: Paragraph) -> dict[str, str]:
    """How to reach somebody, where a line says nothing else."""
    found: dict[str, str] = {}
    for part in _APART.split(unit.text):
        way = _way(part.strip().rstrip("."))
        if not way or set(way) & set(found):
            return {}
        found |= way
    return found if _only_links_to(unit, found) else {}


def _way(text: str) -> dict[str, str]:
    if email := _EMAIL_LINE.fullmatch(text):
        try:
            return {"email": addresses.clean(email["address"])} if len(text) < 300 else {}
        except Invalid:
            return {}
    phone = _PHONE_LINE.fullmatch(text)
    return {"phone": phone["number"]} if phone and len(phone["number"]) <= 40 else {}


def _only_links_to(unit: Paragraph, ways: dict[str, str]) -> bool:
    links = {found["href"].partition(":")[2].replace(" ", "") for found in _HREF.finditer(unit.xhtml)}
    return links <= {value.replace(" ", "") for value in ways.values()}


def _named(unit: Unit) -> dict[str, str]:
    """Who it is: "Bethan Price, Policy officer", or a service. {} for what is a sentence."""
    if not isinstance(unit, Paragraph) or unit.level or "<a " in unit.xhtml:
        return {}
    text = unit.text
    if len(text) > _LONGEST_NAME or len(text.split()) > 12 or text[-1] in ".:;!?…" or not text[0].isupper():
        return {}
    if "@" in text or "://" in text or sum(sign.isdigit() for sign in text) > 2:
        return {}
    name, comma, role = text.partition(", ")
    if comma and len(role) > _LONGEST_ROLE:
        return {}
    return {"name": name, "role": role} if comma else {"name": text}


def table_at_end(content: list[Unit], heading: str) -> Found | None:
    """The table that a section ends with, where our kind of table can hold it: named columns, four at most, no links
    in it. `heading` says what it shows."""
    table = content[-1] if content else None
    if not isinstance(table, Table) or not table.headed:
        return None
    names, *rows = table.rows
    width = max(map(len, table.rows))
    cells = [cell for row in table.rows for cell in row]
    fits = len(names) == width <= len(COLUMNS) and 0 < len(rows) <= _MOST_ROWS and all(row[0].text for row in rows)
    short = all(len(cell.text) <= _LONGEST_CELL for cell in cells) and all(
        len(c.text) <= _LONGEST_COLUMN for c in names
    )
    if not fits or not short or any("<a " in cell.xhtml for cell in cells) or not all(cell.text for cell in names):
        return None
    data = {
        "caption": heading,
        "columns": {column: cell.text for column, cell in zip(COLUMNS, names, strict=False)},
        "rows": [{column: cell.text for column, cell in zip(COLUMNS, row, strict=False)} for row in rows],
    }
    return Found(data, 1)
