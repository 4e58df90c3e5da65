"""Ruth and Ewan go back: acts on structure are undone, versions compared and taken again, the bin gives back."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter import jobs
from newsletter.db import db, transaction
from newsletter.domain.issues import binned, comparing, creating, editing, headings, history, reviewing, versions
from newsletter.domain.issues.comparing import What
from newsletter.domain.issues.documents import import_document, read_text
from newsletter.domain.issues.word_pieces import Mark
from newsletter.errors import Conflict, NotFound, Refused
from newsletter.models import Block, BlockRevision, Issue, IssueVersion
from newsletter.states import IssueState
from tests.domain.issue_makers import Desk, approved, desk, kinds, written

MINUTE = timedelta(minutes=1)


class Hours:
    """A working day: each act a minute after the one before."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self, minutes: int = 1) -> datetime:
        self.now += minutes * MINUTE
        return self.now


@pytest.fixture
def tick(now: datetime) -> Hours:
    return Hours(now)


def _add(issue: Issue, d: Desk, heading: str, now: datetime) -> Block:
    with transaction():
        return editing.add_block(
            issue, "section", {"heading": heading, "body": f"<p>All about {heading}.</p>"}, position=2,
            actor=d.ruth, now=now,
        )  # fmt: skip


def _headings(issue: Issue) -> list[str]:
    return [block.data["heading"] for block in issue.blocks if block.kind == "section"]


def _edit(block: Block, d: Desk, now: datetime, **data: str) -> None:
    with transaction():
        editing.edit_block(
            block, {**block.data, **data}, expected_version=block.version, actor=d.ruth, now=now
        )  # fmt: skip


def _undo(issue: Issue, d: Desk, tick: Hours) -> None:
    offered = history.offer(issue, d.ruth, tick.now)
    assert offered is not None
    with transaction():
        history.undo(issue, offered.number, actor=d.ruth, now=tick())


def test_a_move_is_undone_and_done_again(app: Flask, now: datetime, tick: Hours) -> None:
    d = desk(now)
    issue = written(d, now)
    training = _add(issue, d, "Training", tick())
    with transaction():
        editing.move_block(training, 3, actor=d.ruth, now=tick())
    assert _headings(issue) == ["The Boathouse is open", "Training"]
    offered = history.offer(issue, d.ruth, tick.now)
    assert offered is not None
    assert offered.words == "“Training” was moved"
    _undo(issue, d, tick)
    assert _headings(issue) == ["Training", "The Boathouse is open"]
    _undo(issue, d, tick)
    assert _headings(issue) == ["The Boathouse is open", "Training"]


def test_a_copy_and_a_change_of_level_are_undone(app: Flask, now: datetime, tick: Hours) -> None:
    d = desk(now)
    issue = written(d, now)
    training = _add(issue, d, "Training", tick())
    with transaction():
        editing.duplicate_block(training, actor=d.ruth, now=tick())
    assert _headings(issue).count("Training") == 2
    _undo(issue, d, tick)
    assert _headings(issue).count("Training") == 1
    boathouse = next(block for block in issue.blocks if block.data.get("heading") == "The Boathouse is open")
    with transaction():
        headings.change_heading_level(boathouse, expected_version=boathouse.version, actor=d.ruth, now=tick())
    assert _headings(issue) == ["Training"]
    _undo(issue, d, tick)
    assert _headings(issue) == ["Training", "The Boathouse is open"]
    assert "Boathouse" not in issue.blocks[2].data["body"]


