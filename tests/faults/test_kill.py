"""kill -9 at any moment: nobody is lost, nobody gets it twice, and what cannot be known is listed."""

import random
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask

from newsletter.db import db
from newsletter.delivery.reports import accounts
from newsletter.work.doorbell import Doorbell
from tests.delivery.sending import makers
from tests.faults.accounting import everybody_once, is_sent
from tests.faults.conftest import WorkerProcess
from tests.smtp_servers import AcceptingServer

READERS = 300
CONNECTIONS = 8
KILLS = 5

Start = Callable[..., WorkerProcess]


def recipients(server: AcceptingServer) -> list[str]:
    return [each.recipient for each in server.received]


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
    worker.until(lambda: is_sent(issue), every=0.1)
    assert worker.terminate() == 0
    everybody_once(issue, recipients(server), CONNECTIONS * KILLS)


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
    worker.until(lambda: is_sent(issue), every=0.1)
    everybody_once(issue, recipients(server), 0)


def test_two_workers_and_one_is_killed(app: Flask, server: AcceptingServer, start_worker: Start) -> None:
    issue = makers.sending(datetime.now(UTC), 2_000)
    one = start_worker(CONNECTIONS)
    one.until(lambda: len(server.received) > 0)
    # The bell is heard by whoever began to listen last, so by the one that lives.
    other = start_worker(CONNECTIONS)
    other.until(lambda: len(server.received) > 400)
    one.kill()
    bell = Doorbell(app.config["NEWSLETTER"].data_dir)

    def sent() -> bool:
        # Its next tick would find what the first held; we do not wait for that.
        bell.press("continue_sending", ())
        return is_sent(issue)

    other.until(sent, every=0.2)
    everybody_once(issue, recipients(server), CONNECTIONS)
