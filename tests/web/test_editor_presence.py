"""Who else is at the desk."""

from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from newsletter.db import db
from newsletter.models import Activity, Issue, Presence
from newsletter.states import Role
from tests import people
from tests.web import desk

HERE = "/desk/issues/january-2027/write/here"


@pytest.fixture(autouse=True)
def _at_work(now: datetime) -> object:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def issue(client: FlaskClient, now: datetime) -> Issue:
    return desk.january(now, people.larkmere(now), desk.ruth(client, now))


@pytest.fixture
def ewan(app: Flask, issue: Issue, now: datetime) -> FlaskClient:
    browser = app.test_client()
    people.sign_in(browser, people.staff(now, "Ewan Marsh", Role.EDITOR))
    return browser


def test_two_editors_hear_of_each_other(client: FlaskClient, ewan: FlaskClient, issue: Issue, now: datetime) -> None:
    section, contact = desk.block_id(issue, "section"), desk.block_id(issue, "contact")
    assert client.post(HERE, data={"block": contact}).json == {
        "content": issue.content_version, "version": 1, "html": "", "rows": [],
    }  # fmt: skip
    told = ewan.post(HERE, data={"block": section}).json
    assert told is not None
    assert "Ruth Adeyemi is in “" in told["html"]
    assert told["rows"] == [{"id": contact, "name": "Ruth Adeyemi"}]
    told = client.post(HERE, data={"block": section}).json
    assert told is not None
    assert "Ewan Marsh is in this section too" in told["html"]
    assert "Ewan Marsh is in this section too" in client.get(f"/desk/issues/january-2027/write/{section}").text
    with time_machine.travel(now + timedelta(seconds=61), tick=False):
        told = client.post(HERE, data={"block": section}).json
        assert told is not None
        assert told["rows"] == []


def test_it_is_no_act_and_looking_is_no_presence(client: FlaskClient, ewan: FlaskClient, issue: Issue) -> None:
    acts = db.session.query(Activity).count()
    client.get(f"/desk/issues/january-2027/write/{desk.block_id(issue, 'section')}")
    assert db.session.query(Presence).count() == 0
    ewan.post(HERE, data={"block": "nonsense"})
    assert db.session.query(Presence).one().block_id is None
    assert db.session.query(Activity).count() == acts


def test_a_page_that_never_stops_asking_is_told_to(client: FlaskClient, issue: Issue) -> None:
    statuses = [client.post(HERE).status_code for _ in range(62)]
    assert statuses[:60] == [200] * 60
    assert statuses[60:] == [429, 429]


def test_a_name_is_shown_as_words(app: Flask, client: FlaskClient, issue: Issue, now: datetime) -> None:
    browser = app.test_client()
    people.sign_in(browser, people.staff(now, "<b>Mallory</b>", Role.EDITOR))
    browser.post(HERE)
    told = client.post(HERE).json
    assert told is not None
    assert "<b>" not in told["html"]
    assert "&lt;b&gt;Mallory" in told["html"]
