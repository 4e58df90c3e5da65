"""Editors see the email that a contribution came by, with every word that was cut off."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.config import Settings
from newsletter.db import db
from newsletter.delivery.notices import outbox
from newsletter.delivery.returns.routing import take_in_mail
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Contribution, InboundMessage
from newsletter.states import ContributionState, Role
from tests import people
from tests.web.public_pages import words

LETTER = (
    b"From: Sam Okafor <sam@police.example.org>\r\nTo: contribute+safeguarding-news@example.org\r\n"
    b"Subject: Re: Boat <b>week</b>\r\nMessage-ID: <1@police.example.org>\r\n\r\n"
    b"A week on the lake.\r\n\r\nOn Monday, Ruth wrote:\r\n> What is <i>new</i>?\r\n"
)

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, contribute_domain="example.org")


@pytest.fixture
def sams(app: object, now: datetime) -> Contribution:
    people.issue(now, people.larkmere(now))
    take_in_mail(LETTER, "the mailbox", now, now)
    return db.session.scalars(select(Contribution)).one()


def test_the_email_is_shown_as_it_came(client: FlaskClient, sams: Contribution, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        people.sign_in(client, people.staff(now))
        page = client.get(f"/desk/contributions/{sams.reference}")
        mail = client.get(f"/desk/contributions/{sams.reference.lower()}/email")
    assert f"/desk/contributions/{sams.reference}/email" in page.text
    shown = words(mail)
    assert "Boat <b>week</b>" in shown
    assert "A week on the lake. On Monday, Ruth wrote: > What is <i>new</i>?" in shown
    assert "We cut off the email that you answered" in shown
    assert "10am, Monday 7 December 2026" in shown
    assert "<i>new</i>" not in mail.text, "it is words and no markup"


def test_others_do_not_see_it(client: FlaskClient, sams: Contribution, now: datetime) -> None:
    path = f"/desk/contributions/{sams.reference}/email"
    with time_machine.travel(now, tick=False):
        assert client.get(path).status_code == 302
        people.sign_in(client, people.staff(now, "Vera Viewer", Role.VIEWER))
        assert client.get(path).status_code == 403
        people.sign_in(client, people.staff(now, "Ewan Marsh"))
        assert client.get("/desk/contributions/ABCD-2345/email").status_code == 404


def test_the_button_in_the_answer_confirms_and_opening_its_page_does_not(
    client: FlaskClient, sams: Contribution, relay: MemoryRelay, now: datetime
) -> None:
    outbox.deliver_notices(now)
    (sent,) = relay.accepted
    mail = message_from_bytes(sent.message, policy=default)
    body = mail.get_body(("plain",))
    assert body is not None
    link = re.search(r"https://news\.example\.org(/contribute/prove/\S+)", body.get_content())
    assert link
    with time_machine.travel(now + timedelta(minutes=9), tick=False):
        for _scanner in range(3):
            page = client.get(link[1])
        assert page.text.count("<button") == 1
        db.session.rollback()
        assert sams.proved_at is None
        assert client.post(link[1], data=dict(_HIDDEN.findall(page.text))).status_code < 400
    db.session.rollback()
    assert sams.proved_at is not None
    assert (sams.state, sams.late) == (ContributionState.SUBMITTED, False)


def test_what_came_is_listed_with_what_became_of_it(client: FlaskClient, sams: Contribution, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        people.sign_in(client, people.staff(now, "Asha Patel", Role.ADMIN))
        listed = words(client.get("/desk/inbound"))
        one = words(client.get(f"/desk/inbound/{sams.inbound_id}"))
    assert "News by email" in listed
    assert f"News for December 2026, {sams.reference}." in listed
    assert f"News for December 2026, {sams.reference}." in one


def test_a_letter_that_was_set_aside_is_read_by_a_person_and_not_again(
    client: FlaskClient, sams: Contribution, now: datetime
) -> None:
    forged = b"From: x@example.net, y@example.net\r\n" + LETTER.partition(b"\r\n")[2].replace(b"<1@", b"<2@")
    take_in_mail(forged, "the mailbox", now, now)
    key = db.session.scalars(select(InboundMessage.id).order_by(InboundMessage.id.desc())).first()
    with time_machine.travel(now, tick=False):
        people.sign_in(client, people.staff(now, "Asha Patel", Role.ADMIN))
        shown = client.get(f"/desk/inbound/{key}")
        refused = client.post(f"/desk/inbound/{key}/again")
    assert "It does not say who sent it, or names several." in words(shown)
    assert "enter it for them under Contributions" in words(shown)
    assert "A week on the lake." in shown.text
    assert refused.status_code == 409
