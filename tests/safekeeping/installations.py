"""Installations to be backed up and moved: on a database with the tables of our own history."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from flask import Flask

from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db
from newsletter.mail.memory import MemoryRelay
from newsletter.schema import prepare_schema
from newsletter.work.runners import SilentRunner

PASSPHRASE = "four words of no kind"


def unseen(*_progress: object) -> None:
    """Whoever watches no bar."""


def settings_at(folder: Path, settings: Settings, url: str = "") -> Settings:
    """These settings for another place; on SQLite in its folder, or on the database at `url`."""
    folder.mkdir(exist_ok=True)
    return replace(settings, data_dir=folder, database_url=url or f"sqlite:///{folder / 'newsletter.db'}")


def environment(settings: Settings) -> dict[str, str]:
    """What an operator sets for a new place. The keys come with the backup."""
    return {
        "NEWSLETTER_DATA_DIR": str(settings.data_dir),
        "NEWSLETTER_DATABASE_URL": settings.database_url.replace("+psycopg", ""),
        "NEWSLETTER_PUBLIC_URL": settings.public_url,
    }


def make_tables(settings: Settings) -> None:
    """The tables of our own history in a new SQLite file: made once a process, then copied."""
    file = Path(settings.database_url.removeprefix("sqlite:///"))
    file.unlink(missing_ok=True)
    if not _tables:
        with create_app(settings, runner=SilentRunner(), relay=MemoryRelay()).app_context():
            prepare_schema()
            db.session.remove()
            db.engine.dispose()
        _tables.append(file.read_bytes())
    file.write_bytes(_tables[0])
    file.chmod(0o600)


_tables: list[bytes] = []


@contextmanager
def running(settings: Settings) -> Iterator[Flask]:
    """The installation with these settings, its tables there, inside an application context."""
    if settings.sqlite and not Path(settings.database_url.removeprefix("sqlite:///")).exists():
        make_tables(settings)
    app = create_app(settings, runner=SilentRunner(), relay=MemoryRelay())
    app.testing = True
    with app.app_context():
        prepare_schema()
        yield app
        db.session.remove()
        db.engine.dispose()
