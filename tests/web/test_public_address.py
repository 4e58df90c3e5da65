"""Changing one's address on the web, by links in mails that filters open and people forward."""

import re
import threading
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from newsletter.db import db, transaction
from newsletter.delivery.notices.links import preferences_link, unsubscribe_link
from newsletter.delivery.notices.outbox import deliver_notices
from newsletter.domain.subscribers import addressing, joining, suppressing
from newsletter.mail.memory import MemoryRelay
from newsletter.models import AddressChange, MailingList, Notice, Subscriber, Subscription
from newsletter.states import SuppressionReason
from newsletter.tokens import Purpose, Signer
from tests import people
from tests.dump import dump
from tests.web.public_pages import Visitor, form_token, heading, words

OLD, NEW = "reader1@example.org", "asha.patel@weir.example.org"
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HOST = "https://news.example.org"


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now - DAY)


@pytest.fixture
def asha(quarterly: MailingList, now: datetime) -> Subscription:
    subscription = people.subscribers(now - DAY, quarterly, 1)[0]
    with transaction():
        assert subscription.subscriber is not None
        subscription.subscriber.name = "Asha Patel"
    return subscription


@pytest.fixture
def reader(client: FlaskClient, now: datetime) -> Visitor:
    return Visitor(client, now)


@pytest.fixture
def own(asha: Subscription) -> str:
    return preferences_link(asha.public_id).removeprefix(HOST)


class Post:
    """The mails that leave, and the links in their text parts."""

    def __init__(self, relay: MemoryRelay, reader: Visitor) -> None:
        self.relay, self.reader = relay, reader

    def to(self, address: str) -> list[str]:
        """The bodies of what was sent to an address, oldest first; all that waits is sent before."""
        deliver_notices(self.reader.now + MINUTE)
        return [one.message.decode().replace("=\r\n", "") for one in self.relay.accepted_for(address)]

    def link(self, address: str, page: str) -> str:
        """The path of the newest link of this kind that was mailed to the address."""
        found = re.findall(rf"{HOST}(/{page}/[\w-]+)", "".join(self.to(address)))
        assert found, f"no link to {page}"
        return str(found[-1])


@pytest.fixture
def post(relay: MemoryRelay, reader: Visitor) -> Post:
    return Post(relay, reader)


@pytest.fixture
def form_link(reader: Visitor, post: Post, own: str) -> str:
    """The link to the form, as Asha has asked for it and got it."""
    assert heading(reader.send(f"{own}/change-address", page=own)) == "Check your inbox"
    return post.link(OLD, "new-address")


@pytest.fixture
def confirm_link(reader: Visitor, post: Post, form_link: str) -> str:
    reader.send(form_link, {"email": NEW})
    return post.link(NEW, "confirm-address")


@pytest.fixture
def undo_link(reader: Visitor, post: Post, confirm_link: str) -> str:
    reader.send(confirm_link)
    return post.link(OLD, "undo-address")


def address_of(subscription: Subscription) -> str:
    db.session.expire_all()
    assert subscription.subscriber is not None
    return subscription.subscriber.address


def test_asha_changes_her_address(reader: Visitor, post: Post, own: str, asha: Subscription) -> None:
    unsubscribe = unsubscribe_link(asha.public_id).removeprefix(HOST)
    assert "Change my address" in words(reader.open(own))
    sent = reader.send(f"{own}/change-address", page=own)
    assert (heading(sent), "re…r1@example.org" in words(sent)) == ("Check your inbox", True)
    form_page = post.link(OLD, "new-address")
    assert heading(reader.open(form_page)) == "Your new address"
    asked = reader.send(form_page, {"email": f" {NEW} "})
    assert heading(asked) == "Check the inbox of your new address"
    assert NEW in words(asked)
    assert address_of(asha) == OLD
    confirm = post.link(NEW, "confirm-address")
    page = reader.open(confirm)
    assert heading(page) == "1 step left"
    assert "as…el@weir.example.org" in words(page)
    assert page.text.count("<button") == 1
    assert heading(reader.send(confirm)) == "Your address is changed"
    assert address_of(asha) == NEW
    assert heading(reader.open(confirm)) == "You have confirmed already"
    told = post.to(OLD)[-1]
    assert "as=E2=80=A6el@weir.example.org" in told
    assert NEW not in told, "whoever reads the old mailbox learns no address"
    assert heading(reader.open(unsubscribe)) == "Leave Safeguarding news?", "and old links go on working"
    assert "Your preferences" in heading(reader.open(own))


