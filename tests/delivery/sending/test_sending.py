"""Stories of an issue being sent: who gets it, who does not, and what the accounts say afterwards."""

import email
import email.policy
import re
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.delivery import control
from newsletter.delivery.pace.pacing import Breaker
from newsletter.delivery.reports import accounts
from newsletter.delivery.run import engine
from newsletter.delivery.run.running import Ending
from newsletter.domain.subscribers.suppressing import suppress
from newsletter.errors import RelayBusy, RelayDown, RelayRefused, RelayRejectsUs, RelayUnsure
from newsletter.mail.memory import MemoryConnection, MemoryRelay
from newsletter.mail.relay import BeforeFinalDot, Envelope, Receipt
from newsletter.models import Delivery, Issue, Notice, Organisation, Subscriber, Subscription, Worker
from newsletter.states import (
    DeliveryState,
    IssueState,
    SendingMode,
    SkipReason,
    SubscriptionState,
    SuppressionReason,
)
from newsletter.tokens import read_unsubscribe_token
from newsletter.work import liveness
from tests import people
from tests.delivery.sending import makers

PATIENT = (0.0, 0.0, 0.0, 0.0)


def send(issue: Issue, at: datetime, breaker: Breaker | None = None) -> Ending:
    ending = engine.send_issue(issue.id, read_clock=lambda: at, breaker=breaker or Breaker(waits=PATIENT))
    db.session.rollback()
    return ending


def counts(issue: Issue) -> dict[str, int]:
    """The counts that are not zero."""
    db.session.rollback()
    found = accounts.counts(issue)
    assert found.adds_up
    return {name: number for name, number in found.as_dict().items() if number}


def notices(template: str) -> list[Notice]:
    return list(db.session.scalars(select(Notice).where(Notice.template == template)))


class ActingRelay(MemoryRelay):
    """A relay in whose presence something happens: `act` is called with the number of each message taken."""

    def __init__(self, act: Callable[[int], None], connections: int = 1) -> None:
        super().__init__(connections=connections)
        self.act = act

    async def connect(self) -> "ActingConnection":
        await super().connect()
        return ActingConnection(self)


class ActingConnection(MemoryConnection):
    def __init__(self, relay: ActingRelay) -> None:
        super().__init__(relay.accepted, relay._failures)
        self._relay = relay

    async def send(self, envelope: Envelope, *, before_final_dot: BeforeFinalDot | None = None) -> Receipt:
        receipt = await super().send(envelope, before_final_dot=before_final_dot)
        self._relay.act(len(self._relay.accepted))
        return receipt


# Who gets it


def test_each_reader_gets_one_copy_of_their_own(app: Flask, relay: MemoryRelay, now: datetime) -> None:
    issue = makers.sending(now, 40)
    assert send(issue, now) is Ending.DONE
    assert sorted(relay.recipients) == sorted(makers.states(issue))
    assert counts(issue) == {"accepted": 40}
    assert accounts.verify(issue) == []
    assert (issue.state, issue.sent_at) == (IssueState.SENT, now)
    keys = app.config["NEWSLETTER"].secret_keys
    names = select(Subscriber.address, Subscription.public_id).join(Subscription.subscriber)
    of_address = dict(db.session.execute(names).all())
    identifiers = set()
    for envelope in relay.accepted:
        mail = email.message_from_bytes(envelope.message, policy=email.policy.default)
        link = re.fullmatch(r"<https://news\.example\.org/u/(.+)>", mail["List-Unsubscribe"])
        assert link and read_unsubscribe_token(keys, link[1]) == of_address[envelope.recipient]
        assert mail["To"] == envelope.recipient
        assert link[1] in mail.get_body(("plain",)).get_content()
        assert link[1] in mail.get_body(("html",)).get_content()
        identifiers.add(mail["Message-ID"])
    assert len(identifiers) == 40


def test_those_who_left_paused_or_may_not_be_written_to_are_skipped_with_the_reason(
    app: Flask, relay: MemoryRelay, now: datetime
) -> None:
    issue = makers.sending(now, 6)
    with transaction() as session:
        rows = {row.subscriber.address: row for row in session.scalars(select(Subscription)) if row.subscriber}
        left, paused, back = (rows[f"reader{number}@example.org"] for number in (1, 2, 3))
        left.state, left.left_at = SubscriptionState.LEFT, now
        paused.paused_until = now + timedelta(days=1)
        back.paused_until = now
        suppress("Reader4@example.org", SuppressionReason.COMPLAINT, now=now)
        erased = rows["reader5@example.org"]
        erased.state, erased.left_at, erased.subscriber_id = SubscriptionState.LEFT, now, None
    send(issue, now)
    assert sorted(relay.recipients) == ["reader3@example.org", "reader6@example.org"]
    assert counts(issue) == {"accepted": 2, "skipped": 4}
    assert accounts.skipped(issue) == {
        SkipReason.LEFT: 1,
        SkipReason.PAUSED: 1,
        SkipReason.SUPPRESSED: 1,
        SkipReason.ERASED: 1,
    }


