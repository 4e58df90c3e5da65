"""kill -9 at any moment: nobody is lost, nobody gets it twice, and what cannot be known is listed."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask

from newsletter.db import db
from newsletter.delivery import accounts
from newsletter.models import Issue
from newsletter.states import DeliveryState, IssueState
from newsletter.work.doorbell import Doorbell
from tests.delivery.sending import makers
from tests.faults.conftest import WorkerProcess
from tests.smtp_servers import AcceptingServer, Received

READERS = 300
CONNECTIONS = 8
KILLS = 5

Start = Callable[..., WorkerProcess]


def is_sent(issue: Issue) -> Callable[[], bool]:
    def asked() -> bool:
        db.session.rollback()
        db.session.refresh(issue)
        return issue.state is IssueState.SENT

    return asked


def check_everybody(issue: Issue, received: list[Received], most_unsure: int) -> Counter[DeliveryState]:
    """Each reader exactly once, but for those who are listed as unsure: they have it once, or not."""
    db.session.rollback()
    copies = Counter(each.recipient for each in received)
    states = makers.states(issue)
    assert len(states) == issue.recipients
    for address, state in states.items():
        if state is DeliveryState.UNSURE:
            assert copies[address] <= 1, f"{address} is unsure and has {copies[address]} copies"
        else:
            assert (state, copies[address]) == (DeliveryState.ACCEPTED, 1), address
    found = accounts.counts(issue)
    assert found.adds_up
    assert found.unsure <= most_unsure
    assert accounts.verify(issue) == []
    return Counter(states.values())


def test_a_worker_killed_again_and_again_loses_nobody_and_doubles_nobody(
    app: Flask, server: AcceptingServer, start_worker: Start
) -> None:
    issue = makers.sending(datetime.now(UTC), READERS)
    # Different moments each time; the seed is in the failure's values.
    seed = random.SystemRandom().randrange(10_000)
    for moment in sorted(random.Random(seed).sample(range(READERS - 20), KILLS)):
        worker = start_worker(CONNECTIONS)
        worker.until(lambda moment=moment: len(server.received) > moment, every=0)
        worker.kill()
        db.session.rollback()
        assert accounts.counts(issue).adds_up, seed
    worker = start_worker(CONNECTIONS)
    worker.until(is_sent(issue), every=0.1)
    assert worker.terminate() == 0
    check_everybody(issue, server.received, CONNECTIONS * KILLS)


def test_a_worker_that_is_asked_to_leave_brings_what_is_in_the_air_to_an_end(
    app: Flask, server: AcceptingServer, start_worker: Start
) -> None:
    issue = makers.sending(datetime.now(UTC), 2_000)
    worker = start_worker(CONNECTIONS)
    worker.until(lambda: len(server.received) > 50)
    assert worker.terminate() == 0
    db.session.rollback()
    found = accounts.counts(issue)
    assert (found.claimed, found.unsure) == (0, 0)
    assert found.accepted == len(server.received)
    assert found.queued > 0
    worker = start_worker(CONNECTIONS)
    worker.until(is_sent(issue), every=0.1)
    check_everybody(issue, server.received, 0)


def test_two_workers_and_one_is_killed(app: Flask, server: AcceptingServer, start_worker: Start) -> None:
    issue = makers.sending(datetime.now(UTC), 2_000)
    one, other = start_worker(CONNECTIONS), start_worker(CONNECTIONS)
    other.until(lambda: len(server.received) > 400)
    one.kill()
    # Its next tick would find what the first held; we do not wait for that.
    Doorbell(app.config["NEWSLETTER"].data_dir).press("continue_sending", ())
    other.until(is_sent(issue), every=0.1)
    check_everybody(issue, server.received, CONNECTIONS)
