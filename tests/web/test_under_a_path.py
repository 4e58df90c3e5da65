"""The whole installation under a path of somebody else's site, and behind proxies: no address leads out of it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from html import unescape
from urllib.parse import urlsplit

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import transaction
from newsletter.delivery.notices.outbox import deliver_notices
from newsletter.domain.notices import send_notice
from newsletter.mail.memory import MemoryRelay
from newsletter.states import Role
from newsletter.web.access import public
from newsletter.work.runners import SilentRunner
from tests import people

_LEADS = re.compile(r'(?:href|src|action|formaction|hx-get|hx-post|data-[a-z-]*url)="([^"]*)"')


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, public_url="https://www.example.org/news")


def ours(page: str) -> Iterator[str]:
    """Where the page leads on this site."""
    for found in map(unescape, _LEADS.findall(page)):
        parts = urlsplit(found)
        if parts.scheme in ("", "http", "https") and parts.netloc in ("", "www.example.org") and parts.path:
            yield parts.path


def test_every_page_leads_to_pages_under_the_path(app: Flask, client: FlaskClient, now: datetime) -> None:
    """Walked from the front page and the desk, behind a server that cuts the prefix off as WSGI has it (PEP 3333)."""
    people.larkmere(now)
    people.sign_in(client, people.staff(now, role=Role.ADMIN))
    cookie = client.get_cookie("__Host-newsletter")
    assert cookie is not None
    mounted = Client(DispatcherMiddleware(lambda *_: pytest.fail("it led out of the path"), {"/news": app.wsgi_app}))
    mounted.set_cookie("__Host-newsletter", cookie.value, domain="www.example.org", path="/")
    waiting, seen, opened = ["/news/", "/news/desk"], set(), 0
    while waiting and opened < 60:
        path = waiting.pop(0)
        answer = mounted.get(path, base_url="https://www.example.org")
        opened += 1
        assert answer.status_code < 500, path
        if answer.location:
            assert urlsplit(answer.location).path.startswith("/news/"), (path, answer.location)
            found = [urlsplit(answer.location).path]
        else:
            found = list(ours(answer.text)) if answer.mimetype == "text/html" else []
        for each in found:
            assert each == "/news" or each.startswith(("/news/", "#")), (path, each)
            if each not in seen and "sign-out" not in each:
                seen.add(each)
                waiting.append(each)
        for header in answer.headers.getlist("Set-Cookie"):
            # A cookie with the prefix __Host- has to be for the whole host (RFC 6265bis, 4.1.3.2).
            assert "Path=/;" in f"{header};"
    assert opened > 40


def test_what_is_mailed_leads_under_the_path_too(app: Flask, relay: MemoryRelay, now: datetime) -> None:
    people.larkmere(now)
    account = people.staff(now, role=Role.ADMIN)
    with transaction():
        send_notice("trouble_began", account.email, now=now, values={"said": "s", "what_to_do": "w", "since": "t"})
    deliver_notices(now)
    links = re.findall(rb"https://www\.example\.org/[^\s\"<>]*", relay.accepted[0].message.replace(b"=\r\n", b""))
    assert links
    assert [link for link in links if not link.startswith(b"https://www.example.org/news/")] == []


@pytest.mark.parametrize(
    ("hops", "forwarded", "seen"),
    [
        (0, "198.51.100.7", "203.0.113.9"),
        (1, "198.51.100.7", "198.51.100.7"),
        # Whoever asks may write what they like to the left: only as many as there are proxies are believed.
        (1, "10.0.0.1, 198.51.100.7", "198.51.100.7"),
        (2, "10.0.0.1, 198.51.100.7, 192.0.2.1", "198.51.100.7"),
        (2, "198.51.100.7", "203.0.113.9"),
    ],
)
def test_only_so_many_proxies_are_believed(settings: Settings, hops: int, forwarded: str, seen: str) -> None:
    app = create_app(replace(settings, trusted_proxies=hops), runner=SilentRunner(), relay=MemoryRelay())
    app.add_url_rule("/who", "who", public(lambda: f"{request.remote_addr} {request.scheme} {request.host}"))
    answer = app.test_client().get(
        "/who",
        base_url="http://inside:8000",
        environ_overrides={"REMOTE_ADDR": "203.0.113.9"},
        headers={"X-Forwarded-For": forwarded, "X-Forwarded-Host": "evil.example"},
    )
    assert answer.text == f"{seen} http inside:8000"
