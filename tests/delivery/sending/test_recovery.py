"""What becomes of the claims of a run that died, by what its wire log says."""

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.delivery import control
from newsletter.delivery.ledger import batches, recording
from newsletter.delivery.ledger.recording import Outcome
from newsletter.delivery.ledger.wirelog import Verdict, WireLog
from newsletter.delivery.reports import accounts
from newsletter.delivery.run import engine
from newsletter.delivery.run.recovery import recover
from newsletter.models import Delivery, Issue, Worker
from newsletter.states import DeliveryState
from newsletter.work import liveness
from newsletter.work.liveness import Fate, Process
from tests.delivery import ledger
from tests.delivery.sending import makers


@pytest.fixture
def dead_pid() -> int:
    """The number of a process that was, and is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def a_run(now: datetime, issue: Issue, **changes: object) -> tuple[int, Path, list[int]]:
    """A run that claimed everything of the issue, and is changed as a row to be somebody else's."""
    with liveness.life(now) as run:
        claimed = batches.claim(issue.id, run.epoch, now)
        with transaction() as session:
            row = session.get_one(Worker, run.epoch)
            for name, value in changes.items():
                setattr(row, name, value)
        return run.epoch, run.wire_log, [item.delivery for item in claimed.items]


def state_of(delivery: int) -> DeliveryState:
    db.session.rollback()
    return db.session.get_one(Delivery, delivery).state


def test_the_wire_log_of_a_dead_process_settles_what_it_held(app: Flask, now: datetime, dead_pid: int) -> None:
    issue = makers.sending(now, 8)
    _, path, held = a_run(now, issue, pid=dead_pid)
    log = WireLog(path)
    for delivery in held[:6]:
        log.started(delivery, 1)
    log.answered(held[0], 1, Verdict.ACCEPTED, 250)
    log.answered(held[1], 1, Verdict.REFUSED, 550)
    log.answered(held[2], 1, Verdict.BUSY, 451)
    log.answered(held[3], 1, Verdict.NOT_TAKEN)
    log.answered(held[4], 1, Verdict.UNSURE)
    log.close()
    assert accounts.verify(issue) == [
        "8 messages are held by a sending program that has ended; they are settled within a minute."
    ]

    assert recover(now) == 1
    assert [state_of(delivery) for delivery in held] == [
        DeliveryState.ACCEPTED,
        DeliveryState.REFUSED,
        DeliveryState.DEFERRED,
        DeliveryState.QUEUED,
        DeliveryState.UNSURE,
        DeliveryState.UNSURE,
        DeliveryState.QUEUED,
        DeliveryState.QUEUED,
    ]
    assert accounts.counts(issue).adds_up
    assert accounts.verify(issue) == []
    assert db.session.get_one(Delivery, held[1]).code == 550
    assert not path.exists()
    assert recover(now) == 0


def test_an_answer_to_an_earlier_try_says_nothing_of_this_one(app: Flask, now: datetime, dead_pid: int) -> None:
    issue = makers.sending(now, 1)
    with transaction() as session:
        session.scalars(select(Delivery)).one().attempts = 3
    _, path, held = a_run(now, issue, pid=dead_pid)
    log = WireLog(path)
    log.started(held[0], 3)
    log.answered(held[0], 3, Verdict.BUSY, 451)
    log.close()
    recover(now)
    assert state_of(held[0]) is DeliveryState.QUEUED


@pytest.mark.parametrize("how", ["another boot", "no log", "a damaged log"])
def test_without_a_log_to_believe_everything_it_held_is_unsure(
    app: Flask, now: datetime, dead_pid: int, how: str
) -> None:
    issue = makers.sending(now, 4)
    changes = {"boot_id": "another", "beat": -(10**12)} if how == "another boot" else {"pid": dead_pid}
    _, path, held = a_run(now, issue, **changes)
    if how == "no log":
        path.unlink()
    if how == "a damaged log":
        path.write_bytes(b"x" * 32)
    assert recover(now) == 1
    assert {state_of(delivery) for delivery in held} == {DeliveryState.UNSURE}
    assert accounts.counts(issue).adds_up


def test_a_run_that_lives_is_never_touched(app: Flask, now: datetime) -> None:
    issue = makers.sending(now, 4)
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        start = liveness._start_of(parent.pid)
        epoch, _, _ = a_run(now, issue, pid=parent.pid, process_start=start, beat=-(10**12))
        assert recover(now) == 0
        assert accounts.counts(issue).claimed == 4
        # Its number was given to another process since: that is not it.
        with transaction() as session:
            session.get_one(Worker, epoch).process_start = "1"
        assert recover(now) == 1
    finally:
        parent.communicate(b"\n")
    assert accounts.counts(issue).queued == 4


