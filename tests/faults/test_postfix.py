"""A real mail server takes a thousand, in clear and with TLS and a password, and what it sends back is understood."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter import addresses
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.delivery.reports import accounts
from newsletter.delivery.returns.inbox import read_inbound
from newsletter.delivery.run import engine
from newsletter.delivery.run.running import Ending
from newsletter.mail.memory import MemoryRelay
from newsletter.mail.smtp import SmtpRelay
from newsletter.models import Delivery, Feedback, Issue, Subscriber, Subscription
from newsletter.states import DeliveryState, FeedbackKind, IssueState
from tests.databases import opened
from tests.delivery.sending import makers
from tests.delivery.sending.conftest import worker_app
from tests.faults.mta import MailServer, mail_server
from tests.postfix import PostfixTools

READERS = 1_000
#: Two of them have left their posts, and nobody told us.
GONE = {"reader7@example.org": "gone1@example.org", "reader8@example.org": "gone2@example.org"}


@pytest.fixture(scope="module")
def mta(postfix: PostfixTools) -> Iterator[MailServer]:
    with mail_server(postfix) as server:
        yield server


@pytest.fixture
def settings(settings: Settings, mta: MailServer) -> Settings:
    return replace(settings, bounce_domain="bounces.example.org", inbound_url=f"maildir:{mta.mailbox('bounces')}")


@pytest.fixture
def app(settings: Settings, tables: None) -> Iterator[Flask]:
    with opened(worker_app(settings, MemoryRelay())) as app:
        yield app


def send(issue: Issue, server: MailServer, *, secured: bool) -> Ending:
    relay = SmtpRelay.from_url(
        server.secured_url() if secured else server.url,
        ca_file=server.ca_file if secured else None,
        connections=8,
    )
    ending = engine.send_issue(issue.id, relay=relay)
    server.until_empty()
    db.session.rollback()
    return ending


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("secured", [False, True], ids=["in clear", "TLS and a password"])
def test_postfix_takes_a_thousand(app: Flask, mta: MailServer, secured: bool) -> None:
    issue = makers.sending(datetime.now(UTC), READERS)
    before = len(mta.mails("readers"))
    assert send(issue, mta, secured=secured) is Ending.DONE
    assert (issue.state, accounts.counts(issue).accepted) == (IssueState.SENT, READERS)
    assert accounts.verify(issue) == []
    assert "queued as" in (makers.delivery_to("reader500@example.org").reply or "")
    mails = [message_from_bytes(raw, policy=policy.SMTP) for raw in mta.mails("readers")][before:]
    came = Counter(str(mail["Delivered-To"]) for mail in mails)
    assert came == Counter(makers.states(issue).keys())
    for mail in mails:
        assert mail["Delivered-To"] in mail["To"]
        # By its own mark the mail server shows how it was given the message: ESMTP, S for TLS, A for a password.
        assert (" with ESMTPSA " if secured else " with ESMTP ") in mail["Received"]
        assert str(mail["List-Unsubscribe"]).count("https://news.example.org/u/") == 1
    assert len({str(mail["List-Unsubscribe"]) for mail in mails}) == READERS
    assert len({str(mail["Message-ID"]) for mail in mails}) == READERS


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_wrong_password_pauses_it_and_says_so(app: Flask, mta: MailServer) -> None:
    issue = makers.sending(datetime.now(UTC), 5)
    relay = SmtpRelay.from_url(mta.secured_url(password="wrong"), ca_file=mta.ca_file)
    assert engine.send_issue(issue.id, relay=relay) is Ending.BROKEN
    db.session.rollback()
    assert (issue.state, accounts.counts(issue).queued) == (IssueState.PAUSED, 5)
    assert "535 5.7.8" in issue.pause_reason
    assert "wrong" not in issue.pause_reason


def test_what_it_could_not_deliver_comes_back_and_is_understood(app: Flask, mta: MailServer) -> None:
    issue = makers.sending(datetime.now(UTC), 20)
    with transaction() as session:
        for known, gone in GONE.items():
            person = session.scalars(select(Subscriber).where(Subscriber.address == known)).one()
            person.address, person.address_key = gone, addresses.key(gone)
    assert send(issue, mta, secured=False) is Ending.DONE
    # It took them all; that two of them have no mailbox it found out afterwards.
    assert accounts.counts(issue).accepted == 20
    assert len(mta.mails("bounces")) == len(GONE)
    looked = read_inbound(lambda: datetime.now(UTC) + timedelta(minutes=1))
    assert looked is not None
    assert (looked.problem, dict(looked.taken)) == ("", {"dsn": len(GONE)})
    assert mta.mails("bounces") == []
    found = db.session.execute(
        select(Subscriber.address, Feedback.kind, Delivery.state)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .join(Delivery, Delivery.subscription_id == Subscription.id)
        .join(Feedback, Feedback.subscription_id == Subscription.id)
    ).all()
    hard = {(gone, FeedbackKind.HARD, DeliveryState.ACCEPTED) for gone in GONE.values()}
    assert {tuple(row) for row in found} == hard
