"""Bringing the tables to the version of the code: the one history in migrations/."""

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import upgrade

from .db import db
from .errors import SettingError
from .resources import data_dir


def prepare_schema() -> None:
    """Make the tables of a new database, and bring those of an older version up to date."""
    if schema_version() != newest_version():
        upgrade(directory=str(data_dir("migrations")))


def schema_version() -> str | None:
    """The revision that the database is at; None for an empty one. Raises SettingError if it cannot be reached."""
    from sqlalchemy.exc import OperationalError

    try:
        with db.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        raise SettingError(f"NEWSLETTER_DATABASE_URL: the database cannot be reached ({error.orig})") from None


def newest_version() -> str | None:
    """The revision that the code needs."""
    return ScriptDirectory(str(data_dir("migrations"))).get_current_head()
