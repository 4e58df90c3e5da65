"""What a person is shown of themselves: every row, and the same as a file."""

import json
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from newsletter.db import transaction
from newsletter.delivery.notices.links import nonce_link
from newsletter.domain.subscribers import leaving, preferences
from newsletter.models import Subscription
from newsletter.tokens import Purpose
from tests import people
from tests.dump import dump
from tests.web.public_pages import Visitor, words

HOST = "https://news.example.org"


@pytest.fixture
def asha(app: Flask, now: datetime) -> Subscription:
    return people.subscribers(now, people.larkmere(now), 2)[0]


def own_link(asha: Subscription, now: datetime) -> str:
    with transaction():
        assert asha.subscriber is not None
        notice = preferences.send_fresh_link(asha.subscriber, now=now)
    assert notice is not None
    return nonce_link("public.own_data", Purpose.OWN_DATA, notice.nonce).removeprefix(HOST)


def test_everything_is_there_on_a_page_and_in_a_file(client: FlaskClient, asha: Subscription, now: datetime) -> None:
    with transaction():
        leaving.unsubscribe(asha, route="one-click", now=now)
    own, reader = own_link(asha, now), Visitor(client, now)
    before = dump()
    assert f"{own}/everything" in reader.open(own).text
    page, file = reader.open(f"{own}/everything"), reader.open(f"{own}/data.json")

    assert dump() == before
    assert "What you agreed to, word for word" in words(page)
    assert "one-click" in words(page)
    found = json.loads(file.text)
    assert found["subscriber"][0]["address"] == "reader1@example.org"
    assert "reader2" not in file.text
    assert file.headers["Content-Disposition"].startswith("attachment")
    for answer in (page, file):
        assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_after_an_hour_neither_opens(client: FlaskClient, asha: Subscription, now: datetime) -> None:
    own, late = own_link(asha, now), Visitor(client, now + timedelta(hours=1))
    assert [late.open(own + rest).status_code for rest in ("/everything", "/data.json")] == [410, 410]
    reader = Visitor(client, now)
    assert [reader.open(f"/your-data/x{rest}").status_code for rest in ("/everything", "/data.json")] == [404, 404]
