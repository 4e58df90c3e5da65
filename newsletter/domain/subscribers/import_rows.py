"""From the files of an import to batches of people that are ready to be written. Knows no database.

It runs beside the process that writes (see `import_child`), so that reading costs writing nothing. One bad line costs
one line: each is told with its number and the reason, and the rest goes on.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

from ...i18n import gettext as _
from ...tokens import keyed_hash
from . import moving_in
from .import_cells import Refused, Said, reader, shown
from .import_packing import Person, Planned, pack
from .import_reading import BadLine, Layout, newlines, records

#: Into how many parts the first two bytes of an id divide all that there could be.
_PARTS = 1 << 16
#: The other bytes of an id.
_DRAWN = 14
#: So many numbers are left between two batches for whoever comes in between.
_ROOM = 1_000


@dataclass
class Batch:
    """What some lines said. `rows` is how many they were; `out` are those to be written to no more.

    `packed` are the others, `many` of them, as the database takes them (see `import_packing`).
    """

    rows: int = 0
    packed: bytes = b""
    out: list[tuple[Person, str]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    many: int = 0


@dataclass(frozen=True)
class Task:
    """What is to be read, in plain values that another process can be handed."""

    files: list[tuple[str, dict[str, Any]]]
    keys: tuple[str, ...]
    purpose: str
    size: int
    skip: int = 0
    sectors: dict[str, str] = field(default_factory=dict)
    form: str = "sqlite"
    planned: tuple[int, int, bytes] = (0, 0, b"")


def batches(task: Task) -> Iterator[Batch]:
    """The lines after the first `skip`, `size` at a time; those who left another sender before everybody else.

    The lines that are skipped are read all the same: a second line for one address is told from a first by it.
    """
    seen: set[int] = set()
    keys, purpose, skip, size = task.keys, task.purpose, task.skip, task.size
    parts = max(1, -(-sum(newlines(Path(path)) for path, _layout in task.files) // size))
    batch, people, part = Batch(), list[Person](), skip // size
    form, planned = task.form, Planned(*task.planned)
    for passed, (number, said) in enumerate(_told(task), start=1):
        if not isinstance(said, Refused):
            # Eight bytes instead of the words: a million keys fit, and two that meet by chance are not to be expected.
            mark = hash(said[0])
            if mark in seen:
                said = Refused(number, "duplicates", _("A second line for one address."), said[1])
            else:
                seen.add(mark)
        if passed <= skip:
            continue
        batch.rows += 1
        if isinstance(said, Refused):
            batch.refused.append(said)
        else:
            key, address, name, organisation, sector, reason = said
            hashed = keyed_hash(keys, purpose, key)
            person = (key, address, hashed, name, organisation, sector, number)
            if reason:
                batch.out.append((person, reason))
            else:
                people.append(person)
        if batch.rows >= size:
            yield _ready(batch, people, form, planned, part, parts)
            batch, people, part = Batch(), [], part + 1
            # Somebody may sign up meanwhile, and take the next number.
            after = size + _ROOM
            planned = Planned(planned.events + after, planned.subscriptions + after, planned.facts)
    if batch.rows:
        yield _ready(batch, people, form, planned, part, parts)


def _ready(batch: Batch, people: list[Person], form: str, planned: Planned, part: int, of: int) -> Batch:
    """By address, each with two public ids that rise with it, and from batch to batch: an index takes neighbours many
    times as fast, and a page of it is written once.

    Together the batches cover all 128 bits evenly, so no id is easier to meet by guessing than if all were drawn from
    the whole; 112 bits of each are drawn.
    """
    people.sort(key=itemgetter(0))
    batch.many = len(people)
    batch.packed = pack(form, people, *rising_ids(batch.many, part, of), planned)
    return batch


def rising_ids(many: int, part: int = 0, of: int = 1) -> tuple[list[str], list[str]]:
    """Twice so many ids in hexadecimal, rising, from one part of so many equal ones of all that there could be."""
    low, high = (_PARTS * at // of for at in (part % of, part % of + 1))
    beginnings = [f"{low + at * (high - low) // many:04x}" for at in range(many)]
    drawn = secrets.token_bytes(2 * _DRAWN * many).hex()
    places = range(0, 4 * _DRAWN * many, 2 * _DRAWN)
    first = [begun + drawn[at : at + 2 * _DRAWN] for begun, at in zip(beginnings, places[:many], strict=True)]
    second = [begun + drawn[at : at + 2 * _DRAWN] for begun, at in zip(beginnings, places[many:], strict=True)]
    return first, second


def _told(task: Task) -> Iterator[tuple[int, Said | Refused]]:
    """Each line that says something, in the order in which lines are dealt with, read."""
    files = [(Path(path), Layout.of(kept)) for path, kept in task.files]
    out_first = [(path, layout, moving_in.of_file(layout), moving_in.status_column(layout)) for path, layout in files]
    some_are_out = any(reason or column is not None for _p, _l, reason, column in out_first)
    for outs in (True, False) if some_are_out else (False,):
        for path, layout, whole, column in out_first:
            if (outs and not whole and column is None) or (whole and not outs):
                continue
            read = reader(layout.columns, task.sectors)
            for number, cells in _records(path, layout):
                reason = whole
                if column is not None and not isinstance(cells, BadLine) and column < len(cells):
                    reason = moving_in.of_status(cells[column]) or whole
                if bool(reason) is not outs:
                    continue
                if isinstance(cells, BadLine):
                    yield number, Refused(number, "bad", cells.reason, cells.value)
                else:
                    yield number, read(number, cells, reason.value if reason else "")


def _records(path: Path, layout: Layout) -> Iterator[tuple[int, list[str] | BadLine]]:
    """The records that are not empty, without the names of columns."""
    first, email = layout.header, layout.columns["email"]
    for number, cells in records(path, layout.encoding, layout.delimiter):
        if not isinstance(cells, BadLine):
            whole = "".join(cells)
            if not whole or whole.isspace():
                continue
            if first:
                first = False
                continue
            if "\0" in whole:
                cells = BadLine(_("The line holds a NUL character."), shown("".join(cells[email : email + 1])))
        yield number, cells
