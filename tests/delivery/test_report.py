"""The report of an issue: true to its deliveries and to what came back, kept, and made anew while there is news."""

import json
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from newsletter import addresses
from newsletter.db import db, transaction
from newsletter.delivery.reports import report
from newsletter.delivery.reports.rates import Level, bounces, complaints
from newsletter.delivery.reports.reasons import plain
from newsletter.models import Consent, Delivery, Feedback, Issue, IssueReport, Subscriber, Subscription
from newsletter.states import ConsentEvent, DeliveryState, FeedbackKind, IssueState, SkipReason
from tests.databases import on_postgres
from tests.delivery import ledger
from tests.delivery.sending import makers

READERS = 20
#: reader1 to reader8 are the council's, reader9 to reader13 a school's; the others have a domain each.
DOMAINS = ["council.example.org"] * 8 + ["school.example.org"] * 5


@pytest.fixture
def issue(app: Flask, now: datetime) -> Issue:
    return make(now)


def make(now: datetime) -> Issue:
    """December, sent to twenty in two minutes: three refused, one put off, one left before, and fifteen accepted."""
    issue = makers.sending(now, READERS)
    with transaction() as session:
        people = session.scalars(select(Subscriber).order_by(Subscriber.id)).all()
        for number, person in enumerate(people):
            domain = DOMAINS[number] if number < len(DOMAINS) else f"d{number}.example.org"
            person.address = f"reader{number + 1}@{domain}"
            person.address_key = addresses.key(person.address)
        rows = session.scalars(select(Delivery).order_by(Delivery.id)).all()
        for number, row in enumerate(rows):
            row.state, row.attempts, row.updated_at = DeliveryState.ACCEPTED, 1, now + timedelta(seconds=6 * number)
        for row, code, enhanced, reply in (
            (rows[0], 550, "5.1.1", "550 5.1.1 <reader1@council.example.org>: no such user"),
            (rows[1], 550, "5.1.1", "550 5.1.1 <reader2@council.example.org>: no such user"),
            (rows[19], 552, "5.2.2", "552 5.2.2 <b>over</b> quota"),
        ):
            row.state, row.code, row.enhanced, row.reply = DeliveryState.REFUSED, code, enhanced, reply
        put_off, left = rows[18], rows[17]
        put_off.state, put_off.retry_at = DeliveryState.DEFERRED, now + timedelta(hours=1)
        put_off.code, put_off.reply = 451, "451 try again"
        left.state, left.skip_reason = DeliveryState.SKIPPED, SkipReason.LEFT
        kept = session.get_one(Issue, issue.id)
        kept.state, kept.sent_at = IssueState.SENT, now + timedelta(minutes=2)
    ledger.tally(issue)
    return issue


def subscription(number: int) -> Subscription:
    return db.session.scalars(
        select(Subscription).join(Subscriber).where(Subscriber.address.like(f"reader{number}@%"))
    ).one()


def came_back(issue: Issue, number: int, kind: FeedbackKind, at: datetime) -> None:
    person = subscription(number)
    with transaction() as session:
        session.add(Feedback(kind=kind, subscription_id=person.id, issue_id=issue.id, at=at))


def left(number: int, at: datetime) -> None:
    person = subscription(number)
    with transaction() as session:
        session.add(Consent(subscription_id=person.id, event=ConsentEvent.WITHDRAWN, at=at, route="link"))


