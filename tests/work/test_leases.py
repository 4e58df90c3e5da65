"""One of many has a duty: who takes it, who stands by, and who follows whom."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask

from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Lease
from newsletter.work import leases, liveness
from newsletter.work.leases import Leadership
from newsletter.work.runners import SilentRunner


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def app(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Flask]:
    """An installation on either database."""
    if request.param == "postgres":
        settings = replace(settings, database_url=request.getfixturevalue("postgres_url"))
    app = create_app(settings, runner=SilentRunner(), relay=MemoryRelay(), pages=False)
    with app.app_context():
        db.create_all()
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def two(app: Flask) -> tuple[Leadership, Leadership]:
    return Leadership("scheduler"), Leadership("scheduler")


def age(seconds: float) -> None:
    """As if so much time had passed on the clock that nobody sets."""
    with transaction() as session:
        session.get_one(Lease, "scheduler").ends -= int(seconds * 1_000_000)


def test_one_has_it_and_the_other_stands_by(two: tuple[Leadership, Leadership], now: datetime) -> None:
    first, second = two
    assert first.look(now)
    assert not second.look(now)
    assert first.look(now) and first.ours
    # People's clock has no say in it.
    assert not second.look(now + timedelta(days=400))


def test_the_standby_follows_one_that_is_silent(two: tuple[Leadership, Leadership], now: datetime) -> None:
    first, second = two
    first.look(now)
    age(leases.LEASE_SECONDS)
    assert second.look(now)
    assert db.session.get_one(Lease, "scheduler").term == 2
    db.session.rollback()
    # Whoever was held up finds out at its next look, and does not take it back.
    assert not first.look(now)
    assert not first.ours


def test_whoever_leaves_in_order_is_followed_at_once(two: tuple[Leadership, Leadership], now: datetime) -> None:
    first, second = two
    first.look(now)
    first.give_up()
    assert not first.ours
    assert second.look(now)
    first.give_up()
    assert second.look(now)


def test_a_machine_that_was_started_again_waits_for_nobody(
    two: tuple[Leadership, Leadership], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    if db.engine.dialect.name != "sqlite":
        # There the clock is the database's, whichever machine is started.
        assert liveness.machine_clock()[0] == ""
        db.session.rollback()
        return
    first, second = two
    first.look(now)
    monkeypatch.setattr(liveness, "_boot_id", lambda: "another boot")
    assert second.look(now)


def test_while_the_database_is_away_nobody_gains_it_and_the_holder_s_time_runs_out(
    two: tuple[Leadership, Leadership], now: datetime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = two
    first.look(now)
    with transaction() as session:
        session.execute(db.text("ALTER TABLE lease RENAME TO lease_away"))
    assert first.look(now) and not second.look(now)
    assert "cannot be renewed" in caplog.text
    monkeypatch.setattr(leases.time, "monotonic", lambda: first._believed_until + 1)
    assert not first.ours
