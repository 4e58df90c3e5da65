"""The same over real SMTP on loopback: what the server says, or does not say, ends in the accounts."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from flask import Flask

from newsletter.db import db, transaction
from newsletter.delivery import control
from newsletter.delivery.pace.pacing import Breaker
from newsletter.delivery.reports import accounts
from newsletter.delivery.run import engine
from newsletter.delivery.run.running import Ending
from newsletter.mail.smtp import SmtpRelay
from newsletter.models import Issue
from newsletter.states import DeliveryState, IssueState
from tests.delivery.sending import makers
from tests.smtp_servers import DROP, PIPELINED, PLAIN, RESET, AcceptingServer, ScriptedServer, Step

IMPATIENT = (0.0, 0.0, 0.0, 0.0)


def send(issue: Issue, url: str, at: datetime, connections: int = 4) -> Ending:
    relay = SmtpRelay.from_url(url, connections=connections)
    ending = engine.send_issue(issue.id, read_clock=lambda: at, relay=relay, breaker=Breaker(waits=IMPATIENT))
    db.session.rollback()
    assert accounts.counts(issue).adds_up
    assert accounts.verify(issue) == []
    return ending


@pytest.mark.parametrize("pipelining", [True, False])
def test_three_hundred_over_a_real_server(app: Flask, now: datetime, pipelining: bool) -> None:
    issue = makers.sending(now, 300)
    with AcceptingServer(pipelining=pipelining) as server:
        assert send(issue, server.url, now) is Ending.DONE
    assert Counter(each.recipient for each in server.received) == Counter(makers.states(issue).keys())
    assert len({each.message for each in server.received}) == 300
    assert accounts.counts(issue).accepted == 300
    assert (makers.delivery_to("reader7@example.org").reply or "").startswith("250 2.0.0 queued as")


@pytest.mark.parametrize("extensions", [PIPELINED, PLAIN])
def test_each_answer_has_its_consequence(app: Flask, now: datetime, extensions: Sequence[str]) -> None:
    issue = makers.sending(now, 20)
    server = ScriptedServer(
        extensions=extensions,
        recipients={
            "reader1@example.org": "550 5.1.1 No such user here",
            "reader2@example.org": "450 4.2.0 Greylisted, try again",
        },
        messages={"reader3@example.org": DROP, "reader4@example.org": RESET, "reader5@example.org": "451 4.3.0 Later"},
    )
    with server:
        assert send(issue, server.url, now) is Ending.DONE
        states = makers.states(issue)
        assert {number: states[f"reader{number}@example.org"] for number in range(1, 6)} == {
            1: DeliveryState.REFUSED,
            2: DeliveryState.DEFERRED,
            3: DeliveryState.UNSURE,
            4: DeliveryState.UNSURE,
            5: DeliveryState.DEFERRED,
        }
        assert accounts.counts(issue).accepted == 15
        server.recipients.clear()
        server.messages.clear()
        later = now + timedelta(minutes=7)
        assert engine.continue_sending(later) == [issue.id]
        send(issue, server.url, later)
        assert accounts.counts(issue).accepted == 17
        with transaction():
            for each in accounts.in_doubt(issue):
                control.send_again(makers.get_delivery(each.delivery), actor=None, now=later)
        send(issue, server.url, later)
    assert accounts.counts(issue).accepted == 19
    copies = Counter(each.recipient for each in server.accepted)
    assert set(copies.values()) == {1}


@pytest.mark.parametrize("step", [Step.GREETING, Step.EHLO, Step.MAIL, Step.RCPT, Step.DATA])
def test_a_server_that_hangs_up_before_it_has_a_message_leaves_nobody_in_doubt(
    app: Flask, now: datetime, step: Step
) -> None:
    issue = makers.sending(now, 12)
    with ScriptedServer({step: DROP}, {step: RESET}, extensions=PIPELINED) as server:
        assert send(issue, server.url, now, connections=2) is Ending.DONE
    found = accounts.counts(issue)
    assert (found.accepted, found.unsure) == (12, 0)
    assert set(Counter(each.recipient for each in server.accepted).values()) == {1}


def test_a_server_that_does_not_know_us_pauses_it(app: Flask, now: datetime) -> None:
    issue = makers.sending(now, 12)
    with ScriptedServer(every={Step.MAIL: "530 5.7.0 Authentication required"}) as server:
        assert send(issue, server.url, now) is Ending.BROKEN
    assert issue.state is IssueState.PAUSED
    assert accounts.counts(issue).queued == 12
    assert "Authentication required" in issue.pause_reason


def test_a_server_that_is_not_there_pauses_it_and_nothing_is_lost(app: Flask, now: datetime) -> None:
    issue = makers.sending(now, 12)
    with ScriptedServer() as server:
        url = server.url
    assert send(issue, url, now) is Ending.BROKEN
    assert issue.state is IssueState.PAUSED
    assert "5 times in a row" in issue.pause_reason
    with transaction():
        control.resume(issue, actor=None, now=now)
    with AcceptingServer() as server:
        send(issue, server.url, now)
    assert accounts.counts(issue).accepted == 12
