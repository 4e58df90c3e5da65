"""What is out is not changed: it is corrected, with a date, and by mail where people must hear of it."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.domain.issues import approving, correcting, finding, scheduling, testing
from newsletter.domain.issues.publishing import publish
from newsletter.errors import Invalid, NotAllowed, NotFound, Refused
from newsletter.models import Issue, Rendition
from newsletter.states import IssueState, Role
from tests.domain.issue_makers import Desk, approved, desk, kinds, tried
from tests.people import staff


def _out(d: Desk, now: datetime) -> Issue:
    """Approved, published, and on its way."""
    issue = approved(d, now)
    with transaction() as session:
        issue.rendition_id = session.scalars(select(Rendition.id).order_by(Rendition.id.desc())).first()
        issue.started_at = now
        publish(issue, now)
    return issue


def test_a_note_is_dated_and_what_was_sent_stays(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = _out(d, now)
    rendition = issue.rendition
    assert rendition is not None
    before = approving.prepare(issue, now).content_hash
    later = now + timedelta(days=2)
    with transaction():
        note = correcting.correct(
            issue, " On Tuesday.\r\n\r\n\r\nNot Monday. ", block=issue.blocks[2], actor=d.ruth, now=later
        )
    assert (note.body, note.at, correcting.corrections_of(issue)) == ("On Tuesday.\n\nNot Monday.", later, [note])
    assert (rendition.content_hash, approving.prepare(issue, now).content_hash) == (before, before)
    assert correcting.last_changed(issue) == later
    with transaction():
        correcting.withdraw(note, actor=d.ruth, now=later + timedelta(hours=1))
    assert correcting.corrections_of(issue) == []
    assert correcting.corrections_of(issue, withdrawn=True) == [note]
    assert correcting.last_changed(issue) == later + timedelta(hours=1)


def test_what_is_not_out_is_changed_not_corrected(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = tried(d, now)
    with pytest.raises(Refused, match="change its words instead"), transaction():
        correcting.correct(issue, "On Tuesday.", actor=d.ruth, now=now)
    with pytest.raises(Refused, match="sent to nobody"), transaction():
        correcting.begin_correction_mail(issue, "On Tuesday.", actor=d.ruth, now=now)
    assert correcting.last_changed(issue) is None


def test_who_may_correct_and_with_which_words(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue, viewer = _out(d, now), staff(now, "Vera Nkosi", Role.VIEWER)
    for empty in ("", " \n", "x" * 2_001):
        with pytest.raises(Invalid), transaction():
            correcting.correct(issue, empty, actor=d.ruth, now=now)
    with pytest.raises(NotAllowed), transaction():
        correcting.correct(issue, "On Tuesday.", actor=viewer, now=now)
    with pytest.raises(NotFound):
        correcting.find_correction(issue, 1)


def test_a_correction_by_mail_is_a_small_issue_and_takes_the_whole_path(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = _out(d, now)
    with transaction():
        made = correcting.begin_correction_mail(issue, "On Tuesday & not <Monday>.", actor=d.ruth, now=now)
    assert (made.state, made.list_id, made.subject) == (
        IssueState.DRAFT, issue.list_id, "Correction: December: the Boathouse is open",
    )  # fmt: skip
    assert (kinds(made), made.has_call, finding.is_out_of_turn(made)) == (
        ["masthead", "section", "footer"], False, True,
    )  # fmt: skip
    assert "On Tuesday &amp; not &lt;Monday&gt;." in made.blocks[1].data["body"]
    assert "https://news.example.org/news/december-2026" in made.blocks[1].data["body"]
    prepared = approving.prepare(made, now)
    assert prepared.blocking == ()
    assert {each.code for each in scheduling.obstacles(made, now)} == {"test", "approval"}
    with transaction():
        testing.send_test(made, prepared, [d.ruth.email], actor=d.ruth, now=now)
        approving.approve(made, prepared, actor=d.ewan, now=now)
    with transaction():
        scheduling.send_now(made, actor=d.ruth, now=now)
    assert made.state is IssueState.SCHEDULED
    assert db.session.get_one(Issue, issue.id).subject == "December: the Boathouse is open"
