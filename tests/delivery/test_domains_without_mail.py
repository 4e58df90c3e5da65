"""Domains that take no mail: a real name server on loopback is asked, after the sign-up and for nobody to wait for."""

import time
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.delivery.notices import looking_up, outbox
from newsletter.domain.subscribers import forgetting, mail_domains, offering, reminding, subscribing
from newsletter.mail.local import LocalMailbox
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Activity, MailDomain, MailingList, Notice, Organisation, SignUp
from newsletter.states import NoticeState, SendingMode
from tests import people
from tests.name_server import NameServer

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONE = {
    ("good.example", "MX"): ["10 mx.good.example."],
    ("plain.example", "A"): ["192.0.2.7"],
    ("sixth.example", "AAAA"): ["2001:db8::7"],
    ("null.example", "MX"): ["0 ."],
    ("null.example", "A"): ["192.0.2.8"],
    ("bare.example", "TXT"): ['"nothing that takes mail"'],
}


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now - 60 * DAY)


def sign_up(domain: str, now: datetime, name: str = "tom") -> str:
    address = f"{name}@{domain}"
    with transaction():
        subscribing.request_subscription(
            address=address,
            lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
            source="sign-up form",
            now=now,
        )
    return address


def known() -> dict[str, bool | None]:
    db.session.rollback()
    return {one.domain: one.takes_mail for one in db.session.scalars(select(MailDomain))}


def states(address: str) -> list[NoticeState]:
    db.session.rollback()
    return list(db.session.scalars(select(Notice.state).where(Notice.address == address).order_by(Notice.id)))


def outcomes() -> list[str]:
    db.session.rollback()
    chosen = select(Activity.detail).where(Activity.action == "sign_up.requested").order_by(Activity.id)
    return [one["outcome"] for one in db.session.scalars(chosen)]


def test_what_the_dns_says(quarterly: MailingList, now: datetime) -> None:
    """MX; none but an address (RFC 5321 §5.1); "no mail here" (RFC 7505); no way in; no such name; two silences."""
    for domain in ("good", "plain", "sixth", "null", "bare", "nowhere", "silent", "failing"):
        sign_up(f"{domain}.example", now)
    with NameServer(ZONE, silent=["silent.example"], failing=["failing.example"]) as server:
        assert looking_up.look_up_due(now, server.names(0.5)) == 8
        assert looking_up.look_up_due(now + timedelta(minutes=1), server.names(0.5)) == 0
        assert known() == {
            "good.example": True, "plain.example": True, "sixth.example": True,
            "null.example": False, "bare.example": False, "nowhere.example": False,
            "silent.example": None, "failing.example": None,
        }  # fmt: skip
        server.asked.clear()
        assert looking_up.look_up_due(now + HOUR, server.names(0.5)) == 2
        assert {name for name, _kind in server.asked} == {"silent.example", "failing.example"}


def test_five_seconds_are_the_longest_wait(quarterly: MailingList, now: datetime) -> None:
    """By the default of the resolver itself; and many silences are waited for together."""
    for number in range(8):
        sign_up(f"silent{number}.example", now)
    with NameServer({}, silent=[f"silent{number}.example" for number in range(8)]) as server:
        began = time.monotonic()
        assert looking_up.look_up_due(now, server.names(1.0)) == 8
        assert time.monotonic() - began < 8
    from newsletter.mail.names import DnsNames, names_of_this_machine

    asked = names_of_this_machine(["127.0.0.1"])
    assert isinstance(asked, DnsNames)
    assert asked._seconds == 5.0


def test_a_resolver_that_knows_no_world_says_nothing(quarterly: MailingList, now: datetime) -> None:
    sign_up("nowhere.example", now)
    with NameServer({}, closed=True) as server:
        looking_up.look_up_due(now, server.names())
    assert known() == {"nowhere.example": None}


