"""The mailbox is looked into every minute, and its row says when and how that went."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from newsletter import jobs
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.delivery.returns import inbox
from newsletter.delivery.returns.feedback import take_in
from newsletter.domain.subscribers import suppressing
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Activity, Delivery, InboundMessage, MailSource, Notice, Subscription
from newsletter.states import DeliveryState, InboundState, Role
from tests import people
from tests.databases import opened
from tests.delivery.sending import makers
from tests.delivery.sending.conftest import worker_app
from tests.dovecot import Account, dovecot, mailbox
from tests.mail.report_corpus import READER, load, marks

pytestmark = pytest.mark.both_databases

__all__ = ["dovecot", "mailbox"]

#: Dovecot lets no mail come from the future.
MONDAY = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Look = Callable[[datetime], inbox.Looked | None]


@pytest.fixture
def app(settings: Settings, relay: MemoryRelay, tables: None) -> Iterator[Flask]:
    app = worker_app(settings, relay)
    with opened(app):
        yield app


@pytest.fixture
def sent(app: Flask) -> dict[str, str]:
    """An issue that went to one reader; the marks of that message. Ewan is the administrator."""
    issue = makers.sending(MONDAY, 1)
    people.staff(MONDAY, "Ewan Brodie", Role.ADMIN)
    people.staff(MONDAY, "Ruth Adeyemi", Role.EDITOR)
    with transaction() as session:
        session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED, first_tried_at=MONDAY, attempts=1))
    delivery = db.session.scalars(select(Delivery)).one()
    return marks(db.session.scalars(select(Subscription.public_id)).one(), issue.id, delivery.id)


def read_from(app: Flask, url: str, **changes: object) -> None:
    """Let the settings name this mailbox."""
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], inbound_url=url, **changes)


def look(at: datetime) -> inbox.Looked | None:
    db.session.rollback()
    return inbox.read_inbound(lambda: at)


def source() -> MailSource:
    db.session.rollback()
    return db.session.scalars(select(MailSource)).one()


def notices() -> list[Notice]:
    db.session.rollback()
    return list(db.session.scalars(select(Notice).order_by(Notice.id)))


def test_without_a_mailbox_nothing_is_looked_into(app: Flask) -> None:
    assert look(MONDAY) is None
    jobs.read_inbound()
    assert db.session.scalars(select(MailSource)).all() == []


def test_what_waits_in_the_mailbox_is_acted_on_and_put_away(app: Flask, sent: dict[str, str], mailbox: Account) -> None:
    for name in ("postfix_unknown_user", "vacation_english", "letter", "daemon_that_says_nothing", "forged"):
        mailbox.deliver(load(name, **sent), MONDAY + MINUTE)
    read_from(app, mailbox.url(), relay_ca_file=mailbox.ca_file)

    looked = look(MONDAY + 2 * MINUTE)

    assert looked is not None
    assert looked.problem == ""
    assert looked.taken == {"dsn": 1, "automatic": 1, "unknown": 2, "forged": 1}
    assert suppressing.is_suppressed(READER)
    assert len(mailbox.folder("Processed")) == 3
    assert [subject for subject, _flags in mailbox.folder("INBOX")] == [
        "Re: Safeguarding news: December 2026", "<script>alert(1)</script> Something went wrong",
    ]  # fmt: skip
    states = db.session.scalars(select(InboundMessage.state).order_by(InboundMessage.id)).all()
    assert states.count(InboundState.QUARANTINED) == 1
    again = look(MONDAY + 3 * MINUTE)
    assert again is not None
    assert again.taken == {}
    assert (source().looked_at, source().worked_at) == (MONDAY + 3 * MINUTE,) * 2
    assert notices() == [], "nobody is answered"


def test_a_mailbox_that_is_away_says_so_in_its_row_until_it_is_back(
    app: Flask, sent: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "Maildir"
    read_from(app, f"maildir:{folder}")
    for minutes in (0, 1):
        look(MONDAY + minutes * MINUTE)
    assert source().problem == f"The folder {folder} is no Maildir: it needs the folders new and cur."
    assert source().worked_at is None

    for name in ("new", "cur"):
        (folder / name).mkdir(parents=True)
    look(MONDAY + 700 * MINUTE)
    assert (source().problem, source().worked_at) == ("", MONDAY + 700 * MINUTE)
    (folder / "new").rmdir()
    look(MONDAY + 701 * MINUTE)
    chosen = select(Activity.action).where(Activity.action.startswith("inbound.")).order_by(Activity.id)
    assert list(db.session.scalars(chosen)) == ["inbound.problem", "inbound.mended", "inbound.problem"]


def test_a_setting_that_cannot_be_used_is_a_problem_in_words(app: Flask, sent: dict[str, str]) -> None:
    read_from(app, "imaps://bounces@mail.example.org/INBOX?auth=xoauth2")
    looked = look(MONDAY)
    assert looked is not None
    assert "set NEWSLETTER_OAUTH_TOKEN_URL" in looked.problem
    assert source().problem == looked.problem


def test_what_was_taken_in_before_the_mailbox_went_away_stays_taken_in(
    app: Flask, sent: dict[str, str], mailbox: Account
) -> None:
    """Two looks at the same mail, as after a worker that died before it could put the mail away."""
    mailbox.deliver(load("gmail_not_found", **sent), MONDAY)
    read_from(app, mailbox.url(), relay_ca_file=mailbox.ca_file)
    take_in(load("gmail_not_found", **sent), "INBOX", MONDAY, MONDAY, kept_elsewhere=True)
    looked = look(MONDAY + MINUTE)
    assert looked is not None
    assert looked.taken == {"dsn": 1}
    assert len(db.session.scalars(select(InboundMessage)).all()) == 1
    assert len(mailbox.folder("Processed")) == 1
