"""Taking words down on a page: who may, what is said, what opens the copy under seal."""

import re
from datetime import datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.domain.issues import editing, pictures
from newsletter.models import Media, Rendition, SealedCopy, TakeDown
from newsletter.rendering.pictures import Picture
from newsletter.states import IssueState, Role
from tests import people
from tests.web import desk

WHERE = "/desk/settings/take-down"
PNG = b"\x89PNG\r\n\x1a\nnot looked into by what is tested here"


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


def test_a_picture_goes_from_wherever_it_is_shown(client: FlaskClient, now: datetime) -> None:
    """A grey field is served at its address from now on; what was sent opens with its key."""
    ruth = people.staff(now, role=Role.ADMIN)
    january = desk.january(now, people.larkmere(now), ruth)
    with transaction() as session:
        kept = pictures.store_picture(Picture(PNG, "image/png", 600, 400), actor=ruth, now=now)
        image = {"media": kept.name, "alt": "Two children at the boathouse"}
        editing.add_block(january, "image", image, position=3, actor=ruth, now=now)
        session.add(
            Rendition(issue_id=january.id, content_version=1, subject="News", headers={}, html="", text="", web="",
                      media={kept.name: "x"}, audience={}, content_hash=b"h" * 32, created_at=now)
        )  # fmt: skip
    people.sign_in(client, ruth)
    where = f"/media/{kept.name}"
    assert client.get(where).data == PNG
    here, address = f"{WHERE}/picture", f"https://news.example.org{where}?v=1"
    for typed, sentence in (
        ({"picture": "nothing.png", "why": "x"}, "There is no such picture here"),
        ({"picture": where, "why": ""}, "Say why it goes"),
    ):
        refused = client.post(here, data=typed)
        assert refused.status_code == 422
        assert refused.text.count(sentence) == 2, "at the head of the page, and at the field"
        assert "<title>Error: " in refused.text
    with transaction():
        january.state, january.scheduled_at = IssueState.SCHEDULED, now
    moving = client.post(here, data={"picture": address, "why": "Shown without consent"})
    assert moving.status_code == 409
    assert "January 2027, which is about to go out. Cancel that first." in moving.text
    with transaction():
        january.state, january.scheduled_at = IssueState.DRAFT, None
    page = client.post(here, data={"picture": address, "why": "Shown without consent"})
    assert page.status_code == 200

    shown = client.get(where)
    assert shown.mimetype == "image/png"
    assert shown.data.startswith(b"\x89PNG")
    assert PNG not in b"".join(db.session.scalars(select(Media.body)))
    assert "Shown without consent" in client.get(WHERE).text
    key = re.findall(r"<textarea[^>]*>([^<]+)<", page.text)[0]
    copy = db.session.scalars(select(SealedCopy)).one()
    assert PNG not in copy.body
    assert client.post(f"{WHERE}/sealed/{copy.id}", data={"key": key}).data == PNG
    record = db.session.scalars(select(TakeDown)).one()
    assert record.places == {"media": 1, "block": 1, "block_revision": 1, "rendition": 1}
