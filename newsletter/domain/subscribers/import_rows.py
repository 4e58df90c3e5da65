"""From the files of an import to batches of people that are ready to be written. Knows no database.

It runs beside the process that writes (see `import_child`), so that reading costs writing nothing. One bad line costs
one line: each is told with its number and the reason, and the rest goes on.
"""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ... import addresses
from ...errors import Invalid
from ...i18n import gettext as _
from ...tokens import keyed_hash
from . import moving_in
from .import_reading import BadLine, Layout, records
from .words import LONGEST_NAME, LONGEST_ORGANISATION, one_line

#: Local parts that need no closer look; their domain is looked at once.
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_+'-]+(?:\.[A-Za-z0-9_+'-]+)*")
#: What our own export puts before a cell that a spreadsheet would take for a formula (ASVS 1.2.10).
_GUARDED = re.compile(r"'(?=[=+\-@\t\r\0])")


#: One usable line, in the order of PERSON. Plain, because a million of them cross from one process to another.
Person = tuple[str, str, bytes, str, str, str, int, str, str]
#: `subscriber_id` and `subscription_id` are public ids, in hexadecimal, for those who turn out to be new.
PERSON = (
    *("address_key", "address", "address_hash", "name", "organisation", "sector", "line"),
    *("subscriber_id", "subscription_id"),
)


class Refused(NamedTuple):
    """A line nobody comes of: its number, why ("bad", "duplicates" …), the reason in words, and what stood there."""

    line: int
    outcome: str
    reason: str
    value: str


@dataclass
class Batch:
    """What some lines said. `rows` is how many they were; `out` are those to be written to no more."""

    rows: int = 0
    people: list[Person] = field(default_factory=list)
    out: list[tuple[Person, str]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True)
class Task:
    """What is to be read, in plain values that another process can be handed."""

    files: list[tuple[str, dict[str, Any]]]
    keys: tuple[str, ...]
    purpose: str
    size: int
    skip: int = 0


def batches(task: Task) -> Iterator[Batch]:
    """The lines after the first `skip`, `size` at a time; those who left another sender before everybody else.

    The lines that are skipped are read all the same: a second line for one address is told from a first by it.
    """
    seen: set[int] = set()
    batch = Batch()
    for passed, (number, said) in enumerate(_told(task), start=1):
        found = said if isinstance(said, Refused) else _first(number, said, seen, task)
        if passed <= task.skip:
            continue
        batch.rows += 1
        if isinstance(found, Refused):
            batch.refused.append(found)
        elif found[1]:
            batch.out.append(found)
        else:
            batch.people.append(found[0])
        if batch.rows >= task.size:
            yield _ready(batch)
            batch = Batch()
    if batch.rows:
        yield _ready(batch)


def _first(number: int, said: "_Said", seen: set[int], task: Task) -> tuple[Person, str] | Refused:
    """The person of a line, if it is the first with this address."""
    address, name, organisation, sector, reason = said
    key = addresses.key(address)
    # Eight bytes instead of the words: a million keys fit, and two that meet by chance are not to be expected.
    mark = hash(key)
    if mark in seen:
        return Refused(number, "duplicates", _("A second line for one address."), address)
    seen.add(mark)
    hashed = keyed_hash(task.keys, task.purpose, key)
    return (key, address, hashed, name, organisation, sector, number, "", ""), reason


def _ready(batch: Batch) -> Batch:
    """By address, each with two public ids that rise with it: an index takes neighbours many times as fast.

    128 random bits leave more than 110 to guess between two neighbours of a batch.
    """
    batch.people.sort()
    many = len(batch.people)
    drawn = secrets.token_bytes(32 * many).hex()
    ids = [drawn[at : at + 32] for at in range(0, 64 * many, 32)]
    first, second = sorted(ids[:many]), sorted(ids[many:])
    rows = zip(batch.people, first, second, strict=True)
    batch.people = [(*person[:7], subscriber, subscription) for person, subscriber, subscription in rows]
    return batch


_Said = tuple[str, str, str, str, str]


def _told(task: Task) -> Iterator[tuple[int, _Said | Refused]]:
    """Each line that says something, in the order in which lines are dealt with, read."""
    files = [(Path(path), Layout.of(kept)) for path, kept in task.files]
    out_first = [(path, layout, moving_in.of_file(layout), moving_in.status_column(layout)) for path, layout in files]
    some_are_out = any(reason or column is not None for _p, _l, reason, column in out_first)
    for outs in (True, False) if some_are_out else (False,):
        for path, layout, whole, column in out_first:
            if (outs and not whole and column is None) or (whole and not outs):
                continue
            for number, cells in _records(path, layout, skip_header=True):
                reason = whole
                if column is not None and not isinstance(cells, BadLine) and column < len(cells):
                    reason = moving_in.of_status(cells[column]) or whole
                if bool(reason) is not outs:
                    continue
                yield number, _row(number, cells, layout.columns, reason.value if reason else "")


def _records(path: Path, layout: Layout, *, skip_header: bool = False) -> Iterator[tuple[int, list[str] | BadLine]]:
    first = skip_header and layout.header
    for number, cells in records(path, layout.encoding, layout.delimiter):
        if not isinstance(cells, BadLine) and not "".join(cells).strip():
            continue
        if first and not isinstance(cells, BadLine):
            first = False
            continue
        yield number, cells


def _row(line: int, cells: list[str] | BadLine, columns: dict[str, int], reason: str) -> _Said | Refused:
    if isinstance(cells, BadLine):
        return Refused(line, "bad", cells.reason, cells.value)
    typed = _cell(cells, columns["email"])
    if "\0" in "".join(cells):
        return Refused(line, "bad", _("The line holds a NUL character."), one_line(typed)[:60])
    try:
        address = clean_address(typed)
    except Invalid as error:
        return Refused(line, "bad", f"{error}.", one_line(typed)[:60])
    name = _cell(cells, columns.get("name"))
    if "first_name" in columns or "last_name" in columns:
        parts = (name, _cell(cells, columns.get("first_name")), _cell(cells, columns.get("last_name")))
        name = " ".join(part for part in parts if part)
    organisation = _cell(cells, columns.get("organisation"))
    sector = _cell(cells, columns.get("sector")) if "sector" in columns else ""
    return address, one_line(name)[:LONGEST_NAME], one_line(organisation)[:LONGEST_ORGANISATION], sector, reason


def _cell(cells: list[str], index: int | None) -> str:
    if index is None or index >= len(cells):
        return ""
    cell = cells[index].strip()
    return _GUARDED.sub("", cell, count=1) if cell.startswith("'") else cell


def clean_address(typed: str) -> str:
    """As `addresses.clean`, and quicker for many plain addresses of few domains. Raises Invalid."""
    local, at, domain = typed.strip().rpartition("@")
    if not at or len(local) > 64 or not _PLAIN_LOCAL.fullmatch(local):
        return addresses.clean(typed)
    probe = _probe(domain)
    if probe is None or len(local) + 1 + len(probe) > 254:
        return addresses.clean(typed)
    return f"{local}@{probe}"


@lru_cache(maxsize=10_000)
def _probe(domain: str) -> str | None:
    try:
        return addresses.clean(f"a@{domain}").partition("@")[2]
    except Invalid:
        return None
