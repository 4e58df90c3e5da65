"""What an operator is told about the mailbox that bounces come back to: a real IMAP server, a real Maildir."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from newsletter.config import Settings
from newsletter.db import transaction
from newsletter.doctor.fetching import fetch_probe
from newsletter.doctor.findings import Notes
from newsletter.doctor.inbound import examine_inbound
from newsletter.doctor.kept import KeptProbe
from newsletter.errors import MailboxError, Refused
from newsletter.mail.inbound_sources import open_source
from newsletter.models import MailSource
from tests.doctor.reading import good, warned, wrong
from tests.dovecot import Account

PASSWORD = "very-secret"


def _look(settings: Settings, url: str | None, now: datetime, *, ca_file: Path | None = None) -> Notes:
    return examine_inbound(replace(settings, inbound_url=url, relay_ca_file=ca_file), now, readable=False)


@pytest.mark.parametrize("starttls", [False, True])
def test_a_mailbox_that_lets_us_in(settings: Settings, now: datetime, mailbox: Account, starttls: bool) -> None:
    mailbox.deliver(b"Subject: Undelivered\r\n\r\nNo such mailbox\r\n", now)
    found = _look(settings, mailbox.url(starttls=starttls), now, ca_file=mailbox.ca_file)
    assert good(found) == "The mailbox lets us in and opens the folder."
    assert mailbox.folder("INBOX") == [("Undelivered", ())], "nothing was read or moved"


def test_a_mailbox_that_does_not(settings: Settings, now: datetime, mailbox: Account) -> None:
    refused = _look(settings, mailbox.url(password=PASSWORD), now, ca_file=mailbox.ca_file)
    assert "does not let us in" in wrong(refused)
    assert PASSWORD not in wrong(refused)
    assert "certificate" in wrong(_look(settings, mailbox.url(), now))
    assert wrong(_look(settings, mailbox.url(folder="Nowhere"), now, ca_file=mailbox.ca_file))


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_a_server_that_is_away(settings: Settings, now: datetime, closed_port: int) -> None:
    found = _look(settings, f"imaps://bounces:{PASSWORD}@127.0.0.1:{closed_port}/INBOX", now)
    assert "cannot be reached" in wrong(found)
    assert PASSWORD not in wrong(found)


def test_an_access_token_without_its_settings(settings: Settings, now: datetime) -> None:
    found = _look(settings, "imaps://bounces@mail.example.org/INBOX?auth=xoauth2", now)
    assert "NEWSLETTER_OAUTH_TOKEN_URL" in wrong(found)


def test_a_maildir_and_a_folder_that_is_none(settings: Settings, now: datetime, tmp_path: Path) -> None:
    assert "is no Maildir: it has no folder “new”" in wrong(_look(settings, f"maildir:{tmp_path}", now))
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    assert "can be read" in good(_look(settings, f"maildir:{tmp_path}", now))


def test_without_a_mailbox_there_is_nothing_to_look_at(settings: Settings, now: datetime) -> None:
    assert "No inbound mailbox is set" in good(_look(settings, None, now))


def test_when_it_was_last_read(app: Flask, settings: Settings, now: datetime, tmp_path: Path) -> None:
    url = f"maildir:{tmp_path}"
    for name in ("new", "cur"):
        (tmp_path / name).mkdir()
    settings = replace(settings, inbound_url=url)
    assert "No worker has read it yet" in warned(examine_inbound(settings, now, readable=True))
    with transaction() as session:
        session.add(MailSource(name=open_source(url).name, looked_at=now, worked_at=now))
    soon, late = now + timedelta(minutes=5), now + timedelta(hours=3)
    assert "within the last hour" in good(examine_inbound(settings, soon, readable=True))
    assert "last read 3 hours ago" in warned(examine_inbound(settings, late, readable=True))


# --- the probe, where it went to an address of this mailbox ------------------------------------------------------


def _fetch(settings: Settings, probe: KeptProbe | None, account: Account | None = None, **changes: Any) -> bytes:
    waited: list[float] = []
    tries = changes.pop("tries", 1)
    where: dict[str, Any] = {"inbound_url": account.url(), "relay_ca_file": account.ca_file} if account else {}
    try:
        return fetch_probe(replace(settings, **(where | changes)), probe, tries=tries, wait=waited.append)
    finally:
        assert len(waited) == tries - 1


def test_the_newest_probe_is_fetched_and_left_where_it_is(
    settings: Settings, now: datetime, mailbox: Account, probe: KeptProbe
) -> None:
    mailbox.deliver(b"Subject: Undelivered\r\n\r\nNo such mailbox\r\n", now)
    mailbox.deliver(probe.message, now)
    mailbox.deliver(b"Message-ID: <1@provider.example>\r\nSubject: " + probe.code.encode() + b"\r\n\r\n\r\n", now)
    assert _fetch(settings, probe, mailbox).startswith(b"Message-ID: <1@provider.example>")
    mailbox.deliver(b"Received: from mail.example.org\r\n" + probe.message, now)
    assert _fetch(settings, probe, mailbox) == b"Received: from mail.example.org\r\n" + probe.message
    assert {flags for _subject, flags in mailbox.folder("INBOX")} == {()}


def test_a_probe_in_a_maildir(settings: Settings, tmp_path: Path, probe: KeptProbe) -> None:
    for name in ("new", "cur"):
        (tmp_path / name).mkdir()
    (tmp_path / "new" / "1.other").write_bytes(b"Subject: Undelivered\n\n" + probe.message)
    (tmp_path / "cur" / "2.probe:2,S").write_bytes(probe.message)
    assert _fetch(settings, probe, inbound_url=f"maildir:{tmp_path}") == probe.message
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_a_probe_that_has_not_arrived_is_waited_for(settings: Settings, mailbox: Account, probe: KeptProbe) -> None:
    with pytest.raises(Refused, match=r"The probe to ruth@example\.org is not in the inbound mailbox"):
        _fetch(settings, probe, mailbox, tries=3)


def test_what_is_missing_is_said(settings: Settings, probe: KeptProbe, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="No inbound mailbox is set"):
        _fetch(settings, probe)
    with pytest.raises(Refused, match="No probe was sent from here"):
        _fetch(settings, None, inbound_url=f"maildir:{tmp_path}")
    with pytest.raises(MailboxError, match="cannot be read"):
        _fetch(settings, probe, inbound_url=f"maildir:{tmp_path}/nothing")
