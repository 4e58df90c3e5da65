"""One history of the tables: up, down, and equal to the models, on SQLite and PostgreSQL."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import pytest
from alembic.util.exc import CommandError
from flask import Flask
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import ForeignKeyConstraint, inspect, select, text

from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import Base, db, transaction
from newsletter.domain.staff import activity
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Activity, Comment, Issue
from newsletter.resources import data_dir
from newsletter.schema import install_history, newest_version, prepare_schema, schema_version
from newsletter.work.runners import SilentRunner
from tests.contributions import sent_in
from tests.people import issue, larkmere, staff

HISTORY = str(data_dir("migrations"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Flask]:
    """An application on a database without tables."""
    if request.param == "postgresql":
        settings = replace(settings, database_url=request.getfixturevalue("postgres_url"))
    with application(settings) as app:
        yield app


@contextmanager
def application(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings, runner=SilentRunner(), relay=MemoryRelay())
    install_history(app)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def test_the_history_builds_what_the_models_say(empty: Flask) -> None:
    upgrade(directory=HISTORY)
    check(directory=HISTORY)
    assert schema_version() == newest_version()


def test_the_check_would_notice_a_difference(empty: Flask) -> None:
    upgrade(directory=HISTORY)
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE media ADD COLUMN unknown INTEGER"))
    with pytest.raises((CommandError, SystemExit)):
        check(directory=HISTORY)


def test_the_history_goes_down_as_it_went_up(empty: Flask) -> None:
    upgrade(directory=HISTORY)
    downgrade(directory=HISTORY, revision="base")
    assert set(inspect(db.engine).get_table_names()) == {"alembic_version"}
    upgrade(directory=HISTORY)
    check(directory=HISTORY)


def test_a_new_database_gets_its_tables_once(empty: Flask) -> None:
    assert schema_version() is None
    prepare_schema()
    prepare_schema()
    assert set(inspect(db.engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}


def test_processes_that_start_together_make_the_tables_once(empty: Flask, settings: Settings) -> None:
    url = empty.config["SQLALCHEMY_DATABASE_URI"]
    program = "from newsletter.cli.context import make_app; make_app()"
    environment = {**os.environ, "NEWSLETTER_DATA_DIR": str(settings.data_dir), "NEWSLETTER_DATABASE_URL": url}
    together = [
        subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [(process.communicate()[1], process.returncode) for process in together] == [("", 0)] * 3
    check(directory=HISTORY)


def test_every_rule_has_the_name_that_the_models_give_it(empty: Flask) -> None:
    """Alembic's check does not compare CHECK constraints: compare their names with those that create_all makes."""
    upgrade(directory=HISTORY)
    migrated = rules()
    downgrade(directory=HISTORY, revision="base")
    for constraint in Issue.__table__.constraints:
        if isinstance(constraint, ForeignKeyConstraint):
            # create_all on PostgreSQL, in an earlier test of this run, told it to come by ALTER TABLE from then on.
            constraint._create_rule = None
    db.create_all()
    assert migrated == rules()
    assert "ck_issue_call_has_deadline" in migrated


def rules() -> set[str]:
    inspector = inspect(db.engine)
    found = set()
    for table in Base.metadata.tables:
        found |= {str(check_["name"]) for check_ in inspector.get_check_constraints(table)}
        found |= {str(unique["name"]) for unique in inspector.get_unique_constraints(table)}
        found |= {str(foreign["name"]) for foreign in inspector.get_foreign_keys(table)}
        found |= {str(index["name"]) for index in inspector.get_indexes(table)}
    return {name for name in found if not re.fullmatch("None", name)}


def test_what_editors_noted_on_contributions_becomes_comments(empty: Flask, now: datetime) -> None:
    upgrade(directory=HISTORY)
    ruth, news = staff(now), sent_in(issue(now, larkmere(now)), now)
    with transaction():
        activity.record(
            "contribution.noted", actor=ruth, now=now, issue=news.issue, subject=("contribution", news.id),
            reference=news.reference, note="Ask Bethan first.",
        )  # fmt: skip
    ids = news.id, ruth.id
    db.session.remove()
    downgrade(directory=HISTORY, revision="0007")
    upgrade(directory=HISTORY)
    said, entry = db.session.scalars(select(Comment)).one(), db.session.scalars(select(Activity)).all()[-1]
    assert (said.contribution_id, said.author_id) == ids
    assert (said.author_name, said.body, said.at) == ("Ruth Adeyemi", "Ask Bethan first.", now)
    assert entry.detail == {"reference": "TEST-0002"}