def test_who_unsubscribes_while_it_is_sent_is_not_sent_to(app: Flask, now: datetime) -> None:
    issue = makers.sending(now, 620)

    def unsubscribe(number: int) -> None:
        if number != 1:
            return
        with app.app_context(), transaction() as session:
            last = session.scalars(select(Subscription).order_by(Subscription.id.desc()).limit(1)).one()
            last.state, last.left_at = SubscriptionState.LEFT, now

    relay = ActingRelay(unsubscribe)
    app.extensions["newsletter_relay"] = relay
    send(issue, now)
    assert "reader620@example.org" not in relay.recipients
    assert counts(issue) == {"accepted": 619, "skipped": 1}


def test_an_installation_on_trial_sends_to_its_staff_only(app: Flask, relay: MemoryRelay, now: datetime) -> None:
    mailing_list = people.larkmere(now)
    ruth = people.staff(now)
    with transaction() as session:
        session.scalars(select(Organisation)).one().sending_mode = SendingMode.TEAM
        person = Subscriber(address="Ruth@example.org", address_key=ruth.email_key, created_at=now)
        row = Subscription(subscriber=person, list_id=mailing_list.id, joined_at=now, source="test")
        row.state = SubscriptionState.ACTIVE
        session.add(row)
    issue = makers.sending(now, 3, mailing_list)
    send(issue, now)
    assert relay.recipients == ["Ruth@example.org"]
    assert accounts.skipped(issue) == {SkipReason.TEAM_ONLY: 3}


def test_sending_that_is_switched_off_pauses_and_says_so(app: Flask, relay: MemoryRelay, now: datetime) -> None:
    issue = makers.sending(now, 3)
    with transaction() as session:
        session.scalars(select(Organisation)).one().sending_mode = SendingMode.NOTHING
    assert send(issue, now) is Ending.BROKEN
    assert relay.accepted == []
    assert issue.state is IssueState.PAUSED
    assert "switched off" in issue.pause_reason
    assert counts(issue) == {"queued": 3}


def test_a_name_that_no_header_can_carry_is_refused_and_stops_nobody(
    app: Flask, relay: MemoryRelay, now: datetime
) -> None:
    issue = makers.sending(now, 3)
    with transaction() as session:
        session.scalars(select(Subscriber).where(Subscriber.address == "reader2@example.org")).one().name = "A\x07B"
    send(issue, now)
    assert counts(issue) == {"accepted": 2, "refused": 1}
    assert "control" in (makers.delivery_to("reader2@example.org").reply or "").lower()


def test_what_is_sent_is_what_was_frozen(app: Flask, relay: MemoryRelay, now: datetime) -> None:
    issue = makers.sending(now, 2)
    with transaction() as session:
        held = session.get_one(Issue, issue.id)
        held.subject = "Something else"
        held.mailing_list.sender_name = "Somebody else"
    send(issue, now)
    mail = email.message_from_bytes(relay.accepted[0].message, policy=email.policy.default)
    assert (mail["Subject"], mail["From"]) == (
        "Safeguarding news: December 2026",
        "Safeguarding news <newsletter@example.org>",
    )


def test_bounces_come_back_to_an_address_that_names_the_subscription(
    app: Flask, relay: MemoryRelay, now: datetime
) -> None:
    from dataclasses import replace

    from newsletter.tokens import read_envelope_tag

    issue = makers.sending(now, 1)
    settings = app.config["NEWSLETTER"]
    app.config["NEWSLETTER"] = replace(settings, bounce_domain="bounces.example.org")
    send(issue, now)
    local, _, domain = relay.accepted[0].sender.partition("@")
    assert domain == "bounces.example.org"
    assert read_envelope_tag(settings.secret_keys, local) == db.session.scalars(select(Subscription.public_id)).one()


# What goes wrong with one message


