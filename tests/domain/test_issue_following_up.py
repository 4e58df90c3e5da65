"""What was promised for "our next newsletter" waits at the top of the next one."""

from datetime import datetime

import pytest
from flask import Flask

from newsletter.db import db, transaction
from newsletter.domain.issues import creating, editing, following_up
from newsletter.errors import Conflict, NotFound, Refused
from newsletter.models import Block, FollowUp, Issue
from newsletter.states import FollowUpState, IssueState
from tests.domain.issue_makers import NEXT_DEADLINE, Desk, desk, draft, written

WORDS = "<p>We heard 40 voices. The results will be in our next newsletter.</p>"


def _promise(issue: Issue, d: Desk, now: datetime) -> tuple[Block, FollowUp]:
    with transaction():
        block = editing.add_block(
            issue, "section", {"heading": "Your voices", "body": WORDS}, position=2, actor=d.ruth, now=now
        )
        return block, following_up.promise(block, "Ask Ann for the figures", actor=d.ruth, now=now)


def _sent(issue: Issue, now: datetime) -> None:
    """As if it had gone out: its words are locked."""
    issue.state, issue.cancelled_at = IssueState.CANCELLED, now
    db.session.commit()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("We met. The results will be in our next newsletter. Thanks.", "The results will be in our next newsletter."),
        ("More in the next issue.", "More in the next issue."),
        ("We will report on this in May", "We will report on this in May"),
        ("Look for it in the spring edition!", "Look for it in the spring edition!"),
        ("More details to follow.", "More details to follow."),
        ("The next meeting is in May. The issue is closed.", ""),
        ("We will meet in spring.", ""),
    ],
)
def test_a_text_that_promises_news_is_noticed(app: Flask, now: datetime, words: str, sentence: str) -> None:
    d = desk(now)
    issue = draft(d, now)
    with transaction():
        block = editing.add_block(
            issue, "section", {"heading": "News", "body": f"<p>{words}</p>"}, actor=d.ruth, now=now
        )
    assert following_up.promise_in(block) == sentence


def test_the_call_for_the_next_issue_is_no_promise(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    call = next(block for block in issue.blocks if block.kind == "call")
    with transaction():
        editing.edit_block(
            call, {"heading": "Send us news for the next issue"}, expected_version=1, actor=d.ruth, now=now
        )
    assert following_up.promise_in(call) == ""
    with pytest.raises(Refused), transaction():
        following_up.promise(call, actor=d.ruth, now=now)


def test_a_promise_waits_for_the_next_issue_only_and_once(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    block, made = _promise(issue, d, now)
    with transaction():
        assert following_up.promise(block, actor=d.ruth, now=now).id == made.id
    march = issue.next_issue
    assert march is not None
    later = draft(d, now, "Summer 2027")
    assert [following_up.waiting(each) for each in (issue, march, later)] == [[], [made], []]
    assert following_up.made_in(issue) == [made]
    assert (following_up.promised(block), made.note) == (made, "Ask Ann for the figures")


def test_without_a_next_issue_it_waits_for_whichever_is_begun_later(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    _block, made = _promise(issue, d, now)
    assert following_up.waiting(draft(d, now, "Summer 2027")) == [made]


def test_kept_it_becomes_a_section_with_the_old_words_and_can_be_taken_back(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    block, made = _promise(issue, d, now)
    with transaction():
        editing.edit_block(
            block, {**block.data, "heading": "Your voices, as they were printed"}, expected_version=block.version,
            actor=d.ruth, now=now,
        )  # fmt: skip
    march = issue.next_issue
    assert march is not None
    with transaction():
        section = following_up.keep(made, march, actor=d.ruth, now=now)
    assert section.data["heading"] == "Your voices, as they were printed"
    assert [each.kind for each in march.blocks if each.position == section.position - 1] == ["in_this_issue"]
    assert (made.state, following_up.waiting(march)) == (FollowUpState.KEPT, [])
    with pytest.raises(Conflict), transaction():
        following_up.let_go(made, march, actor=d.ewan, now=now)
    with transaction():
        following_up.take_back(made, march, section.id, actor=d.ruth, now=now)
    assert (section.deleted_at, following_up.waiting(march)) == (now, [made])


def test_the_words_outlive_their_section(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    block, made = _promise(issue, d, now)
    with transaction():
        editing.delete_block(block, actor=d.ruth, now=now)
    assert following_up.words_of(made)["body"] == WORDS
    assert following_up.find_follow_up(made.id) is made
    with pytest.raises(NotFound):
        following_up.find_follow_up(99)


def test_carried_on_it_waits_for_the_one_after(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    _block, made = _promise(issue, d, now)
    march = issue.next_issue
    assert march is not None
    with transaction():
        june = creating.ensure_next_issue(march, title="June 2027", deadline=NEXT_DEADLINE, actor=d.ruth, now=now)
        following_up.carry_on(made, march, actor=d.ruth, now=now)
    assert [following_up.waiting(each) for each in (march, june)] == [[], [made]]
    with transaction():
        following_up.take_back(made, march, actor=d.ruth, now=now)
    assert [following_up.waiting(each) for each in (march, june)] == [[made], []]


def test_let_go_it_waits_for_nobody_until_it_is_taken_back(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    block, made = _promise(issue, d, now)
    march = issue.next_issue
    assert march is not None
    with transaction():
        following_up.let_go(made, march, actor=d.ruth, now=now)
    assert (following_up.waiting(march), following_up.promised(block)) == ([], None)
    with transaction():
        following_up.take_back(made, march, actor=d.ruth, now=now)
    assert following_up.waiting(march) == [made]


def test_nothing_waits_for_an_issue_that_is_out(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    _block, made = _promise(issue, d, now)
    march = issue.next_issue
    assert march is not None
    _sent(march, now)
    assert following_up.waiting(march) == []
    later = draft(d, now, "Summer 2027")
    assert following_up.waiting(later) == [made]
