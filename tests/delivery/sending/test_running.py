"""A run from the inside: its loop, its senders and what they hold in hand when something goes wrong."""

import asyncio
import sys
from collections import Counter
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from newsletter.db import db, transaction
from newsletter.delivery.pace import dispatch
from newsletter.delivery.pace.dispatch import Dispatcher
from newsletter.delivery.pace.pacing import Breaker
from newsletter.delivery.reports import accounts
from newsletter.delivery.run import engine, loop
from newsletter.delivery.run.running import Ending
from newsletter.errors import RelayBusy, RelayDown
from newsletter.mail.memory import MemoryConnection, MemoryRelay
from newsletter.mail.relay import Mailing, Receipt
from newsletter.models import Delivery, Issue, Subscriber
from newsletter.states import DeliveryState, IssueState
from newsletter.work import liveness
from tests.delivery.sending import makers
from tests.delivery.test_dispatch import Clock, mail


def send(issue: Issue, at: datetime, relay: MemoryRelay) -> Ending:
    ending = engine.send_issue(issue.id, read_clock=lambda: at, relay=relay, breaker=Breaker(waits=(0, 0, 0, 0)))
    db.session.rollback()
    assert accounts.verify(issue) == []
    return ending


def counts(issue: Issue) -> dict[str, int]:
    return {name: number for name, number in accounts.counts(issue).as_dict().items() if number}


# The loop


async def _kind() -> str:
    return type(asyncio.get_running_loop()).__module__


def test_a_run_uses_the_quick_loop_where_it_is_installed_and_pythons_where_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loop.run(_kind()) == "uvloop"
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop.run(_kind()).startswith("asyncio")


# A connection that ends in the midst of it


class CarelessRelay(MemoryRelay):
    """Its connections take two messages at once, begin the first, and break without a word about either."""

    def __init__(self, breaks: int) -> None:
        super().__init__(connections=1)
        self.breaks = breaks

    async def connect(self) -> "CarelessConnection":
        await super().connect()
        return CarelessConnection(self)


class CarelessConnection(MemoryConnection):
    def __init__(self, relay: CarelessRelay) -> None:
        super().__init__(relay.accepted, relay._failures)
        self._relay = relay

    async def work(self, mailing: Mailing) -> None:
        if not self._relay.breaks:
            await super().work(mailing)
            return
        self._relay.breaks -= 1
        first, second = mailing.next_ready(), mailing.next_ready()
        assert first is not None and second is not None
        mailing.before_final_dot(first)
        self._open = False
        raise asyncio.CancelledError


def test_what_a_connection_left_unsettled_is_settled_by_what_is_known(app: Flask, now: datetime) -> None:
    """Cancelled in the midst of two: the one whose dot may have left is unsure, the other was not tried."""
    issue = makers.sending(now, 5)
    relay = CarelessRelay(breaks=1)
    send(issue, now, relay)
    assert counts(issue) == {"queued": 4, "unsure": 1}
    assert send(issue, now, relay) is Ending.DONE
    assert counts(issue) == {"accepted": 4, "unsure": 1}
    assert issue.state is IssueState.SENT


def test_only_the_message_it_broke_over_is_put_off(app: Flask, now: datetime) -> None:
    """Three connections in a row break over reader1, each with another reader's message behind it."""
    issue = makers.sending(now, 6)
    relay = MemoryRelay(connections=1)
    relay.fail("reader1@example.org", *[RelayDown("It closed the connection") for _ in range(3)])
    send(issue, now, relay)
    assert counts(issue) == {"accepted": 5, "deferred": 1}
    assert makers.delivery_to("reader1@example.org").state is DeliveryState.DEFERRED
    assert set(Counter(relay.recipients).values()) == {1}


# What is held back


def test_what_a_paused_domain_cannot_take_goes_back_and_the_run_ends(
    app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A domain says "slow down" to all: its other messages are put off, untried, and the issue is sent."""
    monkeypatch.setattr(dispatch, "LONGEST_HELD_SECONDS", 1.0)
    issue = makers.sending(now, 900)
    with transaction() as session:
        in_order = session.scalars(select(Subscriber).order_by(Subscriber.id)).all()
        for person in in_order[:600]:
            person.address = person.address_key = f"{person.id}@slow.example"
    relay = MemoryRelay(connections=4)
    slow_down = RelayBusy("Too fast", code=421, enhanced="4.7.28", reply="421 4.7.28 unusual rate of mail")
    for person in in_order[:600]:
        relay.fail(person.address, slow_down, slow_down)
    assert send(issue, now, relay) is Ending.DONE
    assert issue.state is IssueState.SENT
    assert counts(issue) == {"accepted": 300, "deferred": 600}
    tried = db.session.scalar(select(func.count()).where(Delivery.issue_id == issue.id, Delivery.attempts > 0))
    assert tried is not None and 300 < tried < 360


def test_one_that_waits_behind_another_on_its_connection_is_not_late() -> None:
    clock = Clock()
    dispatcher = Dispatcher(4, clock)
    dispatcher.add([*mail("stalled.example"), *mail("quick.example", 3)])
    first = dispatcher.next_ready()
    second = dispatcher.next_ready(behind=True)
    assert first is not None and second is not None
    clock.now += 60
    third = dispatcher.next_ready()
    assert third is not None and third.address.endswith("@quick.example")
    dispatcher.answered(third, Receipt(250, "Ok"), 0.1)
    dispatcher.answered(first, Receipt(250, "Ok"), 60.0)
    dispatcher.began(second)
    clock.now += 60
    assert dispatcher.next_ready() is None, "now it is late itself"


# Nothing to do


def test_nothing_due_begins_no_run(app: Flask, now: datetime) -> None:
    issue = makers.sending(now, 2)
    with transaction() as session:
        session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED, attempts=1))
    relay = MemoryRelay()
    engine.send_issue(issue.id, read_clock=lambda: now, relay=relay)
    assert relay.connects == 0
    assert list(liveness.wire_folder().iterdir()) == []
