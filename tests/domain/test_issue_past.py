"""Ruth brings in an issue of nine years ago: it stands in the archive under its day, and nothing can send it."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from newsletter.db import db, transaction
from newsletter.delivery import launch
from newsletter.delivery.reports import aggregating, report
from newsletter.delivery.reports.accounts import verifying
from newsletter.domain.issues import approving, creating, editing, past, scheduling, testing
from newsletter.domain.issues.documents import read_document, read_text
from newsletter.domain.issues.publishing import published_issue, published_issues
from newsletter.errors import Conflict, Invalid, Refused
from newsletter.models import Delivery, Issue, Notice
from newsletter.states import IssueState
from tests.domain.issue_makers import AUTUMN, Desk, desk, draft, forms, kinds, words
from tests.fixtures.documents.make_word import FILE

DAY = date(2017, 12, 4)


def _past(d: Desk, now: datetime, text: str | bytes = b"", title: str = "December 2017") -> Issue:
    with transaction():
        return past.import_past(
            d.mailing_list, read_document(text or AUTUMN.read_bytes()), title=title, day=DAY, actor=d.ruth, now=now
        )


def _published(d: Desk, now: datetime) -> Issue:
    issue = _past(d, now)
    prepared = approving.prepare(issue, now)
    with transaction():
        past.publish_past(issue, prepared, actor=d.ruth, now=now)
    return issue


def test_it_stands_in_the_archive_under_its_own_day_with_all_its_words(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = _published(d, now)
    assert issue.state is IssueState.SENT
    assert issue.published_at is not None
    assert issue.published_at.date() == DAY
    assert (issue.recipients, db.session.query(Delivery).count(), db.session.query(Notice).count()) == (0, 0, 0)
    assert published_issue("december-2017") is issue
    assert issue.rendition is not None
    text = AUTUMN.read_text(encoding="utf-8")
    web = forms(type("Rendered", (), vars(issue.rendition))())["web"]
    assert words(text) - web == set()
    assert {"call", "key_dates"} & set(kinds(issue)) == set()


def test_newer_issues_stand_above_it(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = _published(d, now)
    other = _past(d, now, b"News\n\nText.", "March 2018")
    with transaction():
        other.planned_at = datetime(2018, 3, 5, 10, tzinfo=now.tzinfo)
    prepared = approving.prepare(other, now)
    with transaction():
        past.publish_past(other, prepared, actor=d.ruth, now=now)
    assert [each.title for each in published_issues()] == ["March 2018", "December 2017"]
    assert issue.title == "December 2017"


SENDING: dict[str, Callable[[Issue, Desk, datetime], object]] = {
    "submit": lambda issue, d, now: approving.submit_for_review(
        issue, approving.prepare(issue, now), actor=d.ruth, now=now
    ),
    "approve": lambda issue, d, now: approving.approve(issue, approving.prepare(issue, now), actor=d.ewan, now=now),
    "override": lambda issue, d, now: approving.approve(
        issue, approving.prepare(issue, now), actor=None, now=now, override_reason="I want to"
    ),
    "test": lambda issue, d, now: testing.send_test(
        issue, approving.prepare(issue, now), ["ruth@example.org"], actor=d.ruth, now=now
    ),
    "schedule": lambda issue, d, now: scheduling.schedule(issue, now + timedelta(days=1), actor=d.ewan, now=now),
    "send now": lambda issue, d, now: scheduling.send_now(issue, actor=d.ewan, now=now),
}  # fmt: skip


@pytest.mark.parametrize("how", SENDING)
@pytest.mark.parametrize("make", [_past, _published])
def test_nothing_sends_it(app: Flask, now: datetime, how: str, make: Callable[[Desk, datetime], Issue]) -> None:
    d = desk(now)
    issue = make(d, now)
    state = issue.state
    with pytest.raises((Refused, Invalid)), transaction():
        SENDING[how](issue, d, now)
    db.session.refresh(issue)
    assert (issue.state, issue.recipients, db.session.query(Notice).count()) == (state, 0, 0)


def test_the_jobs_that_send_and_account_pass_it_by(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = _published(d, now)
    later = now + timedelta(days=4000)
    assert launch.launch_due(later) == []
    assert launch.launch(issue.id, later) is False
    report.refresh_due(later)
    aggregating.aggregate_due(later)
    db.session.rollback()
    assert verifying.verify(issue) is not None
    assert db.session.query(Delivery).count() == 0


@pytest.mark.parametrize("state", ["in_review", "approved", "scheduled", "sending", "paused"])
def test_the_table_itself_keeps_it_from_being_sent(app: Flask, now: datetime, state: str) -> None:
    issue = _past(desk(now), now)
    with pytest.raises(IntegrityError), transaction() as session:
        issue.state, issue.scheduled_at, issue.started_at = IssueState(state), now, now
        session.flush()


def test_what_cannot_be_is_refused_in_words(app: Flask, now: datetime) -> None:
    d = desk(now)
    for day in (now.date() + timedelta(days=1), date(217, 12, 4)):
        with pytest.raises(Invalid) as refused, transaction():
            past.begin_past_issue(d.mailing_list, title="X", day=day, actor=d.ruth, now=now)
        assert refused.value.problems[0].field == "day"
    usual = draft(d, now)
    prepared = approving.prepare(usual, now)
    with pytest.raises(Refused, match="no past issue"), transaction():
        past.publish_past(usual, prepared, actor=d.ruth, now=now)
    issue = _past(d, now)
    prepared = approving.prepare(issue, now)
    with transaction():
        editing.add_block(issue, "section", {"heading": "More"}, actor=d.ruth, now=now)
    with pytest.raises(Conflict), transaction():
        past.publish_past(issue, prepared, actor=d.ruth, now=now)
    prepared = approving.prepare(issue, now)
    with transaction():
        past.publish_past(issue, prepared, actor=d.ruth, now=now)
    with pytest.raises(Refused, match="already"), transaction():
        past.publish_past(issue, prepared, actor=d.ruth, now=now)


def test_a_number_of_a_person_keeps_it_out_of_the_archive(app: Flask, now: datetime) -> None:
    issue = _past(desk(now), now, "News\n\nThe child has NHS number 943 476 5919 and lives here.")
    prepared = approving.prepare(issue, now)
    with pytest.raises(Refused, match="NHS number"), transaction():
        past.publish_past(issue, prepared, actor=None, now=now)


def test_a_call_of_the_past_is_a_section(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = _past(d, now, FILE.read_bytes())
    assert "call" not in kinds(issue)
    assert any("Friday 15 January 2027" in str(block.data) for block in issue.blocks)
    assert read_text("News\n\nText.").proposals
    with pytest.raises(Refused), transaction():
        creating.set_next_issue(issue, issue, actor=d.ruth, now=now)