def test_one_that_is_put_off_is_tried_again_after_the_issue_is_sent(
    app: Flask, relay: MemoryRelay, now: datetime
) -> None:
    issue = makers.sending(now, 3)
    relay.fail("reader2@example.org", RelayBusy("Try later", code=451, enhanced="4.7.1", reply="451 4.7.1 Greylisted"))
    send(issue, now)
    assert issue.state is IssueState.SENT
    assert counts(issue) == {"accepted": 2, "deferred": 1}
    waiting = makers.delivery_to("reader2@example.org")
    assert timedelta(minutes=5) <= waiting.retry_at - now <= timedelta(minutes=6)
    assert (waiting.code, waiting.enhanced, waiting.reply) == (451, "4.7.1", "451 4.7.1 Greylisted")

    assert engine.continue_sending(now + timedelta(minutes=4)) == []
    later = now + timedelta(minutes=6)
    assert engine.continue_sending(later) == [issue.id]
    send(issue, later)
    assert counts(issue) == {"accepted": 3}
    assert makers.delivery_to("reader2@example.org").attempts == 2
    assert issue.sent_at == now
    assert len(relay.accepted_for("reader2@example.org")) == 1


def test_one_that_is_put_off_for_five_days_is_given_up(app: Flask, relay: MemoryRelay, now: datetime) -> None:
    issue = makers.sending(now, 1)
    relay.fail("reader1@example.org", *[RelayBusy("Try later", code=451) for _ in range(100)])
    for days in (0, 2, 4):
        send(issue, now + timedelta(days=days))
        assert counts(issue) == {"deferred": 1}
    send(issue, now + timedelta(days=5))
    assert counts(issue) == {"refused": 1}
    assert (makers.delivery_to("reader1@example.org").reply or "").startswith("Given up after 5 days: ")


def test_one_that_is_refused_stays_refused(app: Flask, relay: MemoryRelay, now: datetime) -> None:
    issue = makers.sending(now, 3)
    relay.fail("reader1@example.org", RelayRefused("No", code=550, enhanced="5.1.1", reply="550 5.1.1 No such user"))
    send(issue, now)
    with transaction():
        assert control.retry_deferred(issue, actor=None, now=now) == 0
    send(issue, now + timedelta(days=2))
    assert counts(issue) == {"accepted": 2, "refused": 1}
    assert [(each.code, each.people) for each in accounts.reasons(issue, DeliveryState.REFUSED)] == [(550, 1)]


def test_an_unsure_one_is_sent_again_only_when_a_person_says_so(app: Flask, relay: MemoryRelay, now: datetime) -> None:
    issue = makers.sending(now, 3)
    for number in (1, 2):
        relay.fail(f"reader{number}@example.org", RelayUnsure("The answer did not come"))
    send(issue, now)
    engine.continue_sending(now + timedelta(days=1))
    send(issue, now + timedelta(days=1))
    assert counts(issue) == {"accepted": 1, "unsure": 2}
    assert [each.address for each in accounts.in_doubt(issue)] == ["reader1@example.org", "reader2@example.org"]

    with transaction():
        control.send_again(makers_get("reader1@example.org"), actor=None, now=now)
        control.leave(makers_get("reader2@example.org"), actor=None, now=now)
    send(issue, now + timedelta(minutes=1))
    assert relay.recipients.count("reader1@example.org") == 1
    assert counts(issue) == {"accepted": 2, "unsure": 1}
    assert accounts.in_doubt(issue, undecided_only=True) == []


def makers_get(address: str) -> Delivery:
    return db.session.scalars(
        select(Delivery)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Subscriber.address == address)
    ).one()


def test_a_message_that_breaks_every_connection_lets_the_others_go_first(
    app: Flask, relay: MemoryRelay, now: datetime
) -> None:
    issue = makers.sending(now, 5)
    relay.fail("reader1@example.org", *[RelayDown("It closed the connection") for _ in range(3)])
    send(issue, now)
    assert counts(issue) == {"accepted": 4, "deferred": 1}


# What goes wrong with the relay


def test_a_connection_that_is_lost_before_the_dot_costs_nothing(app: Flask, relay: MemoryRelay, now: datetime) -> None:
    issue = makers.sending(now, 8)
    for number in (2, 5, 7):
        relay.fail(f"reader{number}@example.org", RelayDown("It closed the connection"))
    assert send(issue, now) is Ending.DONE
    assert counts(issue) == {"accepted": 8}
    assert set(Counter(relay.recipients).values()) == {1}


def test_a_relay_that_cannot_be_reached_five_times_pauses_the_issue(
    app: Flask, relay: MemoryRelay, now: datetime
) -> None:
    mailing_list = people.larkmere(now)
    people.staff(now)
    issue = makers.sending(now, 4, mailing_list)
    relay.fail_to_connect(*[RelayDown("The mail server could not be reached") for _ in range(60)])
    assert send(issue, now) is Ending.BROKEN
    assert issue.state is IssueState.PAUSED
    assert "could not be reached (5 times in a row)" in issue.pause_reason
    assert counts(issue) == {"queued": 4}
    assert [notice.address for notice in notices("sending_paused")] == ["ruth@example.org"]
    assert relay.connects >= 5


