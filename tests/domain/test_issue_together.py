"""Two people at one issue at the same instant, on both databases: one is served, the other is told."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask

from newsletter.db import db, transaction
from newsletter.domain.issues import approving, documents, editing, scheduling
from newsletter.errors import Conflict, NewsletterError, Refused
from newsletter.models import Account, Block, BlockRevision, Issue
from newsletter.states import IssueState
from tests.domain.issue_makers import AUTUMN, approved, desk, draft, written

pytestmark = pytest.mark.both_databases


def _at_once(app: Flask, works: list[Callable[[], None]]) -> list[type[NewsletterError] | None]:
    """Each in a thread and a transaction of its own, begun together; what each raised."""
    start = threading.Barrier(len(works))
    ended: list[type[NewsletterError] | None] = [None] * len(works)

    def run(number: int) -> None:
        with app.app_context():
            start.wait()
            try:
                with transaction():
                    works[number]()
            except NewsletterError as error:
                ended[number] = type(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ended


def test_of_two_saves_of_one_section_one_is_kept_and_the_other_told(app: Flask, now: datetime) -> None:
    d = desk(now)
    section_id: UUID = written(d, now).blocks[2].id
    people = [d.ruth.id, d.ewan.id]
    db.session.remove()

    def save(person: int) -> Callable[[], None]:
        def work() -> None:
            block = db.session.get_one(Block, section_id)
            editing.edit_block(block, {"heading": f"Words of {person}"}, expected_version=1,
                               actor=db.session.get_one(Account, person), now=now)  # fmt: skip

        return work

    ended = _at_once(app, [save(person) for person in people])
    assert ended.count(None) == ended.count(Conflict) == 1
    kept = db.session.query(BlockRevision).filter_by(block_id=section_id, version=2).one()
    assert kept.data["data"]["heading"] == f"Words of {people[ended.index(None)]}"


def test_sections_that_are_added_at_once_stand_in_one_order(app: Flask, now: datetime) -> None:
    issue_id = draft(desk(now), now).id
    db.session.remove()

    def add(number: int) -> Callable[[], None]:
        data = {"heading": f"Section {number}"}

        def work() -> None:
            issue = db.session.get_one(Issue, issue_id)
            editing.add_block(issue, "section", data, position=2, actor=None, now=now)

        return work

    assert _at_once(app, [add(number) for number in range(6)]) == [None] * 6
    issue = db.session.get_one(Issue, issue_id)
    assert [block.position for block in issue.blocks] == list(range(11))
    assert issue.content_version == 12


def test_of_two_who_schedule_one_does(app: Flask, now: datetime) -> None:
    issue_id = approved(desk(now), now).id
    db.session.remove()

    def work() -> None:
        issue = db.session.get_one(Issue, issue_id)
        scheduling.schedule(issue, now + timedelta(hours=1), actor=None, now=now)

    ended = _at_once(app, [work, work])
    assert ended.count(None) == ended.count(Refused) == 1


def test_an_edit_and_a_schedule_at_once_never_both_hold(app: Flask, now: datetime) -> None:
    issue_id = approved(desk(now), now).id
    db.session.remove()

    def schedule() -> None:
        issue = db.session.get_one(Issue, issue_id)
        scheduling.schedule(issue, now + timedelta(hours=1), actor=None, now=now)

    def edit() -> None:
        block = db.session.get_one(Issue, issue_id).blocks[2]
        editing.edit_block(block, {"heading": "Late words"}, expected_version=1, actor=None, now=now)

    ended = _at_once(app, [schedule, edit])
    issue = db.session.get_one(Issue, issue_id)
    if ended[0] is None:
        assert (issue.state, ended[1], issue.blocks[2].version) == (IssueState.SCHEDULED, Refused, 1)
    else:
        assert (issue.state, ended[1], issue.blocks[2].version) == (IssueState.DRAFT, None, 2)


def test_a_whole_life_up_to_the_schedule(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = approved(d, now)
    with transaction():
        documents.import_document(issue, documents.read_text(AUTUMN.read_bytes()), actor=d.ruth, now=now)
    assert issue.state is IssueState.DRAFT
    prepared = approving.prepare(issue, now)
    assert {finding.code for finding in prepared.blocking} == {"empty_contact", "lost_link", "past_date"}
    with transaction():
        assert scheduling.hold_unapproved(now + timedelta(days=8)) == [issue]
        scheduling.cancel_issue(issue, reason="A trial", actor=d.ruth, now=now)
    assert issue.state is IssueState.CANCELLED