def test_a_forwarded_newsletter_shows_and_changes_nothing(reader: Visitor, post: Post, own: str) -> None:
    """Whoever holds the link of a newsletter can cause one mail, to the address we know."""
    page = reader.send(f"{own}/change-address", {"email": "thief@weir.example.org"}, page=own)
    assert OLD not in page.text
    assert "Asha" not in page.text
    assert [one.recipient for one in post.relay.accepted] == []
    assert post.to("thief@weir.example.org") == []
    assert len(post.to(OLD)) == 1


def test_no_link_that_looks_changes_anything(
    reader: Visitor, post: Post, form_link: str, now: datetime, asha: Subscription
) -> None:
    def look(path: str) -> None:
        before = dump()
        for method in ("GET", "HEAD", "OPTIONS", "HEAD", "GET"):
            assert reader.open(path, method).status_code == 200, path
        assert dump() == before

    look(form_link)
    reader.send(form_link, {"email": NEW})
    confirm = post.link(NEW, "confirm-address")
    look(confirm)
    look(form_link)
    reader.send(confirm)
    undo = post.link(OLD, "undo-address")
    look(undo)
    look(confirm)
    reader.send(undo)
    look(undo)


def test_the_form_does_not_show_who_it_is(reader: Visitor, form_link: str) -> None:
    page = reader.open(form_link)
    assert "re…r1@example.org" in words(page)
    assert OLD not in page.text
    assert "Asha" not in page.text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Enter an email address"),
        ("asha", "Enter an email address in the form name@example.org"),
        (OLD, "We send to this address already. Enter the new one"),
        ("a\x00b@example.org", "An email address cannot hold line breaks or control characters"),
        (f"{'a' * 300}@example.org", "The part before the @ is too long (64 characters at most)"),
        ("<script>alert(1)</script>", "Enter an email address in the form name@example.org"),
    ],
)
def test_what_is_no_new_address_is_said_at_the_field(
    reader: Visitor, form_link: str, typed: str, sentence: str
) -> None:
    changes = select(func.count(AddressChange.id))
    page = reader.send(form_link, {"email": typed})
    assert page.status_code == 422
    assert page.text.count(sentence) == 2, "in the summary and at the field"
    assert "<script>alert" not in page.text
    assert db.session.scalar(changes) == 0
    assert heading(reader.send(form_link, {"email": NEW})) == "Check the inbox of your new address"


def test_a_link_is_for_one_change(reader: Visitor, post: Post, form_link: str, confirm_link: str) -> None:
    assert heading(reader.open(form_link)) == "This link was used already"
    before = dump()
    answer = reader.send(form_link, {"email": "other@weir.example.org"}, page="/subscribe")
    assert heading(answer) == "This link was used already"
    assert dump() == before
    assert NEW not in answer.text


def test_a_link_to_the_form_is_over_after_an_hour(reader: Visitor, form_link: str) -> None:
    reader.now += HOUR + MINUTE
    before = dump()
    assert (reader.open(form_link).status_code, heading(reader.open(form_link))) == (410, "This link has expired")
    assert reader.send(form_link, {"email": NEW}, page="/subscribe").status_code == 410
    assert dump() == before


def test_a_confirmation_is_over_after_a_week(reader: Visitor, confirm_link: str, asha: Subscription) -> None:
    reader.now += 8 * DAY
    assert (reader.open(confirm_link).status_code, heading(reader.open(confirm_link))) == (410, "This link has expired")
    assert reader.send(confirm_link, page="/subscribe").status_code == 410
    assert address_of(asha) == OLD


