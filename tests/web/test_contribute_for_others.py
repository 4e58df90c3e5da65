"""Somebody rings, and an editor enters their news for them."""

from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.db import db
from newsletter.domain.calls.deadline import reading
from newsletter.models import Activity, Contribution, Issue, Notice
from newsletter.states import ContributionSource, Role
from tests import people

FIELDS = {
    "heading": "Helpline hours", "body": "From Monday:\n\n- 9am to 5pm", "agency": "Larkmere Health",
    "contact_name": "Nadia Rahman", "contact_address": "nadia@health.example.org", "copy": "y",
}  # fmt: skip
NEW = "/desk/issues/december-2026/contributions/new"


@pytest.fixture
def december(app: Flask, now: datetime) -> Issue:
    """Its deadline is 5pm, Friday 11 December 2026."""
    return people.issue(now, people.larkmere(now))


def test_what_an_editor_enters_waits_with_the_others(december: Issue, client: FlaskClient, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        people.sign_in(client, people.staff(now))
        assert client.get(NEW).status_code == 200
        answer = client.post(NEW, data=FIELDS)

    entered = db.session.scalars(select(Contribution)).one()
    assert answer.location.endswith(f"/desk/contributions/{entered.reference}")
    assert reading.undecided(december) == [entered]
    assert (entered.source, entered.data["body"]) == (
        ContributionSource.STAFF, "<p>From Monday:</p><ul><li>9am to 5pm</li></ul>",
    )  # fmt: skip
    assert db.session.scalars(select(Notice.address)).all() == ["nadia@health.example.org"]
    recorded = db.session.scalars(select(Activity).where(Activity.action == "contribution.received")).one()
    assert recorded.actor_name == "Ruth Adeyemi"


def test_after_the_deadline_it_is_late_like_anybodys(december: Issue, client: FlaskClient, now: datetime) -> None:
    with time_machine.travel(datetime(2026, 12, 11, 18, 0, tzinfo=UTC), tick=False):
        people.sign_in(client, people.staff(now))
        client.post(NEW, data=FIELDS)

    assert reading.late(december) == db.session.scalars(select(Contribution)).all()


def test_what_is_wrong_is_said_and_every_word_stays(december: Issue, client: FlaskClient, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        people.sign_in(client, people.staff(now))
        page = client.post(NEW, data=FIELDS | {"heading": "", "contact_address": "nadia"})

    assert page.status_code == 422
    assert "Give the section a heading." in page.text
    assert "9am to 5pm" in page.text


def test_a_viewer_enters_nothing(december: Issue, client: FlaskClient, now: datetime) -> None:
    people.sign_in(client, people.staff(now, "Vera Lane", Role.VIEWER))

    assert client.post(NEW, data=FIELDS).status_code == 403