def test_a_process_that_has_ended_and_was_not_buried_is_dead(app: Flask, now: datetime) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read()
    try:
        # Its output is closed; the moment until it is a zombie is the system's.
        while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            pass
        assert liveness._start_of(process.pid) is None
    finally:
        process.wait()
        process.stdout.close()


def test_a_run_that_this_process_lost_is_recovered_by_this_process(app: Flask, now: datetime) -> None:
    issue = makers.sending(now, 3)
    with liveness.life(now) as run:
        batches.claim(issue.id, run.epoch, now)
        assert recover(now) == 0
    assert recover(now) == 1
    assert accounts.counts(issue).queued == 3


def test_an_answer_that_comes_after_all_corrects_an_unsure_and_nothing_else(app: Flask, now: datetime) -> None:
    issue = makers.sending(now, 2)
    epoch, _, held = a_run(now, issue, boot_id="another", beat=-(10**12))
    recover(now)
    with transaction() as session:
        control.send_again(session.get_one(Delivery, held[1]), actor=None, now=now)
    late = [Outcome(delivery, 1, DeliveryState.ACCEPTED, now, 250) for delivery in held]
    assert recording.record(late, issue.id, epoch) == 1
    assert [state_of(delivery) for delivery in held] == [DeliveryState.ACCEPTED, DeliveryState.DEFERRED]


def test_of_a_cancelled_issue_nothing_goes_back_to_the_queue(app: Flask, now: datetime, dead_pid: int) -> None:
    issue = makers.sending(now, 3)
    a_run(now, issue, pid=dead_pid)
    with transaction():
        control.cancel(issue, actor=None, now=now)
    recover(now)
    assert accounts.counts(issue).skipped == 3
    assert accounts.verify(issue) == []


def test_what_was_put_off_goes_back_to_what_was_put_off(app: Flask, now: datetime, dead_pid: int) -> None:
    issue = makers.sending(now, 1)
    with transaction() as session:
        row = session.scalars(select(Delivery)).one()
        row.state, row.attempts, row.retry_at = DeliveryState.DEFERRED, 1, now
    ledger.tally(issue)
    a_run(now, issue, pid=dead_pid)
    recover(now)
    assert accounts.counts(issue).deferred == 1


def test_going_on_after_a_death_sends_the_rest(app: Flask, now: datetime, dead_pid: int) -> None:
    issue = makers.sending(now, 5)
    a_run(now, issue, pid=dead_pid)
    assert engine.continue_sending(now) == [issue.id]
    engine.send_issue(issue.id, read_clock=lambda: now)
    db.session.rollback()
    assert accounts.counts(issue).accepted == 5


# What is known of a run, from where one stands


@pytest.mark.parametrize(
    ("row", "age", "expected"),
    [
        ({}, 1_000, Fate.DEAD),
        ({"pid_namespace": "pid:[1]"}, 10, Fate.ALIVE),
        ({"pid_namespace": "pid:[1]"}, 121, Fate.DEAD),
        ({"host": "elsewhere"}, 10, Fate.ALIVE),
        ({"host": "elsewhere"}, 121, Fate.DEAD),
        ({"pid_namespace": "pid:[1]", "wire_log": "not-here.wire"}, 121, Fate.LOST),
        ({"wire_log": "not-here.wire"}, 10, Fate.LOST),
        ({"boot_id": "another"}, 121, Fate.LOST),
    ],
)
def test_fates(app: Flask, now: datetime, dead_pid: int, row: dict[str, str], age: float, expected: Fate) -> None:
    me = Process.this()
    (liveness.wire_folder() / "here.wire").touch()
    worker = Worker(
        id=99,
        host=me.host,
        boot_id=me.boot_id,
        pid_namespace=me.pid_namespace,
        pid=dead_pid,
        process_start="1",
        wire_log="here.wire",
        started_at=now,
        beat=0,
    )
    for name, value in row.items():
        setattr(worker, name, value)
    assert liveness.fate(worker, age, me) is expected


def test_a_lease_is_renewed_by_beats_and_ends_when_others_say_so(app: Flask, now: datetime) -> None:
    with liveness.life(now) as run:
        assert run.may_send()
        assert 119 < run.lease_left() <= 120
        run._believed_until -= 100
        assert not run.may_send()
        run.beat()
        assert run.may_send()
        with transaction() as session:
            session.get_one(Worker, run.epoch).ended_at = now + timedelta(seconds=1)
        run._believed_until -= 100
        run.beat()
        assert not run.may_send()
