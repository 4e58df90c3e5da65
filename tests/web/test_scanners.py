"""Every link of every mail that a reader can get is opened by a mail filter first; then the reader presses."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from newsletter.db import db, transaction
from newsletter.delivery.notices import outbox
from newsletter.domain.staff import invitations
from newsletter.domain.subscribers import (
    addressing,
    flooding,
    leaving,
    offering,
    preferences,
    rejoining,
    reminding,
    renewal_rules,
    renewing,
    subscribing,
)
from newsletter.mail.memory import MemoryRelay
from newsletter.models import MailingList, Notice, Renewal, SignUp, Subscriber
from newsletter.states import NoticeState, RenewalState, Role
from tests import people
from tests.scanner import links_in, scan
from tests.stories.stage import read_mail
from tests.web.public_pages import Visitor

BASE = "https://news.example.org"
ASHA = "asha@example.org"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: The kinds of mail that are written to a reader alone, but for those after a long silence. Those of contributors and
#: editors, and the issue itself, are scanned as they leave in tests/stories.
OF_READERS = {
    "confirm_subscription", "confirm_reminder", "already_subscribed", "fresh_link", "left_link", "address_change_link",
    "confirm_new_address", "address_known", "address_changed", "address_change_undone",
}  # fmt: skip


class Post:
    """What leaves for anybody, each mail handled by the filter before it is read."""

    def __init__(self, client: FlaskClient, relay: MemoryRelay) -> None:
        self.client, self.relay, self.read, self.scanned = client, relay, 0, set[str]()

    def leaves(self, now: datetime) -> dict[str, str]:
        """The links of the mails that leave now, by the first name in each path."""
        with time_machine.travel(now, tick=False):
            outbox.deliver_notices(now)
            fresh, self.read = self.relay.accepted[self.read :], len(self.relay.accepted)
            paths = set[str]()
            for envelope in fresh:
                mail = read_mail(envelope.recipient, envelope.message)
                paths |= links_in(mail.lines, mail.html, *mail.headers.values(), base=BASE)
            scan(paths, lambda method, path: self.client.open(path, method=method).status_code)
            self.scanned |= paths
        return {path.split("/")[1]: path for path in sorted(paths)}


@pytest.fixture
def lists(app: Flask, now: datetime) -> list[MailingList]:
    return [people.larkmere(now), people.policy_changes(now)]


def test_a_filter_opens_everything_and_the_reader_still_decides(
    client: FlaskClient, relay: MemoryRelay, lists: list[MailingList], now: datetime
) -> None:
    """From the first confirmation to the way back; after each mail the filter has been at its links, and has changed no
    row; then the person's own press has its effect, once."""
    post, asha = Post(client, relay), Visitor(client, now)
    people.subscribers(now, lists[0], 1)
    sign_up(now)
    first = post.leaves(now)
    assert {"confirm", "not-me"} <= first.keys()
    with transaction():
        assert reminding.remind(db.session.scalars(select(SignUp.id)).one(), now + DAY)
    again = post.leaves(now + DAY)
    asha.now = now + DAY
    asha.send(again["confirm"])
    person = db.session.scalars(select(Subscriber).where(Subscriber.address_key == ASHA)).one()
    (subscription,) = person.subscriptions

    def pressed(links: dict[str, str], name: str, at: datetime, **typed: str) -> TestResponse:
        asha.now = at
        answer = asha.send(links[name], dict(typed))
        assert answer.status_code == 200, answer.text
        return answer

    def mailed(verb: Callable[[datetime], object], at: datetime) -> dict[str, str]:
        with transaction():
            verb(at)
        return post.leaves(at + MINUTE)

    day = now + 2 * DAY
    mailed(lambda at: preferences.send_fresh_link(person, now=at), day)
    links = mailed(lambda at: addressing.send_link(person, now=at), day + HOUR)
    pressed(links, "new-address", day + HOUR + 2 * MINUTE, email="reader1@example.org")
    post.leaves(day + HOUR + 5 * MINUTE)
    day += 2 * DAY
    links = mailed(lambda at: addressing.send_link(person, now=at), day)
    pressed(links, "new-address", day + 2 * MINUTE, email="asha.new@example.org")
    links = post.leaves(day + 5 * MINUTE)
    pressed(links, "confirm-address", day + 6 * MINUTE)
    links = post.leaves(day + 9 * MINUTE)
    db.session.refresh(person)
    assert person.address == "asha.new@example.org"
    pressed(links, "undo-address", day + 10 * MINUTE)
    post.leaves(day + 13 * MINUTE)
    db.session.refresh(person)
    assert person.address == ASHA

    day += DAY
    with transaction():
        leaving.unsubscribe(subscription, route="link", now=day)
    links = mailed(lambda at: rejoining.send_link(subscription, now=at), day)
    pressed(links, "come-back", day + 2 * MINUTE)
    db.session.refresh(subscription)
    assert subscription.left_at is None

    sign_up(day + DAY)
    post.leaves(day + DAY + MINUTE)
    assert set(db.session.scalars(select(Notice.template))) == OF_READERS
    assert {path.split("/")[1] for path in post.scanned} >= {
        "confirm", "not-me", "preferences", "your-data", "new-address", "confirm-address", "undo-address", "come-back",
    }  # fmt: skip


