"""Mail servers that want it slower, later, or not now at all: what becomes of the issue, over real SMTP."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.delivery import control
from newsletter.delivery.pace.budget import RelayBudget
from newsletter.delivery.pace.pacing import Breaker
from newsletter.delivery.reports import accounts
from newsletter.delivery.run import engine, feeding
from newsletter.delivery.run.running import Ending
from newsletter.mail.smtp import SmtpRelay
from newsletter.models import Issue, Subscriber, Subscription
from newsletter.states import DeliveryState, IssueState, SubscriptionState
from newsletter.work import liveness
from tests import people
from tests.delivery.sending import makers
from tests.delivery.sending.conftest import RecordingRunner
from tests.smtp_servers import DROP, PIPELINED, PLAIN, STALL, AcceptingServer, Say, ScriptedServer, Step

IMPATIENT = (0.0, 0.0, 0.0, 0.0)
MINUTE = timedelta(minutes=1)


def send(
    issue: Issue,
    server: ScriptedServer | AcceptingServer,
    at: datetime,
    connections: int = 4,
    breaker: Breaker | None = None,
) -> Ending:
    """A run as a worker makes it; with a `breaker` of the test's own where connections are lost."""
    relay = SmtpRelay.from_url(server.url, connections=connections)
    ending = engine.send_issue(issue.id, read_clock=lambda: at, relay=relay, breaker=breaker)
    db.session.rollback()
    assert accounts.counts(issue).adds_up
    assert accounts.verify(issue) == []
    return ending


def readers(*numbers: int) -> list[str]:
    return [f"reader{number}@example.org" for number in numbers]


def copies(server: ScriptedServer) -> Counter[str]:
    return Counter(each.recipient for each in server.accepted)


# Later


def test_a_server_that_greylists_for_ten_minutes_has_everybody_s_mail_within_twenty(app: Flask, now: datetime) -> None:
    """Its first answer to each new sender and reader is "later"; who comes back too soon hears it again."""
    issue = makers.sending(now, 12)
    grey = readers(*range(1, 9))
    server = ScriptedServer(extensions=PIPELINED)
    with server:
        server.recipients = dict.fromkeys(grey, "451 4.7.1 Greylisting in action, please come back later")
        assert send(issue, server, now) is Ending.DONE
        assert issue.state is IssueState.SENT
        assert accounts.counts(issue).deferred == 8
        tries = []
        at = now
        while accounts.counts(issue).deferred:
            due = accounts.next_retry(issue)
            assert due is not None
            # The worker looks every half minute.
            at = max(at, due) + timedelta(seconds=30)
            tries.append(at - now)
            if at >= now + 10 * MINUTE:
                server.recipients.clear()
            send(issue, server, at)
    assert accounts.counts(issue).accepted == 12
    assert set(copies(server).values()) == {1}
    assert min(tries) >= 5 * MINUTE
    assert at <= now + 20 * MINUTE
    # At least twice between five minutes and an hour (each reader twice, the first time in vain).
    assert server.verbs().count("RCPT") <= 12 + 2 * 8


@pytest.mark.parametrize("extensions", [PLAIN, PIPELINED])
def test_too_many_recipients_is_later_for_this_one_and_nobody_s_fault(
    app: Flask, now: datetime, extensions: list[str]
) -> None:
    issue = makers.sending(now, 12)
    with ScriptedServer(extensions=extensions) as server:
        server.recipients = dict.fromkeys(readers(3, 4), "452 4.5.3 Too many recipients")
        assert send(issue, server, now) is Ending.DONE
        assert (accounts.counts(issue).accepted, accounts.counts(issue).deferred) == (10, 2)
        server.recipients.clear()
        send(issue, server, now + 7 * MINUTE)
    assert accounts.counts(issue).accepted == 12
    assert set(copies(server).values()) == {1}