def test_undo_keeps_what_others_wrote_elsewhere_and_refuses_where_they_wrote_in_it(
    app: Flask, now: datetime, tick: Hours
) -> None:
    d = desk(now)
    issue = written(d, now)
    training = _add(issue, d, "Training", tick())
    boathouse = issue.blocks[3]
    with transaction():
        editing.duplicate_block(training, actor=d.ruth, now=tick())
    number = history.offer(issue, d.ruth, tick.now)
    assert number is not None
    copy = issue.blocks[3]
    _edit(boathouse, d, tick(), heading="The Boathouse opens twice")
    with transaction():
        history.undo(issue, number.number, actor=d.ruth, now=tick())
    assert _headings(issue) == ["Training", "The Boathouse opens twice"]
    assert copy.deleted_at is not None

    with transaction():
        again = editing.duplicate_block(training, actor=d.ruth, now=tick())
    number = history.offer(issue, d.ruth, tick.now)
    assert number is not None
    _edit(again, d, tick(), heading="Training in spring")
    with pytest.raises(Conflict, match="Training in spring"), transaction():
        history.undo(issue, number.number, actor=d.ruth, now=tick())
    assert "Training in spring" in _headings(issue)


def test_undo_is_offered_to_who_did_it_until_somebody_writes_on(app: Flask, now: datetime, tick: Hours) -> None:
    d = desk(now)
    issue = written(d, now)
    assert history.offer(issue, d.ruth, tick.now) is None
    training = _add(issue, d, "Training", tick())
    with transaction():
        editing.move_block(training, 3, actor=d.ruth, now=tick())
    assert history.offer(issue, d.ewan, tick.now) is None
    assert history.offer(issue, d.ruth, tick.now + 11 * MINUTE) is None
    _edit(training, d, tick(), heading="Training days")
    assert history.offer(issue, d.ruth, tick.now) is None


def test_an_import_into_words_that_were_there_is_undone(app: Flask, now: datetime, tick: Hours) -> None:
    d = desk(now)
    issue = written(d, now)
    _edit(issue.blocks[2], d, tick(), heading="The Boathouse is open")
    _edit(issue.blocks[2], d, tick(), heading="The Boathouse opens")
    document = read_text("Training\n\nAll about training days in spring.\n")
    with transaction():
        import_document(issue, document, actor=d.ruth, now=tick())
    assert len(_headings(issue)) > 1
    _undo(issue, d, tick)
    assert _headings(issue) == ["The Boathouse opens"]


def test_a_move_that_moves_nothing_keeps_no_version(app: Flask, now: datetime, tick: Hours) -> None:
    d = desk(now)
    issue = written(d, now)
    with transaction():
        editing.move_block(issue.blocks[2], 2, actor=d.ruth, now=tick())
    assert db.session.scalar(select(func.count()).select_from(IssueVersion)) == 0


def test_an_older_version_is_taken_again_and_nothing_is_lost(app: Flask, now: datetime, tick: Hours) -> None:
    d = desk(now)
    issue = approved(d, now)
    first = versions.kept_versions(issue)[0]
    before = [(block.kind, block.data) for block in issue.blocks]
    boathouse = issue.blocks[2]
    _edit(boathouse, d, tick(), body="<p>Closed for the winter.</p>")
    training = _add(issue, d, "Training", tick())
    with transaction():
        editing.delete_block(boathouse, actor=d.ruth, now=tick())
    with transaction():
        kept = history.restore_version(issue, first.number, actor=d.ewan, now=tick())
    assert [(block.kind, block.data) for block in issue.blocks] == before
    assert issue.state is IssueState.DRAFT
    assert training in editing.deleted_blocks(issue)
    assert "Closed" in versions.revision(boathouse.id, 2).data["data"]["body"]
    with transaction():
        history.undo(issue, kept.number, actor=d.ewan, now=tick())
    assert _headings(issue) == ["Training"]
    with pytest.raises(NotFound), transaction():
        history.restore_version(issue, 99, actor=d.ewan, now=tick())


def test_a_locked_issue_keeps_its_words(app: Flask, now: datetime, tick: Hours) -> None:
    d = desk(now)
    issue = approved(d, now)
    issue.state, issue.scheduled_at = IssueState.SCHEDULED, now
    db.session.commit()
    for attempt in (
        lambda: history.restore_version(issue, 1, actor=d.ruth, now=tick()),
        lambda: history.undo(issue, 1, actor=d.ruth, now=tick()),
    ):
        with pytest.raises(Refused), transaction():
            attempt()


