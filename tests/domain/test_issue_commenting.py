"""What the team says about the words: it reaches whom it names, waits until it is settled, and enters no mail."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.domain.issues import approving, commenting, editing, scheduling, sharing
from newsletter.domain.issues.block_rows import name_of
from newsletter.errors import Invalid, NotAllowed, NotFound, Refused
from newsletter.models import Activity, Block, Comment, DraftShare, Issue, Notice
from newsletter.states import Role
from tests.domain.issue_makers import Desk, approved, desk, draft, tried
from tests.people import staff


def _told(template: str) -> list[str]:
    return list(db.session.scalars(select(Notice.address).where(Notice.template == template).order_by(Notice.id)))


def _say(issue: Issue, d: Desk, body: str, now: datetime, block: Block | None = None) -> Comment:
    with transaction():
        return commenting.comment(issue, body, block=block, actor=d.ruth, now=now)


def test_a_comment_waits_until_it_is_resolved_and_can_be_taken_up_again(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    section = issue.blocks[2]
    said = _say(issue, d, "  Who may come?  \n\n\n\nAsk them. ", now, block=section)
    whole = _say(issue, d, "Too long as a whole.", now)
    assert (said.body, said.author_name, commenting.about(said)) == (
        "Who may come?\n\nAsk them.", "Ruth Adeyemi", name_of(section),
    )  # fmt: skip
    assert commenting.about(whole) == ""
    assert (commenting.unresolved(issue), commenting.comments_on(section)) == (2, [said])
    for _again in (1, 2):
        with transaction():
            commenting.resolve(said, actor=d.ewan, now=now)
    assert (commenting.unresolved(issue), said.resolved_by_id) == (1, d.ewan.id)
    for _again in (1, 2):
        with transaction():
            commenting.reopen(said, actor=d.ruth, now=now)
    assert (commenting.unresolved(issue), said.resolved_at) == (2, None)
    actions = db.session.scalars(select(Activity.action).where(Activity.subject_type == "comment")).all()
    assert sorted(actions) == [
        "issue.comment_reopened", "issue.comment_resolved", "issue.commented", "issue.commented",
    ]  # fmt: skip


def test_what_is_said_changes_no_word_and_ends_no_approval(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = approved(d, now)
    before = approving.prepare(issue, now).content_hash
    _say(issue, d, "Nearly right: zanzibar", now, block=issue.blocks[2])
    after = approving.prepare(issue, now)
    assert (after.content_hash, "zanzibar" in after.html + after.text + after.web) == (before, False)
    assert approving.current_approval(issue) is not None


def test_comments_on_a_section_in_the_bin_wait_for_nobody(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    section = issue.blocks[2]
    _say(issue, d, "Why?", now, block=section)
    with transaction():
        editing.delete_block(section, actor=d.ruth, now=now)
    assert (commenting.unresolved(issue), commenting.comments_of(issue)) == (0, [])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("@Ewan Marsh, is that right?", ["ewan@example.org"]),
        ("What do you think, @ewan?", ["ewan@example.org"]),
        ("@Ewa and @Ewanson are nobody", []),
        ("write to ewan@example.org", []),
        ("@Ruth told herself", []),
        ("@Anna: which of the two?", []),
        ("@anna reyes and @Ewan and @Anna Reyes", ["anna@example.org", "ewan@example.org"]),
    ],
)
def test_whoever_is_named_gets_it_by_mail(app: Flask, now: datetime, words: str, told: list[str]) -> None:
    d = desk(now)
    staff(now, "Anna Reyes", Role.EDITOR)
    field = staff(now, "Field Anna", Role.VIEWER)
    with transaction():
        field.name = "Anna Field"
    issue = draft(d, now)
    _say(issue, d, words, now, block=issue.blocks[2])
    assert sorted(_told("comment_mention")) == told


def test_who_may_comment_and_on_what(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue, viewer = tried(d, now), staff(now, "Vera Nkosi", Role.VIEWER)
    with pytest.raises(NotAllowed), transaction():
        commenting.comment(issue, "Hello", actor=viewer, now=now)
    for empty in ("", " \n ", "x" * 2_001):
        with pytest.raises(Invalid), transaction():
            commenting.comment(issue, empty, actor=d.ruth, now=now)
    said = _say(issue, d, "Hello", now)
    with pytest.raises(NotAllowed), transaction():
        commenting.resolve(said, actor=viewer, now=now)
    with pytest.raises(NotFound):
        commenting.find_comment(issue, said.id + 1)
    assert commenting.find_comment(issue, said.id) == said
    with transaction():
        scheduling.cancel_issue(issue, reason="Not this time", actor=d.ruth, now=now)
    with pytest.raises(Refused, match="cancelled"), transaction():
        commenting.comment(issue, "Too late", actor=d.ruth, now=now)


# --- by a link, without an account ----------------------------------------------------------------------------


def _shared(issue: Issue, d: Desk, now: datetime, may_comment: bool = True) -> DraftShare:
    with transaction():
        return sharing.share(
            issue, for_whom="Helen, Harbour School", days=7, may_comment=may_comment, actor=d.ruth, now=now
        )


def test_a_guest_comments_and_whoever_shared_it_hears_once_an_hour(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    share = _shared(issue, d, now)
    for minutes in (0, 10, 61):
        with transaction():
            commenting.comment_as_guest(
                share,
                issue,
                "Say where.",
                "Helen\r\nBcc: x",
                block=issue.blocks[2],
                now=now + timedelta(minutes=minutes),
            )
    first = commenting.comments_through(share)[0]
    assert (first.author_name, first.author_id, first.share_id) == ("Helen Bcc: x", None, share.id)
    assert _told("draft_commented") == ["ruth@example.org", "ruth@example.org"]
    assert commenting.unresolved(issue) == 3


def test_what_a_guest_leaves_out_is_said_all_at_once(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    share = _shared(issue, d, now)
    with pytest.raises(Invalid) as refusal, transaction():
        commenting.comment_as_guest(share, issue, " ", "", now=now)
    assert sorted(problem.field for problem in refusal.value.problems) == ["body", "name"]
    silent = _shared(issue, d, now, may_comment=False)
    with pytest.raises(Refused, match="not asked for"), transaction():
        commenting.comment_as_guest(silent, issue, "Hello", "Helen", now=now)