@pytest.mark.parametrize("extensions", [PLAIN, PIPELINED])
@pytest.mark.parametrize("step", [Step.GREETING, Step.EHLO, Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
def test_421_closes_the_connection_at_any_step_and_costs_nobody_their_mail(
    app: Flask, now: datetime, step: Step, extensions: list[str]
) -> None:
    issue = makers.sending(now, 12)
    closing = Say("421 4.3.2 Service shutting down", DROP)
    with ScriptedServer({step: closing}, {step: closing}, extensions=extensions) as server:
        assert send(issue, server, now, connections=2, breaker=Breaker(waits=IMPATIENT)) is Ending.DONE
        if accounts.counts(issue).deferred:
            send(issue, server, now + 7 * MINUTE)
    found = accounts.counts(issue)
    assert (found.accepted, found.refused, found.unsure) == (12, 0, 0)
    assert set(copies(server).values()) == {1}


def test_what_is_put_off_for_five_days_is_given_up_and_the_address_kept(app: Flask, now: datetime) -> None:
    issue = makers.sending(now, 3)
    with ScriptedServer(extensions=PIPELINED) as server:
        server.recipients = dict.fromkeys(readers(2), "450 4.2.1 Mailbox busy")
        at = now
        send(issue, server, at)
        gaps = []
        while accounts.counts(issue).deferred:
            due = accounts.next_retry(issue)
            assert due is not None
            gaps.append(due - at)
            at = due
            send(issue, server, at)
    assert timedelta(days=5) <= at - now < timedelta(days=5, hours=5)
    assert max(gaps) <= timedelta(hours=4, minutes=48)
    assert min(gaps) >= 5 * MINUTE
    given_up = makers.delivery_to("reader2@example.org")
    assert given_up.state is DeliveryState.REFUSED
    assert (given_up.reply or "").startswith("Given up after 5 days: 450 4.2.1")
    assert db.session.query(Subscriber).filter_by(address="reader2@example.org").one()


# Not at all, for now


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({Step.AUTH: "535 5.7.8 Authentication credentials invalid"}, "credentials invalid"),
        ({Step.MAIL: "550 5.7.60 Client does not have permissions to send as this sender"}, "send as this sender"),
        ({Step.RCPT: "550 5.7.25 The sending IP address does not have a PTR record"}, "PTR record"),
        ({Step.DOT: "550 5.4.5 Daily user sending limit exceeded"}, "sending limit"),
        ({Step.DOT: "450 4.7.1 Daily sending quota exceeded"}, "sending quota"),
        ({Step.RCPT: "454 4.7.0 Hourly quota exceeded for sender"}, "quota exceeded"),
    ],
)
def test_a_server_that_objects_to_us_pauses_the_issue_and_resuming_goes_on_exactly_there(
    app: Flask, now: datetime, script: dict[Step, str], words: str
) -> None:
    issue = makers.sending(now, 30)
    login = ("newsletter", "right") if Step.AUTH in script else None
    with ScriptedServer(every=script, login=login, extensions=PIPELINED) as server:
        url = server.url_for(*login) if login else server.url
        relay = SmtpRelay.from_url(url, connections=2)
        assert engine.send_issue(issue.id, read_clock=lambda: now, relay=relay) is Ending.BROKEN
        db.session.rollback()
    assert issue.state is IssueState.PAUSED
    assert words in issue.pause_reason
    found = accounts.counts(issue)
    assert (found.accepted, found.refused, found.unsure) == (0, 0, 0)
    # What was in the air may have been put off; the rest waits untouched.
    assert found.queued >= 24
    with transaction():
        control.resume(issue, actor=None, now=now)
    with AcceptingServer() as good:
        send(issue, good, now)
        send(issue, good, now + 7 * MINUTE)
    assert accounts.counts(issue).accepted == 30
    assert set(Counter(each.recipient for each in good.received).values()) == {1}


def test_a_server_that_offers_no_encryption_gets_nothing(app: Flask, now: datetime) -> None:
    issue = makers.sending(now, 12)
    with ScriptedServer() as server:
        relay = SmtpRelay.from_url(server.url.replace("smtp://", "smtp+starttls://"), connections=2)
        breaker = Breaker(waits=IMPATIENT)
        assert engine.send_issue(issue.id, read_clock=lambda: now, relay=relay, breaker=breaker) is Ending.BROKEN
    db.session.rollback()
    assert issue.state is IssueState.PAUSED
    assert "TLS" in issue.pause_reason
    assert accounts.counts(issue).queued == 12


# The first two hundred


def test_the_first_two_hundred_are_the_issue_s_and_a_worker_that_starts_anew_counts_on(
    app: Flask, now: datetime
) -> None:
    """Six of the first run are refused, and five more of the second: neither alone would be too many."""
    issue = makers.sending(now, 300)
    unknown = "550 5.1.1 No such user"
    server = ScriptedServer(extensions=PIPELINED)
    server.recipients = dict.fromkeys(readers(*range(1, 7)), unknown) | {"reader40@example.org": STALL}
    server.start()
    with running(app, issue, now, server.url, connections=1):
        wait_until(lambda: len(server.accepted) == 33)
        liveness.leaving.set()
        server.stop()
    liveness.leaving.clear()
    db.session.rollback()
    assert (issue.state, accounts.counts(issue).refused) == (IssueState.SENDING, 6)
    with ScriptedServer(extensions=PIPELINED) as another:
        another.recipients = dict.fromkeys(readers(*range(40, 60)), unknown)
        assert send(issue, another, now, connections=1) is Ending.BROKEN
    assert issue.state is IssueState.PAUSED
    assert issue.pause_reason.startswith("11 of the first 44 messages were refused")


def test_whoever_resumes_is_not_stopped_again_at_once_nor_left_alone(
    app: Flask, now: datetime, runner: RecordingRunner
) -> None:
    issue = makers.sending(now, 300)
    unknown = "550 5.1.1 No such user"
    with ScriptedServer(extensions=PIPELINED) as server:
        server.recipients = dict.fromkeys(readers(*range(1, 301)), unknown)
        assert send(issue, server, now, connections=1) is Ending.BROKEN
        first = accounts.counts(issue).refused
        assert 11 <= first <= 12
        ruth = people.staff(now)
        with transaction():
            control.resume(issue, actor=ruth, now=now)
        # Twice as many are let pass now, counted from here; then it is stopped again.
        assert send(issue, server, now, connections=1) is Ending.BROKEN
        second = accounts.counts(issue).refused - first
        assert 21 <= second <= 22
        with transaction():
            control.resume(issue, actor=None, now=now)
        server.recipients.clear()
        assert send(issue, server, now) is Ending.DONE
    found = accounts.counts(issue)
    assert (found.refused, found.accepted) == (first + second, 300 - first - second)


