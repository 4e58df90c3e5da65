"""Two machines, one database: whichever of them burns, the logs of the other tell a restore of everybody."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.domain.subscribers import (
    erasure_log,
    forgetting,
    joining,
    leaving,
    log_keeping,
    objection_log,
    suppressing,
)
from newsletter.domain.subscribers.objection_log import Kind
from newsletter.jobs import keep_logs
from newsletter.models import ConsentWording, Subscription
from newsletter.states import Role, SuppressionReason
from tests import people

pytestmark = pytest.mark.both_databases
HOUR = timedelta(hours=1)


@contextmanager
def on_machine(app: Flask, name: str) -> Iterator[None]:
    """What is done here is done on that machine, which has a data folder of its own."""
    before = app.config["NEWSLETTER"]
    folder = before.data_dir / name
    folder.mkdir(exist_ok=True)
    app.config["NEWSLETTER"] = replace(before, data_dir=folder)
    try:
        yield
    finally:
        app.config["NEWSLETTER"] = before


def last_words() -> dict[tuple[bytes, object], tuple[Kind, datetime]]:
    return {(one.about, one.reason): (one.kind, one.at) for one in objection_log.newest(objection_log.path())}


def lines() -> int:
    return len(objection_log.path().read_text().splitlines()) if objection_log.path().exists() else 0


@pytest.fixture
def readers(app: Flask, now: datetime) -> list[Subscription]:
    return people.subscribers(now, people.larkmere(now), 6)


def a_day_on_one(app: Flask, readers: list[Subscription], now: datetime) -> None:
    with on_machine(app, "one"):
        with transaction():
            leaving.unsubscribe(readers[0], route="link", now=now + HOUR)
            leaving.unsubscribe(readers[1], route="link", now=now + HOUR)
            suppressing.suppress("reader3@example.org", SuppressionReason.BOUNCED, now=now + HOUR)
            suppressing.suppress("reader4@example.org", SuppressionReason.COMPLAINT, now=now + HOUR)
        with transaction():
            [complaint] = suppressing.suppressions_of("reader4@example.org")
            suppressing.lift(complaint, "They wrote that it was a mistake", actor=None, now=now + 2 * HOUR)
        with transaction():
            forgetting.erase_address("reader5@example.org", route="own wish", now=now + 2 * HOUR)


def test_the_other_machine_knows_it_too(
    app: Flask, readers: list[Subscription], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_day_on_one(app, readers, now)
    with on_machine(app, "one"):
        theirs, erased = last_words(), erasure_log.entries()
        assert len(theirs) >= 5
        log_keeping.catch_up()
        assert last_words() == theirs, "what stands there stands there once"
    with on_machine(app, "two"):
        assert last_words() == {}
        keep_logs()
        assert last_words() == theirs
        assert erasure_log.entries() == erased
        assert erased
        before = lines()
        monkeypatch.setattr(objection_log, "newest", lambda _path: pytest.fail("read again for nothing"))
        for _again in range(3):
            assert log_keeping.catch_up() == 0
        assert lines() == before
        assert {path.stat().st_mode & 0o777 for path in objection_log.path().parent.iterdir()} == {0o600}


def test_the_other_machine_knows_which_colleague_was_erased(app: Flask, now: datetime) -> None:
    people.staff(now, "Ruth Adeyemi", Role.ADMIN)
    ewan = people.staff(now, "Ewan Marsh", Role.EDITOR)
    with on_machine(app, "one"), transaction():
        erasure_log.erase_colleague(ewan, actor=None, now=now + HOUR)
    with on_machine(app, "two"):
        assert log_keeping.catch_up() == 1
        assert erasure_log.entries(of_colleagues=True) == {suppressing.address_hash("ewan@example.org"): now + HOUR}
        assert erasure_log.entries() == {}
    for machine in ("one", "two"):
        with on_machine(app, machine):
            assert log_keeping.catch_up() == 0


def test_who_comes_back_is_not_kept_out_for_ever(app: Flask, readers: list[Subscription], now: datetime) -> None:
    number = readers[0].id
    with on_machine(app, "one"), transaction():
        leaving.unsubscribe(readers[0], route="link", now=now + HOUR)
    with on_machine(app, "two"):
        log_keeping.catch_up()
    with on_machine(app, "one"), transaction():
        again = db.session.get_one(Subscription, number)
        assert again.subscriber is not None
        wording = db.session.scalars(select(ConsentWording)).first()
        evidence = joining.Evidence(wording=wording, privacy_version=1, route="form")
        joining.join(again.subscriber, again.mailing_list, evidence, now=now + 2 * HOUR)
    with on_machine(app, "two"):
        assert log_keeping.catch_up() == 1
        assert list(last_words().values()) == [(Kind.JOINED, now + 2 * HOUR)]


def test_a_line_that_a_dying_program_did_not_write_comes_all_the_same(
    app: Flask, readers: list[Subscription], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    public_id = readers[0].public_id.bytes
    with monkeypatch.context() as dying:
        dying.setattr(objection_log, "add", lambda _lines: None)
        with transaction():
            leaving.unsubscribe(readers[0], route="link", now=now)
    assert not objection_log.path().exists()
    assert log_keeping.catch_up() == 1
    assert last_words() == {(public_id, None): (Kind.LEFT, now)}


def test_a_row_that_was_numbered_before_others_and_seen_after_them_is_not_passed_over(
    app: Flask, readers: list[Subscription], now: datetime
) -> None:
    """Two transactions at once: the one that began first may be the last to be seen."""
    for reader in readers[:3]:
        with on_machine(app, "one"), transaction():
            leaving.unsubscribe(reader, route="link", now=now)
    assert log_keeping.catch_up() == 3
    kept = objection_log.path().read_text().splitlines(keepends=True)
    objection_log.path().write_text("".join(kept[1:]))
    assert log_keeping.catch_up() == 1
    assert sorted(objection_log.path().read_text().splitlines(keepends=True)) == sorted(kept)


def test_a_database_that_went_back_in_time_is_read_from_the_beginning(
    app: Flask, readers: list[Subscription], now: datetime
) -> None:
    state = app.config["NEWSLETTER"].data_dir / "logs-seen.json"
    state.write_text('{"consent": 900000, "suppression": 900000, "lifted": "2030-01-01T00:00:00+00:00", "size": 0}')
    with on_machine(app, "one"), transaction():
        leaving.unsubscribe(readers[0], route="link", now=now)
    assert log_keeping.catch_up() == 1
    state.write_text("cut sho")
    assert log_keeping.catch_up() == 0
    assert db.session.scalar(select(Subscription.state).where(Subscription.id == readers[0].id)) is not None


def test_a_second_process_of_the_machine_has_nothing_to_do(
    app: Flask, readers: list[Subscription], now: datetime, tmp_path: Path
) -> None:
    with on_machine(app, "one"), transaction():
        leaving.unsubscribe(readers[0], route="link", now=now)
    with log_keeping._alone(tmp_path) as first:
        assert first
        assert log_keeping.catch_up() == 0
    assert log_keeping.catch_up() == 1