def test_one_section_gets_its_older_words_again(app: Flask, now: datetime, tick: Hours) -> None:
    d = desk(now)
    issue = written(d, now)
    boathouse = issue.blocks[2]
    _edit(boathouse, d, tick(), heading="Second words")
    told = history.section_history(boathouse)
    assert [revision.version for revision, _found in told] == [2, 1]
    assert [change.label for change in told[0][1][0].fields] == ["Heading"]
    with transaction():
        history.restore_section(boathouse, 1, expected_version=2, actor=d.ruth, now=tick())
    assert boathouse.data["heading"] == "The Boathouse is open"
    _undo(issue, d, tick)
    assert boathouse.data["heading"] == "Second words"
    with pytest.raises(Conflict), transaction():
        history.restore_section(boathouse, 1, expected_version=2, actor=d.ruth, now=tick())


def test_work_that_goes_on_after_a_pause_keeps_the_issue_as_it_was_left(app: Flask, now: datetime, tick: Hours) -> None:
    d = desk(now)
    issue = written(d, now)
    boathouse = issue.blocks[2]
    _edit(boathouse, d, tick(), heading="Before lunch")
    left_at = tick.now
    _edit(boathouse, d, tick(90), heading="After lunch")
    _edit(boathouse, d, tick(), heading="After lunch, again")
    (kept,) = versions.kept_versions(issue)
    assert (kept.reason, kept.at, kept.actor_id) == (versions.AS_LEFT, left_at, d.ruth.id)
    (change,) = comparing.changes(kept, issue)
    assert "".join(p.text for p in change.fields[0].pieces if p.mark is not Mark.ADDED) == "Before lunch"


def test_moves_in_a_row_are_no_pause(app: Flask, now: datetime, tick: Hours) -> None:
    d = desk(now)
    issue = written(d, now)
    training = _add(issue, d, "Training", tick())
    for place, wait in ((3, 90), (2, 1), (3, 1)):
        with transaction():
            editing.move_block(training, place, actor=d.ruth, now=tick(wait))
    reasons = [version.reason for version in versions.kept_versions(issue)]
    assert reasons == [*["Before “Training” was moved"] * 3, versions.AS_LEFT]


def test_what_changed_is_told_in_words_and_word_by_word(app: Flask, now: datetime, tick: Hours) -> None:
    d = desk(now)
    issue = written(d, now)
    training, news = _add(issue, d, "Training", tick()), _add(issue, d, "News", tick())
    with transaction():
        first = versions.keep_version(issue, "By hand", actor=d.ruth, now=tick())
    _edit(training, d, tick(), body="<p>All about <a href='https://example.org/t'>training days</a>.</p>")
    with transaction():
        editing.delete_block(news, actor=d.ruth, now=tick())
    _add(issue, d, "Events", tick())
    with transaction():
        editing.move_block(issue.blocks[1], 6, actor=d.ruth, now=tick())
    found = comparing.changes(first, issue)
    assert comparing.in_words(found) == "1 section changed, 1 added, 1 removed, order changed"
    by_name = {change.name: change for change in found}
    assert by_name["Events"].what is What.ADDED
    assert by_name["News"].what is What.REMOVED
    (field,) = by_name["Training"].fields
    assert [(p.mark, p.text) for p in field.pieces] == [
        (Mark.SAME, "All about "), (Mark.REMOVED, "Training"),
        (Mark.ADDED, "training days (https://example.org/t)"), (Mark.SAME, "."),
    ]  # fmt: skip
    assert comparing.in_words(comparing.changes(first, first)) == ""


def test_asking_for_approval_and_giving_it_keep_a_version(app: Flask, now: datetime) -> None:
    d = desk(now)
    kept = versions.kept_versions(approved(d, now))
    assert [version.reason for version in kept] == ["Approved by Ewan Marsh", versions.SENT_FOR_APPROVAL]


# --- subject and preview text ------------------------------------------------------------------------------------


