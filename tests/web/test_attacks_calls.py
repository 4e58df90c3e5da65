"""What strangers, contributors of other agencies and machines try on calls for news: forms, links, codes and mails."""

import re
from datetime import datetime, timedelta
from email import message_from_bytes, policy

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.db import db
from newsletter.delivery.notices.outbox import deliver_notices
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Contribution, Issue, Notice
from tests import people

TYPED = ("Cheap pills", "evil.example", "Buy now", "Mallory", "01632 960111")


@pytest.fixture
def december(app: Flask, now: datetime) -> Issue:
    return people.issue(now, people.larkmere(now))


def opened(client: FlaskClient, moment: datetime) -> dict[str, str]:
    """The hidden values of the call's form, as a browser gets them at the moment."""
    with time_machine.travel(moment, tick=False):
        page = client.get("/contribute/december-2026").text
    found = re.search(r'name="opened" value="([^"]+)"', page)
    assert found
    return {"opened": found[1], "kind": "section"}


def spam(victim: str) -> dict[str, str]:
    return {
        "d.heading": "Cheap pills",
        "d.body": "Buy now at https://evil.example/",
        "agency": "Mallory Ltd",
        "contact_name": "Mallory Cheap pills",
        "contact_address": victim,
        "contact_phone": "01632 960111",
        "declared": "y",
    }


def mails(relay: MemoryRelay, now: datetime) -> list[str]:
    """The mails that leave, each whole: its headers and both its parts."""
    before = len(relay.accepted)
    deliver_notices(now)
    found = []
    for sent in relay.accepted[before:]:
        mail = message_from_bytes(sent.message, policy=policy.default)
        parts = [str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text"]
        found.append("\n".join([*(f"{name}: {value}" for name, value in mail.items()), *parts]))
    return found


# --- mail to people who have sent nothing ----------------------------------------------------------------------


@pytest.mark.parametrize("days", [0, 10])
def test_an_address_that_nobody_has_proved_gets_not_a_word_of_its_sender(
    december: Issue, client: FlaskClient, relay: MemoryRelay, now: datetime, days: int
) -> None:
    """In time or late: the reference, the link and the code go, and what was typed once the address is proved."""
    moment = now + timedelta(days=days, minutes=2)
    hidden = opened(client, now)
    with time_machine.travel(moment, tick=False):
        kept = client.post("/contribute/december-2026", data=spam("victim@example.org") | hidden)
    (mail,) = mails(relay, moment)

    reference = db.session.scalars(select(Contribution.reference)).one()
    assert reference in mail
    assert [word for word in TYPED if word in mail] == []

    with time_machine.travel(moment + timedelta(minutes=1), tick=False):
        client.post(f"{kept.location}/prove")
    (again,) = mails(relay, moment + timedelta(minutes=1))
    assert reference in again
    assert [word for word in TYPED if word in again] == []

    code = re.search(r"^ +(\d{3} \d{3})\s*$", again, re.MULTILINE)
    assert code
    with time_machine.travel(moment + timedelta(minutes=2), tick=False):
        where = client.post(f"{kept.location}/prove").location
        (newest,) = mails(relay, moment + timedelta(minutes=2))
        code = re.search(r"^ +(\d{3} \d{3})\s*$", newest, re.MULTILINE)
        assert code
        assert client.post(where, data={"code": code[1]}).status_code == 303
        assert client.post(where, data={"code": code[1]}).status_code == 200
    (copy,) = mails(relay, moment + timedelta(minutes=2))
    assert "Buy now at" in copy
    assert "Mallory Ltd" in copy
    assert not re.search(r"^ +(\d{3} \d{3})\s*$", copy, re.MULTILINE)
    assert len(db.session.scalars(select(Notice)).all()) == 4
