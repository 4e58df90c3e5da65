"""Access tokens: asked for once, kept while they are good, and no secret shown whatever the service says."""

import base64
import json
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.config import Settings
from newsletter.errors import RelayDown, RelayError, RelayRejectsUs, SettingError
from newsletter.mail.oauth import TokenSource
from newsletter.mail.relay import send_one
from newsletter.mail.smtp import SmtpRelay
from newsletter.mail.tls import verified_context
from tests.smtp_servers import PIPELINED, Action, Authority, ScriptedServer, Step
from tests.token_server import Answer, TokenServer

from .conftest import PATIENT, SHORT_COMMANDS, envelope_for

CLIENT, SECRET, USER = "larkmere-client-id", "s3cret/of=Larkmere", "news@larkmere.example.org"
SCOPE = "https://outlook.example.org/.default"
MakeSource = Callable[..., TokenSource]


@pytest.fixture
def source_for(authority: Authority) -> MakeSource:
    """A source that asks the test's service, and believes the test's authority."""

    def make(server: TokenServer, scope: str | None = SCOPE) -> TokenSource:
        return TokenSource(server.url, CLIENT, SECRET, scope, context=verified_context(authority.file))

    return make


def test_one_token_serves_until_a_minute_before_its_end(authority: Authority, source_for: MakeSource) -> None:
    short = Answer({"access_token": "nearly-over", "token_type": "bearer", "expires_in": "59"})
    with TokenServer(authority.server(), short) as server:
        tokens = source_for(server)
        assert [tokens.token() for _ in range(3)] == ["nearly-over", "token-2", "token-2"]
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET, "scope": SCOPE}
    assert server.asked == [form, form]


