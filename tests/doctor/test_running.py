"""What the doctor says of how it runs: processes, versions, the leader, duties, the last backup, secrets' files."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from flask import Flask
from sqlalchemy import text, update

from newsletter import __version__
from newsletter.db import db, transaction
from newsletter.doctor.findings import Notes
from newsletter.doctor.running import examine_running
from newsletter.doctor.secret_files import examine_secret_files
from newsletter.doctor.settings import Area
from newsletter.models import Lease, ProcessSign, SchemaPart
from newsletter.operations import backups, totals
from newsletter.ticks import TICKS
from newsletter.work import counting, ring_tables
from newsletter.work.liveness import machine_clock
from tests.databases import on_postgres
from tests.doctor.reading import good, unknown, warned, wrong
from tests.operations.conftest import enlist, happened

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    counting.take()
    yield
    counting.take()


@pytest.fixture
def running(app: Flask, now: datetime, tmp_path: Path) -> None:
    """An installation that has run for a day, with everything as it should be."""
    for part in ("worker", "web"):
        enlist(now - 24 * HOUR, part=part)
    with transaction() as session:
        session.execute(update(ProcessSign).values(version=__version__, seen_at=now))
    for tick in TICKS:
        happened(now - MINUTE, totals.JOB, tick.job)
    kept(now - 5 * HOUR, tmp_path / "newsletter.backup", b"the backup")


def kept(at: datetime, path: Path, content: bytes, size: int | None = None) -> None:
    path.write_bytes(content)
    backups.note(path, len(content) if size is None else size)
    with transaction() as session:
        session.execute(text("UPDATE operation_total SET at = :at WHERE name = 'backup'").bindparams(
            db.bindparam("at", at, type_=totals.OperationTotal.__table__.c.at.type)
        ))  # fmt: skip


def look(app: Flask, now: datetime, **settings: object) -> Notes:
    return examine_running(replace(app.config["NEWSLETTER"], **settings), now)


@pytest.mark.usefixtures("running")
@pytest.mark.both_databases
def test_all_as_it_should_be(app: Flask, now: datetime) -> None:
    found = look(app, now)
    said = good(found)
    for words in (
        "Workers that run: ", "Pages that run: ", ": 1 process, since", f"All that runs is of version {__version__}.",
        f"Each of the {len(TICKS)} duties of the clock was done when it was due.",
        "last tidied away 1 minute ago", "Clocks of the machines and the database: agree to 0.0 seconds.",
        "Room for the data directories: 50.0 GB.", "The last backup was made at 5am, Monday 7 December 2026 on ",
        "as long as it was written",
    ):  # fmt: skip
        assert words in said
    assert warned(found) + unknown(found) + wrong(found) == ""


def test_an_installation_that_nobody_has_started(app: Flask, now: datetime) -> None:
    said = warned(look(app, now))
    assert "No worker is running" in said
    assert "No process of the pages is running" in said
    assert "No backup has been made yet" in said


@pytest.mark.usefixtures("running")
def test_two_versions_and_a_program_that_was_not_restarted(app: Flask, now: datetime) -> None:
    older = enlist(now)
    said = warned(look(app, now))
    assert "Programs of 2 versions are running: " in said
    assert "1 on " in said and f"{__version__} on " in said
    with transaction() as session:
        session.execute(update(ProcessSign).values(version="1"))
    assert f"What runs is version 1, and this program is {__version__}" in warned(look(app, now))
    assert older


@pytest.mark.usefixtures("running")
def test_a_duty_that_was_not_done_is_named_with_its_last_time(app: Flask, now: datetime) -> None:
    with transaction() as session:
        session.execute(text("DELETE FROM operation_total WHERE label = 'seal_consent'"))
    assert "too long ago: seal_consent (never)" in warned(look(app, now))
    happened(now - 19 * MINUTE, totals.JOB, "seal_consent")
    assert "seal_consent" not in warned(look(app, now))
    assert "too long ago: seal_consent (21 minutes ago)." in warned(look(app, now + 2 * MINUTE))
    said = warned(look(app, now + 3 * HOUR))
    assert f" and {sum(2 * tick.seconds + 600 < 3 * 3600 for tick in TICKS) - 4} more." in said
    assert "purge_unconfirmed" not in said, "its time is six hours"


@pytest.mark.usefixtures("running")
def test_a_machine_whose_clock_is_wrong(app: Flask, now: datetime) -> None:
    with transaction() as session:
        session.execute(update(ProcessSign).values(clock_ahead=-90.0))
    found = look(app, now)
    assert "90 seconds behind the database’s" in wrong(found)
    assert "Clocks of the machines" not in good(found)


@pytest.mark.usefixtures("running")
def test_a_backup_that_is_old_gone_damaged_or_elsewhere(app: Flask, now: datetime, tmp_path: Path) -> None:
    assert "The last backup was made" in warned(look(app, now, backup_hours=4))
    assert "The last backup was made" in warned(look(app, now + timedelta(days=8)))
    path = tmp_path / "another.backup"
    kept(now, path, b"cut short", size=1_000_000)
    assert "was 1 MB long and is 0 MB now (9 bytes, not 1000000): it is damaged" in wrong(look(app, now))
    path.unlink()
    assert f"{path}, is not there any more" in warned(look(app, now))
    with transaction() as session:
        session.execute(text("UPDATE operation_total SET said = '9 press-2 /srv/x.backup' WHERE name = 'backup'"))
    found = look(app, now)
    assert "less than a minute ago on press-2" in good(found)
    assert "Whether /srv/x.backup is still there is to be seen on press-2 alone." in unknown(found)


def test_a_backup_under_a_name_too_long_to_be_kept_still_counts(app: Flask, now: datetime) -> None:
    backups.note(Path("/srv") / ("x" * 300), 5)
    last = backups.last_of(totals.totals())
    assert last is not None
    assert (last.size, last.path, last.is_here) == (5, None, True)


@on_postgres
@pytest.mark.usefixtures("running")
def test_who_leads_and_whether_somebody_stands_by(app: Flask, now: datetime) -> None:
    def lead(seconds: int) -> None:
        with transaction() as session:
            _counts_from, clock = machine_clock()
            session.merge(Lease(name="scheduler", holder="press-1 boot 7 ab", term=3, counts_from="",
                                ends=clock + seconds * 1_000_000, taken_at=now))  # fmt: skip

    with transaction():
        db.session.connection()
    ring_tables.bring_up(now)
    assert "No scheduler leads" in wrong(look(app, now, runner="procrastinate"))
    lead(30)
    enlist(now, part="scheduler")
    found = look(app, now, runner="procrastinate")
    assert "The scheduler on press-1 leads; it holds the lease, of term 3." in good(found)
    assert "none stands by" in warned(found)
    assert "The tables of Procrastinate are those of its installed version" in good(found)
    enlist(now, part="scheduler")
    assert "none stands by" not in warned(look(app, now, runner="procrastinate"))
    lead(-1)
    assert "No scheduler leads" in wrong(look(app, now, runner="procrastinate"))
    with transaction() as session:
        session.get_one(SchemaPart, "procrastinate").version = "02.00.00_01_old"
    said = wrong(look(app, now, runner="procrastinate"))
    assert "The tables of Procrastinate are at 02.00.00_01_old" in said


@on_postgres
@pytest.mark.usefixtures("running")
def test_more_processes_than_postgresql_lets_in(app: Flask, now: datetime) -> None:
    assert "PostgreSQL lets in 60 connections; what runs here wants 33 at most." in good(look(app, now))
    for _number in range(2):
        enlist(now, part="web")
    assert "lets in 60 connections, and what runs here may want 63" in warned(look(app, now))


@on_postgres
@pytest.mark.usefixtures("running")
def test_a_pg_dump_that_is_missing_or_too_old(
    app: Flask, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "pg_dump is here, and new enough for PostgreSQL" in good(look(app, now))
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    assert "There is no pg_dump on this machine" in warned(look(app, now))
    old = programs / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
    old.chmod(0o755)
    assert "pg_dump is of version 9 here and PostgreSQL of version" in wrong(look(app, now))


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that everybody on the machine can go into."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_files_of_secrets_that_others_can_read(public_folder: Path) -> None:
    relay, keys = public_folder / "relay", public_folder / "keys"
    relay.write_text("smtp://user:secret@mail.example.org")
    keys.write_text("k" * 40)
    environment = {"NEWSLETTER_RELAY_URL_FILE": str(relay), "NEWSLETTER_SECRET_KEYS_FILE": str(keys)}

    def found() -> Notes:
        notes = Notes(Area.SETTINGS)
        examine_secret_files(environment, notes)
        return notes

    for path in (relay, keys):
        path.chmod(0o600)
    assert "can read the files of 2 secrets" in good(found())
    relay.chmod(0o644)
    said = warned(found())
    assert f"Every user of this machine can read or change {relay}, the secret of NEWSLETTER_RELAY_URL_FILE" in said
    assert "user:secret" not in said
    relay.chmod(0o660)
    assert f"A whole group may change {relay}" in warned(found())
    relay.chmod(0o644)
    public_folder.chmod(0o700)
    assert warned(found()) == "", "nobody else comes as far as that"
