"""What every answer tells the browser, and that no address is made of what a request says."""

from dataclasses import replace
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db
from newsletter.mail.memory import MemoryRelay
from newsletter.states import Role
from newsletter.web.headers import preview_response
from newsletter.web.links import public_link
from newsletter.work.runners import SilentRunner
from tests import people


def test_a_page_loads_ours_only_and_stands_in_no_frame(client: FlaskClient) -> None:
    headers = client.get("/sign-in").headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))

    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "img-src", "connect-src", "form-action")} == {"'self'"}
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


def test_pages_of_staff_are_kept_nowhere(client: FlaskClient, now: datetime) -> None:
    people.larkmere(now)
    people.sign_in(client, people.staff(now, role=Role.ADMIN))
    for path in ("/desk/account", "/desk/settings", "/desk/mailbox", "/desk/nowhere"):
        assert client.get(path).headers["Cache-Control"] == "no-store", path


def test_a_page_whose_address_is_a_key_tells_it_to_nobody(app: Flask, client: FlaskClient) -> None:
    from newsletter import clock
    from newsletter.db import transaction
    from newsletter.domain.staff import installation

    with transaction():
        token = installation.set_up_token(clock.now())
    headers = client.get(f"/set-up/{token}").headers

    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert headers["X-Robots-Tag"] == "noindex, nofollow"


def test_no_page_has_inline_script_or_style(client: FlaskClient, now: datetime) -> None:
    people.larkmere(now)
    people.sign_in(client, people.staff(now, role=Role.ADMIN))
    for path in (
        "/desk/account",
        "/desk/settings",
        "/desk/staff",
        "/desk/lists/new",
        "/desk/mailbox",
        "/desk/activity",
    ):
        page = client.get(path).text
        assert " style=" not in page, path
        assert "<style" not in page, path
        assert "<script>" not in page, path
        assert " onclick=" not in page, path


def test_a_preview_runs_nothing(app: Flask) -> None:
    answer = preview_response("<p>Hello</p>")

    assert answer.headers["Content-Security-Policy"].startswith("sandbox allow-same-origin; default-src 'none'")
    assert "allow-scripts" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "Forwarded", "X-Original-Host"])
def test_no_address_is_made_of_what_a_request_says(app: Flask, client: FlaskClient, now: datetime, header: str) -> None:
    people.larkmere(now)
    people.sign_in(client, people.staff(now, role=Role.ADMIN))
    value = "host=evil.example" if header == "Forwarded" else "evil.example"
    environ = {"HTTP_HOST": "localhost"} | {f"HTTP_{header.upper().replace('-', '_')}": value}
    if header == "Host":
        cookie = client.get_cookie("__Host-newsletter")
        assert cookie is not None
        client.set_cookie("__Host-newsletter", cookie.value, domain="evil.example")
    answer = client.post(
        "/desk/staff/invite", data={"email": "a@example.org", "role": "viewer", "scope": ""}, environ_overrides=environ
    )
    led = app.test_client().get("/desk/account", environ_overrides=environ)

    assert "https://news.example.org/join/" in answer.text
    assert "evil.example" not in answer.text
    assert led.location == "/sign-in?next=/desk/account"


def test_whole_addresses_need_no_request(app: Flask) -> None:
    assert public_link("account.sign_in") == "https://news.example.org/sign-in"


@pytest.mark.parametrize("cut_off", [True, False])
def test_under_a_path_of_somebody_else_s_site(settings: Settings, cut_off: bool) -> None:
    """The proxy may cut the path off or leave it on."""
    app = create_app(
        replace(settings, public_url="https://www.example.org/news"), runner=SilentRunner(), relay=MemoryRelay()
    )
    with app.app_context():
        db.create_all()
        assert public_link("account.sign_in") == "https://www.example.org/news/sign-in"
        client = app.test_client()
        answer = client.get("/desk/account" if cut_off else "/news/desk/account")
        page = client.get("/sign-in" if cut_off else "/news/sign-in").text
        db.session.remove()
        db.engine.dispose()

    assert answer.location == "/news/sign-in?next=/desk/account"
    assert 'action="/news/sign-in"' in page


def test_alive_and_ready(app: Flask, client: FlaskClient) -> None:
    assert client.get("/healthz").text == "ok"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (
        503,
        {"ready": False, "reason": "the database has no tables yet: run newsletter migrate"},
    )