def test_a_relay_that_comes_back_in_time_is_forgiven(app: Flask, relay: MemoryRelay, now: datetime) -> None:
    relay.limits = type(relay.limits)(1)
    issue = makers.sending(now, 4)
    relay.fail_to_connect(*[RelayDown("The mail server could not be reached") for _ in range(4)])
    assert send(issue, now) is Ending.DONE
    assert counts(issue) == {"accepted": 4}


def test_a_relay_that_objects_to_us_pauses_at_once_and_nobody_is_refused(
    app: Flask, relay: MemoryRelay, now: datetime
) -> None:
    mailing_list = people.larkmere(now)
    people.staff(now)
    issue = makers.sending(now, 20, mailing_list)
    relay.limits = type(relay.limits)(1)
    relay.fail("reader5@example.org", RelayRejectsUs("The sender is not allowed here", code=550, enhanced="5.7.1"))
    assert send(issue, now) is Ending.BROKEN
    assert issue.state is IssueState.PAUSED
    assert issue.pause_reason == "The sender is not allowed here"
    assert counts(issue) == {"accepted": 4, "queued": 16}
    assert send(issue, now) is Ending.DONE, "nothing is sent while it is paused"
    assert counts(issue) == {"accepted": 4, "queued": 16}

    with transaction():
        control.resume(issue, actor=None, now=now)
    send(issue, now)
    assert counts(issue) == {"accepted": 20}
    assert set(Counter(relay.recipients).values()) == {1}
    assert issue.state is IssueState.SENT


def test_a_message_that_is_objected_to_again_and_again_does_not_hold_up_the_others(
    app: Flask, relay: MemoryRelay, now: datetime
) -> None:
    issue = makers.sending(now, 6)
    relay.fail("reader1@example.org", *[RelayRejectsUs("We do not like this one", code=554) for _ in range(4)])
    for _ in range(3):
        send(issue, now)
        if issue.state is IssueState.PAUSED:
            with transaction():
                control.resume(issue, actor=None, now=now)
    assert counts(issue) == {"accepted": 5, "deferred": 1}
    assert issue.state is IssueState.SENT


def test_more_than_five_in_a_hundred_refused_at_the_start_pauses(app: Flask, relay: MemoryRelay, now: datetime) -> None:
    issue = makers.sending(now, 300)
    for number in range(1, 301, 4):
        relay.fail(f"reader{number}@example.org", RelayRefused("No such user", code=550))
    assert send(issue, now) is Ending.BROKEN
    assert issue.state is IssueState.PAUSED
    found = counts(issue)
    assert 11 <= found["refused"] <= 11 + relay.limits.connections
    assert found["queued"] > 200


def test_ten_refused_in_two_hundred_do_not(app: Flask, relay: MemoryRelay, now: datetime) -> None:
    issue = makers.sending(now, 300)
    for number in range(1, 201, 20):
        relay.fail(f"reader{number}@example.org", RelayRefused("No such user", code=550))
    assert send(issue, now) is Ending.DONE
    assert counts(issue) == {"accepted": 290, "refused": 10}


def test_a_relay_that_never_answers_does_not_make_everybody_unsure(
    app: Flask, relay: MemoryRelay, now: datetime
) -> None:
    issue = makers.sending(now, 300)
    for number in range(1, 301):
        relay.fail(f"reader{number}@example.org", RelayUnsure("The answer did not come"))
    assert send(issue, now) is Ending.BROKEN
    assert issue.state is IssueState.PAUSED
    assert counts(issue)["unsure"] <= 11 + relay.limits.connections


# What people do meanwhile


def test_pause_stops_it_and_resume_goes_on_exactly_there(app: Flask, now: datetime) -> None:
    issue = makers.sending(now, 700)
    held = threading.Event()

    def pause(number: int) -> None:
        if number == 100:
            with app.app_context(), transaction() as session:
                control.pause(session.get_one(Issue, issue_id), actor=None, now=now)
            held.set()

    issue_id = issue.id
    relay = SlowedRelay(pause, held)
    app.extensions["newsletter_relay"] = relay
    assert send(issue, now) is Ending.HELD
    found = counts(issue)
    assert issue.state is IssueState.PAUSED
    assert found["accepted"] == len(relay.accepted) < 700
    assert set(found) == {"accepted", "queued"}

    with transaction():
        control.resume(issue, actor=None, now=now)
    relay.pauses = False
    send(issue, now)
    assert counts(issue) == {"accepted": 700}
    assert set(Counter(relay.recipients).values()) == {1}


