"""March begins with what stood in December and in September: headings, and last time's words beside."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from newsletter.db import db, transaction
from newsletter.domain.issues import editing, history, protocols, starting
from newsletter.errors import Conflict, NotFound, Refused
from newsletter.models import Issue
from newsletter.states import IssueState
from tests.domain.issue_makers import Desk, desk, draft


def _past(d: Desk, now: datetime, title: str, *headings: str) -> Issue:
    issue = draft(d, now, title)
    with transaction():
        for heading in headings:
            editing.add_block(
                issue, "section", {"heading": heading, "body": f"<p>{heading} in {title}.</p>"},
                position=len(issue.blocks) - 3, actor=d.ruth, now=now,
            )  # fmt: skip
        call = next(block for block in issue.blocks if block.kind == "call")
        editing.edit_block(
            call, {**call.data, "intro": f"<p>Write to us after {title}.</p>"}, expected_version=call.version,
            actor=d.ruth, now=now,
        )  # fmt: skip
    return issue


def _two_past(d: Desk, now: datetime) -> tuple[Issue, Issue]:
    return (
        _past(d, now - timedelta(days=180), "June 2026", "Training", "From the board"),
        _past(d, now - timedelta(days=90), "September 2026", "From the board:", "The flood", "Training "),
    )


def test_what_stood_twice_is_chosen_and_what_was_said_once_is_not(app: Flask, now: datetime) -> None:
    d = desk(now)
    _two_past(d, now)
    issue = draft(d, now)
    assert [(each.name, each.stands) for each in starting.comebacks(issue)] == [
        ("From the board:", True), ("The flood", False), ("Training", True),
    ]  # fmt: skip
    assert starting.can_start(issue)


def test_an_issue_begins_with_headings_and_the_call_and_it_can_be_undone(app: Flask, now: datetime) -> None:
    d = desk(now)
    _june, september = _two_past(d, now)
    issue = draft(d, now)
    chosen = {each.block.id for each in starting.comebacks(issue) if each.stands}
    with transaction():
        starting.start_from(issue, chosen, actor=d.ruth, now=now + timedelta(minutes=1))
    sections = [block for block in issue.blocks if block.kind == "section"]
    assert [(block.data["heading"], block.data["body"]) for block in sections] == [
        ("From the board:", ""), ("Training", ""),
    ]  # fmt: skip
    assert next(block for block in issue.blocks if block.kind == "call").data["intro"].endswith("September 2026.</p>")
    assert [each.name for each in starting.comebacks(issue)] == ["The flood"]
    offered = history.offer(issue, d.ruth, now + timedelta(minutes=2))
    assert offered is not None
    assert offered.words == f"It was started from {september.title}"
    with transaction():
        history.undo(issue, offered.number, actor=d.ruth, now=now + timedelta(minutes=2))
    assert [block.kind for block in issue.blocks] == ["masthead", "in_this_issue", "key_dates", "call", "footer"]


def test_last_times_words_stand_beside_and_come_by_one_button(app: Flask, now: datetime) -> None:
    d = desk(now)
    _two_past(d, now)
    issue = draft(d, now)
    with transaction():
        board, *_rest = starting.start_from(
            issue, {each.block.id for each in starting.comebacks(issue)}, actor=d.ruth, now=now
        )
    before = starting.last_time(board)
    assert before is not None
    assert before.data["body"] == "<p>From the board: in September 2026.</p>"
    assert starting.is_only_a_heading(board)
    with pytest.raises(Conflict), transaction():
        starting.use_last_words(board, expected_version=7, actor=d.ruth, now=now)
    with transaction():
        starting.use_last_words(board, expected_version=1, actor=d.ruth, now=now)
    assert board.data["body"] == before.data["body"]
    assert not starting.is_only_a_heading(board)
    call = next(block for block in issue.blocks if block.kind == "call")
    assert starting.last_time(call) is None
    with pytest.raises(NotFound), transaction():
        starting.use_last_words(call, expected_version=call.version, actor=d.ruth, now=now)


def test_the_first_issue_has_nothing_to_start_from(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    assert (starting.last_issue(issue), starting.comebacks(issue), starting.can_start(issue)) == (None, [], False)
    with pytest.raises(Refused), transaction():
        starting.start_from(issue, [], actor=d.ruth, now=now)


def test_with_one_past_issue_only_what_comes_back_by_its_nature_is_chosen(app: Flask, now: datetime) -> None:
    d = desk(now)
    past = _past(d, now - timedelta(days=90), "September 2026", "The flood")
    with transaction():
        editing.add_block(past, "contact", {"heading": "Who to ask", "name": "Ann"}, actor=d.ruth, now=now)
    assert [(each.name, each.stands) for each in starting.comebacks(draft(d, now))] == [
        ("The flood", False), ("Who to ask", True),
    ]  # fmt: skip


def test_a_cancelled_issue_is_not_the_last(app: Flask, now: datetime) -> None:
    d = desk(now)
    june, september = _two_past(d, now)
    september.state = IssueState.CANCELLED
    db.session.commit()
    assert starting.last_issue(draft(d, now)) == june


def test_what_waits_is_told_by_whoever_registered(app: Flask, now: datetime) -> None:
    issue = draft(desk(now), now)
    assert protocols.all_waiting(issue, now) == []
    told = [protocols.Waiting("test", "1", "New", "Ann"), protocols.Waiting("test", "2", "Kept", "Ben", carried=True)]
    protocols.register_waiting("test", lambda _issue, _now: told)
    try:
        assert [each.title for each in protocols.all_waiting(issue, now)] == ["Kept", "New"]
    finally:
        protocols.register_waiting("test", lambda _issue, _now: [])
