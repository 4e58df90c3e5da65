"""Reading what pg_dump wrote: its rows, and nothing else of it.

A dump is a program in SQL, and whoever runs one does whatever stands in it. So none of it is run: the tables are made
by our own history, and of the dump we take the blocks of rows (`COPY … FROM stdin;` to `\\.`) for tables and columns
that are there, and how far each table had numbered its rows.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection, inspect

from ..db import Base
from ..errors import Refused
from . import filling
from .streams import Progress

_COPY = re.compile(rb'COPY (?:"?\w+"?\.)?"?(\w+)"? \(([\w", ]+)\) FROM stdin;\n', re.ASCII)
_NUMBERED = re.compile(
    rb"SELECT pg_catalog\.setval\('(?:\"?\w+\"?\.)?\"?(\w+)_id_seq\"?', (\d{1,18}), true\);\n", re.ASCII
)
_END = b"\\.\n"
_PIECE = 256 * 1024
_NOT_OURS = "holds a database that this program cannot have written"


@dataclass
class Filled:
    """How many rows came into each table, and how far it had numbered them."""

    rows: dict[str, int] = field(default_factory=dict)
    numbered: dict[str, int] = field(default_factory=dict)


def fill_from_dump(dump: Path, connection: Connection, on_progress: Progress) -> Filled:
    """Copy the rows of a dump into the empty tables, in the running transaction.

    Raises Refused, in words that follow a file's name, for a table or column that is not there.
    """
    columns = {name: {each["name"] for each in inspect(connection).get_columns(name)} for name in Base.metadata.tables
               if inspect(connection).has_table(name)}  # fmt: skip
    found, size = Filled(), dump.stat().st_size
    with dump.open("rb") as lines, filling.filling(connection) as driver:
        while line := lines.readline(_PIECE):
            if begins := _COPY.fullmatch(line):
                table = begins[1].decode()
                named = [each.strip('"') for each in begins[2].decode().split(", ")]
                if table == "alembic_version":
                    _rows(lines, lambda _piece: None)
                    continue
                if table in found.rows or not set(named) <= columns.get(table, set()):
                    raise Refused(_NOT_OURS)
                with filling.copying(connection, driver, table, named) as write:
                    found.rows[table] = _rows(lines, write, lambda: on_progress(lines.tell(), size))
            elif numbered := _NUMBERED.fullmatch(line):
                found.numbered[numbered[1].decode()] = int(numbered[2])
    return found


def _rows(lines: BinaryIO, write: Callable[[bytes], object], on_progress: Callable[[], object] = lambda: None) -> int:
    """Pass a block of rows on to its end. Returns how many there were."""
    number, begins, pieces, room = 0, True, list[bytes](), _PIECE
    while piece := lines.readline(_PIECE):
        if begins and piece == _END:
            write(b"".join(pieces))
            return number
        begins = piece.endswith(b"\n")
        number += begins
        pieces.append(piece)
        room -= len(piece)
        if room <= 0:
            write(b"".join(pieces))
            pieces, room = [], _PIECE
            on_progress()
    raise Refused(_NOT_OURS)
