"""One gate before an issue goes out, the same for everybody; and what happens to a date that nobody kept."""

from datetime import date, datetime, time, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.domain.issues import approving, audience, creating, editing, protocols, publishing, scheduling, testing
from newsletter.domain.issues.protocols import Happening, Obstacle
from newsletter.domain.issues.transitions import move
from newsletter.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from newsletter.models import Issue, Notice, Subscription
from newsletter.states import ISSUE_TRANSITIONS, IssueState, Role, SubscriptionState
from tests.domain.issue_makers import approved, desk, draft, tried, written
from tests.people import policy_changes, staff, subscribers


def _codes(issue: Issue, now: datetime) -> list[str]:
    return [obstacle.code for obstacle in scheduling.obstacles(issue, now)]


def test_a_new_issue_is_told_all_that_it_lacks(app: Flask, now: datetime) -> None:
    d = desk(now)
    assert _codes(draft(d, now), now) == ["preheader", "next_deadline", "test", "approval"]


def test_the_gate_opens_step_by_step(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    assert _codes(issue, now) == ["test", "approval"]
    prepared = approving.prepare(issue, now)
    with transaction():
        testing.send_test(issue, prepared, [d.ruth.email], actor=d.ruth, now=now)
    assert _codes(issue, now) == ["approval"]
    with transaction():
        approving.approve(issue, prepared, actor=d.ewan, now=now)
    assert _codes(issue, now) == []


def test_a_list_without_a_rhythm_needs_no_next_issue(app: Flask, now: datetime) -> None:
    mailing_list, ruth = policy_changes(now), staff(now, role=Role.ADMIN)
    subscribers(now, mailing_list, 1)
    with transaction():
        issue = creating.create_issue(mailing_list, title="New guide", actor=ruth, now=now)
        section = issue.blocks[1]
        editing.edit_block(section, {"heading": "New guide", "body": "<p>Read it by Easter.</p>"}, expected_version=1,
                           actor=ruth, now=now)  # fmt: skip
        creating.change_frame(issue, subject="The new guide is here", preheader="It has four levels instead of five.",
                              actor=ruth, now=now)  # fmt: skip
    assert _codes(issue, now) == ["settings", "test", "approval"]  # no organisation was set up in this story


def test_the_next_deadline_must_lie_after_the_day_it_goes_out(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    with transaction():
        creating.change_frame(issue, planned_at=datetime(2027, 2, 1, tzinfo=now.tzinfo), keep_planned_at=False,
                              actor=d.ruth, now=now)  # fmt: skip
    assert "next_deadline" in _codes(issue, now)


def test_nobody_to_send_to_is_an_obstacle_that_nothing_passes(app: Flask, now: datetime) -> None:
    issue = approved(desk(now), now)
    with transaction():
        for subscription in db.session.scalars(select(Subscription)):
            subscription.state, subscription.left_at = SubscriptionState.LEFT, now
    assert audience.count(issue) == 0
    with pytest.raises(Refused, match="Nobody is subscribed"), transaction():
        scheduling.schedule(issue, now, actor=None, now=now, override_reason="Now", immediately=True)


def test_scheduling_locks_the_words_and_cancelling_unlocks_them(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = approved(d, now)
    at = now + timedelta(hours=2)
    with transaction():
        scheduling.schedule(issue, at, actor=d.ruth, now=now)
    assert (issue.state, issue.scheduled_at, issue.rendition_id is not None) == (IssueState.SCHEDULED, at, True)
    told = db.session.scalars(select(Notice).where(Notice.template == "issue_scheduled")).all()
    assert {notice.values["at"] for notice in told} == {"noon, Monday 7 December 2026 (UK time)"}
    assert {notice.values["recipients"] for notice in told} == {5}
    approval = approving.current_approval(issue)
    assert approval is not None
    assert approving.is_current(issue, approving.rendition_of(approval), now)
    for attempt in (
        lambda: editing.delete_block(issue.blocks[2], actor=d.ruth, now=now),
        lambda: creating.change_frame(issue, subject="Other", actor=d.ruth, now=now),
        lambda: creating.change_deadline(
            issue.next_issue, Deadline.of(date(2027, 2, 5), time(17), "Europe/London"), actor=d.ruth, now=now
        ),
        lambda: scheduling.schedule(issue, at, actor=d.ruth, now=now),
    ):
        with pytest.raises(Refused), transaction():
            attempt()
    with transaction():
        scheduling.cancel_schedule(issue, actor=d.ruth, now=now)
    assert (issue.state, issue.scheduled_at, issue.rendition_id) == (IssueState.APPROVED, None, None)
    with pytest.raises(Refused), transaction():
        scheduling.cancel_schedule(issue, actor=d.ruth, now=now)


def test_a_schedule_is_a_quarter_of_an_hour_ahead_and_send_now_ten_minutes(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = approved(d, now)
    with pytest.raises(Invalid, match="15 minutes"), transaction():
        scheduling.schedule(issue, now + timedelta(minutes=14, seconds=59), actor=d.ruth, now=now)
    with transaction():
        assert scheduling.send_now(issue, actor=d.ruth, now=now) == now + timedelta(minutes=10)
    with transaction():
        scheduling.cancel_schedule(issue, actor=d.ruth, now=now)
    with transaction():
        scheduling.schedule(issue, now + timedelta(minutes=15), actor=d.ruth, now=now)
    assert issue.state is IssueState.SCHEDULED


def test_an_override_is_recorded_and_passes_no_missing_approval(app: Flask, now: datetime) -> None:
    d = desk(now)
    ada = staff(now, "Ada Lindqvist", Role.ADMIN)
    issue = written(d, now)
    with pytest.raises(NotAllowed), transaction():
        scheduling.schedule(issue, now, actor=d.ewan, now=now, override_reason="Flood", immediately=True)
    with pytest.raises(Refused, match="no approved mail"), transaction():
        scheduling.schedule(issue, now, actor=ada, now=now, override_reason="Flood", immediately=True)
    prepared = approving.prepare(issue, now)
    with transaction():
        approving.approve(issue, prepared, actor=ada, now=now, override_reason="Flood")
    with pytest.raises(Refused, match="No test email"), transaction():
        scheduling.schedule(issue, now, actor=ada, now=now, immediately=True)
    with transaction():
        scheduling.schedule(issue, now, actor=ada, now=now, override_reason="Flood", immediately=True)
    assert (issue.state, issue.scheduled_at) == (IssueState.SCHEDULED, now)


def test_a_date_that_passes_between_approval_and_schedule_stops_it(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    with transaction():
        views = {"heading": "Views", "body": "<p>Reply by 9 December 2026.</p>"}
        editing.add_block(issue, "section", views, position=2, actor=d.ruth, now=now)
        creating.change_frame(issue, planned_at=now, keep_planned_at=False, actor=d.ruth, now=now)
    assert "checks" not in _codes(issue, now)
    (checks,) = [each for each in scheduling.obstacles(issue, now + timedelta(days=5)) if each.code == "checks"]
    assert "Reply by 9 December 2026" in checks.sentence


def test_other_rooms_may_stand_in_the_way_and_are_told(
    app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocols, "_guards", {})
    monkeypatch.setattr(protocols, "_events", {})
    heard: list[tuple[Happening, str]] = []
    waiting = [Obstacle("contributions", "3 contributions wait for a decision.")]
    protocols.register_schedule_guard("calls", lambda issue, now: waiting)
    protocols.register_issue_event("calls", lambda what, issue, now: heard.append((what, issue.slug)))
    d = desk(now)
    issue = approved(d, now)
    with pytest.raises(Refused, match="3 contributions wait"), transaction():
        scheduling.schedule(issue, now + timedelta(hours=1), actor=d.ruth, now=now)
    waiting.clear()
    with transaction():
        scheduling.schedule(issue, now + timedelta(hours=1), actor=d.ruth, now=now)
        publishing.publish(issue, now)
        publishing.publish(issue, now)
    assert heard == [
        (Happening.APPROVED, "december-2026"),
        (Happening.SCHEDULED, "december-2026"),
        (Happening.PUBLISHED, "december-2026"),
    ]


def test_an_issue_that_is_cancelled_needs_a_reason_and_frees_the_one_before(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = approved(d, now)
    following = issue.next_issue
    assert following is not None
    with pytest.raises(Invalid), transaction():
        scheduling.cancel_issue(following, reason=" ", actor=d.ruth, now=now)
    with transaction():
        scheduling.cancel_issue(following, reason="Two issues become one", actor=d.ruth, now=now)
    assert (following.state, issue.next_issue, issue.state) == (IssueState.CANCELLED, None, IssueState.DRAFT)
    assert _codes(following, now) == ["state"]
    with pytest.raises(Refused), transaction():
        scheduling.cancel_issue(following, reason="Again", actor=d.ruth, now=now)


def test_a_planned_date_that_comes_without_a_schedule_is_told_once(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = tried(d, now)
    assert issue.planned_at is not None
    with transaction():
        assert scheduling.hold_unapproved(issue.planned_at - timedelta(seconds=1)) == []
    for expected in ([issue], [], []):
        with transaction():
            assert scheduling.hold_unapproved(issue.planned_at + timedelta(minutes=1)) == expected
    told = db.session.scalars(select(Notice).where(Notice.template == "schedule_held")).all()
    assert {notice.address for notice in told} == {"ruth@example.org", "ewan@example.org"}
    assert told[0].values["reason"] == "It is not approved yet."
    later = issue.planned_at + timedelta(days=7)
    with transaction():
        creating.change_frame(issue, planned_at=later, keep_planned_at=False, actor=d.ruth, now=now)
    with transaction():
        assert scheduling.hold_unapproved(later + timedelta(minutes=1)) == [issue]


# --- states and the archive ---------------------------------------------------------------------------------


def test_only_the_moves_of_the_table_are_made(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    for state in IssueState:
        if state not in ISSUE_TRANSITIONS[IssueState.DRAFT]:
            with pytest.raises(Refused), transaction():
                move(issue, state)
    assert issue.state is IssueState.DRAFT


def test_of_two_people_who_move_an_issue_one_is_told(app: Flask, now: datetime) -> None:
    issue = draft(desk(now), now)
    with pytest.raises(Conflict), transaction():
        assert issue.state is IssueState.DRAFT
        db.session.connection().exec_driver_sql("UPDATE issue SET state = 'in_review'")
        move(issue, IssueState.CANCELLED)


def test_drafts_are_not_in_the_archive(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = approved(d, now)
    for slug in ("december-2026", str(issue.id), "nothing"):
        with pytest.raises(NotFound):
            publishing.published_issue(slug)
    with transaction():
        scheduling.schedule(issue, now + timedelta(hours=1), actor=d.ruth, now=now)
        publishing.publish(issue, now)
    assert publishing.published_issue("december-2026") is issue
    assert publishing.published_issues() == publishing.published_issues(d.mailing_list) == [issue]
    with transaction():
        issue.mailing_list.public = False
    assert publishing.published_issues() == []
    assert db.session.scalar(select(func.count()).select_from(audience.recipients_select(issue).subquery())) == 5