def test_a_filter_says_neither_yes_nor_no_for_whoever_was_silent(
    app: Flask, client: FlaskClient, relay: MemoryRelay, lists: list[MailingList], now: datetime
) -> None:
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], relay_url="smtp://127.0.0.1:2")
    post, asha, miriam = Post(client, relay), Visitor(client, now), people.staff(now, role=Role.ADMIN)
    (subscription,) = people.subscribers(now - 3 * 365 * DAY, lists[0], 1)
    with transaction():
        renewal_rules.decide(lists[0], 24, "", actor=miriam, now=now)
    for at in (now, now + 15 * DAY):
        renewing.run(lists[0].id, at)
        links = post.leaves(at + MINUTE)
        assert links.keys() >= {"still", "u", "preferences"}
    assert set(db.session.scalars(select(Notice.template))) == {renewing.ASKED, renewing.REMINDER}
    assert db.session.scalars(select(Renewal.state)).all() == [RenewalState.ASKED]
    asha.now = now + 16 * DAY
    assert asha.send(links["still"]).status_code == 200
    db.session.expire_all()
    assert db.session.scalars(select(Renewal.state)).all() == [RenewalState.KEPT]
    assert subscription.left_at is None


def test_links_to_staff_are_opened_by_filters_too(
    client: FlaskClient, relay: MemoryRelay, lists: list[MailingList], now: datetime
) -> None:
    post, ruth = Post(client, relay), people.staff(now, role=Role.ADMIN)
    with transaction():
        invitations.invite("omar@example.org", Role.EDITOR, None, actor=ruth, now=now)
        invitations.send_password_link(ruth, actor=None, now=now)
        invitations.tell_of_change(ruth, "The password was changed", now=now)
        flooding.tell(now)
    links = post.leaves(now)
    assert {"join", "password"} <= links.keys()
    assert [one.state for one in db.session.scalars(select(Notice))] == [NoticeState.ACCEPTED] * 4
    with time_machine.travel(now + MINUTE, tick=False):
        assert client.get(links["join"]).status_code == 200


def sign_up(now: datetime) -> None:
    with transaction():
        subscribing.request_subscription(
            address=ASHA, lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)][:1],
            name="Asha Patel", source="sign-up form", now=now,
        )  # fmt: skip


def test_the_scan_would_notice(client: FlaskClient, lists: list[MailingList], now: datetime) -> None:
    """A page that acts when it is opened is found out."""

    def acting(method: str, path: str) -> int:
        if method == "HEAD":
            people.subscribers(now, lists[0], 1)
        return 200

    with pytest.raises(AssertionError, match="subscriber"):
        scan(["/confirm/x"], acting)
