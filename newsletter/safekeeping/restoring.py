"""Putting a backup back, into an empty place and nowhere else.

Everything is looked at before anything is written. What is written is gathered in a folder of its own and takes its
place at the very end, so that a restore that fails leaves the place as empty as it was.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from ..app import create_app
from ..config import Settings
from ..config_reader import PREFIX, SettingReader
from ..db import Base, db
from ..errors import Refused, SettingError
from ..schema import bring_schema_to, known_versions, newest_version, schema_version
from ..work.runners import SilentRunner
from . import aftermath, archive, filling, manifest
from .aftermath import Settled
from .database_copy import count_rows
from .dump import fill_from_dump
from .manifest import Manifest
from .strange_tables import require_plain_tables
from .streams import Progress, Stretches

_WORK = ".restoring"
_ROOM = 2


@dataclass(frozen=True)
class Restored:
    """What was put back, where, and what was settled afterwards."""

    manifest: Manifest
    data_dir: Path
    settled: Settled


@dataclass(frozen=True)
class _Place:
    """Where it goes: a folder, and a database that is an SQLite file, or a PostgreSQL database."""

    data_dir: Path
    database_url: str

    @property
    def sqlite_file(self) -> Path | None:
        url = make_url(self.database_url)
        return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def restore(
    file: Path, passphrase: str | None, logs: list[Path], now: datetime, on_progress: Stretches,
    environment: Mapping[str, str] = os.environ,
) -> Restored:  # fmt: skip
    """Put the backup in `file` where the settings say, and settle what it cannot know (see `aftermath`).

    `logs`: folders with an `erasures.log` and an `objections.log` that go on after the backup was made. Raises Refused,
    SettingError; nothing is left behind then.
    """
    reader = SettingReader(environment)
    data_dir = reader.data_dir()
    place = _Place(data_dir, reader.database_url(data_dir))
    _require_empty(place)
    found = archive.look_into(file, passphrase, partial(on_progress, "Reading the backup"))
    _require_fit(found, place)
    folder = place.data_dir / _WORK
    folder.mkdir(mode=0o700)
    try:
        if archive.unpack(file, passphrase, folder, partial(on_progress, "Unpacking")) != found:
            raise Refused(f"{file} changed while it was read. Nothing was restored.")
        settings = _settings(folder, place, environment)
        settled = _fill(settings, found, logs, now, partial(on_progress, "Filling the database"))
        _take_place(folder, place)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Restored(found, place.data_dir, settled)


def _require_empty(place: _Place) -> None:
    for path in sorted(place.data_dir.iterdir()):
        if path.name == "lost+found":
            continue  # of every disk that is mounted by itself
        raise Refused(
            f"The data directory {place.data_dir} is not empty ({path.name} is there): a restore writes over nothing."
            f" Set {PREFIX}DATA_DIR to a new folder."
        )
    if place.sqlite_file is not None and place.sqlite_file.exists():
        raise Refused(f"There is a database {place.sqlite_file} already: a restore writes over nothing.")


def _require_fit(found: Manifest, place: _Place) -> None:
    """See that this program, this database and this disk can take it. Raises Refused."""
    if found.schema not in known_versions():
        raise Refused(
            f"This backup was made by a newer version of the program ({found.program}, tables {found.schema}; this one"
            f" knows them up to {newest_version()}). Install that version, or a newer one."
        )
    ours = "postgresql" if place.sqlite_file is None else "sqlite"
    if found.database != ours:
        words = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
        then = f"Restore it without {PREFIX}DATABASE_URL, then move it with newsletter migrate-data."
        if found.database == "postgresql":
            then = f"Set {PREFIX}DATABASE_URL to an empty PostgreSQL database."
        raise Refused(f"This is a backup of {words[found.database]}, and the settings name {words[ours]}. {then}")
    free = shutil.disk_usage(place.data_dir).free
    if found.size * _ROOM > free:
        raise Refused(
            f"There is too little room in {place.data_dir}: {found.size * _ROOM / 1e6:,.0f} MB are needed, and there"
            f" are {free / 1e6:,.0f} MB."
        )


def _settings(folder: Path, place: _Place, environment: Mapping[str, str]) -> Settings:
    """The settings of the place, as if all of it were in `folder`. Raises Refused where they name other keys."""
    kept = (folder / manifest.KEYS).read_text("utf-8", "replace").split()
    named = {name: value for name, value in environment.items() if not name.startswith(f"{PREFIX}DATA_DIR")}
    settings = Settings.from_environment({**named, f"{PREFIX}DATA_DIR": str(folder)})
    # The first is what suppressions and erasures are recognised by.
    if settings.secret_keys[0] != kept[0] or not set(kept) <= set(settings.secret_keys):
        raise Refused(
            f"{PREFIX}SECRET_KEYS are not the keys of this backup, without which suppressions are not recognised and"
            " links in mails of the past do not work. Leave the setting out, or put the old keys in front of it."
        )
    url = place.database_url
    if place.sqlite_file is not None:
        url = f"sqlite:///{folder / manifest.DATABASES['sqlite']}"
    return replace(settings, database_url=url)


def _fill(settings: Settings, found: Manifest, logs: list[Path], now: datetime, on_progress: Progress) -> Settled:
    """Bring the database to life in its folder, and settle it."""
    app = create_app(settings, runner=SilentRunner(), pages=False)
    with app.app_context():
        try:
            if settings.sqlite:
                _see_sqlite(found)
            else:
                with db.engine.connect() as connection:
                    filling.require_empty(connection)
                _fill_postgresql(settings.data_dir / manifest.DATABASES["postgresql"], found, on_progress)
            return _bring_up_to_date(found, logs, now)
        except SQLAlchemyError as error:
            raise Refused(f"The database could not be restored: {filling.said_by(error)}") from None
        finally:
            db.session.remove()
            db.engine.dispose()


def _bring_up_to_date(found: Manifest, logs: list[Path], now: datetime) -> Settled:
    try:
        bring_schema_to(newest_version())
        settled = aftermath.settle(found.made_at, logs, now)
        if db.engine.dialect.name == "sqlite":
            db.session.remove()
            with db.engine.connect() as connection:
                # One file again, to be moved: what stands in the log beside it is written back first.
                connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return settled
    except BaseException:
        _empty_again()
        raise


def _see_sqlite(found: Manifest) -> None:
    """See that the file is a whole database of ours, before anything of it is used."""
    with db.engine.connect() as connection:
        require_plain_tables(connection)
        said = connection.scalar(text("PRAGMA integrity_check(1)"))
    if said != "ok" or schema_version() != found.schema:
        raise Refused(f"The database in this backup is damaged ({said}). Nothing was restored.")
    _compare(found)


def _fill_postgresql(dump: Path, found: Manifest, on_progress: Progress) -> None:
    if schema_version() not in (None, found.schema):
        _empty_again()
    try:
        bring_schema_to(found.schema)
        with db.engine.begin() as connection:
            filled = fill_from_dump(dump, connection, on_progress)
            filling.set_sequences(connection, filled.numbered)
        _compare(found)
    except BaseException:
        _empty_again()
        raise


def _compare(found: Manifest) -> None:
    """Every table has as many rows as it had, as far as it was there then."""
    with db.engine.connect() as connection:
        there = count_rows(connection)
    wrong = [table for table, number in found.rows.items() if there.get(table, 0) != number]
    if wrong:
        raise Refused(f"The tables {', '.join(wrong)} are not as long as this backup says. Nothing was restored.")


def _empty_again() -> None:
    """Leave the PostgreSQL database as it was: without tables of ours."""
    if db.engine.dialect.name != "postgresql":
        return
    db.session.remove()
    with db.engine.begin() as connection:
        Base.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))


def _take_place(folder: Path, place: _Place) -> None:
    """Move everything from its folder to where it belongs; the database comes last, since it says that all is there."""
    for name in ("imports", manifest.ERASURES, manifest.OBJECTIONS, manifest.KEYS):
        if (folder / name).exists():
            (folder / name).rename(place.data_dir / name)
    if place.sqlite_file is None:
        return
    try:
        draft = place.sqlite_file.with_name(f".{place.sqlite_file.name}.part")
        # Across file systems a rename is a copy, which others could see half done under its name.
        shutil.move(folder / manifest.DATABASES["sqlite"], draft)
        draft.rename(place.sqlite_file)
    except OSError as error:
        raise SettingError(f"{PREFIX}DATABASE_URL: {place.sqlite_file} cannot be written ({error.strerror})") from None