def test_each_answer_is_the_same_whoever_has_the_address(
    app: Flask, reader: Visitor, post: Post, own: str, now: datetime, quarterly: MailingList
) -> None:
    """A new address, one that is subscribed, one that must not be written to, one that had enough: one page."""
    with transaction():
        for address, subscribed in (("taken.name@weir.example.org", True), ("erased.name@weir.example.org", False)):
            if subscribed:
                joining.find_or_make_subscriber(address, name="", organisation="", now=now)
            else:
                suppressing.suppress(address, SuppressionReason.ERASED, now=now)
    pages = []
    for number, address in enumerate(("fresh", "taken", "erased", "fresh", "fresh", "fresh")):
        typed = f"{address}.name@weir.example.org"
        reader.now += DAY
        reader.send(f"{own}/change-address", page=own)
        answer = reader.send(post.link(OLD, "new-address"), {"email": typed})
        pages.append((answer.status_code, words(answer).replace(typed, "…"), sorted(answer.headers.keys())))
        db.session.rollback()
        assert db.session.scalar(select(func.count(AddressChange.id))) == number + 1
    assert len({str(page) for page in pages}) == 1
    assert len(post.to("fresh.name@weir.example.org")) == 3
    assert post.to("erased.name@weir.example.org") == []
    assert [one.template for one in db.session.scalars(select(Notice).where(Notice.template == "address_known"))] == [
        "address_known"
    ]


def test_a_machine_that_tries_many_addresses_is_stopped_without_a_word(
    reader: Visitor, post: Post, own: str, asha: Subscription, now: datetime
) -> None:
    """The limits are those of the sign-up form, and counted together with it."""
    reader.send(f"{own}/change-address", page=own)
    link = post.link(OLD, "new-address")
    for number in range(41):
        reader.send("/subscribe", {"email": f"someone{number}@weir.example.org", "lists": "safeguarding-news"})
    before = db.session.scalar(select(func.count(AddressChange.id)))
    answer = reader.send(link, {"email": NEW})
    assert heading(answer) == "Check the inbox of your new address"
    assert db.session.scalar(select(func.count(AddressChange.id))) == before
    assert post.to(NEW) == []


@pytest.mark.parametrize("which", ["preferences", "form", "confirm", "undo"])
def test_a_post_without_our_form_changes_nothing(
    request: pytest.FixtureRequest, reader: Visitor, own: str, which: str
) -> None:
    path = f"{own}/change-address" if which == "preferences" else request.getfixturevalue(f"{which}_link")
    before = dump()
    answer = reader.open(path, "POST", data={"email": NEW})
    assert answer.status_code in (303, 400)
    assert dump() == before
    assert reader.open(path, "POST", data={"email": NEW, "form": "A" * 54}).status_code in (303, 400)
    assert dump() == before


def test_a_form_that_was_open_for_a_day_keeps_what_was_typed(reader: Visitor, own: str, form_link: str) -> None:
    token = form_token(reader.open(form_link))
    with reader.at(reader.now + 30 * MINUTE):
        answer = reader.client.post(form_link, data={"form": "stale" + token, "email": NEW})
    assert answer.status_code == 400
    assert "Press Continue once more." in words(answer)
    assert f'value="{NEW}"' in answer.text


def test_the_old_address_takes_it_back(reader: Visitor, post: Post, undo_link: str, asha: Subscription) -> None:
    page = reader.open(undo_link)
    assert heading(page) == "Was it not you?"
    assert page.text.count("<button") == 1
    assert OLD not in page.text
    assert NEW not in page.text
    assert heading(reader.send(undo_link)) == "The change is undone"
    assert address_of(asha) == OLD
    assert heading(reader.open(undo_link)) == "The change is undone"
    assert "changed back" in post.to(NEW)[-1]
    assert OLD not in post.to(NEW)[-1]


def test_taking_back_is_over_after_14_days(reader: Visitor, undo_link: str, asha: Subscription) -> None:
    reader.now += 14 * DAY + MINUTE
    assert (reader.open(undo_link).status_code, heading(reader.open(undo_link))) == (410, "This link has expired")
    assert reader.send(undo_link, page="/subscribe").status_code == 410
    assert address_of(asha) == NEW


