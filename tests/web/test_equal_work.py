"""Whoever asks about an address learns nothing from how the answer comes: the same page by the same work.

As the reset form of another program told by its time who had an account (CVE-2024-47057).
"""

import re
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from newsletter.db import db, transaction
from newsletter.domain.subscribers import addressing, mail_domains, offering, subscribing, suppressing
from newsletter.models import Account, Activity, Contributor, MailingList, Notice, SignUp, Subscriber
from newsletter.states import Role, SuppressionReason
from tests import people
from tests.web.public_pages import Visitor, form_token
from tests.work_done import Work, work_done

#: Some answers lead to a page of their own, under a number that is drawn.
_DRAWN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now - 40 * DAY)


@pytest.fixture
def visitor(client: FlaskClient, quarterly: MailingList, now: datetime) -> Visitor:
    return Visitor(client, now)


def ask(address: str, now: datetime, *, confirmed: bool = False) -> None:
    with transaction():
        subscribing.request_subscription(
            address=address,
            lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
            source="sign-up form",
            now=now,
        )
    if confirmed:
        sign_up = db.session.scalars(select(SignUp).where(SignUp.address == address)).one()
        with transaction():
            subscribing.confirm(sign_up, now=now)


NEW = "never-heard@example.org"


@pytest.fixture
def everybody(quarterly: MailingList, now: datetime) -> list[str]:
    """Addresses that the installation knows each in another way, all of one length; the first it does not know."""
    ask("pending-now@example.org", now)
    ask("pending-old@example.org", now - 3 * DAY)
    ask("expired-one@example.org", now - 8 * DAY)
    ask("active-once@example.org", now - 3 * DAY, confirmed=True)
    ask("active-told@example.org", now - 3 * DAY, confirmed=True)
    ask("active-told@example.org", now)
    for ago in (20, 15, 10):
        ask("had-enough1@example.org", now - ago * DAY)
    with transaction():
        for address, reason in (
            ("complained1@example.org", SuppressionReason.COMPLAINT),
            ("bounced-one@example.org", SuppressionReason.BOUNCED),
            ("it-was-not1@example.org", SuppressionReason.NOT_ME),
            ("erased-once@example.org", SuppressionReason.ERASED),
        ):
            suppressing.suppress(address, reason, now=now)
        mail_domains.keep([("example.net", False)], now)
    return [
        NEW,
        *("pending-now@example.org", "pending-old@example.org", "expired-one@example.org", "had-enough1@example.org"),
        *("active-once@example.org", "active-told@example.org", "complained1@example.org", "bounced-one@example.org"),
        *("it-was-not1@example.org", "erased-once@example.org", "takesnomail@example.net", "nodomainyet@example.zqx"),
    ]


def told_apart(addresses: Iterable[str], answer_to: Callable[[str], TestResponse]) -> dict[str, list[str]]:
    """The addresses whose answer, or the work for it, is unlike the first one's, with what was unlike."""
    works: dict[str, Work] = {}
    seen = {}
    for address in addresses:
        # The first request of a kind compiles a template or fills a cache: nobody is told apart by that.
        with work_done() as works[address]:
            answer = answer_to(address)
        seen[address] = (
            answer.status_code, len(answer.data), _DRAWN.sub("NUMBER", answer.text).replace(address, "ADDRESS"),
            sorted(name for name, _value in answer.headers), works[address].statements, works[address].commits,
        )  # fmt: skip
    first, *others = seen
    assert works[first].commits >= 1, "nothing was counted"
    names = ("status", "size", "page", "headers", "statements", "commits")
    unlike = {
        one: [name for name, mine, its in zip(names, seen[first], seen[one], strict=True) if mine != its]
        for one in others
    }
    return {one: what for one, what in unlike.items() if what}


def mailed() -> list[tuple[str, str]]:
    """What was written and to whom, oldest first."""
    db.session.rollback()
    return [(one.template, one.address) for one in db.session.scalars(select(Notice).order_by(Notice.id))]


def test_signing_up(visitor: Visitor, everybody: list[str], now: datetime) -> None:
    token, before = form_token(visitor.open("/subscribe")), len(mailed())

    def sign_up(address: str) -> TestResponse:
        with visitor.at(now + 10 * SECOND):
            data = {"email": address, "lists": "safeguarding-news", "form": token}
            return visitor.client.post("/subscribe", data=data)

    assert told_apart(everybody, sign_up) == {}
    confirmed = (NEW, "pending-old@example.org", "expired-one@example.org", "erased-once@example.org")
    assert sorted(mailed()[before:]) == sorted(
        [
            ("already_subscribed", "active-once@example.org"),
            *(("confirm_subscription", address) for address in (*confirmed, "nodomainyet@example.zqx")),
        ]
    )


