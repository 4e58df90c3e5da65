"""What holds a sending up from outside: a database that is stopped and started, a full disk, a clock that jumps.

Real workers and a mail server in processes of their own; what the mail server wrote down is compared with the accounts.
"""

import resource
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask_migrate import Migrate, stamp

from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.delivery import control
from newsletter.delivery.reports import accounts
from newsletter.delivery.run import engine
from newsletter.delivery.run.recovery import recover
from newsletter.delivery.run.running import Ending
from newsletter.mail.memory import MemoryRelay
from newsletter.mail.smtp import SmtpRelay
from newsletter.models import Issue
from newsletter.resources import data_dir
from newsletter.states import DeliveryState, IssueState
from newsletter.work.doorbell import Doorbell
from tests.databases import opened
from tests.delivery.sending import makers
from tests.delivery.sending.conftest import worker_app
from tests.faults.accounting import everybody_once
from tests.faults.conftest import PATIENCE_SECONDS
from tests.faults.processes import Nursery, Sink
from tests.faults.tally import Figures
from tests.postgres import Cluster, running_cluster

READERS = 600
CONNECTIONS = 8
SLOWEST_ANSWER = 0.03


@contextmanager
def installation(settings: Settings) -> Iterator[Flask]:
    """The test's own view of an installation that workers work on."""
    app = worker_app(settings, MemoryRelay())
    Migrate(app, db, directory=str(data_dir("migrations")), render_as_batch=True)
    with opened(app):
        db.create_all()
        stamp(directory=str(data_dir("migrations")))
        yield app


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    with Sink(tmp_path, SLOWEST_ANSWER) as sink:
        yield sink


def until(reached: object, nursery: Nursery) -> None:
    """Wait for something, while the workers live. Fails, with what they said, when it takes for ever."""
    assert callable(reached)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        assert time.monotonic() < deadline, nursery.log
        nursery.nobody_fell()
        time.sleep(0.005)


def until_state(issue: Issue, wanted: IssueState, settings: Settings, nursery: Nursery) -> None:
    """Wait for a state, and ring now and then as a tick would."""
    bell, rung = Doorbell(settings.data_dir), 0.0

    def there() -> bool:
        nonlocal rung
        if time.monotonic() > rung + 0.5:
            bell.press("continue_sending", ())
            rung = time.monotonic()
        db.session.rollback()
        db.session.refresh(issue)
        return issue.state is wanted

    until(there, nursery)


