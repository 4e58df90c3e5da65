"""Bringing the tables to the version of the code: the one history in migrations/."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

from flask import Flask, current_app
from sqlalchemy import func, inspect, select, text

from .config import current_settings
from .db import db
from .errors import SettingError
from .resources import data_dir

#: The key of the advisory lock: any number that nobody else uses in this database.
_MIGRATING = 0x6E657773
#: Alembic's.
_VERSION_TABLE = "alembic_version"
#: What each file of the history says of itself.
_NAME, _FOLLOWS = (re.compile(rf'^{word} = "(\w+)"$', re.MULTILINE) for word in ("revision", "down_revision"))


def prepare_schema() -> None:
    """Make the tables of a new database, and bring those of an older version up to date.

    Processes that start together wait for each other: one of them does it, the others find it done.
    """
    bring_schema_to(newest_version())


def bring_schema_to(version: str) -> None:
    """Bring the tables up to this version, which is one of `known_versions()` and not older than they are."""
    # On SQLite even the first look waits its turn: whoever opens a new file switches it to WAL, and meanwhile it is
    # locked for everybody else, whatever the busy timeout says.
    if db.engine.dialect.name == "postgresql" and schema_version() == version:
        return
    with _alone():
        if schema_version() != version:
            from flask_migrate import upgrade

            install_history(current_app)
            upgrade(directory=str(data_dir("migrations")), revision=version)


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
            yield
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
