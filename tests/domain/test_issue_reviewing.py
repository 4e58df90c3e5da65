"""Who is asked, what they are shown, on which day; and how an approval ends under the eyes of who gave it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.delivery.notices import notice_mail
from newsletter.domain.issues import approving, editing, reviewing, scheduling, testing
from newsletter.domain.issues.approving import current_approval
from newsletter.errors import Conflict, Invalid, Refused
from newsletter.models import Issue, MailingList, Notice
from newsletter.states import IssueState, Role
from tests.domain.issue_makers import Desk, approved, desk, tried
from tests.people import staff


def _told(template: str) -> list[str]:
    return list(db.session.scalars(select(Notice.address).where(Notice.template == template).order_by(Notice.id)))


def _submit(issue: Issue, d: Desk, now: datetime, asked: list[int] | None = None, note: str = "") -> None:
    prepared = approving.prepare(issue, now)
    with transaction():
        approving.submit_for_review(issue, prepared, asked=asked, note=note, actor=d.ruth, now=now)


def _edit(issue: Issue, d: Desk, now: datetime, words: str = "Other words") -> None:
    block = issue.blocks[2]
    with transaction():
        editing.edit_block(
            block, {"heading": words, "body": "<p>Families.</p>"}, expected_version=block.version, actor=d.ruth, now=now
        )


# --- who is asked --------------------------------------------------------------------------------------------


def test_only_those_who_were_chosen_are_asked_and_a_deputy_later(app: Flask, now: datetime) -> None:
    d = desk(now)
    anna = staff(now, "Anna Reyes", Role.APPROVER)
    issue = tried(d, now)
    with pytest.raises(Invalid, match="Choose who"):
        _submit(issue, d, now, asked=[d.ruth.id])
    _submit(issue, d, now, asked=[anna.id, d.ruth.id, 999])
    assert (_told("approval_requested"), reviewing.asked(issue)) == (["anna@example.org"], [anna])
    with transaction():
        assert reviewing.ask_others(issue, [d.ewan.id], actor=d.ruth, now=now) == [d.ewan]
    assert _told("approval_requested") == ["anna@example.org", "ewan@example.org"]
    assert reviewing.asked(issue) == [anna, d.ewan]
    with pytest.raises(Invalid), transaction():
        reviewing.ask_others(issue, [], actor=d.ruth, now=now)
    _edit(issue, d, now)
    with pytest.raises(Refused, match="nobody is being asked"), transaction():
        reviewing.ask_others(issue, [d.ewan.id], actor=d.ruth, now=now)
    assert reviewing.ended(issue) is None


def test_the_mail_that_asks_holds_the_issue_and_what_changed(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = tried(d, now)
    _submit(issue, d, now, note="Before Friday, please.")
    first = db.session.scalars(select(Notice).where(Notice.template == "approval_requested")).one()
    mail = notice_mail.write(first, now).message.decode()
    assert "Before Friday, please." in mail
    assert "What changed since" not in mail
    assert mail.count("The Boathouse is open") >= 2
    assert "/desk/issues/december-2026/approval" in mail
    assert "{unsubscribe_url}" not in mail
    with transaction():
        approving.return_to_draft(issue, "Say who may come.", actor=d.ewan, now=now)
    _edit(issue, d, now, "The Boathouse is open to all")
    assert [change.name for change in reviewing.since_last_look(issue)[1]] == ["The Boathouse is open to all"]
    _submit(issue, d, now)
    second = db.session.scalars(
        select(Notice).where(Notice.template == "approval_requested").order_by(Notice.id.desc())
    )
    mail = notice_mail.write(second.first() or first, now).message.decode()
    assert "What changed since it was last read" in mail
    assert "has changed" in mail
    assert [change.name for change in reviewing.since_last_look(issue)[1]] == ["The Boathouse is open to all"]


def test_a_word_with_the_approval_reaches_those_who_wrote_it(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = tried(d, now)
    prepared = approving.prepare(issue, now)
    with transaction():
        approval = approving.approve(issue, prepared, actor=d.ewan, now=now, comment=" Well done. ")
    notice = db.session.scalars(select(Notice).where(Notice.template == "issue_approved")).one()
    assert (approval.comment, notice.values["comment"]) == ("Well done.", "Well done.")


# --- how it ends ---------------------------------------------------------------------------------------------


def test_an_edit_ends_the_approval_and_says_whose_and_what(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = approved(d, now)
    assert reviewing.ended(issue) is None
    _edit(issue, d, now + timedelta(hours=1))
    gone = reviewing.ended(issue)
    assert gone is not None
    assert (gone.approval.approver_name, gone.by, gone.what) == ("Ewan Marsh", "Ruth Adeyemi", "1 section changed")
    assert _told("approval_ended") == ["ewan@example.org"]
    _edit(issue, d, now + timedelta(hours=2), "Once more")
    assert _told("approval_ended") == ["ewan@example.org"]
    _submit(issue, d, now + timedelta(hours=3))
    with transaction():
        approving.return_to_draft(issue, "No.", actor=d.ewan, now=now + timedelta(hours=4))
    assert reviewing.ended(issue) is None


# --- a list that asks for none -------------------------------------------------------------------------------


def _without_approval(d: Desk, now: datetime) -> Issue:
    with transaction():
        db.session.get_one(MailingList, d.mailing_list.id).needs_approval = False
    return tried(d, now)


def test_where_no_approval_is_asked_for_scheduling_is_one_and_the_record_says_so(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = _without_approval(d, now)
    assert scheduling.obstacles(issue, now) == []
    at = now + timedelta(hours=1)
    with pytest.raises(Refused, match="no approved mail"), transaction():
        scheduling.schedule(issue, at, actor=d.ruth, now=now)
    prepared = approving.prepare(issue, now)
    with transaction():
        scheduling.schedule(issue, at, actor=d.ruth, now=now, prepared=prepared)
    approval = current_approval(issue)
    assert approval is not None
    assert (issue.state, approval.approver_name, approval.own_work) == (IssueState.SCHEDULED, "Ruth Adeyemi", True)
    assert "asks for no approval" in approval.comment
    assert _told("issue_approved") == []


def test_words_that_changed_since_they_were_read_are_not_scheduled_there_either(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = _without_approval(d, now)
    prepared = approving.prepare(issue, now)
    _edit(issue, d, now)
    again = approving.prepare(issue, now)
    with transaction():
        testing.send_test(issue, again, [d.ruth.email], actor=d.ruth, now=now)
    with pytest.raises(Conflict), transaction():
        scheduling.send_now(issue, actor=d.ruth, now=now, prepared=prepared)
    assert issue.state is IssueState.DRAFT


def test_a_list_that_asks_for_approval_gets_none_by_scheduling(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = tried(d, now)
    prepared = approving.prepare(issue, now)
    assert [each.code for each in scheduling.obstacles(issue, now)] == ["approval"]
    with pytest.raises(Refused, match="not approved"), transaction():
        scheduling.schedule(issue, now + timedelta(hours=1), actor=d.ruth, now=now, prepared=prepared)


# --- the day of approval -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("goes_out", "day"), [("2026-12-10", "2026-12-09"), ("2026-12-14", "2026-12-11"), ("2026-12-13", "2026-12-11")]
)
def test_the_day_of_approval_is_the_working_day_before(app: Flask, now: datetime, goes_out: str, day: str) -> None:
    d = desk(now)
    issue = tried(d, now)
    with transaction():
        issue.planned_at = datetime.fromisoformat(f"{goes_out}T10:00").replace(tzinfo=UTC)
    assert str(reviewing.approval_day(issue)) == day


@pytest.mark.parametrize(
    ("goes_out", "day"),
    [("2026-04-07", "2026-04-02"), ("2026-12-29", "2026-12-24"), ("2027-01-04", "2026-12-31")],
)
def test_nobody_approves_on_a_bank_holiday(app: Flask, now: datetime, goes_out: str, day: str) -> None:
    issue = tried(desk(now), now)
    with transaction():
        issue.planned_at = datetime.fromisoformat(f"{goes_out}T10:00").replace(tzinfo=UTC)
    assert str(reviewing.approval_day(issue)) == day


def test_an_issue_may_have_a_day_of_approval_of_its_own(app: Flask, now: datetime) -> None:
    issue = tried(desk(now), now)
    with transaction():
        issue.planned_at = datetime(2026, 12, 14, 10, tzinfo=UTC)
        issue.approval_on = date(2026, 12, 8)
    assert str(reviewing.approval_day(issue)) == "2026-12-08"
    assert str(reviewing.approval_day(issue, date(2026, 12, 7))) == "2026-12-07"


@pytest.mark.parametrize(
    ("own_day", "minute", "words"),
    [
        (None, "10:00", "5pm, Friday 11 December 2026 (UK time)"),
        (date(2026, 12, 14), "10:00", "10am, Monday 14 December 2026 (UK time)"),
        (date(2026, 12, 14), "19:30", "5pm, Monday 14 December 2026 (UK time)"),
    ],
)
def test_who_is_asked_reads_until_when(
    app: Flask, now: datetime, own_day: date | None, minute: str, words: str
) -> None:
    d = desk(now)
    anna = staff(now, "Anna Reyes", Role.APPROVER)
    issue = tried(d, now)
    with transaction():
        issue.planned_at = datetime.fromisoformat(f"2026-12-14T{minute}").replace(tzinfo=UTC)
        issue.approval_on = own_day
    _submit(issue, d, now, asked=[anna.id])
    until = reviewing.approval_deadline(issue)
    assert until is not None
    assert (until.words_with_zone, until.is_open(until.instant)) == (words, True)
    notice = db.session.scalars(select(Notice).where(Notice.template == "approval_requested")).one()
    assert notice.values["until"] == words


def test_on_its_day_those_who_were_asked_are_reminded_once(app: Flask, now: datetime) -> None:
    d = desk(now)
    anna = staff(now, "Anna Reyes", Role.APPROVER)
    issue = tried(d, now)
    with transaction():
        issue.planned_at = datetime(2026, 12, 14, 10, tzinfo=UTC)
    _submit(issue, d, now, asked=[anna.id])

    def ticks(day: int, hour: int) -> list[Issue]:
        with transaction():
            return reviewing.remind(datetime(2026, 12, day, hour, tzinfo=UTC))

    assert ticks(10, 12) == []
    assert ticks(11, 6) == []
    assert ticks(11, 8) == [issue]
    assert ticks(11, 9) == []
    assert _told("approval_reminder") == ["anna@example.org"]
    with transaction():
        issue.planned_at = datetime(2026, 12, 16, 10, tzinfo=UTC)
    assert ticks(14, 9) == []
    assert ticks(15, 9) == [issue]
    assert ticks(16, 11) == []


def test_where_nobody_was_asked_the_editors_are_reminded_to_ask(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = tried(d, now)
    with transaction():
        issue.planned_at = now + timedelta(hours=20)
        assert reviewing.remind(now + timedelta(hours=1)) == [issue]
    assert sorted(_told("approval_reminder")) == ["ewan@example.org", "ruth@example.org"]
    notice = db.session.scalars(select(Notice).where(Notice.template == "approval_reminder")).first()
    assert notice is not None
    assert "Nobody has been asked" in notice.values["reason"]
