"""The totals that pages read: as good as the deliveries themselves, and found out where they are not."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, event, select, update

from newsletter.db import db, transaction
from newsletter.delivery.reports import accounts
from newsletter.models import Delivery, DeliveryTally, Issue
from newsletter.states import DeliveryState, IssueState
from tests.delivery import ledger
from tests.delivery.sending import makers


@pytest.fixture
def issue(app: Flask, now: datetime) -> Issue:
    return makers.sending(now, 4)


def accept(number: int, at: datetime) -> None:
    with transaction() as session:
        for row in session.scalars(select(Delivery).order_by(Delivery.id).limit(number)):
            row.state, row.attempts, row.updated_at = DeliveryState.ACCEPTED, 1, at


def test_the_counts_are_read_from_the_totals_and_not_from_the_deliveries(issue: Issue, now: datetime) -> None:
    accept(3, now)
    ledger.tally(issue)
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda _c, _u, words, *_: statements.append(words))
    found = accounts.counts(issue)
    assert (found.queued, found.accepted, found.recipients) == (1, 3, 4)
    assert not [words for words in statements if "FROM delivery " in words or "FROM delivery\n" in words]


def test_an_issue_of_before_there_were_totals_is_counted_out(issue: Issue, now: datetime) -> None:
    accept(3, now)
    ledger.untally(issue)
    assert accounts.tallied(issue) is None
    assert accounts.counts(issue).accepted == 3
    assert accounts.verify(issue) == []


def test_totals_that_do_not_add_up_are_not_believed(issue: Issue, now: datetime) -> None:
    accept(3, now)
    ledger.tally(issue)
    with transaction() as session:
        session.execute(update(DeliveryTally).where(DeliveryTally.state == DeliveryState.ACCEPTED).values(number=2))
    assert accounts.counts(issue).accepted == 3


def test_verify_counts_the_deliveries_and_says_where_the_totals_differ(issue: Issue, now: datetime) -> None:
    ledger.tally(issue)
    accept(3, now)
    assert accounts.verify(issue) == [
        "The totals that pages show say 4 queued; the deliveries themselves are 1.",
        "The totals that pages show say 0 accepted; the deliveries themselves are 3.",
    ]
    ledger.tally(issue)
    assert accounts.verify(issue) == []


def test_the_rate_is_that_of_the_last_half_minute(issue: Issue, now: datetime) -> None:
    with transaction() as session:
        session.execute(delete(DeliveryTally))
        session.add_all(
            DeliveryTally(issue_id=issue.id, state=state, number=number)
            for state, number in {
                DeliveryState.QUEUED: 20,
                DeliveryState.CLAIMED: 10,
                DeliveryState.ACCEPTED: 60,
            }.items()
        )
    # Ten a second for a minute, then one a second; the last slot has run for five seconds.
    slots = {now + timedelta(seconds=10 * number): 100 for number in range(6)}
    slots |= {now + timedelta(seconds=60): 10, now + timedelta(seconds=70): 10, now + timedelta(seconds=80): 5}
    ledger.accepted_in(issue, slots)
    rate = accounts.rate(issue, now + timedelta(seconds=85))
    assert rate.per_second == 1.0
    assert rate.time_left == timedelta(seconds=30)
    assert accounts.rate(issue, now + timedelta(hours=1)) == accounts.Rate(0.0, None)
    assert accounts.rate(issue, datetime(2027, 1, 1, tzinfo=UTC)).per_second == 0


def test_in_the_first_seconds_the_rate_is_over_the_seconds_there_were(issue: Issue, now: datetime) -> None:
    ledger.tally(issue)
    ledger.accepted_in(issue, {now: 12})
    assert accounts.rate(issue, now + timedelta(seconds=4)).per_second == 3.0
    assert accounts.rate(issue, now + timedelta(milliseconds=1)).per_second == 12.0


def test_the_rate_of_an_issue_without_totals_is_that_of_its_deliveries(issue: Issue, now: datetime) -> None:
    accept(3, now + timedelta(seconds=50))
    ledger.untally(issue)
    rate = accounts.rate(issue, now + timedelta(seconds=60))
    assert rate.per_second == pytest.approx(0.1)
    assert rate.time_left == timedelta(seconds=10)


def test_what_does_not_go_has_no_rate(issue: Issue, now: datetime) -> None:
    ledger.tally(issue)
    ledger.accepted_in(issue, {now: 100})
    with transaction() as session:
        session.get_one(Issue, issue.id).state = IssueState.PAUSED
    assert accounts.rate(issue, now + timedelta(seconds=5)) == accounts.Rate(0.0, None)
