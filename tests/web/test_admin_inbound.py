"""What came back, as its readers on the staff see it: in words, escaped, and only what is theirs to see."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.delivery.returns import feedback
from newsletter.delivery.returns.feedback import take_in
from newsletter.models import Delivery, InboundMessage, Issue, MailSource, Subscription
from newsletter.states import DeliveryState, Role
from tests import people
from tests.delivery.sending import makers
from tests.mail.report_corpus import load, marks

HOUR = timedelta(hours=1)


@pytest.fixture
def december(app: Flask, now: datetime) -> Issue:
    issue = makers.sending(now, 1)
    with transaction() as session:
        session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED, first_tried_at=now, attempts=1))
    return issue


def come(name: str, issue: Issue, now: datetime) -> int:
    """A mail of the corpus comes in; the number of its row."""
    delivery = db.session.scalars(select(Delivery).where(Delivery.issue_id == issue.id)).one()
    public_id = db.session.get_one(Subscription, delivery.subscription_id).public_id
    take_in(load(name, **marks(public_id, issue.id, delivery.id)), "INBOX of bounces@example.org", now + HOUR, now)
    return db.session.scalars(select(InboundMessage.id).order_by(InboundMessage.id.desc())).first() or 0


def sign_in(client: FlaskClient, now: datetime, role: Role = Role.ADMIN, on: object = None) -> None:
    people.sign_in(client, people.staff(now, "Ewan Brodie", role, on))


def test_before_anything_came_the_page_says_how_to_set_it_up(client: FlaskClient, app: Flask, now: datetime) -> None:
    people.larkmere(now)
    sign_in(client, now)
    page = client.get("/desk/inbound").text
    assert "No mailbox is set." in page
    assert "NEWSLETTER_INBOUND_URL" in page
    assert "Nothing has come back" in page


def test_what_came_is_listed_with_what_was_done(client: FlaskClient, december: Issue, now: datetime) -> None:
    for name in ("postfix_unknown_user", "vacation_english"):
        come(name, december, now)
    sign_in(client, now)
    page = client.get("/desk/inbound").text
    assert "There is no such mailbox. The address gets no more mail." in page
    assert "reader1@example.org" in page
    assert "It is not answered." in page
    assert "Automatic answer" in client.get("/desk/inbound?state=ignored").text
    assert "No such mailbox" not in client.get("/desk/inbound?state=ignored").text


def test_one_of_them_shows_the_server_s_words(client: FlaskClient, december: Issue, now: datetime) -> None:
    number = come("postfix_unknown_user", december, now)
    sign_in(client, now)
    page = client.get(f"/desk/inbound/{number}").text
    assert "550 5.1.1 &lt;reader1@example.org&gt;: Recipient address rejected" in page
    assert "Said by mx.example.org" in page
    assert f"/desk/issues/{december.slug}" in page
    assert "Look again" not in page


def test_what_nobody_could_tell_is_shown_as_text_and_can_be_read_again(
    client: FlaskClient, december: Issue, now: datetime
) -> None:
    number = come("daemon_that_says_nothing", december, now)
    sign_in(client, now)
    for page in (client.get("/desk/inbound").text, client.get(f"/desk/inbound/{number}").text):
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt; Something went wrong" in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in client.get(f"/desk/inbound/{number}").text
    again = client.post(f"/desk/inbound/{number}/again", follow_redirects=True)
    assert "It is still not understood." in again.text


def test_a_mail_that_broke_the_reader_is_settled_by_looking_again(
    client: FlaskClient, december: Issue, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(feedback, "whose", lambda *_given: 1 / 0)
        number = come("postfix_unknown_user", december, now)
    sign_in(client, now)
    assert "It broke the reader" in client.get(f"/desk/inbound/{number}").text
    again = client.post(f"/desk/inbound/{number}/again", follow_redirects=True)
    assert "There is no such mailbox." in again.text
    assert client.post(f"/desk/inbound/{number}/again").status_code == 409


def read_from_a_maildir(app: Flask) -> None:
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], inbound_url="maildir:/var/mail/bounces")


def test_a_mailbox_that_nobody_looks_into_is_no_secret(
    app: Flask, client: FlaskClient, december: Issue, now: datetime
) -> None:
    read_from_a_maildir(app)
    sign_in(client, now)
    assert "The mailbox is not looked into." in client.get("/desk/inbound").text
    looked_at = clock.now()
    with transaction() as session:
        session.add(MailSource(name="Maildir /var/mail/old", looked_at=looked_at - 9 * HOUR, problem="Gone"))
        session.add(MailSource(name="Maildir /var/mail/bounces", looked_at=looked_at, worked_at=looked_at))
    page = client.get("/desk/inbound").text
    assert "Maildir /var/mail/bounces was last read at" in page
    assert "/var/mail/old" not in page
    with time_machine.travel(looked_at + HOUR, tick=False):
        assert "The mailbox is not looked into." in client.get("/desk/inbound").text


def test_a_mailbox_that_cannot_be_read_says_why(
    app: Flask, client: FlaskClient, december: Issue, now: datetime
) -> None:
    read_from_a_maildir(app)
    with transaction() as session:
        session.add(
            MailSource(name="INBOX of b on mail.example.org", looked_at=now, problem="<b>Connection refused.</b>")
        )
    sign_in(client, now)
    page = client.get("/desk/inbound").text
    assert "INBOX of b on mail.example.org cannot be read." in page
    assert "&lt;b&gt;Connection refused." in page


def test_who_works_on_another_list_sees_nothing_of_it(client: FlaskClient, december: Issue, now: datetime) -> None:
    number, odd = come("postfix_unknown_user", december, now), come("daemon_that_says_nothing", december, now)
    sign_in(client, now, Role.EDITOR, people.policy_changes(now))
    assert "Nothing has come back" in client.get("/desk/inbound").text
    assert client.get(f"/desk/inbound/{number}").status_code == 404
    assert client.get(f"/desk/inbound/{odd}").status_code == 404
    assert client.post(f"/desk/inbound/{odd}/again").status_code == 404


def test_an_editor_of_the_list_sees_its_own_and_a_viewer_none(
    client: FlaskClient, app: Flask, december: Issue, now: datetime
) -> None:
    number, odd = come("postfix_unknown_user", december, now), come("daemon_that_says_nothing", december, now)
    sign_in(client, now, Role.EDITOR, december.mailing_list)
    assert client.get(f"/desk/inbound/{number}").status_code == 200
    assert client.get(f"/desk/inbound/{odd}").status_code == 404, "it may be anybody's"
    viewer = app.test_client()
    people.sign_in(viewer, people.staff(now, "Sam Okafor", Role.VIEWER))
    assert viewer.get("/desk/inbound").status_code == 403