def test_nothing_more_goes_where_no_mail_is_taken(quarterly: MailingList, relay: MemoryRelay, now: datetime) -> None:
    """The first confirmation may be gone before anybody was asked. What waits is dropped, and no reminder follows."""
    gone = sign_up("null.example", now)
    outbox.deliver_notices(now)
    waits = sign_up("null.example", now, "ann")
    with NameServer(ZONE) as server:
        looking_up.look_up_due(now, server.names())
    outbox.deliver_notices(now)
    assert (states(gone), states(waits)) == ([NoticeState.ACCEPTED], [NoticeState.DROPPED])

    for number in reminding.due(now + DAY + HOUR):
        with transaction():
            reminding.remind(number, now + DAY + HOUR)
    outbox.deliver_notices(now + DAY + HOUR)
    sign_up("null.example", now + 2 * DAY)
    outbox.deliver_notices(now + 2 * DAY)
    assert [one.recipient for one in relay.accepted] == [gone]
    assert outcomes() == ["confirmation", "confirmation", "takes no mail"]


def test_where_the_dns_says_nothing_mail_goes(quarterly: MailingList, relay: MemoryRelay, now: datetime) -> None:
    with NameServer({}, silent=["silent.example"], failing=["failing.example"]) as server:
        for domain in ("silent.example", "failing.example"):
            sign_up(domain, now)
        looking_up.look_up_due(now, server.names(0.3))
    outbox.deliver_notices(now)
    assert sorted(one.recipient for one in relay.accepted) == ["tom@failing.example", "tom@silent.example"]


def test_a_domain_that_was_mended_is_believed_again(quarterly: MailingList, relay: MemoryRelay, now: datetime) -> None:
    sign_up("new.example", now)
    with NameServer({}) as server:
        looking_up.look_up_due(now, server.names())
    assert mail_domains.takes_no_mail("tom@new.example", now + 6 * DAY)
    later = now + 8 * DAY
    assert not mail_domains.takes_no_mail("tom@new.example", later)
    sign_up("new.example", later)
    with NameServer({("new.example", "MX"): ["10 mx.new.example."]}) as server:
        assert looking_up.look_up_due(later, server.names()) == 1
    outbox.deliver_notices(later)
    assert [one.recipient for one in relay.accepted] == ["tom@new.example"]


@pytest.mark.parametrize("mode", [SendingMode.TEAM, SendingMode.NOTHING, None])
def test_who_writes_to_nobody_asks_nobody(
    app: Flask, quarterly: MailingList, now: datetime, mode: SendingMode | None
) -> None:
    if mode is None:
        app.extensions["newsletter_relay"] = LocalMailbox(lambda envelope: None)
    else:
        with transaction() as session:
            session.get_one(Organisation, 1).sending_mode = mode
    sign_up("good.example", now)
    with NameServer(ZONE) as server:
        assert looking_up.look_up_due(now, server.names()) == 0
        assert server.asked == []


def test_it_is_not_kept_for_ever_and_goes_with_whoever_is_forgotten(quarterly: MailingList, now: datetime) -> None:
    address = sign_up("null.example", now)
    sign_up("good.example", now)
    with NameServer(ZONE) as server:
        looking_up.look_up_due(now, server.names())
    with transaction():
        forgetting.erase_address(address, route="own wish", now=now)
    assert known() == {"good.example": True}
    with transaction():
        mail_domains.forget_old(now + 30 * DAY)
    assert known() == {}


def test_staff_are_told_why(client: FlaskClient, quarterly: MailingList, now: datetime) -> None:
    people.sign_in(client, people.staff(now))
    (subscription,) = people.subscribers(now, quarterly, 1)
    assert subscription.subscriber is not None
    address = subscription.subscriber.address
    story = f"/desk/subscribers/{subscription.subscriber.public_id}"
    sentences = ("The domain takes no mail, or there is none of that name.", "Its domain takes no mail")
    assert sentences[0] not in client.get(story).text
    with transaction():
        mail_domains.keep([(address.partition("@")[2], False)], now)
    assert sentences[0] in client.get(story).text
    assert sentences[1] in client.post("/desk/suppressions", data={"email": address}).text
    assert db.session.scalars(select(SignUp)).all() == []
