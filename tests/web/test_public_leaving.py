"""Leaving and preferences on the web: RFC 8058 to the letter, and links that may be forwarded."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.delivery.notices.links import nonce_link, preferences_link, unsubscribe_link
from newsletter.delivery.notices.outbox import deliver_notices
from newsletter.domain.subscribers import forgetting, preferences, rejoining, suppressing
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Activity, Consent, MailingList, Notice, Subscriber, Subscription
from newsletter.states import SubscriptionState, SuppressionReason
from newsletter.tokens import Purpose, unsubscribe_token
from tests import people
from tests.dump import dump
from tests.web.public_pages import Visitor, heading, words

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
HOST = "https://news.example.org"


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now - DAY)


@pytest.fixture
def asha(quarterly: MailingList, now: datetime) -> Subscription:
    return people.subscribers(now - DAY, quarterly, 1)[0]


@pytest.fixture
def reader(client: FlaskClient, now: datetime) -> Visitor:
    return Visitor(client, now)


@pytest.fixture
def leave(asha: Subscription) -> str:
    return unsubscribe_link(asha.public_id).removeprefix(HOST)


@pytest.fixture
def own(asha: Subscription) -> str:
    return preferences_link(asha.public_id).removeprefix(HOST)


def state(subscription: Subscription) -> SubscriptionState:
    db.session.refresh(subscription)
    return subscription.state


def test_looking_is_not_leaving(reader: Visitor, leave: str, own: str) -> None:
    before = dump()
    for path in (leave, leave + "/", own, own + "/leave"):
        for method in ("GET", "HEAD", "OPTIONS", "HEAD", "GET"):
            assert reader.open(path, method).status_code == 200, path
    assert dump() == before


def test_the_page_names_the_list_and_has_one_button(reader: Visitor, leave: str) -> None:
    page = reader.open(leave)
    assert heading(page) == "Leave Safeguarding news?"
    assert "re…r1@example.org" in words(page)
    assert "reader1@example.org" not in page.text
    assert page.text.count("<button") == 1


def test_the_button_leaves(reader: Visitor, leave: str, asha: Subscription) -> None:
    page = reader.send(leave)
    assert (page.status_code, heading(page)) == (200, "You have left Safeguarding news")
    assert state(asha) is SubscriptionState.LEFT
    assert reader.send(leave, page="/subscribe").status_code == 200
    assert [one.route for one in db.session.scalars(select(Consent))] == ["link"]
    assert db.session.scalars(select(Notice)).all() == [], "nobody is written to about it"


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_click_needs_nothing_but_its_two_words(
    reader: Visitor, leave: str, asha: Subscription, kind: str, slash: str
) -> None:
    for _repeat in range(3):
        answer = reader.open(leave + slash, "POST", data=ONE_CLICK, content_type=kind)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
    assert state(asha) is SubscriptionState.LEFT
    assert [one.route for one in db.session.scalars(select(Consent))] == ["one-click"]


def test_one_click_as_it_is_sent_by_a_provider(reader: Visitor, leave: str, asha: Subscription) -> None:
    answer = reader.open(
        leave,
        "POST",
        data=b"List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
        headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example.net", "Referer": "https://x.example/"},
    )
    assert (answer.status_code, answer.content_length is not None) == (200, True)
    assert state(asha) is SubscriptionState.LEFT


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=one-click", "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=One-Click&x=1", "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=One-Click&List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (b"list-unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (b"List-Unsubscribe=One-Click", "text/plain"),
        (b'{"List-Unsubscribe": "One-Click"}', "application/json"),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
        (b"\xff\xfe=\x00", "application/x-www-form-urlencoded"),
        (b"a=b", "multipart/form-data"),
    ],
)
def test_any_other_body_does_nothing(reader: Visitor, leave: str, asha: Subscription, body: bytes, kind: str) -> None:
    before = dump()
    answer = reader.open(leave, "POST", data=body, content_type=kind)
    assert answer.status_code == 400
    assert heading(answer) in ("Leave Safeguarding news?", "That did not work")
    assert dump() == before


def test_one_click_is_never_limited(reader: Visitor, quarterly: MailingList, now: datetime) -> None:
    for subscription in people.subscribers(now - DAY, quarterly, 60):
        path = unsubscribe_link(subscription.public_id).removeprefix(HOST)
        assert reader.open(path, "POST", data=ONE_CLICK).status_code == 200
    left = db.session.scalars(select(Subscription).where(Subscription.state == SubscriptionState.LEFT)).all()
    assert len(left) == 60


def test_each_character_of_the_link_counts(reader: Visitor, leave: str, asha: Subscription) -> None:
    path, _, token = leave.rpartition("/")
    for index in range(len(token)):
        other = "A" if token[index] != "A" else "B"
        forged = f"{path}/{token[:index]}{other}{token[index + 1 :]}"
        assert reader.open(forged, "POST", data=ONE_CLICK).status_code == 404
    assert state(asha) is SubscriptionState.ACTIVE


def test_a_link_made_with_a_key_that_has_been_replaced_still_works(
    app: Flask, reader: Visitor, asha: Subscription, settings: Settings
) -> None:
    token = unsubscribe_token(settings.secret_keys, asha.public_id)
    newer = tuple(f"{number}-a-newer-key-that-is-long-enough-too" for number in range(3))
    app.config["NEWSLETTER"] = Settings(**{**vars(settings), "secret_keys": (*settings.secret_keys, *newer)})
    assert reader.open(f"/u/{token}", "POST", data=ONE_CLICK).status_code == 200
    assert state(asha) is SubscriptionState.LEFT


def test_the_link_of_somebody_we_have_forgotten_still_answers(
    reader: Visitor, leave: str, asha: Subscription, now: datetime
) -> None:
    with transaction():
        assert asha.subscriber is not None
        forgetting.erase_subscriber(asha.subscriber, route="own wish", now=now)
    assert reader.open(leave, "POST", data=ONE_CLICK).status_code == 200
    assert heading(reader.open(leave)) == "You have left Safeguarding news"


def test_why_somebody_left_is_kept_apart_from_who(reader: Visitor, leave: str) -> None:
    reader.send(leave)
    assert heading(reader.send(f"{leave}/why", {"why": "changed_job"}, page=leave)) == "Thank you"
    assert reader.send(f"{leave}/why", {"why": "<b>"}, page=leave).status_code == 200
    said = db.session.scalars(select(Activity).where(Activity.action == "subscription.reason")).all()
    assert [(one.detail, one.subject_id) for one in said] == [({"why": "changed_job"}, "")]


def test_an_unsubscribe_link_opens_nothing_else(reader: Visitor, leave: str) -> None:
    token = leave.rpartition("/")[2]
    for path in ("preferences", "your-data", "confirm", "not-me"):
        assert reader.open(f"/{path}/{token}").status_code == 404
    assert "/preferences/" not in reader.open(leave).text


def test_i_did_not_ask_for_this_is_a_complaint(reader: Visitor, leave: str, asha: Subscription) -> None:
    """Said twice it is one; said before leaving it is none, for whoever was sent the mail may have forwarded it."""
    reader.send(f"{leave}/why", {"why": "never_asked"}, page=leave)
    assert suppressing.suppressions_of("reader1@example.org") == []
    reader.send(leave)
    for _twice in range(2):
        reader.send(f"{leave}/why", {"why": "never_asked"}, page=leave)
    assert [one.reason for one in suppressing.suppressions_of("reader1@example.org")] == [SuppressionReason.COMPLAINT]
    assert [one.event.value for one in db.session.scalars(select(Consent))] == ["withdrawn", "complained"]


def test_the_way_back_is_a_mail_and_a_button(
    app: Flask, reader: Visitor, relay: MemoryRelay, leave: str, asha: Subscription, now: datetime
) -> None:
    reader.send(leave)
    for _press in range(3):
        page = reader.send(f"{leave}/undo", page=leave)
        assert heading(page) == "Look in the inbox"
        assert "reader1@example.org" not in page.text
    deliver_notices(now + timedelta(minutes=1))
    assert len(relay.accepted_for("reader1@example.org")) == 1
    notice = db.session.scalars(select(Notice)).one()
    path = nonce_link("public.rejoin", Purpose.REJOIN, notice.nonce).removeprefix(HOST)
    before = dump()
    for method in ("GET", "HEAD", "OPTIONS", "GET"):
        assert reader.open(path, method).status_code == 200
    assert dump() == before
    assert state(asha) is SubscriptionState.LEFT
    for _press in range(2):
        assert heading(reader.send(path, page="/subscribe")) == "You get Safeguarding news again"
    assert state(asha) is SubscriptionState.ACTIVE
    events = [(one.event.value, one.route) for one in db.session.scalars(select(Consent).order_by(Consent.id))]
    assert events == [("withdrawn", "link"), ("given", "left by mistake")]


def test_there_is_no_way_back_after_a_complaint_or_a_week(
    reader: Visitor, leave: str, asha: Subscription, now: datetime
) -> None:
    reader.send(leave)
    with transaction():
        notice = rejoining.send_link(asha, now=now)
    assert notice is not None
    path = nonce_link("public.rejoin", Purpose.REJOIN, notice.nonce).removeprefix(HOST)
    token = path.rpartition("/")[2]
    assert reader.open(f"/your-data/{token}").status_code == 404
    assert Visitor(reader.client, now + 7 * DAY).open(path).status_code == 410
    reader.send(f"{leave}/why", {"why": "never_asked"}, page=leave)
    assert reader.send(path).status_code == 409
    assert heading(reader.send(f"{leave}/undo", page=leave)) == "Look in the inbox"
    assert len(db.session.scalars(select(Notice)).all()) == 1
    assert state(asha) is SubscriptionState.LEFT


# --- preferences ----------------------------------------------------------------------------------------------


def test_preferences_show_neither_address_nor_name(reader: Visitor, own: str, asha: Subscription) -> None:
    with transaction():
        assert asha.subscriber is not None
        asha.subscriber.name = "Asha Patel"
    page = reader.open(own)
    assert heading(page) == "Your preferences"
    assert "re…r1@example.org" in words(page)
    assert "reader1@example.org" not in page.text
    assert "Asha" not in page.text


def test_another_list_and_a_pause(reader: Visitor, own: str, asha: Subscription, now: datetime) -> None:
    people.policy_changes(now - DAY)
    page = reader.send(own, {"lists": ["safeguarding-news", "policy-changes"], "pause": "3"})
    assert "Saved." in words(page)
    assert "Go on pausing until Sunday 7 March 2027" in words(page)
    asha_now = asha.subscriber
    assert asha_now is not None
    assert [one.slug for one in preferences.lists_of(asha_now)] == ["safeguarding-news", "policy-changes"]
    assert {str(one.paused_until) for one in asha_now.subscriptions} == {"2027-03-07 00:00:00+00:00"}
    reader.send(own, {"lists": ["policy-changes"], "pause": "keep"})
    reader.send(own, {"lists": ["policy-changes"], "pause": "send"})
    db.session.expire_all()
    assert [one.slug for one in preferences.lists_of(asha_now)] == ["policy-changes"]
    assert preferences.paused_until(asha_now, now) is None
    assert db.session.scalars(select(Notice)).all() == []


@pytest.mark.parametrize(
    "data", [{"lists": "no-such-list", "pause": "send"}, {"pause": "1000"}, {"pause": "2027-01-01"}]
)
def test_what_was_not_on_the_page_changes_nothing(
    reader: Visitor, own: str, data: dict[str, object], asha: Subscription
) -> None:
    before = dump()
    assert reader.send(own, data).status_code == 422
    assert dump() == before


def test_leaving_every_list(reader: Visitor, own: str, asha: Subscription, now: datetime) -> None:
    page = reader.send(f"{own}/leave")
    assert heading(page) == "You have left every list"
    assert state(asha) is SubscriptionState.LEFT
    reasons = [one.reason for one in suppressing.suppressions_of("reader1@example.org")]
    assert reasons == [SuppressionReason.UNSUBSCRIBED_ALL]


@pytest.mark.parametrize("path", ["", "/leave", "/fresh-link"])
def test_a_post_without_our_form_changes_nothing(reader: Visitor, own: str, path: str) -> None:
    before = dump()
    assert reader.open(own + path, "POST", data={"pause": "send"}).status_code in (303, 400)
    assert dump() == before


def test_own_data_needs_a_link_of_this_hour(
    reader: Visitor, own: str, asha: Subscription, relay: MemoryRelay, now: datetime
) -> None:
    with transaction():
        assert asha.subscriber is not None
        asha.subscriber.name = "Asha Patel"
    sent = reader.send(f"{own}/fresh-link", page=own)
    assert heading(sent) == "Check your inbox"
    assert deliver_notices(now + timedelta(minutes=1)) == 1
    text = relay.accepted[0].message.decode().replace("=\r\n", "")
    path = text.partition(f"{HOST}/your-data/")[2].split()[0]
    data = f"/your-data/{path}"
    before = dump()
    page = reader.open(data)
    for method in ("GET", "HEAD", "OPTIONS"):
        reader.open(data, method)
    assert dump() == before
    assert heading(page) == "What we hold about you"
    assert "reader1@example.org" in words(page)
    assert "Asha Patel" in words(page)
    reader.now += 2 * HOUR
    assert (reader.open(data).status_code, heading(reader.open(data))) == (410, "This link has expired")
    reader.now -= 2 * HOUR
    assert heading(reader.send(data)) == "We have forgotten you"
    assert db.session.scalars(select(Subscriber)).all() == []
    assert reader.open(data).status_code == 404
    assert reader.open(own).status_code == 404


def test_the_privacy_notice_and_the_accessibility_statement(reader: Visitor, quarterly: MailingList) -> None:
    assert "We use your address to send what you tick." in words(reader.open("/privacy"))
    assert "newsletter@example.org" in words(reader.open("/accessibility"))
