"""What people may do about a sending, and what they are told when they may not."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.delivery import control
from newsletter.delivery.reports import accounts
from newsletter.errors import NotAllowed, Refused
from newsletter.models import Activity, Delivery, Issue, Notice
from newsletter.states import DeliveryState, IssueState, Role, SkipReason
from tests import people
from tests.delivery import ledger
from tests.delivery.sending import makers
from tests.delivery.sending.conftest import RecordingRunner


@pytest.fixture
def issue(app: Flask, now: datetime) -> Issue:
    return makers.sending(now, 5)


def put(issue: Issue, number: int, state: DeliveryState, **values: object) -> Delivery:
    """Bring the delivery to reader `number` into a state, as a run would have."""
    with transaction() as session:
        row = session.scalars(select(Delivery).order_by(Delivery.id)).all()[number - 1]
        row.state, row.attempts = state, 1
        for name, value in values.items():
            setattr(row, name, value)
    ledger.tally(issue)
    return row


def test_pause_resume_and_cancel_are_written_down_and_told(
    issue: Issue, runner: RecordingRunner, now: datetime
) -> None:
    ruth, ewan = people.staff(now), people.staff(now, "Ewan Marsh")
    with transaction():
        control.pause(issue, reason="A wrong date", actor=ruth, now=now)
    assert (issue.state, issue.paused_at, issue.pause_reason) == (IssueState.PAUSED, now, "A wrong date")
    told = db.session.scalars(select(Notice).where(Notice.template == "sending_paused")).all()
    assert [notice.address for notice in told] == [ewan.email]
    with transaction():
        control.resume(issue, actor=ruth, now=now)
    assert (issue.state, issue.paused_at, issue.pause_reason) == (IssueState.SENDING, None, "")
    assert runner.rung[-1] == ("send_issue", (issue.id,))
    put(issue, 1, DeliveryState.ACCEPTED)
    put(issue, 2, DeliveryState.DEFERRED, retry_at=now + timedelta(hours=1))
    put(issue, 3, DeliveryState.UNSURE)
    with transaction():
        control.cancel(issue, reason="It is wrong", actor=ruth, now=now)
    found = accounts.counts(issue)
    assert (found.accepted, found.unsure, found.skipped) == (1, 1, 3)
    assert accounts.skipped(issue) == {SkipReason.CANCELLED: 3}
    actions = [each.action for each in accounts.recent_events(issue)]
    assert actions == ["issue.sending_cancelled", "issue.resumed", "issue.paused"]
    assert db.session.scalars(select(Activity.actor_name).distinct()).all() == [ruth.name]


def test_what_is_not_going_cannot_be_paused_and_the_like(issue: Issue, now: datetime) -> None:
    with transaction() as session:
        session.get_one(Issue, issue.id).state, issue.sent_at = IssueState.SENT, now
    for verb in (control.pause, control.resume, control.cancel):
        with pytest.raises(Refused, match="December 2026 is sent"), transaction():
            verb(issue, actor=None, now=now)
    assert issue.state is IssueState.SENT


def test_a_viewer_may_look_and_not_touch(issue: Issue, now: datetime) -> None:
    viewer = people.staff(now, "Vera Lund", Role.VIEWER)
    delivery = put(issue, 1, DeliveryState.UNSURE)
    for verb in (control.pause, control.resume, control.cancel, control.retry_deferred):
        with pytest.raises(NotAllowed), transaction():
            verb(issue, actor=viewer, now=now)
    for decision in (control.send_again, control.leave):
        with pytest.raises(NotAllowed), transaction():
            decision(delivery, actor=viewer, now=now)
    assert issue.state is IssueState.SENDING


def test_only_what_was_put_off_is_retried(issue: Issue, runner: RecordingRunner, now: datetime) -> None:
    put(issue, 1, DeliveryState.DEFERRED, retry_at=now + timedelta(hours=3))
    refused = put(issue, 2, DeliveryState.REFUSED, code=550)
    with transaction():
        assert control.retry_deferred(issue, actor=None, now=now) == 1
    assert accounts.next_retry(issue) == now
    assert db.session.get_one(Delivery, refused.id).state is DeliveryState.REFUSED
    assert runner.rung[-1] == ("send_issue", (issue.id,))


def test_only_an_unsure_one_is_decided_about(issue: Issue, now: datetime) -> None:
    accepted = put(issue, 1, DeliveryState.ACCEPTED)
    for decision in (control.send_again, control.leave):
        with pytest.raises(Refused, match="accepted, not unsure"), transaction():
            decision(accepted, actor=None, now=now)


def test_nothing_of_a_paused_issue_is_sent_again(issue: Issue, now: datetime) -> None:
    unsure = put(issue, 1, DeliveryState.UNSURE)
    with transaction():
        control.pause(issue, actor=None, now=now)
    with pytest.raises(Refused, match="Resume it first"), transaction():
        control.send_again(unsure, actor=None, now=now)
    assert accounts.counts(issue).unsure == 1


def test_all_in_doubt_are_sent_again_but_for_those_somebody_left(
    issue: Issue, runner: RecordingRunner, now: datetime
) -> None:
    for number in (1, 2, 3):
        put(issue, number, DeliveryState.UNSURE)
    left = put(issue, 4, DeliveryState.UNSURE)
    with transaction():
        control.leave(left, actor=None, now=now)
        assert control.send_all_again(issue, actor=None, now=now) == 3
    assert accounts.counts(issue).deferred == 3
    assert accounts.next_retry(issue) == now
    assert [each.delivery for each in accounts.in_doubt(issue)] == [left.id]
    assert runner.rung[-1] == ("send_issue", (issue.id,))
    assert accounts.recent_events(issue)[0].detail == {"people": 3}
    rung = len(runner.rung)
    with transaction():
        assert control.send_all_again(issue, actor=None, now=now) == 0
    assert len(runner.rung) == rung


def test_all_in_doubt_are_left_and_not_asked_about_any_more(issue: Issue, now: datetime) -> None:
    for number in (1, 2, 3):
        put(issue, number, DeliveryState.UNSURE)
    accepted = put(issue, 4, DeliveryState.ACCEPTED)
    with transaction():
        assert control.leave_all(issue, actor=None, now=now) == 3
        assert control.leave_all(issue, actor=None, now=now) == 0
    assert accounts.in_doubt(issue, undecided_only=True) == []
    assert accounts.counts(issue).unsure == 3
    db.session.refresh(accepted)
    assert accepted.decided_at is None
    assert [each.action for each in accounts.recent_events(issue)] == ["delivery.left"]


def test_deciding_about_all_needs_what_deciding_about_one_needs(issue: Issue, now: datetime) -> None:
    viewer = people.staff(now, "Vera Lund", Role.VIEWER)
    put(issue, 1, DeliveryState.UNSURE)
    for verb in (control.send_all_again, control.leave_all):
        with pytest.raises(NotAllowed), transaction():
            verb(issue, actor=viewer, now=now)
    with transaction():
        control.pause(issue, actor=None, now=now)
    with pytest.raises(Refused, match="Resume it first"), transaction():
        control.send_all_again(issue, actor=None, now=now)
    assert len(accounts.in_doubt(issue, undecided_only=True)) == 1
