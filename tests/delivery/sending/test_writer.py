"""The thread that records outcomes, and what happens when it cannot."""

import threading
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from newsletter.db import db
from newsletter.delivery.ledger import batches, writer
from newsletter.delivery.ledger.recording import Outcome
from newsletter.delivery.ledger.recording import record as record_outcomes
from newsletter.delivery.ledger.writer import OutcomeWriter
from newsletter.delivery.reports import accounts
from newsletter.delivery.run import engine
from newsletter.delivery.run.recovery import recover
from newsletter.delivery.run.running import Ending
from newsletter.mail.memory import MemoryRelay
from newsletter.states import DeliveryState
from newsletter.work import liveness
from tests.delivery.sending import makers


def test_what_is_put_is_recorded(app: Flask, now: datetime) -> None:
    issue = makers.sending(now, 250)
    with liveness.life(now) as run:
        items = batches.claim(issue.id, run.epoch, now).items
        recording = OutcomeWriter(app, issue.id, run)
        recording.start()
        for item in items:
            recording.put(Outcome(item.delivery, 1, DeliveryState.ACCEPTED, now, 250, reply="250 OK"))
        assert recording.close(10)
    db.session.rollback()
    assert accounts.counts(issue).accepted == 250


def test_a_writer_that_cannot_commit_says_so_and_tries_again(
    app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BEHIND_SECONDS", 0.0)
    issue = makers.sending(now, 1)
    failed, mended = threading.Event(), threading.Event()

    def record(outcomes: list[Outcome], issue_id: int, epoch: int) -> int:
        if not mended.is_set():
            failed.set()
            raise OperationalError("UPDATE", {}, Exception("disk I/O error"))
        return record_outcomes(outcomes, issue_id, epoch)

    with liveness.life(now) as run:
        item = batches.claim(issue.id, run.epoch, now).items[0]
        recording = OutcomeWriter(app, issue.id, run, record)
        assert not recording.behind
        recording.start()
        recording.put(Outcome(item.delivery, 1, DeliveryState.ACCEPTED, now, 250))
        assert failed.wait(10)
        assert recording.behind
        mended.set()
        assert recording.close(10)
        assert not recording.behind
    db.session.rollback()
    assert accounts.counts(issue).accepted == 1


def test_no_new_message_is_offered_while_outcomes_cannot_be_recorded(
    app: Flask, relay: MemoryRelay, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full in the midst of it: sending stops after a second's worth, and nothing is lost or doubled."""
    issue = makers.sending(now, 400)

    def never(outcomes: list[Outcome], issue_id: int, epoch: int) -> int:
        raise OperationalError("UPDATE", {}, Exception("database or disk is full"))

    monkeypatch.setattr(writer, "BEHIND_ROWS", 20)
    monkeypatch.setattr(writer, "record", never)
    monkeypatch.setattr(OutcomeWriter.__init__, "__defaults__", (never,))
    seen = threading.Event()

    def leave_when_stuck() -> None:
        seen.wait(30)
        liveness.leaving.set()

    waiting = threading.Thread(target=leave_when_stuck)
    waiting.start()
    monkeypatch.setattr("newsletter.delivery.ledger.writer._log.exception", lambda *_: seen.set())
    monkeypatch.setattr(engine, "_WRITER_PATIENCE_SECONDS", 0.2)
    assert engine.send_issue(issue.id, read_clock=lambda: now) is Ending.LEAVING
    waiting.join()
    sent = len(relay.accepted)
    assert sent <= 20 + relay.limits.connections + 1
    found = accounts.counts(issue)
    assert (found.accepted, found.claimed + found.queued) == (0, 400)

    monkeypatch.undo()
    liveness.leaving.clear()
    db.session.rollback()
    assert recover(now) == 1
    db.session.rollback()
    assert accounts.counts(issue).accepted == sent
    engine.send_issue(issue.id, read_clock=lambda: now)
    db.session.rollback()
    assert accounts.counts(issue).accepted == 400
    assert sorted(relay.recipients) == sorted(makers.states(issue))
