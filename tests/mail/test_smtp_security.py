"""TLS, certificates, signing in: nothing is sent where they fail, and no password is ever shown."""

import base64
import logging
import ssl
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.errors import RelayDown, RelayError, RelayRejectsUs, RelayUnsure, SettingError
from newsletter.mail.relay import send_one
from newsletter.mail.smtp import SmtpRelay
from tests.smtp_servers import (
    DROP,
    PIPELINED,
    PLAIN,
    STALL,
    AcceptingServer,
    Action,
    Authority,
    Say,
    ScriptedServer,
    Step,
)

from .conftest import SHORT_AT_THE_END, SHORT_BLOCKS, SHORT_COMMANDS, envelope_for

MakeRelay = Callable[..., SmtpRelay]
USER, PASSWORD = "larkmere@example.org", "corr3ct-horse/ß"
USER_IN_URL, PASSWORD_IN_URL = "larkmere%40example.org", "corr3ct-horse%2F%C3%9F"
WAYS = pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])


@WAYS
@pytest.mark.parametrize("extensions", [PLAIN, PIPELINED], ids=["plain", "pipelined"])
def test_a_mail_goes_over_tls(
    implicit: bool, extensions: tuple[str, ...], authority: Authority, relay_for: MakeRelay
) -> None:
    with ScriptedServer(tls=authority.server(), implicit=implicit, extensions=extensions) as server:
        assert send_one(relay_for(server.url, ca_file=authority.file), envelope_for()).code == 250
        assert server.connections[0].tls
        clear = [] if implicit else ["EHLO", "STARTTLS"]
        assert server.verbs() == [*clear, "EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT"]


@WAYS
def test_a_long_mail_goes_over_tls(implicit: bool, authority: Authority, relay_for: MakeRelay) -> None:
    message = b"Subject: long\r\n\r\n" + b"".join(b".%09d\r\n" % number for number in range(200_000))
    with ScriptedServer(tls=authority.server(), implicit=implicit, extensions=PIPELINED) as server:
        send_one(relay_for(server.url, ca_file=authority.file), envelope_for(message=message))
        assert server.accepted[0].message == message


@WAYS
@pytest.mark.parametrize("action", [DROP, STALL])
def test_a_server_that_stops_reading_under_tls_leaves_no_doubt(
    action: Action, implicit: bool, authority: Authority, relay_for: MakeRelay
) -> None:
    message = b"Subject: long\r\n\r\n" + b"y\r\n" * 10_000_000
    with ScriptedServer({Step.BODY: action}, tls=authority.server(), implicit=implicit) as server:
        relay = relay_for(server.url, ca_file=authority.file, timeouts=SHORT_BLOCKS)
        with pytest.raises(RelayDown):
            send_one(relay, envelope_for(message=message))
        assert server.received == []


@WAYS
@pytest.mark.parametrize("action", [DROP, STALL])
def test_silence_after_the_final_dot_under_tls_is_unsure(
    action: Action, implicit: bool, authority: Authority, relay_for: MakeRelay
) -> None:
    with ScriptedServer({Step.DOT: action}, tls=authority.server(), implicit=implicit) as server:
        with pytest.raises(RelayUnsure):
            send_one(relay_for(server.url, ca_file=authority.file, timeouts=SHORT_AT_THE_END), envelope_for())
        assert len(server.received) == 1


@WAYS
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_mail_goes_after_signing_in(
    implicit: bool, mechanism: str, authority: Authority, relay_for: MakeRelay
) -> None:
    if implicit:
        # aiosmtpd takes AUTH after STARTTLS only
        with ScriptedServer(tls=authority.server(), implicit=True, login=(USER, PASSWORD)) as scripted:
            url = scripted.url_for(USER_IN_URL, PASSWORD_IN_URL)
            send_one(relay_for(url, ca_file=authority.file), envelope_for())
            plain = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode())
            assert scripted.commands[1] == b"AUTH PLAIN " + plain
        return
    with AcceptingServer(tls=authority.server(), login=(USER, PASSWORD), mechanisms=[mechanism]) as server:
        url = server.url_for(USER_IN_URL, PASSWORD_IN_URL)
        send_one(relay_for(url, ca_file=authority.file), envelope_for())
        assert server.signed_in == 1
        assert len(server.accepted) == 1