def _frame(issue: Issue, d: Desk, now: datetime, **words: str) -> None:
    with transaction():
        creating.change_frame(issue, actor=d.ruth, now=now, **words)


def test_a_change_of_subject_is_undone_and_done_again(app: Flask, now: datetime, tick: Hours) -> None:
    d = desk(now)
    issue = written(d, now)
    first = issue.subject
    _frame(issue, d, tick(), subject="The Boathouse opens")
    offered = history.offer(issue, d.ruth, tick.now)
    assert offered is not None
    assert offered.words == "“Subject” was changed"
    _undo(issue, d, tick)
    assert issue.subject == first
    _undo(issue, d, tick)
    assert issue.subject == "The Boathouse opens"
    _frame(issue, d, tick(), subject="The Boathouse opens")
    assert [version.number for version in versions.kept_versions(issue)] == [3, 2, 1]


def test_undoing_a_move_leaves_the_subject_that_was_written_since(app: Flask, now: datetime, tick: Hours) -> None:
    d = desk(now)
    issue = written(d, now)
    training = _add(issue, d, "Training", tick())
    with transaction():
        editing.move_block(training, 3, actor=d.ruth, now=tick())
    _frame(issue, d, tick(), subject="Training comes second")
    with transaction():
        history.undo(issue, 1, actor=d.ruth, now=tick())
    assert _headings(issue) == ["Training", "The Boathouse is open"]
    assert issue.subject == "Training comes second"


def test_a_subject_that_was_changed_once_more_is_not_undone_past_it(app: Flask, now: datetime, tick: Hours) -> None:
    d = desk(now)
    issue = written(d, now)
    _frame(issue, d, tick(), subject="Second")
    _frame(issue, d, tick(), subject="Third")
    with pytest.raises(Conflict, match="“Subject” was changed since"), transaction():
        history.undo(issue, 1, actor=d.ruth, now=tick())
    assert issue.subject == "Third"


def test_subject_and_preview_text_are_compared_and_come_back_with_their_version(
    app: Flask, now: datetime, tick: Hours
) -> None:
    d = desk(now)
    issue = approved(d, now)
    first = versions.kept_versions(issue)[0]
    was = (issue.subject, issue.preheader)
    _frame(issue, d, tick(), subject="December: the Boathouse is closed", preheader="Come in spring.")
    assert issue.state is IssueState.DRAFT
    _edit(issue.blocks[2], d, tick(), body="<p>Closed for the winter.</p>")
    found = comparing.changes(first, issue)
    assert comparing.in_words(found) == "1 section changed, subject and preview text changed"
    assert reviewing.change_lines(found)[0] == "“Subject and preview text” has changed"
    assert [field.label for field in found[0].fields] == ["Subject", "Preview text"]
    assert [(p.mark, p.text) for p in found[0].fields[0].pieces] == [
        (Mark.SAME, "December: the Boathouse is "), (Mark.REMOVED, "open"), (Mark.ADDED, "closed"),
    ]  # fmt: skip
    with transaction():
        kept = history.restore_version(issue, first.number, actor=d.ewan, now=tick())
    assert (issue.subject, issue.preheader) == was
    assert comparing.changes(first, issue) == []
    with transaction():
        history.undo(issue, kept.number, actor=d.ewan, now=tick())
    assert issue.preheader == "Come in spring."


def test_a_version_from_before_they_were_kept_says_nothing_of_them(app: Flask, now: datetime, tick: Hours) -> None:
    d = desk(now)
    issue = approved(d, now)
    old = versions.kept_versions(issue)[0]
    old.subject = old.preheader = ""
    db.session.commit()
    _frame(issue, d, tick(), preheader="Come in spring.")
    assert comparing.changes(old, issue) == []
    with transaction():
        history.restore_version(issue, old.number, actor=d.ruth, now=tick())
    assert issue.preheader == "Come in spring."