def test_threads_that_need_one_at_once_ask_once(authority: Authority, source_for: MakeSource) -> None:
    with TokenServer(authority.server()) as server:
        tokens, got = source_for(server, scope=None), list[str]()
        threads = [threading.Thread(target=lambda: got.append(tokens.token())) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert got == ["token-1"] * 16
    assert len(server.asked) == 1
    assert "scope" not in server.asked[0]


def test_a_token_that_was_not_taken_is_asked_for_anew(authority: Authority, source_for: MakeSource) -> None:
    with TokenServer(authority.server()) as server:
        tokens = source_for(server)
        tokens.forget("another")
        first = tokens.token()
        tokens.forget(first)
        assert tokens.token() == "token-2"
        tokens.forget(first)
        assert tokens.token() == "token-2"


LEAK = f"AADSTS7000215: wrong secret {SECRET} for {CLIENT}\r\nTrace: 1"


@pytest.mark.parametrize(
    ("answer", "expected", "words"),
    [
        (Answer({"error": "invalid_client", "error_description": LEAK}, 401), RelayRejectsUs, "invalid_client AADSTS"),
        (Answer({"error": "unauthorized_client"}, 400), RelayRejectsUs, "unauthorized_client"),
        (Answer({"error": ["\x1b[31m"] * 900}, 400), RelayRejectsUs, "gives us no access token"),
        (Answer(b"<html>no</html>", 404), RelayRejectsUs, "HTTP 404"),
        (Answer(b"", 302, {"Location": "https://elsewhere.example.org/"}), RelayRejectsUs, "HTTP 302"),
        (Answer(b"", 307, {"Location": "https://elsewhere.example.org/"}), RelayRejectsUs, "HTTP 307"),
        (Answer({"error": "temporarily_unavailable"}, 503), RelayDown, "HTTP 503"),
        (Answer(b"slow down", 429), RelayDown, "HTTP 429"),
        (Answer(b"not json"), RelayRejectsUs, "no access token that"),
        (Answer(b"[" * 60_000), RelayRejectsUs, "no access token that"),
        (Answer({"token_type": "Bearer"}), RelayRejectsUs, "no access token that"),
        (Answer({"access_token": "a\x01b"}), RelayRejectsUs, "no access token that"),
        (Answer({"access_token": "x", "token_type": "mac"}), RelayRejectsUs, "no access token that"),
        (Answer({"access_token": {"a": 1}}), RelayRejectsUs, "no access token that"),
        (Answer(b"{}", 200, {"Content-Length": "50"}), RelayDown, "could not be reached"),
    ],
)
def test_a_service_that_gives_none_is_a_sentence_without_secrets(
    answer: Answer,
    expected: type[RelayError],
    words: str,
    authority: Authority,
    source_for: MakeSource,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with TokenServer(authority.server(), answer) as server:
        tokens = source_for(server)
        with pytest.raises(expected, match=words) as caught:
            tokens.token()
    sentence = str(caught.value)
    assert len(sentence) < 500
    assert sentence.isprintable()
    shown = [sentence, repr(caught.value), repr(tokens), caplog.text]
    shown += ["".join(traceback.format_exception(caught.value))]
    for secret in (SECRET, CLIENT, "s3cret%2Fof%3DLarkmere"):
        assert not any(secret in text for text in shown)


@pytest.mark.parametrize("life", [None, "soon", -5, {}, float("inf"), float("nan")])
def test_a_life_that_cannot_be_understood_is_at_most_a_day(
    life: object, authority: Authority, source_for: MakeSource
) -> None:
    body = json.dumps({"access_token": "one", "expires_in": life}).encode()
    with TokenServer(authority.server(), Answer(body)) as server:
        tokens = source_for(server)
        assert tokens.token() == "one"
        assert tokens._good_until < time.monotonic() + 86_400


def test_a_stranger_is_told_nothing(authority: Authority, tmp_path: Path) -> None:
    with TokenServer(authority.server()) as server:
        tokens = TokenSource(server.url, CLIENT, SECRET, context=verified_context(Authority(tmp_path).file))
        with pytest.raises(RelayRejectsUs, match="certificate of the sign-in service 127"):
            tokens.token()
    assert server.asked == []


def test_a_service_that_is_not_there_is_waited_for() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        tokens = TokenSource(f"https://127.0.0.1:{nobody.getsockname()[1]}/", CLIENT, SECRET)
        with pytest.raises(RelayDown, match="could not be reached"):
            tokens.token()


def test_a_secret_is_not_sent_in_the_clear() -> None:
    with pytest.raises(SettingError, match="https://"):
        TokenSource("http://login.example.org/token", CLIENT, SECRET)


def test_the_settings_make_one_only_when_they_are_complete(tmp_path: Path) -> None:
    environment = {"NEWSLETTER_DATA_DIR": str(tmp_path), "NEWSLETTER_OAUTH_TOKEN_URL": "https://login.example.org/t"}
    settings = Settings.from_environment(environment)
    assert TokenSource.from_settings(settings) is None
    whole = replace(settings, oauth_client_id=CLIENT, oauth_client_secret=SECRET)
    tokens = TokenSource.from_settings(whole)
    assert tokens is not None
    assert tokens.host == "login.example.org"


# Signing in to a mail server with one


def relay_with_tokens(server: ScriptedServer, tokens: TokenSource, authority: Authority) -> SmtpRelay:
    url = server.url_for("news%40larkmere.example.org", "").replace(":@", "@") + "?auth=xoauth2"
    return SmtpRelay.from_url(url, ca_file=authority.file, tokens=tokens, timeouts=SHORT_COMMANDS)


XOAUTH2 = (*PIPELINED, "AUTH LOGIN XOAUTH2")


def test_a_mail_goes_after_signing_in_with_a_token(authority: Authority, source_for: MakeSource) -> None:
    with (
        TokenServer(authority.server()) as service,
        ScriptedServer(tls=authority.server(), extensions=XOAUTH2) as server,
    ):
        relay = relay_with_tokens(server, source_for(service), authority)
        for _ in range(2):
            assert send_one(relay, envelope_for()).code == 250
        said = [command for command in server.commands if command.startswith(b"AUTH")]
    response = base64.b64encode(f"user={USER}\x01auth=Bearer token-1\x01\x01".encode())
    assert said == [b"AUTH XOAUTH2 " + response] * 2
    assert len(service.asked) == 1


WHY = base64.b64encode(b'{"status":"401","schemes":"Bearer","token":"token-1"}').decode()


@pytest.mark.parametrize(
    ("challenge", "refusal", "expected", "words"),
    [
        (f"334 {WHY}", "535 5.7.3 Authentication unsuccessful", RelayRejectsUs, "status 401, schemes Bearer"),
        ("334 what?", f"535 5.7.8 not {USER} token-1", RelayRejectsUs, "5.7.8"),
        ("334 W10=", "454 4.7.0 Temporary authentication failure", RelayDown, "454 4.7.0"),
        (f"334 {WHY}", "235 2.7.0 come in all the same", RelayRejectsUs, "as the standard says"),
        (None, "535 5.7.139 basic authentication is disabled", RelayRejectsUs, "5.7.139"),
        (None, "421 4.7.0 too many", RelayDown, "421"),
        (None, "250 what?", RelayRejectsUs, "as the standard says"),
    ],
)
def test_a_token_that_is_refused_is_a_sentence_and_forgotten(
    challenge: str | None,
    refusal: str,
    expected: type[RelayError],
    words: str,
    authority: Authority,
    source_for: MakeSource,
) -> None:
    script: dict[Step, Action] = {Step.AUTH: refusal}
    if challenge is not None:
        script[Step.AUTH_LINE] = challenge
    with (
        TokenServer(authority.server()) as service,
        ScriptedServer(script, tls=authority.server(), extensions=XOAUTH2) as server,
    ):
        tokens = source_for(service)
        with pytest.raises(expected, match=words) as caught:
            send_one(relay_with_tokens(server, tokens, authority), envelope_for())
        assert "MAIL" not in server.verbs()
        assert (b"" in server.commands) is (challenge is not None)
        assert tokens.token() == "token-2"
    error = caught.value
    shown = [str(error), repr(error), error.reply, "".join(traceback.format_exception(error))]
    assert not any(secret in text for text in shown for secret in (USER, "token-1", "dXNlcj1"))


def test_a_server_that_takes_no_tokens_is_not_tried_with_a_password(
    authority: Authority, source_for: MakeSource
) -> None:
    with (
        TokenServer(authority.server()) as service,
        ScriptedServer(tls=authority.server(), extensions=("AUTH PLAIN LOGIN",)) as server,
    ):
        with pytest.raises(RelayRejectsUs, match="access token"):
            send_one(relay_with_tokens(server, source_for(service), authority), envelope_for())
        assert server.verbs() == ["EHLO", "STARTTLS", "EHLO"]
    assert service.asked == []


def test_no_token_no_mail(authority: Authority, source_for: MakeSource) -> None:
    with (
        TokenServer(authority.server(), Answer({"error": "invalid_client"}, 401)) as service,
        ScriptedServer(tls=authority.server(), extensions=XOAUTH2) as server,
    ):
        with pytest.raises(RelayRejectsUs, match="invalid_client"):
            send_one(relay_with_tokens(server, source_for(service), authority), envelope_for())
        assert server.verbs() == ["EHLO", "STARTTLS", "EHLO"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("smtps://news%40example.org@mail.example.org?auth=xoauth2", "NEWSLETTER_OAUTH_TOKEN_URL"),
        ("smtps://mail.example.org?auth=xoauth2", "mailbox"),
        ("smtp://news%40example.org@mail.example.org?auth=xoauth2", "unprotected"),
    ],
)
def test_an_address_that_asks_for_tokens_needs_their_settings(url: str, words: str) -> None:
    tokens = None if url.startswith("smtps") else TokenSource("https://login.example.org/t", CLIENT, SECRET)
    with pytest.raises(SettingError, match=words):
        SmtpRelay.from_url(url, tokens=tokens, timeouts=PATIENT)
