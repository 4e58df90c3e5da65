"""Words that are removed for good: from drafts, versions, what was sent, mails, and the file itself."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.domain.issues import taking_down
from newsletter.errors import Conflict, Invalid
from newsletter.models import (
    Activity,
    Block,
    BlockRevision,
    Contribution,
    InboundMessage,
    Issue,
    MailboxMessage,
    MailingList,
    Rendition,
    SealedCopy,
    TakeDown,
)
from newsletter.states import ContributionState, InboundState, IssueState
from tests import people

WORDS = "Brannock & Sons took part"


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def issue(quarterly: MailingList, now: datetime) -> Issue:
    """An issue in which the words stand in every form they can take."""
    made = people.issue(now, quarterly)
    body = {"heading": "News", "body": "<p>Yesterday Brannock &amp; Sons\n took part. Thank you.</p>"}
    with transaction() as session:
        block = Block(issue_id=made.id, position=1, kind="section", data=body, updated_at=now)
        session.add(block)
        session.flush()
        session.add_all([
            BlockRevision(block_id=block.id, version=1, data={"kind": "section", "data": body}, at=now),
            Contribution(reference="LK-1", issue_id=made.id, state=ContributionState.SUBMITTED, title=WORDS.upper(),
                         body=f"Yesterday {WORDS}.", contact_address="sam@example.org", opened_at=now, created_at=now,
                         submitted_at=now),
            InboundMessage(digest=bytes(32), source="INBOX", received_at=now, state=InboundState.QUARANTINED,
                           raw=b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
                               b"QnJhbm5vY2sgJiBTb25zIHRvb2sgcGFydA==\n"),
            MailboxMessage(at=now, sender="n@example.org", recipient="r@example.org", subject="News",
                           source=b"Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n"
                                  b"Brannock =26 Sons took=\n part\n"),
            Rendition(issue_id=made.id, content_version=1, subject="News", headers={},
                      html="<p>Brannock&nbsp;&amp; Sons took part</p>", text="Brannock & Sons\ntook part",
                      web="<p>Brannock &amp; Sons took part</p>", audience={}, content_hash=b"h" * 32, created_at=now),
        ])  # fmt: skip
    return made


def test_they_go_from_everywhere_and_a_dated_reason_stays(issue: Issue, now: datetime, tmp_path: Path) -> None:
    version = issue.content_version
    with transaction():
        done = taking_down.take_down(WORDS, "They never agreed to be named", actor=None, now=now)
        number = done.record.id
    assert dict(done.places) == {
        "block": 1, "block_revision": 1, "contribution": 1, "inbound_message": 1, "mailbox_message": 1, "rendition": 1,
    }  # fmt: skip
    assert done.still == ()
    note = "[Removed on Monday 7 December 2026: They never agreed to be named]"
    assert db.session.scalars(select(Block)).one().data["body"] == f"<p>Yesterday {note}. Thank you.</p>"
    assert db.session.scalars(select(Rendition)).one().text == note
    assert db.session.get_one(Issue, issue.id).content_version > version
    record = db.session.get_one(TakeDown, number)
    assert (record.reason, record.places) == ("They never agreed to be named", dict(done.places))
    assert "words.taken_down" in db.session.scalars(select(Activity.action)).all()
    db.session.remove()
    db.engine.dispose()
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert b"brannock" not in file.read_bytes().lower(), file.name


def test_what_was_sent_lies_under_seal_and_opens_with_its_key(issue: Issue, now: datetime) -> None:
    with transaction():
        done = taking_down.take_down(WORDS, "A mistake", actor=None, now=now)
    copy = db.session.scalars(select(SealedCopy)).one()
    (key,) = done.keys.values()
    opened: dict[str, Any] = taking_down.unseal(copy, key)

    assert opened["text"] == "Brannock & Sons\ntook part"
    assert copy.content_hash == db.session.scalars(select(Rendition)).one().content_hash == b"h" * 32
    for wrong in (bytes(len(key)), key[:-1], b""):
        with pytest.raises(Invalid):
            taking_down.unseal(copy, wrong)


def test_words_with_formatting_between_them_are_told(issue: Issue, now: datetime) -> None:
    with transaction():
        db.session.scalars(select(Block)).one().data = {"body": "<p>Brannock <b>Hall</b> is closed.</p>"}
    with transaction():
        assert taking_down.take_down("Brannock Hall", "A mistake", actor=None, now=now).still == ("block",)


@pytest.mark.parametrize(
    ("words", "reason"), [("abc", "x"), (" ", "x"), (WORDS, " "), (WORDS, f"No {WORDS}"), (WORDS, "<b>x")]
)
def test_what_cannot_be_taken_down(issue: Issue, now: datetime, words: str, reason: str) -> None:
    with pytest.raises(Invalid), transaction():
        taking_down.take_down(words, reason, actor=None, now=now)
    assert db.session.scalars(select(TakeDown)).all() == []


def test_not_under_an_issue_that_is_about_to_go_out(issue: Issue, now: datetime) -> None:
    with transaction():
        issue.scheduled_at, issue.state = now, IssueState.SCHEDULED
    with pytest.raises(Conflict), transaction():
        taking_down.take_down(WORDS, "A mistake", actor=None, now=now)
    assert "Brannock" in str(db.session.scalars(select(Block)).one().data)
