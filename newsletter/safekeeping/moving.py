"""Moving from SQLite to PostgreSQL: every row copied from one snapshot, and shown to be there as it was.

The source is only read, and its pages and programs go on meanwhile. Whether anything was written since the snapshot was
taken, and whether any of them lives, is looked at when all is done: a copy of a past state is a rehearsal, and no move.
It is settled as a restored backup is, so that nobody gets anything twice from whoever starts it all the same.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from enum import Enum
from typing import Any

from flask import Flask
from sqlalchemy import JSON, Connection, Row, Table, Text, cast, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from ..app import create_app
from ..config import current_settings
from ..config_reader import PREFIX, SettingReader
from ..db import Base, db
from ..errors import Refused, SettingError
from ..schema import newest_version, prepare_schema, schema_version
from ..work.liveness import Fate, processes
from ..work.runners import SilentRunner
from . import aftermath, filling
from .canonical import Digest
from .database_copy import count_rows
from .streams import Stretches

_AT_ONCE = 1_000
_Write = Callable[[Sequence[Row[Any]]], object]
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True)
class TableMoved:
    """One table: its number of rows, and the hash over them, which were the same on both sides."""

    table: str
    rows: int
    digest: str


@dataclass(frozen=True)
class Moved:
    """All tables; whether the source was written to since the snapshot that was copied, and what of it still runs."""

    tables: tuple[TableMoved, ...]
    went_on: bool
    running: tuple[str, ...] = ()

    @property
    def rehearsed(self) -> bool:
        """Whether the copy is one of a past state, or soon will be."""
        return self.went_on or bool(self.running)

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


def move(to: str, now: datetime, on_progress: Stretches) -> Moved:
    """Copy the running installation's SQLite database to the empty PostgreSQL database at the address `to`.

    Where the source went on, or may, the copy is settled: it sends to its team alone, and what was on its way is in
    doubt.

    Raises Refused where the two are not what they must be, or a table is not the same afterwards; PostgreSQL is left
    without rows then. Raises SettingError for an address that is none.
    """
    if not current_settings().sqlite:
        raise Refused("This installation is on PostgreSQL already: migrate-data moves from SQLite to PostgreSQL.")
    if schema_version() != newest_version():
        raise Refused("The tables are of another version of the program: run newsletter migrate first.")
    source = db.engine
    with source.connect() as watching:
        before = watching.exec_driver_sql("PRAGMA data_version").scalar_one()
        watching.rollback()
        with source.connect() as connection:
            # A transaction that has read goes on seeing what was there then.
            connection.execute(text("SELECT count(*) FROM sqlite_master"))
            target = _target(to)
            tables = _move_all(connection, target, on_progress)
        went_on = watching.exec_driver_sql("PRAGMA data_version").scalar_one() != before
    moved = Moved(tables, went_on, _what_runs())
    if moved.rehearsed:
        with _at(target):
            aftermath.settle(now, [], now)
    return moved


def _what_runs() -> tuple[str, ...]:
    """Which parts of this installation live: "web", "worker"."""
    found = {worker.part for worker, fate in processes() if fate is Fate.ALIVE}
    db.session.rollback()
    return tuple(sorted(found))


def _target(to: str) -> Flask:
    """An application on the database at `to`, with the settings of the running one."""
    setting = f"{PREFIX}DATABASE_URL"
    try:
        url = SettingReader({setting: to}).database_url(current_settings().data_dir)
    except SettingError as error:
        raise SettingError(str(error).replace(setting, "--to")) from None
    if make_url(url).get_backend_name() != "postgresql":
        raise Refused("--to must be the address of a PostgreSQL database: postgresql://user:password@host:5432/name")
    return create_app(replace(current_settings(), database_url=url), runner=SilentRunner(), pages=False)


def _move_all(source: Connection, target: Flask, on_progress: Stretches) -> tuple[TableMoved, ...]:
    with _at(target):
        prepare_schema()
        with db.engine.begin() as connection:
            filling.require_empty(connection)
            whole = sum(count_rows(source).values())
            with filling.filling(connection) as driver:
                sent = _each_table(source, _Counter("Copying", whole, on_progress), _Copying(connection, driver))
            filling.set_sequences(connection, {})
            # Within the transaction that wrote them: what is not the same is never committed.
            there = _each_table(connection, _Counter("Comparing", whole, on_progress), None)
            _require_equal(sent, there)
    return tuple(TableMoved(name, digest.rows, digest.hexadecimal) for name, digest in sorted(sent.items()))


@contextmanager
def _at(target: Flask) -> Iterator[None]:
    with target.app_context():
        try:
            yield
        except SQLAlchemyError as error:
            raise Refused(f"PostgreSQL did not take it, and has nothing of it: {filling.said_by(error)}") from None
        finally:
            db.session.remove()
            db.engine.dispose()


def _require_equal(sent: Mapping[str, Digest], there: Mapping[str, Digest]) -> None:
    wrong = sorted(name for name, digest in sent.items() if digest != there[name])
    if wrong:
        raise Refused(f"PostgreSQL gives back other rows than it was given, in {', '.join(wrong)}: nothing was kept.")


class _Counter:
    """Rows of all tables, added up for a bar."""

    def __init__(self, label: str, whole: int, on_progress: Stretches) -> None:
        self._label, self._whole, self._on_progress, self._done = label, whole, on_progress, 0

    def add(self, rows: int) -> None:
        self._done += rows
        self._on_progress(self._label, self._done, self._whole)


class _Copying:
    """Rows on their way into PostgreSQL, as the text that COPY reads."""

    def __init__(self, connection: Connection, driver: Any) -> None:
        self._connection, self._driver = connection, driver

    @contextmanager
    def into(self, table: Table) -> Iterator[_Write]:
        columns = [column.name for column in table.c]
        with filling.copying(self._connection, self._driver, table.name, columns) as write:
            yield lambda rows: write("".join(_line(table, row) for row in rows).encode())


def _each_table(connection: Connection, counter: _Counter, copying: _Copying | None) -> dict[str, Digest]:
    """The digest of every table, its rows being copied on the way where there is somewhere to copy them to."""
    return {table.name: _one_table(connection, table, counter, copying) for table in Base.metadata.tables.values()}


def _one_table(connection: Connection, table: Table, counter: _Counter, copying: _Copying | None) -> Digest:
    digest = Digest()
    # JSON as its text: read as values, its null and no value at all would be the same.
    columns = [cast(column, Text) if isinstance(column.type, JSON) else column for column in table.c]
    rows = connection.execute(select(*columns).execution_options(stream_results=True))
    with copying.into(table) if copying else _nowhere() as write:
        for part in rows.partitions(_AT_ONCE):
            write(part)
            for row in part:
                digest.add(row)
            counter.add(len(part))
    return digest


@contextmanager
def _nowhere() -> Iterator[_Write]:
    yield lambda _rows: None


def _line(table: Table, row: Row[Any]) -> str:
    """A row as COPY's text format has it."""
    line = "\t".join("\\N" if value is None else _text(value) for value in row)
    if "\0" in line:
        raise Refused(f"A row of {table.name} ({row[0]}) holds a character that PostgreSQL cannot keep (NUL).")
    return line + "\n"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value).translate(_ESCAPED)