def check(issue: Issue, now: datetime) -> None:
    """All that a report says, of the December of `make`."""
    came_back(issue, 9, FeedbackKind.HARD, now + timedelta(hours=2))
    came_back(issue, 9, FeedbackKind.SOFT, now + timedelta(hours=1))
    came_back(issue, 14, FeedbackKind.POLICY, now + timedelta(hours=1))
    came_back(issue, 3, FeedbackKind.COMPLAINT, now + timedelta(hours=3))
    for hours, number in ((0.5, 4), (0.9, 5), (30, 6), (24 * 8, 7)):
        left(number, now + timedelta(hours=hours))

    found = report.build(issue, now + timedelta(hours=36))

    assert found.counts == {
        "queued": 0, "claimed": 0, "accepted": 15, "deferred": 1, "refused": 3, "unsure": 0, "skipped": 1,
    }  # fmt: skip
    assert found.skipped == {"left": 1}
    assert [(cause.code, cause.enhanced, cause.people) for cause in found.refused] == [
        (550, "5.1.1", 2),
        (552, "5.2.2", 1),
    ]
    assert found.refused[0].reply == "550 5.1.1 <…@council.example.org>: no such user"
    assert [cause.reply for cause in found.deferred] == ["451 try again"]
    assert [vars(domain) for domain in (*found.domains, found.others)] == [
        {"name": "council.example.org", "people": 8, "accepted": 6, "refused": 2, "bounced": 0, "complained": 1},
        {"name": "school.example.org", "people": 5, "accepted": 5, "refused": 0, "bounced": 1, "complained": 0},
        {"name": "", "people": 7, "accepted": 4, "refused": 1, "bounced": 1, "complained": 0},
    ]
    assert found.came_back == {"hard": 1, "soft": 1, "policy": 1, "complaint": 1, "bounced": 2}
    assert found.accepted.seconds == 10
    assert found.accepted.total == 15
    assert found.unsubscribed.seconds == 3600
    assert len(found.unsubscribed.numbers) == 36
    assert {hour: people for hour, people in enumerate(found.unsubscribed.numbers) if people} == {0: 2, 30: 1}
    assert report.Report.from_dict(json.loads(json.dumps(found.as_dict()))) == found


def test_it_says_what_happened(issue: Issue, now: datetime) -> None:
    ledger.untally(issue)
    check(issue, now)


@on_postgres
def test_on_postgresql_too(app: Flask, now: datetime) -> None:
    issue = make(now)
    ledger.untally(issue)
    check(issue, now)
    ledger.accepted_in(issue, {now: 10, now + timedelta(seconds=110): 5})
    assert report.build(issue, now).accepted.numbers == (10, *[0] * 10, 5, 0)
    assert report.refresh_due(now + timedelta(hours=2)) == [issue.id]
    assert report.refresh_due(now + timedelta(hours=4)) == [issue.id]


def test_the_chart_is_of_the_slots_that_were_kept_while_it_went_out(issue: Issue, now: datetime) -> None:
    slots = {now: 9, now + timedelta(seconds=110): 5, now + timedelta(minutes=65): 1}
    ledger.accepted_in(issue, slots)
    found = report.build(issue, now + timedelta(hours=2))
    assert found.accepted.numbers == (9, *[0] * 10, 5, 0)
    assert found.accepted_later == 1


@pytest.mark.parametrize(("took", "step"), [(1, 10), (9, 10), (20, 30), (55, 60), (4 * 60, 300), (5 * 24 * 60, 14_400)])
def test_however_long_it_took_the_chart_has_sixty_bars_at_most(
    issue: Issue, now: datetime, took: int, step: int
) -> None:
    end = now + timedelta(minutes=took)
    with transaction() as session:
        session.get_one(Issue, issue.id).sent_at = end
    ledger.accepted_in(issue, {now: 1, end - timedelta(seconds=10): 2, end: 3})
    found = report.build(issue, end).accepted
    assert found.seconds == step
    assert len(found.numbers) <= 60
    assert found.total == 6


def test_those_who_were_erased_stay_in_the_numbers(issue: Issue, now: datetime) -> None:
    with transaction() as session:
        session.execute(
            update(Subscription).where(Subscription.id == subscription(3).id).values(
                subscriber_id=None, state="removed", left_at=now
            )
        )  # fmt: skip
    found = report.build(issue, now)
    assert [(each.name, each.people) for each in (*found.domains, found.others)] == [
        ("council.example.org", 7), ("school.example.org", 5), ("", 8),
    ]  # fmt: skip


def made_at(issue: Issue) -> datetime | None:
    db.session.rollback()
    return db.session.scalar(select(IssueReport.made_at).where(IssueReport.issue_id == issue.id))


