"""The pages about consent: one person's to print, and the check of the record."""

from datetime import datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from newsletter.db import transaction
from newsletter.domain.subscribers import leaving, sealing
from newsletter.models import Consent, MailingList, Subscriber, Subscription
from newsletter.states import ConsentEvent, Role
from tests import people


@pytest.fixture
def quarterly(client: FlaskClient, now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def asha(quarterly: MailingList, now: datetime) -> Subscriber:
    subscription: Subscription = people.subscribers(now, quarterly, 1)[0]
    with transaction() as session:
        session.add(
            Consent(
                subscription_id=subscription.id,
                event=ConsentEvent.GIVEN,
                at=now,
                wording="We send you <four> issues a year.",
                privacy_version=1,
                route="sign-up",
                source="/subscribe",
            )
        )
    assert subscription.subscriber is not None
    return subscription.subscriber


def test_one_person_s_evidence_has_the_words_and_the_notice(
    client: FlaskClient, asha: Subscriber, now: datetime
) -> None:
    with transaction():
        leaving.unsubscribe(asha.subscriptions[0], route="one-click", now=now)
    sealing.seal_all(now)
    people.sign_in(client, people.staff(now))
    page = client.get(f"/desk/subscribers/{asha.public_id}/consent")

    assert page.status_code == 200
    for words in (
        "reader1@example.org",
        "“We send you &lt;four&gt; issues a year.”",
        "We use your address to send what you tick.",
        "one-click",
        "10am, Monday 7 December 2026",
        "Event 1, sealed as",
        "Consent: they asked for it",
    ):
        assert words in page.text, words
    assert "no-store" in page.headers["Cache-Control"]


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.EDITOR, 200)])
def test_whoever_sees_no_addresses_sees_no_evidence(
    client: FlaskClient, asha: Subscriber, now: datetime, role: Role, status: int
) -> None:
    people.sign_in(client, people.staff(now, role=role))

    assert client.get(f"/desk/subscribers/{asha.public_id}/consent").status_code == status


def test_an_editor_of_another_list_finds_nobody(client: FlaskClient, asha: Subscriber, now: datetime) -> None:
    people.sign_in(client, people.staff(now, on=people.policy_changes(now)))

    assert client.get(f"/desk/subscribers/{asha.public_id}/consent").status_code == 404


def test_the_record_is_checked_by_a_button(client: FlaskClient, asha: Subscriber, now: datetime) -> None:
    sealing.seal_all(now)
    people.sign_in(client, people.staff(now, role=Role.ADMIN))
    assert sealing.head() in client.get("/desk/settings/consent").text
    assert "Everything fits" in client.post("/desk/settings/consent", data={"head": sealing.head()}).text
    with transaction() as session:
        session.execute(text("UPDATE consent SET wording = 'Anything'"))

    page = client.post("/desk/settings/consent").text
    assert "Something does not fit" in page
    assert "Event 1 was changed." in page
