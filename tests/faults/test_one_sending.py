"""One sending with everything in it: a worker that dies, a reader who leaves, two who are gone and one who is busy."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from flask import Flask
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.delivery import control
from newsletter.delivery.reports import accounts, reasons
from newsletter.domain.subscribers import leaving
from newsletter.models import Subscriber, Subscription
from newsletter.states import DeliveryState, SkipReason
from tests.delivery.sending import makers
from tests.faults.accounting import is_sent
from tests.faults.conftest import WorkerProcess
from tests.smtp_servers import AcceptingServer

READERS, KILLED_AT, LEAVES_AT = 712, 300, 250
GONE, BUSY, TOM = ("reader40@example.org", "reader500@example.org"), "reader90@example.org", "reader700@example.org"


class ParticularServer(AcceptingServer):
    """Knows nobody at two addresses, and is busy for a third until it is told otherwise."""

    def __init__(self) -> None:
        super().__init__(pipelining=True)
        self.busy = True
        self.offered: Counter[str] = Counter()

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        self.offered[address] += 1
        if address in GONE:
            return "550 5.1.1 No such user"
        if address == BUSY and self.busy:
            return "454 4.3.0 Temporary lookup failure"  # no reason to slow down for the others
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"


@pytest.fixture
def server() -> Iterator[ParticularServer]:
    with ParticularServer() as server:
        yield server


def test_seven_hundred_and_twelve_are_accounted_for(
    app: Flask, server: ParticularServer, start_worker: Callable[..., WorkerProcess]
) -> None:
    issue = makers.sending(datetime.now(UTC), READERS)
    worker = start_worker(1)
    worker.until(lambda: len(server.received) >= LEAVES_AT, every=0)
    of_tom = select(Subscription).join(Subscription.subscriber).where(Subscriber.address == TOM)
    with transaction() as session:
        leaving.unsubscribe(session.scalars(of_tom).one(), route="one-click", now=datetime.now(UTC))
    worker.until(lambda: len(server.received) >= KILLED_AT, every=0)
    worker.kill()
    worker = start_worker(1)
    worker.until(lambda: is_sent(issue), every=0.1)
    assert worker.terminate() == 0

    found = accounts.counts(issue)
    assert found.adds_up
    assert accounts.verify(issue) == []
    assert sum(Counter(makers.states(issue).values()).values()) == READERS
    assert (found.refused, found.deferred, found.skipped) == (2, 1, 1)
    assert found.unsure <= 1
    assert found.accepted == READERS - 4 - found.unsure
    taken = Counter(each.recipient for each in server.received)
    assert set(taken.values()) == {1}
    assert TOM not in taken
    assert makers.delivery_to(TOM).skip_reason is SkipReason.LEFT
    for address, words in ((GONE[0], "no such mailbox"), (GONE[1], "no such mailbox"), (BUSY, "asked us to wait")):
        said = makers.delivery_to(address)
        assert said.code in (550, 454)
        assert words in reasons.plain(said.code, said.enhanced or "", said.reply or "").lower()

    server.busy, before = False, server.offered.copy()
    with transaction():
        assert control.retry_deferred(issue, actor=None, now=datetime.now(UTC)) == 1
    worker = start_worker(1)
    worker.until(lambda: makers.delivery_to(BUSY).state is DeliveryState.ACCEPTED, every=0.1)
    assert worker.terminate() == 0
    assert server.offered - before == Counter({BUSY: 1})
    db.session.rollback()
    assert accounts.counts(issue).deferred == 0