def test_pause_at_the_last_message_in_hand_ends_as_held_and_not_as_done(app: Flask, now: datetime) -> None:
    issue = makers.sending(now, 2)
    issue_id = issue.id

    def pause(number: int) -> None:
        with app.app_context(), transaction() as session:
            control.pause(session.get_one(Issue, issue_id), actor=None, now=now)

    relay = ActingRelay(pause)
    relay.fail("reader1@example.org", RelayBusy("Try later", code=451))
    app.extensions["newsletter_relay"] = relay
    assert send(issue, now) is Ending.HELD
    assert counts(issue) == {"accepted": 1, "deferred": 1}


class SlowedRelay(ActingRelay):
    """Takes its time once something has happened, so that there is time to see it."""

    def __init__(self, act: Callable[[int], None], happened: threading.Event) -> None:
        super().__init__(act, connections=2)
        self.pauses = True
        self._happened = happened

    async def connect(self) -> "SlowedConnection":
        await super().connect()
        return SlowedConnection(self)


class SlowedConnection(ActingConnection):
    async def send(self, envelope: Envelope, *, before_final_dot: BeforeFinalDot | None = None) -> Receipt:
        import asyncio

        relay = self._relay
        assert isinstance(relay, SlowedRelay)
        if relay.pauses and relay._happened.is_set():
            await asyncio.sleep(0.05)
        return await super().send(envelope, before_final_dot=before_final_dot)


def test_cancel_stops_the_rest_and_leaves_the_accepted_true(app: Flask, now: datetime) -> None:
    issue = makers.sending(now, 700)
    held = threading.Event()
    issue_id = issue.id

    def cancel(number: int) -> None:
        if number == 50:
            with app.app_context(), transaction() as session:
                control.cancel(session.get_one(Issue, issue_id), reason="A wrong date", actor=None, now=now)
            held.set()

    relay = SlowedRelay(cancel, held)
    relay.fail("reader3@example.org", RelayBusy("Try later", code=451))
    app.extensions["newsletter_relay"] = relay
    assert send(issue, now) is Ending.HELD
    found = counts(issue)
    assert issue.state is IssueState.CANCELLED
    assert found["accepted"] == len(relay.accepted) < 700
    assert set(found) == {"accepted", "skipped"}
    assert accounts.skipped(issue) == {SkipReason.CANCELLED: found["skipped"]}
    assert accounts.verify(issue) == []
    assert engine.continue_sending(now + timedelta(days=1)) == []


def test_two_senders_at_once_send_to_nobody_twice(app: Flask, relay: MemoryRelay, now: datetime) -> None:
    issue = makers.sending(now, 2_000)
    issue_id = issue.id
    db.session.rollback()
    start = threading.Barrier(3)

    def sender() -> None:
        start.wait()
        with app.app_context():
            engine.send_issue(issue_id, read_clock=lambda: now)

    threads = [threading.Thread(target=sender) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts(issue) == {"accepted": 2_000}
    assert set(Counter(relay.recipients).values()) == {1}
    assert issue.state is IssueState.SENT
    assert db.session.scalars(select(Worker).where(Worker.ended_at.is_(None))).all() == []


def test_a_process_that_is_asked_to_leave_gives_back_what_it_did_not_try(app: Flask, now: datetime) -> None:
    issue = makers.sending(now, 700)
    relay = ActingRelay(lambda number: liveness.leaving.set() if number == 60 else None)
    app.extensions["newsletter_relay"] = SlowedRelay(relay.act, liveness.leaving)
    assert send(issue, now) is Ending.LEAVING
    found = counts(issue)
    assert set(found) == {"accepted", "queued"}
    assert issue.state is IssueState.SENDING
    liveness.leaving.clear()
    app.extensions["newsletter_relay"] = MemoryRelay()
    send(issue, now)
    assert counts(issue) == {"accepted": 700}


def test_the_end_is_told_to_whoever_scheduled_it(app: Flask, relay: MemoryRelay, now: datetime) -> None:
    mailing_list = people.larkmere(now)
    ruth, _ewan = people.staff(now), people.staff(now, "Ewan Marsh")
    issue = makers.sending(now, 2, mailing_list)
    with transaction() as session:
        session.get_one(Issue, issue.id).scheduled_by_id = ruth.id
    send(issue, now)
    send(issue, now)
    told = notices("sending_finished")
    assert [notice.address for notice in told] == ["ruth@example.org"]
    assert (told[0].values["recipients"], told[0].values["accepted"]) == (2, 2)