def test_the_late_ones_of_an_issue_are_no_sample(app: Flask, now: datetime) -> None:
    """Thirty were put off and are refused in the end: the issue is sent, and nobody need be told of a fault."""
    issue = makers.sending(now, 60)
    late = readers(*range(1, 31))
    with ScriptedServer(extensions=PIPELINED) as server:
        server.recipients = dict.fromkeys(late, "450 4.2.0 Greylisted")
        send(issue, server, now)
        server.recipients = dict.fromkeys(late, "550 5.1.1 No such user")
        assert send(issue, server, now + 7 * MINUTE) is Ending.DONE
    assert accounts.counts(issue).refused == 30
    assert "issue.retries_postponed" not in [each.action for each in accounts.recent_events(issue)]


# Slower


def test_no_more_leave_than_the_relay_s_hour_allows_and_the_rest_waits(app: Flask, now: datetime) -> None:
    """Two workers at once on one issue, thirty an hour, fifty readers."""
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], relay_per_hour=30)
    issue = makers.sending(now, 50)
    with AcceptingServer() as server:
        with running(app, issue, now, server.url), running(app, issue, now, server.url):
            wait_until(lambda: len(server.received) >= 30)
            with transaction():
                control.pause(issue, actor=None, now=now)
        assert len(server.received) == 30
    db.session.rollback()
    found = accounts.counts(issue)
    assert (found.accepted, found.queued) == (30, 20)
    budget = RelayBudget(SmtpRelay.from_url(server.url).name, app.config["NEWSLETTER"])
    assert budget.reserve(1)[0] == 0


def test_who_leaves_while_their_turn_is_far_off_is_not_sent_to(
    app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty an hour: the others are in hand, and would be for hours. Now and then it is asked again who left."""
    monkeypatch.setattr(feeding, "MOST_SECONDS_IN_HAND", 0.1)
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], relay_per_hour=20)
    issue = makers.sending(now, 30)

    def skipped() -> int:
        db.session.rollback()
        return accounts.counts(issue).skipped

    with AcceptingServer() as server:
        with running(app, issue, now, server.url):
            wait_until(lambda: len(server.received) >= 20)
            assert skipped() == 0
            with transaction() as session:
                last = session.scalars(select(Subscription).order_by(Subscription.id.desc()).limit(1)).one()
                last.state, last.left_at = SubscriptionState.LEFT, now
            wait_until(lambda: skipped() == 1)
            with transaction():
                control.pause(issue, actor=None, now=now)
        assert len(server.received) == 20
    db.session.rollback()
    found = accounts.counts(issue)
    assert (found.accepted, found.queued, found.skipped, found.adds_up) == (20, 9, 1, True)


def test_one_domain_that_stalls_does_not_hold_up_the_others(app: Flask, now: datetime) -> None:
    """Its server says nothing to any of its forty readers, who come first; everybody else has their mail meanwhile."""
    stalled = [f"reader{number}@stalled.example" for number in range(1, 41)]
    issue = makers.sending(now, 160)
    with transaction() as session:
        people_here = session.query(Subscriber).order_by(Subscriber.id).all()
        for number, person in enumerate(people_here):
            domain = "stalled.example" if number < 40 else f"d{number % 30}.example"
            person.address = person.address_key = f"reader{number + 1}@{domain}"
    server = ScriptedServer(extensions=PIPELINED, recipients=dict.fromkeys(stalled, STALL))
    server.start()
    with running(app, issue, now, server.url, connections=8):
        wait_until(lambda: len(server.accepted) >= 120)
        with transaction():
            control.pause(issue, actor=None, now=now)
        asked = [command for command in server.commands if b"RCPT" in command and b"@stalled.example" in command]
        server.stop()
    # A quarter of the connections is what it got before it was known.
    assert len(asked) <= 2
    db.session.rollback()
    found = accounts.counts(issue)
    assert (found.accepted, found.queued + found.deferred, found.unsure) == (120, 40, 0)


# Helpers


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait for what must come, a minute at most."""
    ends = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.02)


@contextmanager
def running(app: Flask, issue: Issue, now: datetime, url: str, connections: int = 4) -> Iterator[None]:
    """A worker that sends the issue in a thread of its own; it has ended when the block is left."""
    number = issue.id

    def work() -> None:
        with app.app_context():
            relay = SmtpRelay.from_url(url, connections=connections)
            # A server that is stopped is waited for until the run is over.
            engine.send_issue(number, read_clock=lambda: now, relay=relay, breaker=Breaker(waits=(60.0,) * 4))
            db.session.remove()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()
