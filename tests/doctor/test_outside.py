"""What an operator is told about the public address, asked of the product itself and of what may stand in front."""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from flask import Flask

from newsletter import clock
from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db
from newsletter.doctor.asking import title_of
from newsletter.doctor.examination import own_title
from newsletter.doctor.findings import Notes
from newsletter.doctor.outside import examine_outside
from newsletter.work.runners import SilentRunner
from tests.doctor.reading import good, unknown, warned, wrong
from tests.doctor.web_servers import HOST, answer, scripted_web, served
from tests.smtp_servers import Authority

OURS = "We do not know this link"
PAGE = f"<!doctype html><html><head><title>{OURS}</title></head></html>"


def _trust(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.file)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server((HOST, 0)) as listening:
        yield listening


def _product(settings: Settings, public_url: str) -> tuple[Settings, Flask]:
    settings = replace(settings, public_url=public_url)
    app = create_app(settings, runner=SilentRunner())
    with app.app_context():
        db.create_all()
    return settings, app


@pytest.mark.parametrize("path", ["", "/news"])
def test_the_product_itself_over_https(
    settings: Settings, listener: socket.socket, authority: Authority, path: str
) -> None:
    settings, app = _product(settings, f"https://{HOST}:{listener.getsockname()[1]}{path}")
    with served(app, listener, authority.server()), app.app_context():
        title = own_title(app)
        found = examine_outside(settings, clock.now, own_title=title, context=_trust(authority))
        db.session.remove()
        db.engine.dispose()
    assert title.startswith(OURS)
    assert not wrong(found) + unknown(found)
    assert "One-click unsubscribe gets through" in good(found)
    assert "certificate of 127.0.0.1" in good(found) + warned(found)
    assert "clock and that of the public address agree" in good(found)


def test_the_product_itself_without_https(settings: Settings, listener: socket.socket) -> None:
    settings, app = _product(settings, f"http://{HOST}:{listener.getsockname()[1]}")
    with served(app, listener), app.app_context():
        found = examine_outside(settings, clock.now, own_title=own_title(app))
        db.session.remove()
        db.engine.dispose()
    assert not wrong(found)
    assert "without https mail programs do not offer it" in warned(found)


def test_a_certificate_that_nobody_trusts(settings: Settings, listener: socket.socket, authority: Authority) -> None:
    settings, app = _product(settings, f"https://{HOST}:{listener.getsockname()[1]}")
    with served(app, listener, authority.server()):
        found = examine_outside(settings, clock.now, own_title=OURS)
    assert "certificate of 127.0.0.1" in wrong(found)
    assert "is not accepted" in wrong(found)


def _asked(settings: Settings, post: bytes | None, get: bytes | None = answer("200 OK", "ok\n"), seconds: float = 20.0
           ) -> Notes:  # fmt: skip
    with scripted_web(lambda method, path: post if method == "POST" else get) as port:
        here = replace(settings, public_url=f"http://{HOST}:{port}")
        return examine_outside(here, clock.now, own_title=OURS, seconds=seconds)


@pytest.mark.parametrize(
    ("page", "title"),
    [
        (b"<TITLE lang='en'>\n Just  a moment </Title>", "Just a moment"),
        (b"<title></title>", ""),
        (b"<title>cut", ""),
        (b"</title><title", ""),
        (b"", ""),
        (b"<title>\xff</title>", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_the_title_of_a_page(page: bytes, title: str) -> None:
    assert title_of(page) == title


def test_our_neutral_page_and_a_plain_2xx_are_both_right(settings: Settings) -> None:
    for said in (answer("404 Not Found", PAGE), answer("200 OK", "gone"), answer("204 No Content")):
        found = _asked(settings, said)
        assert "One-click unsubscribe gets through" in good(found)
        assert not wrong(found)


@pytest.mark.parametrize(
    ("post", "words"),
    [
        (answer("308 Permanent Redirect", "", "Location: https://www.example.org/u/x"), "leads away, to https://www"),
        (answer("404 Not Found", PAGE, "Set-Cookie: visitor=1; Path=/"), "sets a cookie"),
        (answer("500 Internal Server Error", "<title>Oops</title>"), "a fault of the server (500 “Oops”)"),
        (answer("403 Forbidden", "<title>Attention required</title>"), "forbids it (403 “Attention required”)"),
        (answer("429 Too Many Requests"), "forbids it (429)"),
        (answer("200 OK", "<html><title>Just a moment…</title>"), "somebody else answers (200 “Just a moment…”)"),
        (answer("404 Not Found", "<html><title>nginx</title>"), "somebody else answers (404 “nginx”)"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "something that is not HTTP"),
        (b"", "closed the connection without a word"),
    ],
)
def test_whatever_stands_in_the_way_of_one_click_is_named(settings: Settings, post: bytes, words: str) -> None:
    found = _asked(settings, post)
    assert words in wrong(found)
    assert wrong(found).count("One-click unsubscribe does not get through") == 1
    assert "gets through" not in good(found)


def test_an_address_that_is_another_site_or_leads_away(settings: Settings) -> None:
    assert "answers with 404 “Welcome”, not as this program does" in wrong(
        _asked(settings, None, answer("404 Not Found", "<title>Welcome</title>"), seconds=0.2)
    )
    away = answer("301 Moved", "", "Location: https://larkmere.example/healthz")
    assert "/healthz leads away, to https://larkmere.example/healthz" in wrong(_asked(settings, away, away))


def test_a_clock_that_is_wrong_shows_beside_the_one_out_there(settings: Settings) -> None:
    then = datetime.now(UTC) - timedelta(days=3)
    said = answer("200 OK", "ok", f"Date: {format_datetime(then, usegmt=True)}")
    assert "This machine's clock is 3 days ahead of that of the public address" in wrong(
        _asked(settings, answer("404 Not Found", PAGE), said)
    )


def test_an_answer_that_never_ends_is_cut_off(settings: Settings) -> None:
    found = _asked(settings, None, None, seconds=0.3)
    assert "did not answer within 0.3 seconds" in wrong(found)
    assert len(list(found)) == 1


def test_a_closed_port(settings: Settings, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    closed = examine_outside(replace(settings, public_url=f"http://{HOST}:{port}"), clock.now, own_title="")
    assert "could not be reached (Connection refused)" in wrong(closed)


def test_a_machine_without_a_resolver_says_nothing_about_the_address(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*words: object, **more: object) -> list[object]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", cut_off)
    found = examine_outside(settings, clock.now, own_title="")
    assert unknown(found) == "The name news.example.org could not be looked up from this machine."
    assert not wrong(found)
