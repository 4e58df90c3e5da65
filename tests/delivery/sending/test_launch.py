"""The moment an issue goes out: once, as approved, to those who are subscribed then."""

import threading
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from newsletter.db import db, transaction
from newsletter.delivery import launch
from newsletter.delivery.pace.pacing import Breaker
from newsletter.delivery.reports import accounts
from newsletter.delivery.run import engine
from newsletter.domain.issues import approving, creating, scheduling
from newsletter.errors import Refused
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Account, Delivery, Issue, MailingList, Notice, Subscription
from newsletter.states import IssueState, SubscriptionState
from tests import people
from tests.delivery.sending.conftest import RecordingRunner

READERS = 7


@pytest.fixture
def mailing_list(app: Flask, now: datetime) -> MailingList:
    people.larkmere(now)
    made = people.policy_changes(now)
    people.subscribers(now, made, READERS)
    return made


@pytest.fixture
def ruth(mailing_list: MailingList, now: datetime) -> Account:
    return people.staff(now)


def scheduled(mailing_list: MailingList, at: datetime, now: datetime, title: str = "Bruising in babies") -> Issue:
    """An approved issue, scheduled past the checks by the system's administrator: what it says is not the matter."""
    with transaction():
        issue = creating.create_issue(mailing_list, title=title, actor=None, now=now)
        issue.subject = title
    prepared = approving.prepare(issue, now)
    with transaction():
        approving.approve(issue, prepared, actor=None, now=now, override_reason="A test of the launch")
    with transaction():
        scheduling.schedule(issue, at, actor=None, now=now, override_reason="A test of the launch")
    return issue


def notices(template: str) -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Notice.address).where(Notice.template == template)))


def test_it_goes_out_when_its_time_has_come(
    app: Flask, mailing_list: MailingList, ruth: Account, relay: MemoryRelay, runner: RecordingRunner, now: datetime
) -> None:
    at = now + timedelta(hours=1)
    issue = scheduled(mailing_list, at, now)
    assert launch.launch_due(at - timedelta(seconds=1)) == []
    assert launch.launch_due(at) == [issue.id]
    assert (issue.state, issue.started_at, issue.published_at) == (IssueState.SENDING, at, at)
    assert issue.recipients == READERS == accounts.counts(issue).queued
    assert ("send_issue", (issue.id,)) in runner.rung
    assert notices("sending_started") == ["ruth@example.org"]
    assert launch.launch_due(at) == []

    engine.send_issue(issue.id, read_clock=lambda: at, breaker=Breaker())
    db.session.rollback()
    assert issue.state is IssueState.SENT
    assert len(relay.accepted) == READERS


def test_twenty_who_launch_it_at_once_launch_it_once(
    app: Flask, mailing_list: MailingList, ruth: Account, now: datetime
) -> None:
    at = now + timedelta(hours=1)
    issue = scheduled(mailing_list, at, now)
    issue_id = issue.id
    db.session.rollback()
    start, launched = threading.Barrier(20), []

    def launch_it() -> None:
        start.wait()
        with app.app_context():
            launched.append(launch.launch(issue_id, at))

    threads = [threading.Thread(target=launch_it) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(launched) == [False] * 19 + [True]
    assert accounts.counts(issue).total == issue.recipients == READERS
    assert notices("sending_started") == ["ruth@example.org"]


def test_who_subscribes_later_or_left_before_is_not_in_it(app: Flask, mailing_list: MailingList, now: datetime) -> None:
    at = now + timedelta(hours=1)
    issue = scheduled(mailing_list, at, now)
    with transaction() as session:
        first = session.scalars(select(Subscription).order_by(Subscription.id).limit(1)).one()
        first.state, first.left_at = SubscriptionState.LEFT, now
    launch.launch_due(at)
    assert issue.recipients == READERS - 1
    with transaction() as session:
        session.execute(update(Subscription).values(state=SubscriptionState.ACTIVE, left_at=None))
    assert accounts.counts(issue).adds_up
    with pytest.raises(IntegrityError), transaction():
        launch.freeze(issue, at)


def test_two_hours_late_still_goes_later_it_is_asked_about_once(
    app: Flask, mailing_list: MailingList, ruth: Account, now: datetime
) -> None:
    at = now + timedelta(hours=1)
    on_time = scheduled(mailing_list, at, now)
    assert launch.launch_due(at + timedelta(hours=2)) == [on_time.id]

    late = scheduled(mailing_list, at, now, "Neglect: new guidance")
    after_outage = at + timedelta(hours=2, seconds=1)
    for _ in range(3):
        assert launch.launch_due(after_outage) == []
    assert late.state is IssueState.SCHEDULED
    assert launch.is_late(late, after_outage)
    assert notices("schedule_held") == ["ruth@example.org"]
    assert accounts.counts(late).total == 0

    with pytest.raises(Refused, match="not waiting to be sent late"):
        launch.launch_late(on_time.id, actor=ruth, now=after_outage)
    assert launch.launch_late(late.id, actor=ruth, now=after_outage)
    assert late.state is IssueState.SENDING


def test_what_changed_after_the_approval_does_not_go_out(
    app: Flask, mailing_list: MailingList, ruth: Account, now: datetime
) -> None:
    at = now + timedelta(hours=1)
    issue = scheduled(mailing_list, at, now)
    with transaction() as session:
        session.get_one(MailingList, mailing_list.id).contact_address = "somebody-else@example.org"
    assert launch.launch_due(at) == []
    assert issue.state is IssueState.DRAFT
    assert accounts.counts(issue).total == 0
    assert issue.published_at is None
    assert notices("schedule_held") == ["ruth@example.org"]
    assert approving.current_approval(issue) is None


def test_an_issue_that_lost_all_its_readers_is_not_sent_to_nobody(
    app: Flask, mailing_list: MailingList, now: datetime
) -> None:
    at = now + timedelta(hours=1)
    issue = scheduled(mailing_list, at, now)
    with transaction() as session:
        session.execute(update(Subscription).values(state=SubscriptionState.LEFT, left_at=now))
    assert launch.launch_due(at) == []
    assert issue.state is IssueState.DRAFT


def test_one_that_cannot_be_launched_keeps_no_other_from_it(
    app: Flask, mailing_list: MailingList, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = now + timedelta(hours=1)
    broken, good = scheduled(mailing_list, at, now), scheduled(mailing_list, at, now, "Neglect: new guidance")
    is_current = approving.is_current

    def fails_once(issue: Issue, *rest: object) -> bool:
        if issue.id == broken.id:
            raise ValueError("the mail cannot be made")
        return is_current(issue, *rest)

    monkeypatch.setattr(approving, "is_current", fails_once)
    assert launch.launch_due(at) == [good.id]
    assert broken.state is IssueState.SCHEDULED
    assert db.session.scalars(select(Delivery.issue_id).distinct()).all() == [good.id]
