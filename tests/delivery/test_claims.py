"""Who has a notice in hand: a confirmation waits neither for the dead nor for what was forgotten."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from newsletter.db import db, transaction
from newsletter.delivery.notices import claims, outbox
from newsletter.delivery.run import recovery
from newsletter.domain.subscribers import offering, subscribing
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Notice, Worker
from newsletter.states import NoticeState
from newsletter.work import liveness
from tests import people

MINUTE = timedelta(minutes=1)


class Killed(BaseException):
    """What becomes of a process: no handler of ours is asked."""


class Deadly(MemoryRelay):
    """Kills whoever connects."""

    async def connect(self) -> object:
        raise Killed


@pytest.fixture
def waiting(app: Flask, now: datetime) -> None:
    """One confirmation that waits."""
    people.larkmere(now)
    with transaction():
        subscribing.request_subscription(
            address="tom.example@example.org",
            lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
            source="sign-up form",
            now=now,
        )


def notice() -> Notice:
    db.session.rollback()
    return db.session.scalars(select(Notice)).one()


def die_at_it(app: Flask, now: datetime) -> None:
    relay, app.extensions["newsletter_relay"] = app.extensions["newsletter_relay"], Deadly()
    with pytest.raises(Killed), liveness.presence("worker", now):
        outbox.deliver_notices(now)
    app.extensions["newsletter_relay"] = relay


@pytest.mark.usefixtures("waiting")
def test_what_a_dead_process_had_in_hand_is_free_as_soon_as_it_is_found_dead(app: Flask, now: datetime) -> None:
    die_at_it(app, now)
    assert outbox.deliver_notices(now + MINUTE) == 0
    recovery.recover(now + MINUTE)
    assert outbox.deliver_notices(now + MINUTE) == 1
    assert (notice().state, notice().unsure_at) == (NoticeState.ACCEPTED, now + MINUTE)


@pytest.mark.usefixtures("waiting")
def test_of_two_that_died_with_it_nobody_sends_a_third(app: Flask, relay: MemoryRelay, now: datetime) -> None:
    for _death in range(2):
        die_at_it(app, now)
        recovery.recover(now)
    assert outbox.deliver_notices(now) == 0
    assert (notice().state, relay.accepted) == (NoticeState.UNSURE, [])


@pytest.mark.usefixtures("waiting")
def test_a_claim_that_the_database_took_down_and_did_not_confirm_is_nobody_s(
    app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = claims._claim

    def cut_off(*words: object) -> None:
        claim(*words)
        raise OperationalError("COMMIT", {}, Exception("the server closed the connection"))

    with liveness.presence("worker", now):
        monkeypatch.setattr(claims, "_claim", cut_off)
        with pytest.raises(OperationalError):
            outbox.deliver_notices(now)
        assert notice().claimed_by is not None
        monkeypatch.setattr(claims, "_claim", claim)
        assert outbox.deliver_notices(now) == 1
    # Nothing was done under it, so nothing is in doubt.
    assert (notice().attempts, notice().unsure_at) == (1, None)


@pytest.mark.usefixtures("waiting")
def test_what_another_thread_of_ours_is_at_stays_in_its_hands(app: Flask, now: datetime) -> None:
    with liveness.presence("worker", now), claims.claim_next(now) as claimed:
        assert claimed is not None
        claims.give_up_lost_claims(now)
        recovery.recover(now)
        assert outbox.deliver_notices(now) == 0
        assert notice().claimed_by == claimed[1]


@pytest.mark.usefixtures("waiting")
def test_what_came_of_it_is_written_when_the_database_is_back(
    app: Flask, relay: MemoryRelay, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, away = outbox._write_down, [True, True]

    def sometimes(*words: object, **values: object) -> NoticeState:
        if away.pop() if away else False:
            raise OperationalError("UPDATE", {}, Exception("starting up"))
        return write(*words, **values)

    monkeypatch.setattr(outbox, "_write_down", sometimes)
    monkeypatch.setattr(outbox, "_RECORD_AGAIN_SECONDS", (0, 0, 0))
    assert outbox.deliver_notices(now) == 1
    assert (notice().state, len(relay.accepted)) == (NoticeState.ACCEPTED, 1)


@pytest.mark.usefixtures("waiting")
def test_a_process_that_leaves_in_order_is_no_remains(app: Flask, now: datetime) -> None:
    with liveness.presence("worker", now) as life:
        life.beat()
        assert db.session.scalar(select(Worker.part)) == "worker"
    db.session.rollback()
    assert recovery.recover(now) == 0
    with transaction() as session:
        session.execute(update(Worker).values(ended_at=None))
    assert recovery.recover(now) == 1


@pytest.mark.usefixtures("waiting")
def test_a_process_that_slept_and_was_taken_for_dead_is_there_again_when_it_wakes(
    app: Flask, relay: MemoryRelay, now: datetime
) -> None:
    with liveness.presence("worker", now) as life:
        before = life.epoch
        with transaction() as session:
            session.execute(update(Worker).values(ended_at=now))
        assert [worker.id for worker, _fate in liveness.processes()] == []
        life.beat_or_return(now + MINUTE)
        assert (life.epoch, liveness.own_epoch()) == (before + 1, before + 1)
        assert [(worker.id, fate) for worker, fate in liveness.processes()] == [(life.epoch, liveness.Fate.ALIVE)]
        life.beat_or_return(now + MINUTE)
        assert life.epoch == before + 1, "one that is known to live stays what it is"
        assert outbox.deliver_notices(now + MINUTE) == 1
        assert notice().state is NoticeState.ACCEPTED
    assert [worker.id for worker, _fate in liveness.processes()] == []