def check(issue: Issue, recipients: list[str], figures: Figures, most_unsure: int) -> None:
    """Everybody once, but for those in doubt; the figures are kept."""
    states = everybody_once(issue, recipients, most_unsure)
    figures.add(
        messages=READERS,
        unsure=states[DeliveryState.UNSURE],
        lost=READERS - states[DeliveryState.ACCEPTED] - states[DeliveryState.UNSURE],
        doubled=len(recipients) - len(set(recipients)),
    )


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A PostgreSQL that nobody else uses: it is going to be stopped."""
    with running_cluster() as cluster:
        yield cluster


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_postgresql_is_stopped_and_started_again(
    settings: Settings, own_cluster: Cluster, sink: Sink, figures: Figures
) -> None:
    own_cluster.execute("CREATE DATABASE larkmere")
    settings = replace(settings, database_url=own_cluster.url("larkmere"))
    with installation(settings), Nursery(settings, sink.url, CONNECTIONS) as nursery:
        number = makers.sending(datetime.now(UTC), READERS).id
        # The test itself keeps no connection that would be cut, too.
        db.session.remove()
        db.engine.dispose()
        nursery.start()
        for size, mode in ((100, "fast"), (300, "immediate")):
            until(lambda size=size: len(sink.recipients(0)) > size, nursery)
            own_cluster.stop(mode)
            time.sleep(1.5)
            own_cluster.start()
        issue = db.session.get_one(Issue, number)
        until_state(issue, IssueState.SENT, settings, nursery)
        nursery.nobody_fell()
        # Nobody died and every answer came: nothing is in doubt.
        check(issue, sink.recipients(0), figures, most_unsure=0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB, in memory. Only root may make one."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs", folder], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"A small file system cannot be made here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_disk_is_full_in_the_midst_of_it(
    settings: Settings, small_disk: Path, sink: Sink, figures: Figures
) -> None:
    """All of it on one file system: database, wire log, lock. When there is room again, it goes on by itself or by a
    person; whatever was handed over and could not be written down is in doubt at most.
    """
    settings = replace(settings, data_dir=small_disk, database_url=f"sqlite:///{small_disk / 'newsletter.db'}")
    with installation(settings), Nursery(settings, sink.url, CONNECTIONS) as nursery:
        issue = makers.sending(datetime.now(UTC), READERS)
        nursery.start()
        until(lambda: len(sink.recipients(0)) > 100, nursery)
        filler = small_disk / "filler"
        fill(filler)
        wait_until_nothing_moves(sink)
        nursery.nobody_fell()
        filler.unlink()
        go_on(issue, settings, nursery)
        check(issue, sink.recipients(0), figures, most_unsure=CONNECTIONS)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_file_may_grow_any_more(settings: Settings, sink: Sink, figures: Figures) -> None:
    """A quota, as the system has it for one process: each write beyond the end of a file fails, for a while."""
    with installation(settings), Nursery(settings, sink.url, CONNECTIONS) as nursery:
        issue = makers.sending(datetime.now(UTC), READERS)
        worker = nursery.start()
        until(lambda: len(sink.recipients(0)) > 100, nursery)
        before = resource.prlimit(worker, resource.RLIMIT_FSIZE)
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (512, before[1]))
        wait_until_nothing_moves(sink)
        nursery.nobody_fell()
        resource.prlimit(worker, resource.RLIMIT_FSIZE, before)
        go_on(issue, settings, nursery)
        check(issue, sink.recipients(0), figures, most_unsure=CONNECTIONS)


def fill(filler: Path) -> None:
    """Take the last byte of the file system."""
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def wait_until_nothing_moves(sink: Sink) -> None:
    """Until the mail server has had nothing for a second and a half: nobody sends what he cannot write down."""
    size, since = sink.size, time.monotonic()
    while time.monotonic() < since + 1.5:
        time.sleep(0.05)
        if sink.size != size:
            size, since = sink.size, time.monotonic()
    assert len(sink.recipients(0)) < READERS


def go_on(issue: Issue, settings: Settings, nursery: Nursery) -> None:
    """Resume it, if it was paused: then it comes to its end."""
    time.sleep(0.5)
    db.session.rollback()
    db.session.refresh(issue)
    if issue.state is IssueState.PAUSED:
        print(issue.pause_reason)
        with transaction():
            control.resume(issue, actor=None, now=datetime.now(UTC))
    until_state(issue, IssueState.SENT, settings, nursery)


@pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)
def test_the_clock_is_set_forth_and_back_a_day(settings: Settings, sink: Sink, figures: Figures) -> None:
    """People's clock says when things happened. Who lives, and whose work it is, does not hang on it."""
    with installation(settings) as app, time_machine.travel(datetime.now(UTC), tick=True) as clock:
        issue = makers.sending(datetime.now(UTC), READERS)
        number, taken_from_the_living = issue.id, 0
        db.session.remove()
        endings: list[Ending] = []

        def send() -> None:
            with app.app_context():
                relay = SmtpRelay.from_url(sink.url, connections=CONNECTIONS)
                endings.append(engine.send_issue(number, relay=relay))

        sending = threading.Thread(target=send)
        sending.start()
        for goal, days in ((100, 1), (200, -2), (300, 2), (400, -1)):
            while len(sink.recipients(0)) < goal and sending.is_alive():
                time.sleep(0.005)
            clock.shift(timedelta(days=days))
            taken_from_the_living += recover(datetime.now(UTC))
        sending.join()
        issue = db.session.get_one(Issue, number)
        assert (endings, issue.state, taken_from_the_living) == ([Ending.DONE], IssueState.SENT, 0)
        assert accounts.rate(issue, datetime.now(UTC) - timedelta(days=2)).per_second == 0
        check(issue, sink.recipients(0), figures, most_unsure=0)
