"""Bringing the tables to the version of the code: the one history in migrations/."""

import os
from contextlib import suppress

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import upgrade

from .db import db
from .errors import SettingError
from .resources import data_dir


def prepare_schema() -> None:
    """Make the tables of a new database, and bring those of an older version up to date."""
    _make_file()
    if schema_version() != newest_version():
        upgrade(directory=str(data_dir("migrations")))


def _make_file() -> None:
    """A new SQLite file is its owner's alone: it holds people's addresses (SQLite gives its other files the same)."""
    url = db.engine.url
    if url.get_backend_name() == "sqlite" and url.database:
        with suppress(OSError):  # connecting says why, in a sentence
            os.close(os.open(url.database, os.O_RDWR | os.O_CREAT, 0o600))


def schema_version() -> str | None:
    """The revision that the database is at; None for an empty one. Raises SettingError if it cannot be reached."""
    from sqlalchemy.exc import DatabaseError

    try:
        with db.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except DatabaseError as error:
        raise SettingError(f"NEWSLETTER_DATABASE_URL: the database cannot be reached or read ({error.orig})") from None


def newest_version() -> str | None:
    """The revision that the code needs."""
    return ScriptDirectory(str(data_dir("migrations"))).get_current_head()