def test_it_is_made_once_the_issue_is_sent_and_every_hour_while_somebody_is_put_off(
    issue: Issue, now: datetime
) -> None:
    assert report.kept(issue) is None
    assert report.refresh_due(now) == [issue.id]
    assert report.kept(issue) == report.build(issue, now)
    assert report.refresh_due(now + timedelta(minutes=59)) == []
    for days in (1, 20):
        assert report.refresh_due(now + timedelta(days=days)) == [issue.id]
        assert made_at(issue) == now + timedelta(days=days)


def test_after_a_week_only_news_makes_it_anew(issue: Issue, now: datetime) -> None:
    with transaction() as session:
        session.execute(
            update(Delivery).where(Delivery.state == DeliveryState.DEFERRED).values(state=DeliveryState.ACCEPTED)
        )
    end = now + timedelta(minutes=2)
    assert report.refresh_due(end + timedelta(days=6)) == [issue.id]
    assert report.refresh_due(end + timedelta(days=7, hours=1)) == [issue.id]
    assert report.refresh_due(end + timedelta(days=9)) == []
    came_back(issue, 9, FeedbackKind.HARD, end + timedelta(days=10))
    assert report.refresh_due(end + timedelta(days=11)) == [issue.id]
    kept = report.kept(issue)
    assert kept is not None
    assert kept.came_back["bounced"] == 1
    assert report.refresh_due(end + timedelta(days=12)) == []


def test_what_is_being_sent_has_no_report_yet(app: Flask, now: datetime) -> None:
    makers.sending(now, 2)
    assert report.refresh_due(now) == []


@pytest.mark.parametrize(
    ("code", "enhanced", "words", "said"),
    [
        (
            550,
            "5.1.1",
            "550 5.1.1 The email account you tried to reach is not there",
            "There is no such mailbox",
        ),
        (550, "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound", "There is no such mailbox"),
        (550, "", "550 No such user here", "There is no such mailbox"),
        (552, "5.2.2", "552 5.2.2 Mailbox full", "The mailbox is full"),
        (452, "4.2.2", "452 4.2.2 The email account is over quota", "The mailbox is full"),
        (550, "5.2.1", "550 5.2.1 The account is disabled", "The mailbox is switched off"),
        (550, "5.7.1", "550 5.7.1 Message blocked", "Their mail server turned it away by a rule of its own"),
        (451, "4.7.1", "451 4.7.1 Greylisted", "Their mail server asked us to wait"),
        (450, "", "450 try again later", "Their mail server asked us to wait"),
        (550, "5.4.4", "550 5.4.4 Host not found", "What stands after the @ takes no mail, or is misspelt"),
        (554, "", "554 Sorry", "Their mail server does not take it"),
        (None, "", "Nobody answered", "The connection to the mail server broke off"),
    ],
)
def test_what_a_server_says_is_said_in_plain_words(code: int | None, enhanced: str, words: str, said: str) -> None:
    assert plain(code, enhanced, words) == said


@pytest.mark.parametrize(
    ("measure", "level", "percent"),
    [
        (complaints(0, 5_000), Level.GOOD, "0%"),
        (complaints(4, 5_000), Level.GOOD, "0.08%"),
        (complaints(5, 5_000), Level.WATCH, "0.1%"),
        (complaints(15, 5_000), Level.BAD, "0.3%"),
        (complaints(1, 90), Level.WATCH, "1.11%"),
        (complaints(2, 90), Level.BAD, "2.22%"),
        (complaints(1, 500_000), Level.GOOD, "less than 0.01%"),
        (bounces(0, 0), Level.GOOD, "0%"),
        (bounces(19, 1_000), Level.GOOD, "1.9%"),
        (bounces(20, 1_000), Level.WATCH, "2%"),
        (bounces(50, 1_000), Level.BAD, "5%"),
    ],
)
def test_rates_are_held_against_the_lines_of_mailbox_providers(measure: object, level: Level, percent: str) -> None:
    assert (measure.level, measure.percent) == (level, percent)
    assert measure.words
