"""The kept totals: as true as the rows, whatever comes late, twice or from two sides at once."""

import threading
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.delivery import control
from newsletter.delivery.ledger import batches
from newsletter.delivery.ledger.recording import Outcome, record
from newsletter.delivery.reports import accounts
from newsletter.errors import RelayBusy, RelayRefused, RelayUnsure
from newsletter.mail.memory import MemoryRelay
from newsletter.models import DeliveryProgress, Issue
from newsletter.states import DeliveryState
from newsletter.work import liveness
from tests.delivery.sending import makers
from tests.delivery.sending.test_sending import send


@pytest.fixture
def issue(app: Flask, now: datetime) -> Issue:
    return makers.sending(now, 6)


def kept(issue: Issue) -> dict[str, int]:
    """The totals that are not zero; they are what the rows say."""
    db.session.rollback()
    assert accounts.verify(issue) == []
    found = accounts.tallied(issue)
    assert found is not None
    return {name: number for name, number in found.as_dict().items() if number}


def progress(issue: Issue) -> dict[tuple[datetime, DeliveryState], int]:
    db.session.rollback()
    rows = db.session.scalars(select(DeliveryProgress).where(DeliveryProgress.issue_id == issue.id))
    return {(row.slot, row.state): row.number for row in rows}


def outcome(delivery: int, state: DeliveryState, at: datetime) -> Outcome:
    retry_at = at + timedelta(minutes=5) if state is DeliveryState.DEFERRED else None
    return Outcome(delivery, 1, state, at, 250, "2.0.0", "Ok", retry_at)


def test_they_follow_an_issue_from_its_freeze_to_its_end(issue: Issue, relay: MemoryRelay, now: datetime) -> None:
    assert kept(issue) == {"queued": 6}
    relay.fail("reader1@example.org", RelayBusy("Later", code=451))
    relay.fail("reader2@example.org", RelayRefused("No", code=550))
    relay.fail("reader3@example.org", RelayUnsure("No answer"))
    send(issue, now)
    assert kept(issue) == {"accepted": 3, "deferred": 1, "refused": 1, "unsure": 1}
    with transaction():
        control.send_again(makers.delivery_to("reader3@example.org"), actor=None, now=now)
    assert kept(issue) == {"accepted": 3, "deferred": 2, "refused": 1}
    with transaction():
        control.retry_deferred(issue, actor=None, now=now)
    send(issue, now + timedelta(seconds=14))
    assert kept(issue) == {"accepted": 5, "refused": 1}
    assert progress(issue) == {
        (now, DeliveryState.ACCEPTED): 3,
        (now, DeliveryState.DEFERRED): 1,
        (now, DeliveryState.REFUSED): 1,
        (now, DeliveryState.UNSURE): 1,
        (now + timedelta(seconds=10), DeliveryState.ACCEPTED): 2,
    }


def test_what_comes_twice_or_from_a_stranger_counts_once(issue: Issue, now: datetime) -> None:
    with liveness.life(now) as run:
        held = [item.delivery for item in batches.claim(issue.id, run.epoch, now).items]
        accepted = [outcome(delivery, DeliveryState.ACCEPTED, now) for delivery in held[:4]]
        assert record(accepted, issue.id, run.epoch + 1) == 0
        assert record(accepted, issue.id, run.epoch) == 4
        assert record(accepted, issue.id, run.epoch) == 0
        assert record([*accepted[2:], outcome(held[4], DeliveryState.REFUSED, now)], issue.id, run.epoch) == 1
        assert kept(issue) == {"claimed": 1, "accepted": 4, "refused": 1}
    assert progress(issue) == {(now, DeliveryState.ACCEPTED): 4, (now, DeliveryState.REFUSED): 1}


def test_an_answer_that_comes_after_all_moves_an_unsure_one(issue: Issue, now: datetime) -> None:
    with liveness.life(now) as run:
        held = [item.delivery for item in batches.claim(issue.id, run.epoch, now).items]
        unsure = [outcome(delivery, DeliveryState.UNSURE, now) for delivery in held]
        assert record(unsure, issue.id, run.epoch) == 6
        late = [outcome(delivery, DeliveryState.ACCEPTED, now + timedelta(minutes=3)) for delivery in held[:5]]
        assert record(late, issue.id, run.epoch) == 5
    assert kept(issue) == {"accepted": 5, "unsure": 1}


def test_one_batch_may_hold_every_kind_of_outcome_of_several_slots(issue: Issue, now: datetime) -> None:
    kinds = [DeliveryState.ACCEPTED, DeliveryState.DEFERRED, DeliveryState.REFUSED, DeliveryState.UNSURE]
    with liveness.life(now) as run:
        held = [item.delivery for item in batches.claim(issue.id, run.epoch, now).items]
        later = now + timedelta(seconds=10)
        batch = [outcome(delivery, state, now) for delivery, state in zip(held, kinds, strict=False)]
        batch += [
            outcome(held[4], DeliveryState.ACCEPTED, later),
            Outcome(held[5], 0, DeliveryState.QUEUED, later, 550, "5.7.1", "No"),
        ]
        assert record(batch, issue.id, run.epoch) == 6
    assert kept(issue) == {"queued": 1, "accepted": 2, "deferred": 1, "refused": 1, "unsure": 1}
    assert sum(progress(issue).values()) == 5, "back in the queue is no outcome"
    row = makers.get_delivery(held[1])
    assert (row.code, row.enhanced, row.reply) == (250, "2.0.0", "Ok")
    assert (row.updated_at, row.first_tried_at) == (now, now)
    assert row.retry_at == now + timedelta(minutes=5)


def test_what_is_given_back_skipped_or_put_off_is_counted(issue: Issue, now: datetime) -> None:
    with liveness.life(now) as run:
        held = [item.delivery for item in batches.claim(issue.id, run.epoch, now, limit=4).items]
        assert kept(issue) == {"queued": 2, "claimed": 4}
        batches.put_off(issue.id, run.epoch, held[:1], now + timedelta(minutes=5), now)
        assert kept(issue) == {"queued": 2, "claimed": 3, "deferred": 1}
        batches.release(issue.id, run.epoch, now)
    assert kept(issue) == {"queued": 5, "deferred": 1}
    with transaction():
        control.cancel(issue, actor=None, now=now)
    assert kept(issue) == {"skipped": 6}


def test_several_who_claim_record_and_give_back_at_once_keep_them_exact(app: Flask, now: datetime) -> None:
    issue = makers.sending(now, 400)
    issue_id = issue.id
    db.session.remove()
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        with app.app_context(), liveness.life(now) as run:
            while items := batches.claim(issue_id, run.epoch, now, limit=30).items:
                tried = [outcome(item.delivery, DeliveryState.ACCEPTED, now) for item in items[:20]]
                assert record(tried, issue_id, run.epoch) == len(tried)
                batches.release(issue_id, run.epoch, now)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert kept(db.session.get_one(Issue, issue_id)) == {"accepted": 400}
