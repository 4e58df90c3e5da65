"""Editors see the email that a contribution came by, with every word that was cut off."""

from dataclasses import replace
from datetime import datetime

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.config import Settings
from newsletter.db import db
from newsletter.delivery.returns.routing import take_in_mail
from newsletter.models import Contribution
from newsletter.states import Role
from tests import people
from tests.web.public_pages import words

LETTER = (
    b"From: Sam Okafor <sam@police.example.org>\r\nTo: contribute+safeguarding-news@example.org\r\n"
    b"Subject: Re: Boat <b>week</b>\r\nMessage-ID: <1@police.example.org>\r\n\r\n"
    b"A week on the lake.\r\n\r\nOn Monday, Ruth wrote:\r\n> What is <i>new</i>?\r\n"
)


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