def test_a_link_of_one_kind_opens_no_page_of_another(
    reader: Visitor, own: str, form_link: str, confirm_link: str, undo_link: str
) -> None:
    pages = ("new-address", "confirm-address", "undo-address", "preferences", "your-data", "confirm", "not-me", "u")
    for link in (own, form_link, confirm_link, undo_link):
        kind, token = link.strip("/").split("/")
        opened = [page for page in pages if reader.open(f"/{page}/{token}").status_code != 404]
        assert opened == [kind]


def test_the_link_that_asks_cannot_confirm_for_the_new_address(app: Flask, confirm_link: str, reader: Visitor) -> None:
    """The change's own id signed for every other purpose: only the mail to the new address holds the right one."""
    signer: Signer = app.extensions["newsletter_signer"]
    change = db.session.scalars(select(AddressChange)).one()
    for purpose in Purpose:
        if purpose is not Purpose.CONFIRM_ADDRESS:
            token = signer.sign_id(purpose, change.public_id)
            assert reader.open(f"/confirm-address/{token}", "POST", data={"form": "x"}).status_code == 404


@pytest.mark.parametrize("path", ["new-address", "confirm-address", "undo-address"])
def test_a_link_that_is_none_is_answered_in_words(reader: Visitor, quarterly: MailingList, path: str) -> None:
    before = dump()
    for token in ("x", "A" * 65, "A" * 600, "%00", "..%2F..", "é", "😀", "-_-"):
        for method in ("GET", "POST"):
            page = reader.open(f"/{path}/{token}", method)
            assert page.status_code == 404, token
            assert heading(page) in ("We do not know this link", "Page not found"), token
    assert dump() == before


def test_what_mail_programs_glue_to_a_link_does_not_matter(reader: Visitor, confirm_link: str) -> None:
    for after in ("", ".", ")", ">", "%3E", ",", "%0A"):
        assert heading(reader.open(confirm_link + after)) == "1 step left", after


def test_pages_behind_a_link_are_kept_nowhere(
    reader: Visitor, form_link: str, confirm_link: str, undo_link: str
) -> None:
    for link in (form_link, confirm_link, undo_link):
        headers = reader.open(link).headers
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Robots-Tag"].startswith("noindex")
        assert len(HOST + link) < 250
        assert "Set-Cookie" not in headers


def test_fifty_presses_at_once_are_one_change(app: Flask, reader: Visitor, confirm_link: str) -> None:
    token = form_token(reader.open(confirm_link))
    answers: list[int] = []
    ready = threading.Barrier(50)

    def press() -> None:
        client = app.test_client()
        ready.wait()
        with app.app_context():
            answers.append(client.post(confirm_link, data={"form": token}).status_code)

    threads = [threading.Thread(target=press) for _ in range(50)]
    with reader.at(reader.now + SECOND):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [200] * 50
    db.session.rollback()
    told = select(func.count(Notice.id)).where(Notice.template == addressing.CHANGED)
    assert db.session.scalar(told) == 1


def test_a_mail_that_comes_too_late_is_not_sent(
    reader: Visitor, post: Post, form_link: str, asha: Subscription, now: datetime
) -> None:
    """The confirmation waits for the mail server; meanwhile somebody asked for another address."""
    reader.send(form_link, {"email": NEW})
    with transaction():
        subscriber = db.session.scalars(select(Subscriber)).one()
        addressing.send_link(subscriber, now=now)
    assert post.to(NEW) != []
    again = post.link(OLD, "new-address")
    reader.send(again, {"email": "other.name@weir.example.org"})
    with transaction():
        suppressing.suppress("other.name@weir.example.org", SuppressionReason.NOT_ME, now=now)
    assert post.to("other.name@weir.example.org") == []


def test_we_do_not_mail_a_link_where_we_do_not_write(reader: Visitor, own: str, asha: Subscription) -> None:
    with transaction():
        suppressing.suppress(OLD, SuppressionReason.COMPLAINT, now=reader.now)
    answer = reader.send(f"{own}/change-address", page=own)
    assert answer.status_code == 422
    assert "We do not write to this address any more." in words(answer)
    assert db.session.scalars(select(Notice)).all() == []
