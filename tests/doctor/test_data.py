"""What an operator is told about the data directory and the database, on real files and a real PostgreSQL."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import stamp
from sqlalchemy import text

from newsletter import clock
from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.doctor.clocks import compare_clocks
from newsletter.doctor.database import examine_database
from newsletter.doctor.findings import Area, Notes
from newsletter.doctor.folder import examine_folder
from newsletter.doctor.settings import examine_set_up, examine_settings
from newsletter.domain.staff import activity
from newsletter.models import Organisation
from newsletter.resources import data_dir
from newsletter.schema import install_history
from newsletter.states import SendingMode
from newsletter.work.doorbell import Doorbell
from newsletter.work.runners import SilentRunner
from tests.doctor.reading import good, warned, wrong
from tests.people import larkmere


def test_a_folder_that_is_its_owner_s_alone(settings: Settings) -> None:
    settings.data_dir.chmod(0o700)
    found = examine_folder(settings)
    assert "is its owner's alone" in good(found)
    assert not wrong(found)


def test_files_that_others_may_read(settings: Settings) -> None:
    settings.data_dir.chmod(0o700)
    (settings.data_dir / "wire").mkdir(mode=0o700)
    for number in range(7):
        (settings.data_dir / "wire" / f"{number}.log").touch(mode=0o644)
    found = examine_folder(settings)
    assert "wire/0.log" in warned(found)
    assert "and 2 more" in warned(found)
    settings.data_dir.chmod(0o755)
    assert "Other users of this machine can look into" in wrong(examine_folder(settings))


def test_a_database_elsewhere_is_looked_at_too(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    settings.data_dir.chmod(0o700)
    file = tmp_path_factory.mktemp("elsewhere") / "news.db"
    file.touch(mode=0o640)
    found = examine_folder(replace(settings, database_url=f"sqlite:///{file}"))
    assert f"let others read or change {file}" in warned(found)


def test_a_worker_is_seen_by_its_open_doorbell_which_is_not_rung(settings: Settings) -> None:
    assert "No worker is running" in warned(examine_folder(settings))
    bell = Doorbell(settings.data_dir)
    bell.listen()
    try:
        assert "A worker is running" in good(examine_folder(settings))
        assert bell.hear(0.01) is None
    finally:
        bell.close()


def _database(app: Flask, now: datetime) -> tuple[Notes, bool]:
    return examine_database(app.config["NEWSLETTER"], lambda: now)


@pytest.fixture
def stamped(app: Flask) -> Flask:
    install_history(app)
    stamp(directory=str(data_dir("migrations")))
    return app


def test_a_sound_sqlite_database(stamped: Flask, now: datetime) -> None:
    found, readable = _database(stamped, now)
    assert readable
    assert not wrong(found) + warned(found)
    assert "WAL, synchronous FULL" in good(found)
    assert "finds no damage" in good(found)


def test_a_clock_that_was_set_back(stamped: Flask, now: datetime) -> None:
    with transaction():
        activity.record("list.changed", actor=None, now=now)
    assert "Nothing on record is later" in good(_database(stamped, now)[0])
    found, _ = _database(stamped, now - timedelta(days=1))
    assert "24 hours behind the newest entry of the activity record" in wrong(found)


def test_tables_of_another_version(stamped: Flask, now: datetime) -> None:
    with transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    found, readable = _database(stamped, now)
    assert not readable
    assert "The tables are of version 0000" in wrong(found)


def _bare(settings: Settings) -> Flask:
    return create_app(settings, runner=SilentRunner())


def test_a_database_that_is_not_there_is_not_made(settings: Settings, now: datetime) -> None:
    app = _bare(settings)
    with app.app_context():
        found, readable = _database(app, now)
    assert not readable
    assert "There is no database yet" in wrong(found)
    assert list(settings.data_dir.iterdir()) == []


def test_a_file_that_is_damaged(settings: Settings, now: datetime) -> None:
    file = settings.data_dir / "newsletter.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE words (word TEXT)")
        connection.executemany("INSERT INTO words VALUES (?)", [("a" * 500,)] * 100)
    connection.close()
    octets = bytearray(file.read_bytes())
    octets[4096 : 4096 * 3] = b"\xff" * 4096 * 2
    file.write_bytes(octets)
    app = _bare(settings)
    with app.app_context():
        found, _ = _database(app, now)
        db.engine.dispose()
    assert "damaged" in wrong(found)


def test_a_file_that_is_no_database(settings: Settings, now: datetime) -> None:
    (settings.data_dir / "newsletter.db").write_bytes(b"Dear Ruth, " * 1000)
    app = _bare(settings)
    with app.app_context():
        found, readable = _database(app, now)
        db.engine.dispose()
    assert not readable
    assert "The database cannot be used: file is not a database" in wrong(found)


# --- PostgreSQL --------------------------------------------------------------------------------------------------


@pytest.fixture
def on_postgres(settings: Settings, postgres_url: str) -> Iterator[Flask]:
    app = _bare(replace(settings, database_url=postgres_url))
    with app.app_context():
        db.create_all()
        install_history(app)
        stamp(directory=str(data_dir("migrations")))
        yield app
        db.session.remove()
        db.engine.dispose()


def test_a_sound_postgresql(on_postgres: Flask) -> None:
    found, readable = examine_database(on_postgres.config["NEWSLETTER"], clock.now)
    assert readable
    assert not wrong(found) + warned(found)
    assert "PostgreSQL 1" in good(found)
    assert "synchronous_commit is on" in good(found)
    assert "clock and the database's agree" in good(found)


def test_a_postgresql_that_may_forget_and_has_another_clock(on_postgres: Flask) -> None:
    with db.engine.connect() as connection:
        name = connection.scalar(text("SELECT current_database()"))
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
        connection.commit()
    found, _ = examine_database(on_postgres.config["NEWSLETTER"], lambda: clock.now() + timedelta(hours=3))
    assert "synchronous_commit is off" in wrong(found)
    assert "clock is 3 hours ahead of the database's" in wrong(found)


def test_a_postgresql_that_is_away(settings: Settings, tmp_path: Path, now: datetime) -> None:
    app = _bare(replace(settings, database_url=f"postgresql+psycopg://larkmere:very-secret@/news?host={tmp_path}"))
    with app.app_context():
        found, readable = _database(app, now)
    assert not readable
    assert "The database cannot be used" in wrong(found)
    assert "very-secret" not in wrong(found)


# --- settings and set-up -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"public_url": "http://localhost:8000"}, "lead to the reader's own computer"),
        ({"public_url": "http://news.example.org"}, "is without https"),
        ({"trusted_proxies": 0}, "No proxy is trusted"),
        ({"bounce_domain": "bounces.example.org"}, "no inbound mailbox is set: nobody reads them"),
        ({"relay_url": "smtp://localhost:25"}, "No bounce domain is set"),
    ],
)
def test_settings_that_an_operator_should_look_at(settings: Settings, changes: dict[str, Any], words: str) -> None:
    sound = replace(settings, trusted_proxies=1)
    assert not warned(examine_settings(sound, {}))
    assert words in warned(examine_settings(replace(sound, **changes), {}))


def test_keys_are_counted_and_not_shown(settings: Settings) -> None:
    found = examine_settings(replace(settings, secret_keys=(*settings.secret_keys, "b" * 40)), {})
    assert "2 secret keys" in good(found)
    assert settings.secret_keys[0] not in good(found)


def test_who_gets_mail(app: Flask, now: datetime) -> None:
    assert "Nobody has set this installation up" in warned(examine_set_up())
    assert "There is no list yet" in warned(examine_set_up())
    larkmere(now)
    assert "Everyone who subscribed gets mail" in good(examine_set_up())
    with transaction() as session:
        session.get_one(Organisation, 1).sending_mode = SendingMode.TEAM
    assert "only the team gets mail" in warned(examine_set_up())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(30, "agree to the minute"), (-60, "agree to the minute"), (300, "5 minutes behind"), (-864000, "10 days ahead")],
)
def test_two_clocks(seconds: float, words: str) -> None:
    notes = Notes(Area.DATA)
    compare_clocks(notes, "the database's", seconds)
    assert words in good(notes) + wrong(notes)
