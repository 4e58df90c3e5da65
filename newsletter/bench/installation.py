"""A throw-away installation: a data directory and a database of its own, gone when the bench is over.

Nothing of it is read from the environment, so the installation that is configured there is never touched. In a
PostgreSQL database that is named for it, everything stands in a schema of its own.
"""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.schema import CreateSchema, DropSchema

from ..app import create_app
from ..config import Settings
from ..db import db
from ..errors import SettingError
from ..mail.relay import Relay
from ..schema import prepare_schema
from ..work.runners import SilentRunner


@contextmanager
def installation(relay: Relay, database: str | None, *, migrated: bool = False) -> Iterator[Flask]:
    """An application with empty tables that sends through `relay`, inside its context.

    `database` is the URL of a PostgreSQL database, or of an SQLite file that is not there yet; None means a file
    in the data directory. Processes that would join in need it `migrated`. Raises SettingError for one that cannot be
    used.
    """
    with tempfile.TemporaryDirectory(prefix="newsletter-bench-") as folder, _database(database, Path(folder)) as url:
        settings = Settings(
            data_dir=Path(folder),
            database_url=url.render_as_string(hide_password=False),
            public_url="https://news.example.org",
            secret_keys=(secrets.token_urlsafe(32),),
        )
        app = create_app(settings, runner=SilentRunner(), relay=relay, pages=False)
        with app.app_context():
            try:
                # Else not by the migrations, whose memory would stay in the figure: an installation has made its
                # tables long before it sends, in another process.
                prepare_schema() if migrated else db.create_all()
                yield app
            finally:
                db.session.remove()
                db.engine.dispose()


@contextmanager
def _database(database: str | None, folder: Path) -> Iterator[URL]:
    if database is None:
        yield make_url(f"sqlite:///{folder / 'newsletter.db'}")
        return
    url = _read(database)
    if url.get_backend_name() == "sqlite":
        with _sqlite_file(url):
            yield url
    else:
        with _postgresql_schema(url) as own:
            yield own


def _read(database: str) -> URL:
    try:
        url = make_url(database)
    except (ArgumentError, ValueError):
        raise SettingError("--database must have the form postgresql://user@host/name or sqlite:////file.db") from None
    if url.drivername in ("postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername != "sqlite" or url.database in (None, "", ":memory:"):
        raise SettingError("--database must begin with postgresql:// or sqlite:/// and name a file")
    return url


@contextmanager
def _sqlite_file(url: URL) -> Iterator[None]:
    path = Path(url.database or "")
    if path.exists():
        raise SettingError(f"--database: {path} is there already, and a bench writes into a database of its own")
    try:
        yield
    finally:
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextmanager
def _postgresql_schema(url: URL) -> Iterator[URL]:
    """The same database, as seen by whoever looks into the new schema first and only."""
    schema = f"newsletter_bench_{secrets.token_hex(6)}"
    try:
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(CreateSchema(schema))
    except ModuleNotFoundError:
        raise SettingError('PostgreSQL needs its driver: pip install "newsletter[postgres]"') from None
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise SettingError(f"--database: no schema can be made there ({why})") from None
    try:
        yield url.update_query_dict({"options": f"-csearch_path={schema}"}, append=True)
    finally:
        with engine.begin() as connection:
            connection.execute(DropSchema(schema, cascade=True))
        engine.dispose()