def test_starttls_taken_out_on_the_way_stops_everything(authority: Authority, relay_for: MakeRelay) -> None:
    with ScriptedServer(extensions=PIPELINED, login=(USER, PASSWORD)) as server:
        url = server.url_for(USER_IN_URL, PASSWORD_IN_URL).replace("smtp://", "smtp+starttls://")
        with pytest.raises(RelayRejectsUs, match="STARTTLS"):
            send_one(relay_for(url, ca_file=authority.file), envelope_for())
        assert server.verbs() == ["EHLO"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("454 4.7.0 TLS not available", RelayDown),
        ("502 5.5.1 no", RelayRejectsUs),
        (DROP, RelayDown),
        (STALL, RelayDown),
    ],
)
def test_a_refused_starttls_is_no_leave_to_go_on(
    answer: Action, expected: type[RelayError], authority: Authority, relay_for: MakeRelay
) -> None:
    with ScriptedServer({Step.STARTTLS: answer}, tls=authority.server()) as server:
        with pytest.raises(expected):
            send_one(relay_for(server.url, ca_file=authority.file, timeouts=SHORT_COMMANDS), envelope_for())
        assert server.verbs() == ["EHLO", "STARTTLS"]


def test_words_put_in_before_the_handshake_are_not_believed(authority: Authority, relay_for: MakeRelay) -> None:
    injected = Say("220 2.0.0 go ahead\n250 PIPELINING")
    with ScriptedServer({Step.STARTTLS: injected}, tls=authority.server()) as server:
        with pytest.raises(RelayRejectsUs, match="in the clear"):
            send_one(relay_for(server.url, ca_file=authority.file), envelope_for())
        assert server.received == []


def test_what_was_offered_in_the_clear_is_forgotten(authority: Authority, relay_for: MakeRelay) -> None:
    script = {Step.EHLO: "250-mail.example.org\n250-STARTTLS\n250-PIPELINING\n250 SIZE 1", Step.MAIL: "451 4.3.0 later"}
    with ScriptedServer(script, tls=authority.server(), extensions=()) as server:
        with pytest.raises(RelayError, match="later"):
            send_one(relay_for(server.url, ca_file=authority.file), envelope_for())
        assert server.commands[-2] == b"MAIL FROM:<bounce@larkmere.example.org>"
        assert server.verbs() == ["EHLO", "STARTTLS", "EHLO", "MAIL", "QUIT"]


@WAYS
@pytest.mark.parametrize("action", [DROP, STALL])
def test_a_handshake_that_breaks_off_is_down(
    action: Action, implicit: bool, authority: Authority, relay_for: MakeRelay
) -> None:
    timeouts = SHORT_COMMANDS if not implicit else SHORT_COMMANDS.scaled(0.03)
    with ScriptedServer({Step.HANDSHAKE: action}, tls=authority.server(), implicit=implicit) as server:
        with pytest.raises(RelayDown):
            send_one(relay_for(server.url, ca_file=authority.file, timeouts=timeouts), envelope_for())
        assert server.received == []


@WAYS
@pytest.mark.parametrize("fault", ["expired", "wrong host", "stranger's", "not trusted by the system"])
def test_a_certificate_that_proves_nothing_is_refused(
    fault: str, implicit: bool, authority: Authority, relay_for: MakeRelay, tmp_path: Path
) -> None:
    ca_file: Path | None = authority.file
    match fault:
        case "expired":
            context = authority.server(expired=True)
        case "wrong host":
            context = authority.server("mail.example.org")
        case "stranger's":
            context = Authority(tmp_path).server()
        case _:
            context, ca_file = authority.server(), None
    with ScriptedServer(tls=context, implicit=implicit, login=(USER, PASSWORD)) as server:
        url = server.url_for(USER_IN_URL, PASSWORD_IN_URL)
        with pytest.raises(RelayRejectsUs, match="certificate"):
            send_one(relay_for(url, ca_file=ca_file), envelope_for())
        assert server.verbs() in ([], ["EHLO", "STARTTLS"])