def test_sending_it_again(visitor: Visitor, everybody: list[str], now: datetime) -> None:
    token = form_token(visitor.open("/subscribe"))

    def again(address: str) -> TestResponse:
        with visitor.at(now + 10 * SECOND):
            return visitor.client.post("/check-inbox", data={"email": address, "form": token})

    before = len(mailed())
    assert told_apart(everybody, again) == {}
    assert mailed()[before:] == [
        ("confirm_subscription", "pending-now@example.org"),
        ("confirm_subscription", "pending-old@example.org"),
    ]


def test_a_password_that_was_forgotten(visitor: Visitor, now: datetime) -> None:
    people.staff(now, "Ruth Adeyemi", Role.ADMIN)
    gone = people.staff(now, "Ewan Brodie", Role.EDITOR)
    with transaction() as session:
        session.get_one(Account, gone.id).active = False
    found = re.search(r'name="csrf_token" value="([^"]+)"', visitor.client.get("/forgotten").text)
    assert found

    def forgot(address: str) -> TestResponse:
        return visitor.client.post("/forgotten", data={"email": address, "csrf_token": found[1]})

    asked = ["none@example.org", "ruth@example.org", "ewan@example.org", "abcd@example.org"]
    assert told_apart(asked, forgot) == {}
    assert told_apart(["wxyz@example.org", "ruth@example.org"], forgot) == {}
    assert mailed() == [("password_reset_link", "ruth@example.org")] * 2
    assert {one.action for one in db.session.scalars(select(Activity))} >= {"staff.password_forgotten"}


def test_a_flood_of_forgotten_passwords_is_not_written_down(visitor: Visitor, now: datetime) -> None:
    people.staff(now, "Ruth Adeyemi", Role.ADMIN)
    with visitor.at(now):
        found = re.search(r'name="csrf_token" value="([^"]+)"', visitor.client.get("/forgotten").text)
        assert found
        for number in range(30):
            sent = {"email": f"nobody{number}@example.org", "csrf_token": found[1]}
            assert visitor.client.post("/forgotten", data=sent).location == "/forgotten/sent"
    asked = select(func.count()).where(Activity.action == "staff.password_forgotten")
    assert db.session.scalar(asked) == 20


def test_a_contributor_who_signs_in(visitor: Visitor, everybody: list[str], now: datetime) -> None:
    people.contributor(now, "Farah Idris", people.agency(now))
    ended = people.contributor(now, "Ended Earlyon", people.agency(now, "Larkmere Fire"))
    with transaction() as session:
        session.get_one(Contributor, ended.id).ended_at = now
    token = form_token(visitor.open("/contribute/sign-in"))

    def sign_in(address: str) -> TestResponse:
        with visitor.at(now + 10 * SECOND):
            return visitor.client.post("/contribute/sign-in", data={"email": address, "form": token})

    before = len(mailed())
    contributors = [one.address for one in db.session.scalars(select(Contributor))]
    assert len(contributors) == 2
    assert told_apart([*everybody, *contributors], sign_in) == {}
    asked = {address for _template, address in mailed()[before:]}
    assert asked == {*everybody, *contributors} - {"complained1@example.org", "it-was-not1@example.org"}


def test_another_address(app: Flask, everybody: list[str], quarterly: MailingList, now: datetime) -> None:
    """Somebody who tries addresses of others as their own new one; each with a link of theirs."""
    done: dict[str, Work] = {}
    held = people.subscribers(now - DAY, quarterly, len(everybody))
    subscribers = [one.subscriber.id for one in held if one.subscriber is not None]
    for address, number in zip(everybody, subscribers, strict=True):
        with transaction() as session:
            addressing.send_link(session.get_one(Subscriber, number), now=now)
        link = db.session.scalars(select(Notice).order_by(Notice.id.desc()).limit(1)).one()
        assert link.template == addressing.LINK
        nonce = uuid.UUID(bytes=link.nonce)
        db.session.remove()
        with work_done() as done[address], transaction():
            addressing.ask(nonce, address, now=now)
    first = done[NEW]
    assert first.commits == 1
    unlike = [one for one, work in done.items() if (work.statements, work.commits) != (first.statements, 1)]
    assert unlike == []
