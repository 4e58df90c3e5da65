"""Bringing the tables to the version of the code: the one history in migrations/, and Procrastinate's where it is used.

A release only adds to the tables of the one before (docs/operate.md, "Upgrade"), so programs of both work side by side,
and one that finds tables newer than its own goes on. What takes something away says in `schema_part` which code is the
oldest that can do without it.
"""

import fcntl
import logging
import os
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from time import sleep as _pause
from types import ModuleType
from typing import TypeVar

from flask import Flask, current_app
from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import OperationalError

from . import clock
from .config import current_settings
from .db import db
from .errors import SettingError
from .models import SchemaPart
from .resources import data_dir

#: The key of the advisory lock: any number that nobody else uses in this database.
_MIGRATING = 0x6E657773
#: Alembic's.
_VERSION_TABLE = "alembic_version"
#: PostgreSQL's words for a lock that was not to be had in time, and for two who waited for each other.
_IN_THE_WAY = ("55P03", "40P01")
#: With their pauses some three minutes.
_TRIES = 60
_T = TypeVar("_T")
_log = logging.getLogger(__name__)
#: What each file of the history says of itself.
_NAME, _FOLLOWS = (re.compile(rf'^{word} = "(\w+)"$', re.MULTILINE) for word in ("revision", "down_revision"))


def prepare_schema() -> list[str]:
    """Make the tables of a new database, and bring those of an older version up to date.

    Processes that start together wait for each other: one of them does it, the others find it done. Returns the steps
    of Procrastinate's that wait until no worker of an older version is about. Raises SettingError when the tables are
    so new that this code cannot work with them.
    """
    # On SQLite even the first look waits its turn: whoever opens a new file switches it to WAL, and meanwhile it is
    # locked for everybody else, whatever the busy timeout says.
    if db.engine.dialect.name == "postgresql" and _is_ready():
        return []
    with _alone():
        if not _is_fit(schema_version()):
            patiently(lambda: _upgrade(newest_version()))
        return patiently(lambda: _ring_tables().bring_up(clock.now())) if _rings_are_rows() else []


def bring_schema_to(version: str) -> None:
    """Bring the tables up to this version, which is one of `known_versions()` and not older than they are."""
    with _alone():
        if schema_version() != version:
            patiently(lambda: _upgrade(version))


def patiently(step: Callable[[], _T]) -> _T:
    """Do `step`, which changes tables that others use meanwhile, and again where they were in its way.

    It waits for a table for two seconds at most (migrations/env.py): everybody who comes after it would wait behind it.
    Raises SettingError where it never gets its turn.
    """
    for again in range(_TRIES):
        try:
            return step()
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", "") not in _IN_THE_WAY:
                raise
            _log.warning("The tables are in use: the step is tried again (%d)", again + 1)
        _pause(random.uniform(0.5, 1.5))  # noqa: S311 (of no secret)
    raise SettingError(
        "The tables are in use all the time, by a backup maybe; no step was left half done. Run newsletter migrate"
        " again later"
    )


def _upgrade(version: str) -> None:
    from flask_migrate import upgrade

    install_history(current_app)
    upgrade(directory=str(data_dir("migrations")), revision=version)


def _is_ready() -> bool:
    return _is_fit(schema_version()) and not (
        _rings_are_rows() and _ring_tables().recorded() != _ring_tables().wanted()
    )


def _is_fit(found: str | None) -> bool:
    """Whether the code can work with tables of this version. Raises SettingError where they are too new for it."""
    if found is None or found in known_versions() - {newest_version()}:
        return False
    if found != newest_version():
        oldest = db.session.scalar(select(SchemaPart.oldest_code).where(SchemaPart.part == "newsletter")) or ""
        db.session.rollback()
        if oldest and oldest not in known_versions():
            raise SettingError(
                f"The tables are of a newer version ({found}) that this program (of {newest_version()}) cannot work "
                "with: install the version of the program that the others run"
            )
    return True


def _rings_are_rows() -> bool:
    return current_settings().runner == "procrastinate"


def _ring_tables() -> ModuleType:
    from .work import ring_tables

    return ring_tables


def install_history(app: Flask) -> None:
    """Tell Flask-Migrate's commands, in this process, where the history is."""
    # Here, not above: what writes tables anew is eleven megabytes, and nearly every process finds nothing to do.
    from flask_migrate import Migrate

    Migrate(app, db, directory=str(data_dir("migrations")), render_as_batch=True)


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time: an advisory lock on PostgreSQL, a locked file in the data directory on SQLite."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect() as connection:
            connection.execute(select(func.pg_advisory_lock(_MIGRATING)))
            try:
                yield
            finally:
                # It is the session's, not the transaction's: kept in the pool it would shut everybody else out.
                connection.execute(select(func.pg_advisory_unlock(_MIGRATING)))
        return
    lock = os.open(current_settings().data_dir / "migrating.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _make_file() -> None:
    """A new SQLite file is its owner's alone: it holds people's addresses (SQLite gives its other files the same)."""
    url = db.engine.url
    if url.get_backend_name() == "sqlite" and url.database:
        with suppress(OSError):  # connecting says why, in a sentence
            os.close(os.open(url.database, os.O_RDWR | os.O_CREAT, 0o600))


def schema_version() -> str | None:
    """The revision that the database is at; None for an empty one. Raises SettingError if it cannot be reached."""
    from sqlalchemy.exc import DatabaseError

    _make_file()
    try:
        with db.engine.connect() as connection:
            if not inspect(connection).has_table(_VERSION_TABLE):
                return None
            found: str | None = connection.scalar(text(f"SELECT version_num FROM {_VERSION_TABLE}"))  # noqa: S608 (ours)
            return found
    except DatabaseError as error:
        raise SettingError(f"NEWSLETTER_DATABASE_URL: the database cannot be reached or read ({error.orig})") from None


@cache
def newest_version() -> str:
    """The revision that the code needs: the one that no other comes after."""
    (newest,) = known_versions() - _found_in_history(_FOLLOWS)
    return newest


def known_versions() -> frozenset[str]:
    """Every revision that this program can bring up to date."""
    return _found_in_history(_NAME)


def _found_in_history(pattern: re.Pattern[str]) -> frozenset[str]:
    texts = [path.read_text(encoding="utf-8") for path in data_dir("migrations").glob("versions/*.py")]
    return frozenset(name for each in texts for name in pattern.findall(each))
