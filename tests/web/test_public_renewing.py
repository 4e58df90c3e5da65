"""The page behind "do you still want it?": looking changes nothing, one button says yes, and it takes silence back."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter import jobs
from newsletter.db import db, transaction
from newsletter.delivery.notices import outbox
from newsletter.delivery.notices.links import token_link
from newsletter.domain.subscribers import leaving, renewal_rules
from newsletter.models import Account, Activity, Consent, MailingList, Renewal, Subscription
from newsletter.states import RenewalState, Role, SubscriptionState
from newsletter.tokens import Purpose
from tests import people
from tests.dump import dump
from tests.web.public_pages import Visitor, form_token, heading, words

DAY, YEAR = timedelta(days=1), timedelta(days=365)
PAGE = "/desk/settings/retention"
HOST = "https://news.example.org"


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], relay_url="smtp://127.0.0.1:2")
    return people.larkmere(now - 4 * YEAR)


@pytest.fixture
def miriam(quarterly: MailingList, now: datetime) -> Account:
    return people.staff(now, "Miriam Okoro", Role.ADMIN)


@pytest.fixture
def asha(quarterly: MailingList, now: datetime) -> Subscription:
    """Signed up three years ago, and did nothing since."""
    return people.subscribers(now - 3 * YEAR - 2 * DAY, quarterly, 1)[0]


def hourly(at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        jobs.renew_subscriptions()
        outbox.deliver_notices(at)


@pytest.fixture
def still(asha: Subscription, quarterly: MailingList, miriam: Account, now: datetime) -> str:
    """The link that Asha was mailed."""
    with transaction():
        renewal_rules.decide(quarterly, 24, "", actor=miriam, now=now)
    hourly(now)
    renewal = db.session.scalars(select(Renewal)).one()
    return token_link("public.renew", Purpose.RENEW, renewal.public_id).removeprefix(HOST)


def test_looking_is_no_answer_and_the_button_is_one(client: FlaskClient, still: str, now: datetime) -> None:
    reader, before = Visitor(client, now + DAY), dump()
    for method in ("GET", "HEAD", "OPTIONS"):
        assert reader.open(still, method).status_code == 200
    page = reader.open(still)
    assert heading(page) == "Do you still want Safeguarding news?"
    assert "re…r1@example.org" in words(page)
    assert "No, I want to leave it" in words(page)
    assert client.post(still).status_code == 400
    assert client.post(still, data={"form": "x"}).status_code == 400
    assert dump() == before
    token = form_token(page)
    for _press in range(2):
        pressed = reader.open(still, "POST", data={"form": token})
        assert heading(pressed) == "You go on getting Safeguarding news"
    assert len(db.session.scalars(select(Consent)).all()) == 1
    assert db.session.scalars(select(Renewal.state)).all() == [RenewalState.KEPT]
    (told,) = db.session.scalars(select(Activity).where(Activity.action == "subscription.renewed"))
    assert told.actor_name == leaving.SUBSCRIBER


def test_after_the_silence_the_same_link_brings_them_back(
    client: FlaskClient, asha: Subscription, still: str, now: datetime
) -> None:
    for days in (14, 30):
        hourly(now + days * DAY)
    db.session.refresh(asha)
    assert asha.state is SubscriptionState.LEFT
    reader = Visitor(client, now + 40 * DAY)
    assert heading(reader.open(still)) == "Get Safeguarding news again?"
    assert heading(reader.send(still)) == "You go on getting Safeguarding news"
    db.session.refresh(asha)
    assert asha.state is SubscriptionState.ACTIVE
    with transaction():
        leaving.unsubscribe(asha, route="link", now=now + 41 * DAY)
    reader.now = now + 42 * DAY
    assert heading(reader.open(still)) == "You have left Safeguarding news"
    assert client.post(still).status_code == 400
    reader.now = now + 200 * DAY
    assert reader.open(still).status_code == 410
    assert reader.open("/still/nonsense").status_code == 404


def test_an_administrator_sees_what_would_happen_and_decides(
    client: FlaskClient, asha: Subscription, miriam: Account, now: datetime
) -> None:
    people.policy_changes(now)
    with time_machine.travel(now, tick=False):
        people.sign_in(client, miriam)
        page = words(client.get(PAGE))
        assert "Safeguarding news Not decided Decide Safeguarding news 1 person would be asked" in page
        one = "/desk/settings/retention/safeguarding-news"
        opened = words(client.get(one))
        assert "After 2 years 1 person was not heard from for so long" in opened
        assert "After 3 years 1 person" in opened
        for wrong, sentence in (
            ({"months": "never", "reason": ""}, "Say why people are kept on this list without ever being asked"),
            ({"months": "3"}, "Enter a number of months from 6 to 60"),
            ({"months": "x"}, "Choose after how long people are asked, or never"),
            ({}, "Choose after how long people are asked, or never"),
        ):
            answer = client.post(one, data=wrong)
            assert (answer.status_code, sentence in words(answer)) == (422, True), wrong
        hourly(now)
        assert db.session.scalars(select(Renewal)).all() == []
        assert client.post(one, data={"months": "24"}).status_code == 303
        assert "24 months Change Safeguarding news 1 person is asked 0 waiting" in words(
            client.get("/desk/settings/retention")
        )
        hourly(now)
        assert "1 waiting, 0 stayed, 0 left" in words(client.get(PAGE))
        client.post(one, data={"months": "never", "reason": "Told by law"})
        assert "Never: Told by law Change Safeguarding news Nobody is asked 0 waiting" in words(
            client.get("/desk/settings/retention")
        )
        assert client.get("/desk/settings/retention/nothing").status_code == 404


def test_editors_decide_nothing(client: FlaskClient, quarterly: MailingList, now: datetime) -> None:
    people.sign_in(client, people.staff(now))
    assert client.get("/desk/settings/retention/safeguarding-news").status_code == 403
    assert client.post("/desk/settings/retention/safeguarding-news", data={"months": "24"}).status_code == 403
    assert renewal_rules.rule_of(quarterly) is None
