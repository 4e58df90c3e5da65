"""What is held on a person: complete by the schema itself."""

import json
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter import addresses
from newsletter.db import Base, db, transaction
from newsletter.domain.notices import send_notice
from newsletter.domain.subscribers import held, leaving, suppressing
from newsletter.domain.subscribers.personal import COLUMNS
from newsletter.models import (
    Contribution,
    Delivery,
    Feedback,
    MailingList,
    SignUp,
    Subscriber,
    TestAddress,
    ViewsAnswer,
)
from newsletter.states import ContributionState, DeliveryState, FeedbackKind, Role, SuppressionReason
from tests import people

MARKS = ("personal", "plain", "words", "hidden")


@pytest.mark.parametrize("name", sorted(Base.metadata.tables))
def test_every_column_is_marked_once(name: str) -> None:
    """A new column makes this fail: say in personal.py whether it is about a person."""
    marked = [column for mark in MARKS for column in COLUMNS[name].names(mark)]

    assert sorted(marked) == sorted(column.name for column in Base.metadata.tables[name].columns)


def test_no_table_with_something_personal_is_left_out() -> None:
    assert set(COLUMNS) == set(Base.metadata.tables)
    assert {name for name, marks in COLUMNS.items() if marks.personal} == held.tables()


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


def test_everything_of_one_person_and_nothing_of_another(quarterly: MailingList, now: datetime) -> None:
    mine, other = people.subscribers(now, quarterly, 2)
    issue = people.issue(now, quarterly)
    with transaction() as session:
        assert mine.subscriber is not None
        mine.subscriber.name = "Asha Patel"
        session.add_all(
            Delivery(issue_id=issue.id, subscription_id=one.id, state=DeliveryState.REFUSED, updated_at=now,
                     reply=f"550 no {one.public_id}")
            for one in (mine, other)
        )  # fmt: skip
        session.add(Feedback(kind=FeedbackKind.SOFT, subscription_id=mine.id, issue_id=issue.id, at=now, reply="full"))
        session.add(
            Contribution(
                reference="LK-1", issue_id=issue.id, state=ContributionState.SUBMITTED, title="Training", body="Dates",
                contact_name="Asha Patel", contact_address="Reader1@example.org", opened_at=now, created_at=now,
                submitted_at=now,
            )
        )  # fmt: skip
        session.add(TestAddress(list_id=quarterly.id, address="reader1@example.org",
                                address_key="reader1@example.org", added_at=now))  # fmt: skip
        send_notice("fresh_link", "reader1@example.org", now=now, values={"subscriber": str(mine.public_id)})
        leaving.unsubscribe(mine, route="one-click", now=now)
        suppressing.suppress("reader1@example.org", SuppressionReason.STAFF, now=now, note="rang us")
    found = held.held_about("reader1@example.org")

    assert set(found) == {
        "subscriber", "subscription", "consent", "delivery", "feedback", "notice", "contribution", "test_address",
        "suppression", "activity",
    }  # fmt: skip
    text = json.dumps(found)
    assert "Asha Patel" in text
    assert "rang us" in text
    assert str(other.public_id) not in text
    assert "reader2" not in text
    assert found["notice"][0]["nonce"] == "kept, not shown"
    for name, rows in found.items():
        for row in rows:
            assert set(COLUMNS[name].names("personal")) <= set(row), name


def test_staff_and_contributors_too(quarterly: MailingList, now: datetime) -> None:
    people.staff(now, "Ruth Adeyemi", Role.ADMIN)
    people.contributor(now, "Ruth Adeyemi", people.agency(now))
    found = held.held_about("RUTH@example.org")

    assert {"account", "membership", "contributor"} <= set(found)
    assert found["account"][0]["tf_totp_secret"] == "kept, not shown"
    assert db.session.scalars(select(SignUp)).all() == []
    assert (Subscriber.__tablename__, ViewsAnswer.__tablename__) == ("subscriber", "views_answer")
    assert addresses.key("RUTH@example.org") == found["account"][0]["email_key"]
