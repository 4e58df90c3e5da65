"""What one line of a file says of a person: the columns that we keep, made fit, or the reason why nobody comes of it.

A line is read in some two microseconds: what is plain, as nearly all of it is, passes by one look, and what is not goes
the long way, to the same result.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from ... import addresses
from ...errors import Invalid
from .words import LONGEST_NAME, LONGEST_ORGANISATION, one_line

#: Local parts that need no closer look; their domain is looked at once.
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+'-]+(?:\.[A-Za-z0-9_+'-]+)*")
#: What our own export puts before a cell that a spreadsheet would take for a formula (ASVS 1.2.10).
_GUARDED = re.compile(r"'(?=[=+\-@\t\r\0])")
_LONGEST_SHOWN = 60
_NOWHERE = 1 << 30

#: address key, address, name, organisation, the sector's slug, and why they are to be written to no more ("" if not).
Said = tuple[str, str, str, str, str, str]


class Refused(NamedTuple):
    """A line nobody comes of: its number, why ("bad", "duplicates" …), the reason in words, and what stood there."""

    line: int
    outcome: str
    reason: str
    value: str


#: Reads the cells of a line: its number, the cells, and why they are to be written to no more.
Reader = Callable[[int, list[str], str], Said | Refused]


def reader(columns: Mapping[str, int], sectors: Mapping[str, str]) -> Reader:
    """What reads the lines of a file whose columns are these. `sectors`: the slug of each name and slug, in small
    letters; a sector that is none of them is left out."""
    email_at, organisation_at, sector_at = (columns.get(each, _NOWHERE) for each in ("email", "organisation", "sector"))
    name_at, *more_names = [columns[each] for each in ("name", "first_name", "last_name") if each in columns] or [
        _NOWHERE
    ]

    def read(line: int, cells: list[str], reason: str) -> Said | Refused:
        wide = len(cells)
        typed = _cell(cells[email_at]) if email_at < wide else ""
        try:
            key, address = key_and_address(typed)
        except Invalid as error:
            return Refused(line, "bad", f"{error}.", shown(typed))
        name = _words(cells[name_at]) if name_at < wide else ""
        for at in more_names:
            name = f"{name} {_words(cells[at])}".strip() if at < wide else name
        organisation = _words(cells[organisation_at]) if organisation_at < wide else ""
        sector = sectors.get(_cell(cells[sector_at]).lower(), "") if sector_at < wide else ""
        return key, address, name[:LONGEST_NAME], organisation[:LONGEST_ORGANISATION], sector, reason

    return read


def key_and_address(typed: str) -> tuple[str, str]:
    """What `addresses.key` and `addresses.clean` say, quicker for plain addresses of few domains. Raises Invalid."""
    local, _at, domain = typed.strip().rpartition("@")
    if len(local) <= 64 and _PLAIN_LOCAL.fullmatch(local) and (probe := _probe(domain)):
        address = f"{local}@{probe}"
        if len(address) <= 254:
            key = address.lower()
            return (address if key == address else key), address
    address = addresses.clean(typed)
    return addresses.key(address), address


def shown(typed: str) -> str:
    """The beginning of what stood there, for the report."""
    return one_line(typed)[:_LONGEST_SHOWN]


def _cell(cell: str) -> str:
    cell = cell.strip()
    return _GUARDED.sub("", cell, count=1) if cell.startswith("'") else cell


def _words(cell: str) -> str:
    """The cell as one line."""
    cell = cell.strip()
    if cell.isascii() and cell.isprintable() and "  " not in cell and cell[:1] != "'":
        return cell
    return one_line(_cell(cell))


@lru_cache(maxsize=10_000)
def _probe(domain: str) -> str | None:
    try:
        return addresses.clean(f"a@{domain}").partition("@")[2]
    except Invalid:
        return None