def test_a_subject_that_was_left_for_a_while_is_kept_as_its_writer_left_it(
    app: Flask, now: datetime, tick: Hours
) -> None:
    d = desk(now)
    issue = written(d, now)
    with transaction():
        creating.change_frame(issue, subject="Before lunch", actor=d.ewan, now=tick())
    left_at = tick.now
    _frame(issue, d, tick(90), subject="After lunch")
    newest, as_left, _before = versions.kept_versions(issue)
    assert (as_left.reason, as_left.subject, as_left.at) == (versions.AS_LEFT, "Before lunch", left_at)
    assert as_left.actor_id == d.ewan.id
    assert comparing.in_short(as_left, newest) == ""


# --- the bin -----------------------------------------------------------------------------------------------------


def _delete(block: Block, d: Desk, now: datetime) -> UUID:
    with transaction():
        editing.delete_block(block, actor=d.ruth, now=now)
    return block.id


def test_the_bin_says_who_and_until_when_and_gives_back_to_the_old_place(
    app: Flask, now: datetime, tick: Hours
) -> None:
    d = desk(now)
    issue = written(d, now)
    boathouse = issue.blocks[2]
    _delete(boathouse, d, tick())
    (lying,) = binned.bin_of(issue)
    assert (lying.name, lying.by, lying.until) == ("The Boathouse is open", d.ruth, tick.now + timedelta(days=30))
    with transaction():
        binned.put_back(boathouse, actor=d.ewan, now=tick())
    assert issue.blocks[2] is boathouse
    assert binned.bin_of(issue) == []


def test_after_thirty_days_it_goes_with_its_revisions(
    app: Flask, now: datetime, tick: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    d = desk(now)
    issue = written(d, now)
    gone = _delete(issue.blocks[2], d, tick())
    late = _delete(_add(issue, d, "Training", tick()), d, tick.now + timedelta(days=2))
    monkeypatch.setattr("newsletter.clock.now", lambda: tick.now + timedelta(days=30, minutes=1))
    jobs.empty_bins()
    db.session.expire_all()
    assert db.session.get(Block, gone) is None
    assert db.session.scalars(select(BlockRevision).where(BlockRevision.block_id == gone)).all() == []
    assert [each.block.id for each in binned.bin_of(issue)] == [late]
    assert "section" not in kinds(issue)


def test_what_was_approved_stays_as_evidence(app: Flask, now: datetime, tick: Hours) -> None:
    d = desk(now)
    issue = approved(d, now)
    held = versions.kept_versions(issue)[0].number
    boathouse = issue.blocks[2]
    _edit(boathouse, d, tick(), heading="Later words")
    _delete(boathouse, d, tick())
    (lying,) = binned.bin_of(issue)
    assert lying.held
    with transaction():
        binned.throw_away(boathouse, actor=d.ruth, now=tick())
    assert binned.bin_of(issue) == []
    assert [each.version for each in versions.revisions(boathouse)] == [1]
    with pytest.raises(NotFound), transaction():
        binned.put_back(boathouse, actor=d.ruth, now=tick())
    with transaction():
        history.restore_version(issue, held, actor=d.ruth, now=tick())
    assert boathouse.data["heading"] == "The Boathouse is open"


def test_what_stands_is_not_thrown_away(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    with pytest.raises(Refused), transaction():
        binned.throw_away(issue.blocks[2], actor=d.ruth, now=now)


def test_versions_before_small_acts_are_given_up_after_a_week(app: Flask, now: datetime, tick: Hours) -> None:
    d = desk(now)
    issue = written(d, now)
    training = _add(issue, d, "Training", tick())
    with transaction():
        editing.move_block(training, 3, actor=d.ruth, now=tick())
        versions.keep_before(issue, "a document was imported", actor=d.ruth, now=tick())
    with transaction():
        assert versions.thin(tick.now + timedelta(days=6)) == 0
        assert versions.thin(tick.now + timedelta(days=8)) == 1
    assert [version.reason for version in versions.kept_versions(issue)] == ["Before a document was imported"]
