"""Taking words down on a page: who may, what is said, what opens the copy under seal."""

import re
from datetime import datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.models import Rendition, SealedCopy
from newsletter.states import Role
from tests import people

WHERE = "/desk/settings/take-down"


@pytest.fixture
def admin(client: FlaskClient, now: datetime) -> FlaskClient:
    issue = people.issue(now, people.larkmere(now))
    with transaction() as session:
        session.add(
            Rendition(issue_id=issue.id, content_version=1, subject="News", headers={}, html="<p>Brannock Hall</p>",
                      text="Brannock Hall", web="", audience={}, content_hash=b"h" * 32, created_at=now)
        )  # fmt: skip
    people.sign_in(client, people.staff(now, role=Role.ADMIN))
    return client


def test_words_go_and_the_key_opens_what_was_sent(admin: FlaskClient) -> None:
    page = admin.post(WHERE, data={"words": "Brannock Hall", "reason": "Named without consent"})
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    key = re.findall(r"<textarea[^>]*>([^<]+)<", page.text)[0]
    copy = db.session.scalars(select(SealedCopy)).one()
    listed = admin.get(WHERE).text
    assert "Named without consent" in listed
    assert "Brannock" not in listed
    here = f"{WHERE}/sealed/{copy.id}"
    assert admin.post(here, data={"key": "nonsense!"}).status_code == 422
    opened = admin.post(here, data={"key": key})
    assert opened.text == "News\n\nBrannock Hall"
    assert opened.headers["Content-Disposition"].startswith("attachment")


def test_what_is_missing_is_said(admin: FlaskClient) -> None:
    page = admin.post(WHERE, data={"words": "Brannock Hall", "reason": ""})
    assert page.status_code == 422
    assert "Say why they go" in page.text
    assert "Brannock Hall</textarea>" in page.text


def test_editors_may_not(client: FlaskClient, now: datetime) -> None:
    people.larkmere(now)
    people.sign_in(client, people.staff(now))
    assert client.post(WHERE, data={"words": "Brannock", "reason": "x"}).status_code == 403
