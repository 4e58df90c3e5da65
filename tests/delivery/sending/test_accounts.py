"""Whatever happens to each message, the accounts add up; and where they do not, `verify` says so."""

import uuid
from datetime import datetime, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from newsletter.db import db, transaction
from newsletter.delivery import control
from newsletter.delivery.ledger.wirelog import Verdict, WireLog
from newsletter.delivery.pace.pacing import Breaker
from newsletter.delivery.reports import accounts
from newsletter.delivery.run import engine
from newsletter.errors import RelayBusy, RelayDown, RelayError, RelayRefused, RelayRejectsUs, RelayUnsure
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Delivery, Issue, MailingList
from newsletter.states import DeliveryState, IssueState
from newsletter.work import liveness
from tests import people
from tests.delivery import ledger
from tests.delivery.sending import makers

READERS = 12

FATES: dict[str, RelayError] = {
    "busy": RelayBusy("Try later", code=451),
    "down": RelayDown("The connection was lost"),
    "refused": RelayRefused("No such user", code=550),
    "rejects us": RelayRejectsUs("Not from you", code=554),
    "unsure": RelayUnsure("No answer came"),
}


@pytest.fixture
def mailing_list(app: Flask, now: datetime) -> MailingList:
    """A list with its readers; each example sends them another issue."""
    made = people.larkmere(now)
    people.subscribers(now, made, READERS)
    return made


@hypothesis_settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    fates=st.dictionaries(
        st.integers(1, READERS), st.lists(st.sampled_from(sorted(FATES)), min_size=1, max_size=4), max_size=READERS
    ),
    connections=st.integers(1, 4),
)
def test_whatever_the_relay_says_everybody_is_counted_once_and_nobody_gets_two(
    mailing_list: MailingList, now: datetime, fates: dict[int, list[str]], connections: int
) -> None:
    issue = makers.sending_to(now, mailing_list, f"news-{uuid.uuid4()}")
    relay = MemoryRelay(connections=connections)
    for number, errors in fates.items():
        relay.fail(f"reader{number}@example.org", *[FATES[error] for error in errors])
    at = now
    for _ in range(40):
        engine.send_issue(issue.id, read_clock=lambda at=at: at, relay=relay, breaker=Breaker(waits=(0, 0, 0, 0)))
        db.session.rollback()
        found = accounts.counts(issue)
        assert found.adds_up
        assert found.claimed == 0
        assert accounts.verify(issue) == []
        if issue.state is IssueState.PAUSED:
            with transaction():
                control.resume(issue, actor=None, now=at)
        elif not found.queued + found.deferred:
            break
        at += timedelta(hours=5)
    assert (found.queued, found.deferred) == (0, 0)
    assert issue.state is IssueState.SENT
    assert found.accepted == len(relay.accepted) == len(set(relay.recipients))
    states = makers.states(issue)
    assert {address for address, state in states.items() if state is DeliveryState.ACCEPTED} == set(relay.recipients)
    final = {"refused": DeliveryState.REFUSED, "unsure": DeliveryState.UNSURE}
    for number in range(1, READERS + 1):
        ends = [final[fate] for fate in fates.get(number, []) if fate in final]
        assert states[f"reader{number}@example.org"] is (ends[0] if ends else DeliveryState.ACCEPTED)


@pytest.fixture
def issue(app: Flask, now: datetime) -> Issue:
    return makers.sending(now, 4)


def spoil(statement: object) -> None:
    with transaction() as session:
        session.execute(statement)


def test_right_accounts_have_nothing_to_say(issue: Issue) -> None:
    assert accounts.verify(issue) == []


def test_a_row_that_is_missing_is_found(issue: Issue) -> None:
    spoil(text("DELETE FROM delivery WHERE id = (SELECT min(id) FROM delivery)"))
    ledger.tally(issue)
    assert accounts.verify(issue) == ["3 recipients are in the accounts, and 4 were frozen at the start."]


def test_sent_with_something_queued_is_found(issue: Issue, now: datetime) -> None:
    spoil(update(Issue).values(state=IssueState.SENT, sent_at=now))
    assert accounts.verify(issue) == ["The issue is called sent, and 4 messages are still queued."]


def test_cancelled_with_something_waiting_is_found(issue: Issue) -> None:
    spoil(update(Issue).values(state=IssueState.CANCELLED))
    assert accounts.verify(issue) == ["The issue is cancelled, and 4 messages still wait to be sent."]


def test_a_draft_with_deliveries_is_found(issue: Issue) -> None:
    spoil(update(Issue).values(state=IssueState.DRAFT))
    assert accounts.verify(issue) == ["The issue is draft, and yet 4 deliveries exist."]


def test_accepted_without_a_try_is_found(issue: Issue) -> None:
    spoil(update(Delivery).values(state=DeliveryState.ACCEPTED))
    ledger.tally(issue)
    assert accounts.verify(issue) == ["4 messages are called accepted and were never tried."]


def test_what_a_wire_log_contradicts_is_found(issue: Issue) -> None:
    first = db.session.scalars(select(Delivery.id).order_by(Delivery.id)).first()
    log = WireLog(liveness.wire_folder() / "left-behind.wire")
    log.started(first, 1)
    log.answered(first, 1, Verdict.ACCEPTED, 250)
    log.close()
    assert accounts.verify(issue) == [f"Delivery {first} was accepted, as a wire log says, and is still to be sent."]
