"""Addresses that get no mail, as staff see them, and what no door can do against an entry."""

from datetime import datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.domain.subscribers import leaving, suppressing
from newsletter.models import Activity, MailingList, Notice, SignUp, Subscription, Suppression
from newsletter.states import Role, SubscriptionState, SuppressionReason
from tests import people
from tests.dump import dump
from tests.web.public_pages import Visitor

WHERE = "/desk/suppressions"


@pytest.fixture
def quarterly(client: FlaskClient, now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def editor(client: FlaskClient, quarterly: MailingList, now: datetime) -> FlaskClient:
    people.sign_in(client, people.staff(now))
    return client


def complained(now: datetime, address: str = "asha@example.org") -> Suppression:
    with transaction():
        return suppressing.suppress(address, SuppressionReason.COMPLAINT, now=now)


def test_an_address_is_entered_and_its_reason_told(editor: FlaskClient, now: datetime) -> None:
    complained(now)
    assert "They called a mail spam" in editor.get(WHERE).text
    page = editor.post(WHERE, data={"email": " Asha@Example.org "}).text

    assert "since 10am, Monday 7 December 2026" in page
    assert "A sign-up does not end it" in page
    assert "Mail may go to tom@example.org" in editor.post(WHERE, data={"email": "tom@example.org"}).text
    assert editor.post(WHERE, data={"email": "nobody"}).status_code == 422
    assert "asha" not in str(dump()).lower()


def test_it_ends_for_a_reason_only_and_that_is_kept(editor: FlaskClient, now: datetime) -> None:
    one = complained(now)
    lift = f"{WHERE}/{one.id}/lift"
    page = editor.post(lift, data={"email": "asha@example.org", "reason": " "})
    assert page.status_code == 422
    assert page.text.count("Say why mail may go to this address again") == 2, (
        "at the head of the page, and at the field"
    )
    assert "<title>Error: " in page.text
    assert suppressing.is_suppressed("asha@example.org")

    answer = {"email": "asha@example.org", "reason": "asha@example.org rang us on 3 May"}
    assert [editor.post(lift, data=answer).status_code for _click in range(2)] == [303, 303]
    assert not suppressing.is_suppressed("asha@example.org")
    assert "rang us on 3 May" in one.lift_reason
    assert "asha" not in str(dump()).lower()
    recorded = db.session.scalars(select(Activity).where(Activity.action == "suppression.lifted")).all()
    assert [(entry.actor_name, entry.subject_id) for entry in recorded] == [("Ruth Adeyemi", str(one.id))]
    assert "Ended on" in editor.post(WHERE, data={"email": "asha@example.org"}).text


def test_an_entry_cannot_be_ended_by_its_number_alone(editor: FlaskClient, now: datetime) -> None:
    one = complained(now)
    for email in ("tom@example.org", ""):
        assert editor.post(f"{WHERE}/{one.id}/lift", data={"email": email, "reason": "x"}).status_code == 404
    assert suppressing.is_suppressed("asha@example.org")


def test_staff_end_all_mail_to_an_address(editor: FlaskClient, quarterly: MailingList, now: datetime) -> None:
    people.subscribers(now, quarterly, 1)
    answer = {"email": "reader1@example.org", "note": "reader1@example.org wrote to us"}
    assert editor.post(f"{WHERE}/add", data=answer).status_code == 303

    assert db.session.scalars(select(Subscription)).one().state is SubscriptionState.LEFT
    (one,) = suppressing.suppressions_of("reader1@example.org")
    assert one.reason is SuppressionReason.STAFF
    assert "reader1" not in one.note


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_who_may_not(client: FlaskClient, quarterly: MailingList, now: datetime, role: Role) -> None:
    """A viewer; and the editor of one list, for an entry is for all lists."""
    one = complained(now)
    people.sign_in(client, people.staff(now, role=role, on=quarterly))
    assert client.get(WHERE).status_code == 403
    answer = {"email": "asha@example.org", "reason": "x"}
    assert client.post(f"{WHERE}/{one.id}/lift", data=answer).status_code == 403
    assert client.post(f"{WHERE}/add", data=answer).status_code == 403


def test_the_form_writes_nothing_to_whoever_complained(
    client: FlaskClient, quarterly: MailingList, now: datetime
) -> None:
    """Asking again by the public form gives the usual page, and no mail."""
    subscription = people.subscribers(now, quarterly, 1)[0]
    with transaction():
        leaving.complain(subscription, reporter="her provider", now=now)
    page = Visitor(client, now).send("/subscribe", {"email": "reader1@example.org", "lists": quarterly.slug})

    assert page.status_code in (200, 303)
    assert db.session.scalars(select(Notice)).all() == []
    assert db.session.scalars(select(SignUp).where(SignUp.confirmed_at.is_not(None))).all() == []
    assert suppressing.blocks_sign_up("reader1@example.org")
