"""Who may be sent a probe, what it is like, and what is said when it cannot leave."""

import json
import stat
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from flask import Flask

from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.doctor.kept import KeptProbe, last_probe
from newsletter.domain.subscribers.suppressing import suppress
from newsletter.errors import Invalid, NotFound, Refused
from newsletter.models import MailboxMessage, Organisation, Subscription
from newsletter.states import SendingMode, SuppressionReason
from newsletter.tokens import read_envelope_tag, read_unsubscribe_token
from newsletter.work.runners import SilentRunner
from tests.conftest import KEY
from tests.doctor.conftest import ask_for_probe, probing_app
from tests.doctor.reading import good, unknown, warned, wrong
from tests.people import larkmere, policy_changes, staff, subscribers
from tests.smtp_servers import DROP, AcceptingServer, ScriptedServer, Step


@pytest.fixture
def server() -> Iterator[AcceptingServer]:
    with AcceptingServer() as accepting:
        yield accepting


@pytest.fixture
def here(settings: Settings, server: AcceptingServer, now: datetime) -> Iterator[Flask]:
    """Larkmere with its list, one reader, and Ruth on the staff page; it sends to everyone."""
    app = probing_app(settings, server.url)
    with app.app_context():
        subscribers(now, larkmere(now), 1)
        staff(now)
        yield app
        db.session.remove()
        db.engine.dispose()


def test_a_probe_has_the_shape_of_an_issue_and_leads_nowhere(probe: KeptProbe) -> None:
    mail = message_from_bytes(probe.message, policy=policy.default)
    assert str(mail["Subject"]).startswith("Probe ")
    assert mail["To"] == "ruth@example.org"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert [part.get_content_type() for part in mail.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    for name in ("List-Id", "Feedback-ID", "Precedence", "Reply-To", "Message-ID", "List-Archive"):
        assert mail[name]
    token = str(mail["List-Unsubscribe"]).rpartition("/")[2].rstrip(">")
    local_part, _, domain = probe.sender.partition("@")
    assert domain == "bounces.example.org"
    assert read_unsubscribe_token((KEY,), token) == read_envelope_tag((KEY,), local_part)


def test_what_was_sent_is_kept_for_its_owner_alone(here: Flask, server: AcceptingServer, now: datetime) -> None:
    found = ask_for_probe(here, "ruth@example.org", now)
    folder = here.config["NEWSLETTER"].data_dir
    assert "accepted the probe to ruth@example.org" in good(found)
    assert [finding.what_to_do for finding in found][-1] == "newsletter doctor --received FILE"
    kept = last_probe(folder)
    assert kept is not None
    assert (kept.sender, kept.recipient, kept.at) == ("newsletter@example.org", "ruth@example.org", now)
    assert kept.message == server.accepted[0].message
    assert stat.S_IMODE((folder / "last-probe.json").stat().st_mode) == 0o600


def test_each_probe_takes_the_place_of_the_last(here: Flask, now: datetime) -> None:
    ask_for_probe(here, "ruth@example.org", now)
    first = last_probe(here.config["NEWSLETTER"].data_dir)
    ask_for_probe(here, "ruth@example.org", now)
    second = last_probe(here.config["NEWSLETTER"].data_dir)
    assert first is not None
    assert second is not None
    assert first.message != second.message


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"message": "é"}', json.dumps({"message": "", "sender": "", "at": 1})]
)
def test_a_kept_probe_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "last-probe.json").write_text(text, encoding="utf-8")
    assert last_probe(tmp_path) is None


def test_an_address_elsewhere_may_be_probed_by_whoever_sends_to_everyone(
    here: Flask, server: AcceptingServer, now: datetime
) -> None:
    ask_for_probe(here, "larkmere-test@mailbox.example", now)
    assert [mail.recipient for mail in server.accepted] == ["larkmere-test@mailbox.example"]


@pytest.mark.parametrize("mode", [SendingMode.TEAM, SendingMode.NOTHING])
def test_otherwise_only_staff_are(here: Flask, server: AcceptingServer, now: datetime, mode: SendingMode) -> None:
    with transaction() as session:
        session.get_one(Organisation, 1).sending_mode = mode
    with pytest.raises(Refused, match="sends to its team only"):
        ask_for_probe(here, "larkmere-test@mailbox.example", now)
    ask_for_probe(here, "RUTH@example.org", now)
    assert [mail.recipient for mail in server.accepted] == ["RUTH@example.org"]


def test_nobody_who_subscribes_or_wants_no_mail_is_probed(here: Flask, server: AcceptingServer, now: datetime) -> None:
    with transaction():
        suppress("asked-not-to@example.org", SuppressionReason.STAFF, now=now)
    for address in ("Reader1@example.org", "asked-not-to@example.org"):
        with pytest.raises(Refused, match="an address of your own"):
            ask_for_probe(here, address, now)
    assert server.received == []


def test_the_list_may_be_named(here: Flask, server: AcceptingServer, now: datetime) -> None:
    policy_changes(now)
    ask_for_probe(here, "ruth@example.org", now, slug="Policy-Changes")
    assert b"List-Id: Policy changes <policy-changes." in server.accepted[0].message
    with pytest.raises(NotFound, match="no list “nothing”"):
        ask_for_probe(here, "ruth@example.org", now, slug="nothing")


def test_what_is_no_address_and_an_installation_without_a_list(
    settings: Settings, server: AcceptingServer, now: datetime
) -> None:
    app = probing_app(settings, server.url)
    with app.app_context():
        with pytest.raises(Invalid, match=r"in the form name@example\.org"):
            ask_for_probe(app, "ruth", now)
        with pytest.raises(NotFound, match="no list yet"):
            ask_for_probe(app, "ruth@example.org", now)
        db.session.remove()
        db.engine.dispose()


def test_a_probe_that_is_not_taken_is_not_kept(settings: Settings, now: datetime) -> None:
    with ScriptedServer(every={Step.RCPT: "550 5.7.1 Relaying denied"}) as refusing:
        app = probing_app(settings, refusing.url)
        with app.app_context():
            larkmere(now)
            found = ask_for_probe(app, "somebody@mailbox.example", now)
            db.session.remove()
            db.engine.dispose()
    assert "The probe was not taken" in wrong(found)
    assert "Relaying denied" in wrong(found)
    assert last_probe(settings.data_dir) is None


def test_a_probe_without_an_answer_may_have_left(settings: Settings, now: datetime) -> None:
    with ScriptedServer(every={Step.DOT: DROP}) as dropping:
        app = probing_app(settings, dropping.url)
        with app.app_context():
            larkmere(now)
            found = ask_for_probe(app, "somebody@mailbox.example", now)
            db.session.remove()
            db.engine.dispose()
    assert unknown(found)
    assert last_probe(settings.data_dir) is not None


def test_without_a_mail_server_it_stays_here(settings: Settings, now: datetime) -> None:
    app = create_app(settings, runner=SilentRunner())
    with app.app_context():
        db.create_all()
        larkmere(now)
        found = ask_for_probe(app, "anybody@mailbox.example", now)
        assert "no mail server is set, so nothing was tried out" in warned(found)
        assert db.session.query(MailboxMessage).one().recipient == "anybody@mailbox.example"
        assert db.session.query(Subscription).count() == 0
        db.session.remove()
        db.engine.dispose()