@WAYS
def test_old_tls_is_refused(implicit: bool, authority: Authority, relay_for: MakeRelay) -> None:
    context = authority.server()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with ScriptedServer(tls=context, implicit=implicit) as server:
        with pytest.raises(RelayRejectsUs, match=r"TLS 1\.2"):
            send_one(relay_for(server.url, ca_file=authority.file), envelope_for())
        assert server.received == []


def test_a_file_without_certificates_is_a_setting_to_mend(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for file in (empty, tmp_path / "missing.pem"):
        with pytest.raises(SettingError, match="RELAY_CA_FILE"):
            SmtpRelay.from_url("smtps://mail.example.org", ca_file=file)


ECHO = base64.b64encode(PASSWORD.encode()).decode()
ECHO_PLAIN = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("535 5.7.8 Error: authentication failed", RelayRejectsUs),
        (f"535 5.7.8 Error: authentication failed: {ECHO} {ECHO_PLAIN}", RelayRejectsUs),
        (f"535-5.7.8 not {USER}\n535 5.7.8 with {PASSWORD}", RelayRejectsUs),
        ("534 5.7.9 mechanism too weak", RelayRejectsUs),
        ("454 4.7.0 temporary authentication failure", RelayDown),
        ("421 4.7.0 too many failures", RelayDown),
        (f"334 {ECHO}", RelayRejectsUs),
        (DROP, RelayDown),
        (STALL, RelayDown),
        (Say(b"garbage\r\n"), RelayDown),
    ],
)
def test_failing_to_sign_in_shows_no_credentials(
    answer: Action,
    expected: type[RelayError],
    authority: Authority,
    relay_for: MakeRelay,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    with ScriptedServer({Step.AUTH: answer}, tls=authority.server(), login=(USER, PASSWORD)) as server:
        relay = relay_for(server.url_for(USER_IN_URL, PASSWORD_IN_URL), ca_file=authority.file, timeouts=SHORT_COMMANDS)
        with pytest.raises(expected) as caught:
            send_one(relay, envelope_for())
        assert "MAIL" not in server.verbs()
    error = caught.value
    printed = capsys.readouterr()
    shown = [str(error), repr(error), error.reply, repr(vars(error)), caplog.text, printed.out, printed.err]
    shown += [repr(relay), relay.name, repr(vars(relay)), "".join(traceback.format_exception(error))]
    for secret in (USER, PASSWORD, PASSWORD_IN_URL, ECHO, ECHO_PLAIN):
        assert not any(secret in text for text in shown)


def test_a_server_that_offers_no_way_to_sign_in_gets_no_mail(authority: Authority, relay_for: MakeRelay) -> None:
    for extensions in ((), ("AUTH CRAM-MD5 GSSAPI",)):
        with ScriptedServer(tls=authority.server(), extensions=extensions) as server:
            url = server.url_for(USER_IN_URL, PASSWORD_IN_URL)
            with pytest.raises(RelayRejectsUs, match="sign in"):
                send_one(relay_for(url, ca_file=authority.file), envelope_for())
            assert server.verbs() == ["EHLO", "STARTTLS", "EHLO"]


def test_the_old_spelling_of_auth_is_understood(authority: Authority, relay_for: MakeRelay) -> None:
    with ScriptedServer(tls=authority.server(), extensions=("AUTH=LOGIN",)) as server:
        url = server.url_for(USER_IN_URL, PASSWORD_IN_URL)
        assert send_one(relay_for(url, ca_file=authority.file), envelope_for()).code == 250
        assert b"AUTH LOGIN" in server.commands
