"""Who is not to be written to, noted beside the database in lines that name nobody."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.domain.subscribers import joining, leaving, objection_log, suppressing
from newsletter.domain.subscribers.objection_log import Kind, Objection
from newsletter.models import ConsentWording, MailingList, Subscription
from newsletter.states import SuppressionReason
from tests import people

DAY = timedelta(days=1)


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    made = people.larkmere(now)
    people.subscribers(now - DAY, made, 2)
    return made


def noted() -> list[str]:
    """The lines, without whom they are about."""
    lines = objection_log.path().read_text().splitlines() if objection_log.path().exists() else []
    return [" ".join(word for place, word in enumerate(line.split()) if place != 2) for line in lines]


def theirs() -> Subscription:
    return db.session.scalars(select(Subscription).order_by(Subscription.id).limit(1)).one()


def test_who_leaves_comes_back_is_suppressed_and_is_not(quarterly: MailingList, now: datetime) -> None:
    with transaction():
        leaving.unsubscribe_everywhere(theirs().subscriber, route="link", now=now)
        leaving.unsubscribe(theirs(), route="link", now=now)
    wording = db.session.scalars(select(ConsentWording)).one()
    with transaction():
        again = joining.Evidence(wording=wording, privacy_version=1, route="form")
        joining.join(theirs().subscriber, quarterly, again, now=now + DAY)
        suppressing.end_by_sign_up("reader1@example.org", now=now + DAY)
    with transaction():
        suppression = suppressing.suppress("reader2@example.org", SuppressionReason.STAFF, now=now)
        suppressing.lift(suppression, "They asked for it", actor=None, now=now + DAY)
    assert noted() == [
        "2026-12-07T10:00:00+00:00 left",
        "2026-12-07T10:00:00+00:00 suppressed unsubscribed_all",
        "2026-12-08T10:00:00+00:00 joined",
        "2026-12-08T10:00:00+00:00 lifted unsubscribed_all",
        "2026-12-07T10:00:00+00:00 suppressed staff",
        "2026-12-08T10:00:00+00:00 lifted staff",
    ]
    assert objection_log.path().stat().st_mode & 0o077 == 0
    text = objection_log.path().read_text()
    assert "reader" not in text
    assert "@" not in text
    assert {last.kind for last in objection_log.newest(objection_log.path())} == {Kind.JOINED, Kind.LIFTED}


def test_what_was_not_committed_is_not_noted(quarterly: MailingList, now: datetime) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        leaving.unsubscribe(theirs(), route="link", now=now)
        _ = 1 / 0
    assert noted() == []


def test_lines_that_are_none_are_passed_over(quarterly: MailingList, now: datetime) -> None:
    whole = Objection(now, Kind.LEFT, bytes(16)).line()
    objection_log.path().write_text(f"nonsense\n{whole[:50]}\n2026-12-07T10:00:00 left {'00' * 16}\n"
                                    f"{now.isoformat()} suppressed {'00' * 32}\n{whole}{whole[:-9]}")  # fmt: skip
    assert list(objection_log.newest(objection_log.path())) == [Objection(now, Kind.LEFT, bytes(16))]


def test_a_restore_puts_back_a_suppression_once_and_never_one_that_was_lifted(
    quarterly: MailingList, now: datetime
) -> None:
    digest = suppressing.address_hash("reader1@example.org")
    with transaction():
        assert suppressing.suppress_again(digest, SuppressionReason.COMPLAINT, at=now)
        assert not suppressing.suppress_again(digest, SuppressionReason.COMPLAINT, at=now)
        (made,) = suppressing.suppressions_of("reader1@example.org")
        suppressing.lift(made, "By mistake", actor=None, now=now + DAY)
        assert not suppressing.suppress_again(digest, SuppressionReason.COMPLAINT, at=now)
        assert suppressing.suppress_again(digest, SuppressionReason.COMPLAINT, at=now + 2 * DAY)
    assert len(suppressing.all_of("reader1@example.org")) == 2
