"""Programs of two versions on one database: a release adds to the tables of the one before, and takes nothing away."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import Connection, inspect, text

from newsletter import clock, schema
from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.errors import SettingError
from newsletter.mail.memory import MemoryRelay
from newsletter.models import LimitCounter, SchemaPart
from newsletter.resources import data_dir
from newsletter.work.runners import SilentRunner

HISTORY = data_dir("migrations")
#: From here on the promise of docs/operate.md, "Upgrade", holds.
FIRST = "0007"


@pytest.fixture
def empty(settings: Settings) -> Iterator[Flask]:
    """An application on a database without tables."""
    app = create_app(settings, runner=SilentRunner(), relay=MemoryRelay(), pages=False)
    schema.install_history(app)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def columns() -> dict[str, dict[str, tuple[str, bool]]]:
    """Of each table the columns, each with its type, and whether a row may be written without it."""
    inspector = inspect(db.engine)
    return {
        table: {
            column["name"]: (str(column["type"]), bool(column["nullable"] or column["default"] is not None))
            for column in inspector.get_columns(table)
        }
        for table in inspector.get_table_names()
    }


def in_order() -> list[str]:
    """The steps of the history, the first one first: their names need not be in that order."""
    return [each.revision for each in ScriptDirectory(str(HISTORY)).walk_revisions()][::-1]


def test_every_step_leaves_the_program_before_it_working(empty: Flask) -> None:
    """Nothing that it reads is gone or of another type, and nothing new has to be written by it."""
    revisions = in_order()
    upgrade(directory=str(HISTORY), revision=FIRST)
    before = columns()
    for revision in revisions[revisions.index(FIRST) + 1 :]:
        upgrade(directory=str(HISTORY), revision=revision)
        after = columns()
        for table, known in before.items():
            assert table in after, f"{revision} takes away {table}"
            for name, (kind, _optional) in known.items():
                assert after[table].get(name, ("gone",))[0] == kind, f"{revision} changes {table}.{name}"
            must = {name for name, (_kind, optional) in after[table].items() if not optional}
            assert must <= set(known), f"{revision} wants {must - set(known)} in every row of {table}"
        before = after


@pytest.fixture
def next_release(empty: Flask, tmp_path: Path) -> str:
    """The tables as a release after this one has them: with a step of which we know nothing."""
    schema.prepare_schema()
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE limit_counter ADD COLUMN colour VARCHAR(20)"))
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    return "9999"


def test_a_program_that_finds_newer_tables_goes_on(empty: Flask, next_release: str) -> None:
    assert schema.prepare_schema() == []
    assert schema.schema_version() == next_release
    with transaction() as session:
        session.add(LimitCounter(key="still", ends_at=clock.now(), count=1))
    db.session.remove()


def test_its_pages_are_ready(settings: Settings, next_release: str) -> None:
    app = create_app(replace(settings), runner=SilentRunner(), relay=MemoryRelay())
    assert app.test_client().get("/readyz").json == {"ready": True}
    with app.app_context():
        db.engine.dispose()


def test_pages_on_older_tables_are_not_ready_whatever_the_names_of_the_steps(settings: Settings, empty: Flask) -> None:
    schema.prepare_schema()
    app = create_app(replace(settings), runner=SilentRunner(), relay=MemoryRelay())
    found = {}
    for revision in in_order():
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :one"), {"one": revision})
        found[revision] = app.test_client().get("/readyz").status_code
    assert [found[revision] for revision in in_order()] == [503] * (len(found) - 1) + [200]
    with app.app_context():
        db.engine.dispose()


def test_a_table_that_wants_a_step_we_know_is_no_hindrance(empty: Flask, next_release: str) -> None:
    with transaction() as session:
        session.add(SchemaPart(part="newsletter", oldest_code=max(in_order()), at=clock.now()))
    assert schema.prepare_schema() == []


def test_a_program_that_is_too_old_for_the_tables_stops_with_a_sentence(empty: Flask, next_release: str) -> None:
    with transaction() as session:
        session.add(SchemaPart(part="newsletter", oldest_code="9998", at=clock.now()))
    with pytest.raises(SettingError, match="install the version of the program that the others run"):
        schema.prepare_schema()
    assert schema.schema_version() == next_release


@pytest.fixture
def in_use(settings: Settings, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Connection]]:
    """Tables of a while ago, of which somebody reads one that the next step changes. Whoever is in the list lets go at
    the first pause."""
    app = create_app(
        replace(settings, database_url=postgres_url), runner=SilentRunner(), relay=MemoryRelay(), pages=False
    )
    with app.app_context():
        schema.bring_schema_to("0008")
        reader, patient = db.engine.connect(), list[Connection]()
        reader.execute(text("SELECT count(*) FROM organisation"))
        patient.append(reader)
        monkeypatch.setattr(schema, "_pause", lambda _seconds: [one.rollback() for one in patient])
        yield patient
        reader.close()
        db.session.remove()
        db.engine.dispose()


@pytest.mark.postgres
def test_a_step_that_somebody_is_in_the_way_of_is_tried_again(
    in_use: list[Connection], caplog: pytest.LogCaptureFixture
) -> None:
    schema.prepare_schema()
    assert schema.schema_version() == schema.newest_version()
    assert "The tables are in use: the step is tried again (1)" in caplog.text
    with db.engine.connect() as connection:
        assert connection.scalar(text("SHOW lock_timeout")) == "0"


@pytest.mark.postgres
def test_where_somebody_is_in_the_way_for_ever_it_says_so_and_leaves_the_step_undone(
    in_use: list[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "_TRIES", 2)
    (reader,) = in_use
    in_use.clear()
    with pytest.raises(SettingError, match="The tables are in use all the time"):
        schema.prepare_schema()
    assert schema.schema_version() == "0008"
    reader.rollback()
    schema.prepare_schema()
    assert schema.schema_version() == schema.newest_version()


@pytest.mark.postgres
def test_whoever_made_the_tables_shuts_nobody_out(settings: Settings, postgres_url: str) -> None:
    """The lock is the session's, which lives on in the pool."""
    app = create_app(replace(settings, database_url=postgres_url), runner=SilentRunner(), relay=MemoryRelay())
    with app.app_context():
        schema.prepare_schema()
        with db.engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) == 0
        db.session.remove()
        db.engine.dispose()
