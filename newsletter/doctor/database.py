"""The database: that it can be used, keeps what it is given, is whole, and is of this version."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from ..config import Settings
from ..db import db
from ..errors import SettingError
from ..models import Activity
from ..operations.judging import MOST_SKEW_SECONDS
from ..schema import newest_version, schema_version
from .clocks import compare_clocks
from .findings import Area, Notes

_CONNECT_SECONDS = 10
_CHECK_SECONDS = 20.0
#: SQLite counts its own steps; so many of them take well under a tenth of a second.
_STEPS = 100_000
#: Pragma to what the product sets on each connection; 2 is FULL.
_PRAGMAS = {"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "secure_delete": "1"}


def examine_database(settings: Settings, clock: Callable[[], datetime]) -> tuple[Notes, bool]:
    """The database, and whether its tables can be read. `clock` gives the time now (aware UTC)."""
    notes = Notes(Area.DATA)
    file = db.engine.url.database if settings.sqlite else None
    if file is not None and not Path(file).exists():
        # To connect would make it.
        notes.wrong(f"There is no database yet ({file}).", "Start newsletter serve, or run newsletter migrate.")
        return notes, False
    try:
        if settings.sqlite:
            _sqlite(notes)
        else:
            _postgresql(settings, notes, clock)
        readable = _version(notes)
        if readable:
            _newest_row(notes, clock())
    except (SQLAlchemyError, SettingError) as error:
        db.session.rollback()
        said = str(getattr(error, "orig", None) or error)
        notes.wrong(f"The database cannot be used: {said}", "See NEWSLETTER_DATABASE_URL.")
        return notes, False
    return notes, readable


def _sqlite(notes: Notes) -> None:
    with db.engine.connect() as connection:
        set_to = {name: str(connection.scalar(text(f"PRAGMA {name}"))).lower() for name in _PRAGMAS}
        wrong = [f"{name} is {set_to[name]}" for name, wanted in _PRAGMAS.items() if set_to[name] != wanted]
        if wrong:
            notes.wrong(f"SQLite does not run as it must: {', '.join(wrong)}.", "Is the file on a network drive?")
        else:
            notes.good("SQLite keeps each change before it is called done (WAL, synchronous FULL).")
        said = _quick_check(connection)
        if said is None:
            notes.unknown(f"The check of SQLite's file was broken off after {_CHECK_SECONDS:g} seconds.")
        elif said == "ok":
            notes.good("SQLite's own check of its file finds no damage.")
        else:
            notes.wrong(f"The database file is damaged: {said}", "Stop everything and restore the last backup.")


def _quick_check(connection: Connection) -> str | None:
    """What `PRAGMA quick_check` says first; None where it takes too long. Writers go on meanwhile (WAL)."""
    raw: Any = connection.connection.driver_connection
    deadline = time.monotonic() + _CHECK_SECONDS
    raw.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        return str(connection.scalar(text("PRAGMA quick_check(1)")))
    except SQLAlchemyError as error:
        if time.monotonic() > deadline:
            return None
        return str(getattr(error, "orig", error))
    finally:
        raw.set_progress_handler(None, 0)


@contextmanager
def _patient_for_seconds(settings: Settings) -> Iterator[Connection]:
    """A connection of our own to PostgreSQL: the product's would wait for a silent machine for minutes."""
    engine = create_engine(
        settings.database_url, poolclass=NullPool, connect_args={"connect_timeout": _CONNECT_SECONDS}
    )
    try:
        with engine.connect() as connection:
            connection.execute(text(f"SET statement_timeout = {int(_CHECK_SECONDS * 1000)}"))
            yield connection
    finally:
        engine.dispose()


def _postgresql(settings: Settings, notes: Notes, clock: Callable[[], datetime]) -> None:
    with _patient_for_seconds(settings) as connection:
        version = str(connection.scalar(text("SHOW server_version")))
        durable = str(connection.scalar(text("SHOW synchronous_commit")))
        before = clock()
        its_time = connection.scalar(select(func.clock_timestamp()))
        after = clock()
    notes.good(f"PostgreSQL {version} answers.")
    if durable == "off":
        notes.wrong(
            "PostgreSQL's synchronous_commit is off: after a crash it may not know who was sent what.",
            "Set synchronous_commit = on for this database.",
        )
    else:
        notes.good(f"It keeps each change before it is called done (synchronous_commit is {durable}).")
    assert isinstance(its_time, datetime)
    compare_clocks(notes, "the database's", min((its_time - before, its_time - after), key=abs).total_seconds())


def _version(notes: Notes) -> bool:
    there, needed = schema_version(), newest_version()
    if there == needed:
        notes.good(f"The tables are of this version of the program ({needed}).")
        return True
    what = (
        "There are no tables yet" if there is None else f"The tables are of version {there}, this program is {needed}"
    )
    notes.wrong(f"{what}.", "Run newsletter migrate.")
    return False


def _newest_row(notes: Notes, now: datetime) -> None:
    newest = db.session.scalar(select(Activity.at).order_by(Activity.id.desc()).limit(1))
    db.session.rollback()
    if newest is not None:
        ahead = (newest - now).total_seconds()
        if ahead > MOST_SKEW_SECONDS:
            compare_clocks(notes, "the newest entry of the activity record", ahead)
        else:
            notes.good("Nothing on record is later than this machine's clock.")
