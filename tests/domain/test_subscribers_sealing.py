"""The record of consent: chained, walked, and what falls out when somebody touches it; on both databases."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from newsletter import jobs
from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.domain.subscribers import evidence, forgetting, leaving, offering, retaining, sealing, subscribing
from newsletter.models import Consent, ConsentSeal, MailingList, SignUp, Subscriber
from newsletter.work.runners import SilentRunner
from tests import people
from tests.databases import opened

pytestmark = pytest.mark.both_databases

DAY = timedelta(days=1)


@pytest.fixture
def app(settings: Settings, tables: None) -> Iterator[Flask]:
    app = create_app(settings, runner=SilentRunner())
    with opened(app):
        yield app


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


def agree(address: str, now: datetime) -> Subscriber:
    """Somebody signs up by the form and presses the button, a minute later."""
    with transaction():
        subscribing.request_subscription(
            address=address,
            lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
            name="Asha Patel", source="sign-up form", network="192.0.2.0/24", now=now,
        )  # fmt: skip
    with transaction() as session:
        sign_up = session.query(SignUp).filter_by(address_key=address).one()
        subscribing.confirm(sign_up, now=now + timedelta(minutes=1))
    return db.session.query(Subscriber).filter_by(address_key=address).one()


def test_everything_is_sealed_once_and_fits(quarterly: MailingList, now: datetime) -> None:
    for number in range(5):
        agree(f"reader{number}@example.org", now)
    assert sealing.verify().unsealed == 5
    assert (sealing.seal_all(now, most=2), sealing.seal_all(now)) == (5, 0)
    first = sealing.head()
    asha = agree("asha@example.org", now + DAY)
    with transaction():
        leaving.unsubscribe(asha.subscriptions[0], route="one-click", now=now + 2 * DAY)
    jobs.seal_consent()

    found = sealing.verify(first)
    assert (found.seals, found.events, found.unsealed, found.wrong) == (4, 7, 0, ())
    assert found.holds
    assert found.head == sealing.head() != first
    assert [seal.rows for seal in db.session.query(ConsentSeal).order_by(ConsentSeal.id)] == [2, 2, 1, 2]


#: Ways to tell another story, each by somebody who can write to the tables.
TOUCHES = (
    "UPDATE consent SET wording = 'They agreed to anything' WHERE id = 2",
    "UPDATE consent SET route = 'paper' WHERE id = 3",
    "UPDATE consent SET note = 'rang us' WHERE id = 1",
    "UPDATE consent SET salt = NULL WHERE id = 1",
    "UPDATE consent SET salt = NULL, digest = NULL WHERE id = 1",
    "UPDATE consent SET subscription_id = 1 WHERE id = 2",
    "DELETE FROM consent WHERE id = 2",
    "DELETE FROM consent WHERE id = 4",
    "DELETE FROM consent_seal WHERE id = 1",
    "DELETE FROM consent_seal WHERE id = 2",
    "UPDATE consent SET digest = (SELECT digest FROM consent WHERE id = 3),"
    " salt = (SELECT salt FROM consent WHERE id = 3) WHERE id = 2",
)


def test_what_somebody_touched_falls_out(quarterly: MailingList, now: datetime) -> None:
    for number in range(4):
        agree(f"reader{number}@example.org", now)
    sealing.seal_all(now, most=2)
    kept = sealing.head()
    believed = []
    for touch in TOUCHES:
        db.session.execute(text(touch))
        if sealing.verify(kept).holds:
            believed.append(touch)
        db.session.rollback()

    assert believed == []
    assert sealing.verify(kept).holds


def test_a_record_that_was_written_anew_does_not_have_the_code_of_the_mail(
    quarterly: MailingList, now: datetime
) -> None:
    """Whoever can write to the table can chain it again; what lies in an inbox they cannot reach."""
    agree("asha@example.org", now)
    sealing.seal_all(now)
    mailed = sealing.head()
    with transaction() as session:
        session.execute(text("UPDATE consent SET wording = 'Anything', salt = NULL, digest = NULL"))
        session.execute(text("DELETE FROM consent_seal"))
    sealing.seal_all(now)

    assert sealing.verify().holds
    assert sealing.verify(mailed).wrong == ("The head that you have is none of this chain's.",)


def test_being_forgotten_and_tidying_leave_the_chain_whole(quarterly: MailingList, now: datetime) -> None:
    asha, tom = agree("asha@example.org", now), agree("tom@example.org", now)
    with transaction():
        leaving.complain(asha.subscriptions[0], reporter="Asha Patel at her provider", now=now)
    sealing.seal_all(now)
    with transaction():
        forgetting.erase_subscriber(asha, route="own wish", now=now + DAY)
    with transaction():
        assert retaining.purge_unconfirmed(now + 91 * DAY).networks == 1

    found = sealing.verify()
    assert (found.wrong, found.erased) == ((), 1)
    assert tom.address == "tom@example.org"
    assert db.session.query(Consent).filter(Consent.note != "").count() == 0


def test_the_words_somebody_read_stand_in_their_evidence(quarterly: MailingList, now: datetime) -> None:
    asha = agree("asha@example.org", now)
    found = evidence.evidence_of(asha.subscriptions)

    (event,) = found.lists[0].events
    assert event.wording == (
        "The Larkmere partnership uses your address to send “Safeguarding news”, and for nothing else."
    )
    assert (event.what, event.asked_at, event.privacy_version) == ("Agreed", now, 1)
    assert [notice.text for notice in found.notices] == ["We use your address to send what you tick."]
