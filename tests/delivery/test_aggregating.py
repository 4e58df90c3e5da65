"""Old issues give up their deliveries; who counts, reads and verifies goes on as before."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from newsletter.db import db, transaction
from newsletter.delivery.reports import accounts, aggregating, report
from newsletter.models import Activity, Delivery, Issue, IssueReport, MailingList
from newsletter.states import DeliveryState, IssueState
from newsletter.work import liveness
from tests import people
from tests.databases import on_postgres
from tests.delivery import ledger
from tests.delivery.sending import makers

READERS = 25
QUARTER = timedelta(days=91)


@pytest.fixture
def sent(app: Flask, now: datetime) -> list[Issue]:
    return a_year(now)


def a_year(now: datetime) -> list[Issue]:
    """Five quarterly issues, oldest first, each sent to twenty-five; one of each was refused, one unsure and left."""
    mailing_list = people.larkmere(now)
    people.subscribers(now, mailing_list, READERS)
    return [send(now - QUARTER * back, mailing_list, f"issue-{5 - back}") for back in (4, 3, 2, 1, 0)]


def send(at: datetime, mailing_list: MailingList, slug: str) -> Issue:
    issue = makers.sending_to(at, mailing_list, slug)
    with transaction() as session:
        rows = session.scalars(select(Delivery).where(Delivery.issue_id == issue.id).order_by(Delivery.id)).all()
        for row in rows:
            row.state, row.attempts, row.updated_at = DeliveryState.ACCEPTED, 1, at
        rows[0].state, rows[0].code, rows[0].enhanced, rows[0].reply = DeliveryState.REFUSED, 550, "5.1.1", "550 no"
        rows[1].state, rows[1].decided_at = DeliveryState.UNSURE, at
        kept = session.get_one(Issue, issue.id)
        kept.state, kept.sent_at = IssueState.SENT, at + timedelta(minutes=1)
    ledger.tally(issue)
    return issue


def deliveries(issue: Issue) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(Delivery.issue_id == issue.id)) or 0


def change_one(issue: Issue, **values: object) -> None:
    with transaction() as session:
        row = session.scalars(select(Delivery).where(Delivery.issue_id == issue.id).limit(1)).one()
        for name, value in values.items():
            setattr(row, name, value)
    ledger.tally(issue)


def check(sent: list[Issue], now: datetime) -> None:
    """The two oldest give up their deliveries, and answer as before."""
    oldest = sent[0]
    before = accounts.counts(oldest)
    done = aggregating.aggregate_due(now)
    assert [(each.issue, each.deliveries) for each in done] == [(issue.id, READERS) for issue in sent[:2]]
    assert [deliveries(issue) for issue in sent] == [0, 0, READERS, READERS, READERS]
    assert accounts.counts(oldest) == before
    assert [accounts.verify(issue) for issue in sent] == [[]] * 5
    kept = report.kept(oldest)
    assert kept is not None
    assert (kept.counts["accepted"], kept.refused[0].people) == (READERS - 2, 1)
    assert accounts.aggregated_at(oldest) == now
    assert aggregating.aggregate_due(now) == []


def test_all_but_the_three_newest_give_up_their_deliveries(sent: list[Issue], now: datetime) -> None:
    check(sent, now)
    [first, _second] = db.session.scalars(select(Activity).where(Activity.action == "issue.deliveries_aggregated"))
    assert first.issue_id == sent[0].id
    assert first.detail["deliveries"] == READERS
    assert first.detail["counts"]["accepted"] == READERS - 2


@on_postgres
def test_on_postgresql_too(app: Flask, now: datetime) -> None:
    check(a_year(now), now)


def test_an_issue_of_before_there_were_totals_gets_them_first(sent: list[Issue], now: datetime) -> None:
    ledger.untally(sent[0])
    check(sent, now)


@pytest.mark.parametrize("state", [DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.DEFERRED])
def test_as_long_as_somebody_is_to_be_sent_to_all_stay(sent: list[Issue], now: datetime, state: DeliveryState) -> None:
    with liveness.life(now) as run:
        change_one(sent[0], state=state, retry_at=now, owner=run.epoch)
    assert [each.issue for each in aggregating.due(now)] == [sent[1].id]


def test_an_unsure_one_may_be_decided_for_thirty_days(sent: list[Issue], now: datetime) -> None:
    change_one(sent[0], state=DeliveryState.UNSURE, decided_at=None, updated_at=now - timedelta(days=29))
    assert [each.issue for each in aggregating.due(now)] == [sent[1].id]
    assert sent[0].id in [each.issue for each in aggregating.due(now + timedelta(days=2))]


def test_four_issues_in_a_month_all_keep_their_deliveries(app: Flask, now: datetime) -> None:
    mailing_list = people.larkmere(now)
    people.subscribers(now, mailing_list, 2)
    first, *_later = (send(now - timedelta(days=back), mailing_list, f"news-{back}") for back in (20, 10, 5, 0))
    assert aggregating.due(now) == []
    assert [each.issue for each in aggregating.due(now + timedelta(days=11))] == [first.id]


def test_issues_of_another_list_do_not_count(sent: list[Issue], now: datetime) -> None:
    other = people.policy_changes(now)
    with transaction() as session:
        session.execute(update(Issue).where(Issue.id == sent[4].id).values(list_id=other.id))
    assert [each.issue for each in aggregating.due(now)] == [sent[0].id]


def test_what_was_broken_off_goes_on(sent: list[Issue], now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregating, "CHUNK", 10)
    aggregating._begin(aggregating.due(now)[0], now)
    with transaction() as session:
        session.execute(Delivery.__table__.delete().where(Delivery.id.in_(select(Delivery.id).limit(10))))
    assert accounts.verify(sent[0]) == []
    later = now + timedelta(days=1)
    assert [each.deliveries for each in aggregating.aggregate_due(later)] == [READERS - 10, READERS]
    assert deliveries(sent[0]) == 0
    assert accounts.aggregated_at(sent[0]) == now
    kept = report.kept(sent[0])
    assert kept is not None
    assert kept.counts["accepted"] == READERS - 2


def test_its_report_is_not_made_again_of_nothing(sent: list[Issue], now: datetime) -> None:
    aggregating.aggregate_due(now)
    db.session.rollback()
    with transaction():
        report.keep(report.build(sent[0], now + timedelta(days=1)), sent[0].id)
    db.session.expire_all()
    assert db.session.get_one(IssueReport, sent[0].id).made_at == now
    assert sent[0].id not in report.refresh_due(now + timedelta(days=3))
