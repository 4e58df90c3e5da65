"""What an operator is told about the mail server: real servers, with certificates of a test authority."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.doctor.findings import Area, Notes
from newsletter.doctor.relay import examine_relay, say_how_long
from newsletter.mail.memory import MemoryRelay
from newsletter.mail.smtp import SmtpRelay
from tests.doctor.reading import good, warned, wrong
from tests.smtp_servers import PIPELINED, STALL, AcceptingServer, Authority, ScriptedServer, Step

NOW = datetime.now(UTC)
PASSWORD = "correct-horse-battery"


def _look(url: str, ca_file: Path | None = None, *, largest: int | None = None, seconds: float = 30.0) -> Notes:
    return examine_relay(SmtpRelay.from_url(url, ca_file=ca_file), NOW, largest=largest, seconds=seconds)


def test_a_server_with_tls_and_sign_in(authority: Authority) -> None:
    with AcceptingServer(tls=authority.server(), login=("larkmere", PASSWORD)) as server:
        found = _look(server.url_for("larkmere", PASSWORD), authority.file, largest=31_000)
        assert server.signed_in == 1
        assert server.received == []
    assert not wrong(found) + warned(found)
    assert "encrypted (TLSv1." in good(found)
    assert "is good for another" in good(found)
    assert "lets us in with the user name and password" in good(found)
    assert "the newest issue has 31 KB" in good(found)


def test_implicit_tls(authority: Authority) -> None:
    with AcceptingServer(tls=authority.server(), implicit=True) as server:
        found = _look(server.url, authority.file)
    assert "the certificate is verified" in good(found)
    assert "We do not sign in" in good(found)


def test_the_offers_are_said_in_words_and_the_server_is_left_politely() -> None:
    with ScriptedServer(extensions=[*PIPELINED, "DSN"]) as server:
        found = _look(server.url)
        assert server.verbs() == ["EHLO", "QUIT"]
    assert "several commands at once (PIPELINING)" in good(found)
    assert "told of failures only (DSN)" in good(found)
    assert "It is on this machine, so the connection needs no TLS" in good(found)


def test_a_bare_server_is_good_enough() -> None:
    with ScriptedServer(extensions=[]) as server:
        found = _look(server.url, largest=31_000)
    assert not wrong(found)
    for words in ("no PIPELINING", "no limit for the size", "does not offer DSN", "does not offer 8BITMIME"):
        assert words in good(found)


def test_an_issue_that_is_too_large_for_the_server() -> None:
    with ScriptedServer(extensions=["SIZE 50000"]) as server:
        found = _look(server.url, largest=80_000)
    assert "mails of up to 50 KB, and the newest issue has 80 KB" in wrong(found)


def test_a_password_that_is_refused_is_not_repeated(authority: Authority) -> None:
    with AcceptingServer(tls=authority.server(), login=("larkmere", PASSWORD)) as server:
        found = _look(server.url_for("larkmere", "wrong-" + PASSWORD), authority.file)
    assert "535" in wrong(found)
    assert PASSWORD not in "".join(str(finding) for finding in found)


@pytest.mark.parametrize("names", [("mail.elsewhere.example",), ()])
def test_certificates_that_cannot_be_trusted(authority: Authority, names: tuple[str, ...]) -> None:
    with ScriptedServer(tls=authority.server(*names, expired=not names), implicit=True) as server:
        found = _look(server.url, authority.file)
    assert "certificate of the mail server 127.0.0.1 is not accepted" in wrong(found)


def test_starttls_that_was_taken_out_on_the_way(authority: Authority) -> None:
    with ScriptedServer() as server:
        found = _look(server.url.replace("smtp://", "smtp+starttls://"), authority.file)
    assert "does not offer STARTTLS" in wrong(found)


def test_a_closed_port_and_a_server_that_turns_us_away() -> None:
    with ScriptedServer({Step.GREETING: "554 5.7.1 Not from there"}) as server:
        refused = _look(server.url)
    assert "Not from there" in wrong(refused)
    assert "could not be reached" in wrong(_look(server.url))


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    with ScriptedServer(every={Step.GREETING: STALL}) as server:
        found = _look(server.url, seconds=0.2)
    assert "took longer than 0.2 seconds" in wrong(found)


def test_without_a_mail_server_no_reader_gets_anything() -> None:
    assert "built-in mailbox" in warned(examine_relay(MemoryRelay(), NOW))


@pytest.mark.parametrize(("days", "words"), [(60, "another 60 days"), (13, "ends in 13 days"), (1, "in one day")])
def test_certificates_that_end_soon(days: int, words: str) -> None:
    notes = Notes(Area.RELAY)
    say_how_long(notes, "The certificate of mail.example.org", NOW + timedelta(days=days, hours=1), NOW)
    assert words in good(notes) + warned(notes)
    assert bool(warned(notes)) == (days < 14)
