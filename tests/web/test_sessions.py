"""Sessions: a cookie that carries little, a row that can be ended, and no write by reading."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter import jobs
from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.domain.staff import accounts, browser_sessions
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Account, WebSession
from newsletter.work.runners import SilentRunner
from tests import people

MONDAY = datetime(2026, 12, 7, 9, 0, tzinfo=UTC)


@pytest.fixture
def ruth(app: Flask, now: datetime) -> Account:
    people.larkmere(now)
    return people.staff(now)


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/desk/account").status_code == 200


def test_a_signed_in_person_sees_their_account_page(client: FlaskClient, ruth: Account) -> None:
    people.sign_in(client, ruth)

    assert is_signed_in(client)


def test_nobody_is_asked_to_sign_in_first(client: FlaskClient) -> None:
    answer = client.get("/desk/account")

    assert (answer.status_code, answer.location) == (302, "/sign-in?next=/desk/account")


def test_the_cookie_over_https(client: FlaskClient) -> None:
    said = client.get("/sign-in").headers["Set-Cookie"]

    assert said.startswith("__Host-newsletter=")
    assert {part.strip() for part in said.split(";")[1:]} == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}


@pytest.fixture
def at_home(settings: Settings) -> Iterator[Flask]:
    """The application on a machine of its own, over plain http."""
    made = create_app(replace(settings, public_url="http://localhost:8000"), runner=SilentRunner(), relay=MemoryRelay())
    with made.app_context():
        db.create_all()
        yield made
        db.session.remove()
        db.engine.dispose()


def test_the_cookie_on_one_s_own_machine(at_home: Flask) -> None:
    answer = at_home.test_client().get("/sign-in")

    assert answer.headers["Set-Cookie"].startswith("newsletter=")
    assert "Secure" not in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" not in answer.headers


def test_a_page_for_readers_sets_no_cookie(client: FlaskClient, ruth: Account) -> None:
    for path in ("/healthz", "/privacy", "/news"):
        assert "Set-Cookie" not in client.get(path).headers, path


def test_the_table_holds_no_id_that_signs_in(client: FlaskClient, app: Flask, ruth: Account) -> None:
    people.sign_in(client, ruth)
    row = db.session.scalars(select(WebSession)).one()
    thief = app.test_client()
    people.carry(thief, sid=row.id_hash.hex())

    assert len(row.id_hash) == 32
    assert not is_signed_in(thief)


@pytest.mark.parametrize("cookie", ["", "x", "eyJzaWQiOiJhIn0.x.y", "\x00", "a" * 3000])
def test_a_cookie_that_is_not_ours_is_nobody(client: FlaskClient, cookie: str) -> None:
    client.set_cookie("__Host-newsletter", cookie)

    assert client.get("/desk/account").status_code == 302


def test_a_working_day_and_the_night_after_it(client: FlaskClient, ruth: Account) -> None:
    with time_machine.travel(MONDAY, tick=False) as time:
        people.sign_in(client, ruth)
        time.shift(timedelta(hours=19, minutes=59))
        assert is_signed_in(client)
        time.shift(timedelta(minutes=1))
        assert not is_signed_in(client)


def test_reading_does_not_extend_it_and_doing_does(client: FlaskClient, ruth: Account) -> None:
    with time_machine.travel(MONDAY, tick=False) as time:
        people.sign_in(client, ruth)
        time.shift(timedelta(hours=10))
        assert is_signed_in(client)
        assert client.post("/desk/account/sign-out-others").status_code == 303
        time.shift(timedelta(hours=19))
        assert is_signed_in(client)
        time.shift(timedelta(hours=1))
        assert not is_signed_in(client)


def test_a_week_is_the_end_whatever_one_does(client: FlaskClient, ruth: Account) -> None:
    with time_machine.travel(MONDAY, tick=False) as time:
        people.sign_in(client, ruth)
        for _day in range(13):
            time.shift(timedelta(hours=12))
            assert client.post("/desk/account/sign-out-others").status_code == 303
        time.shift(timedelta(hours=12))
        assert not is_signed_in(client)


def test_switching_off_and_a_new_role_end_every_session(app: Flask, now: datetime, ruth: Account) -> None:
    people.staff(now, "Nadia Khan", people.Role.ADMIN)
    for change in (
        lambda: accounts.change_role(ruth, people.Role.VIEWER, None, actor=None, now=now),
        lambda: accounts.disable(ruth, actor=None, now=now),
    ):
        client = app.test_client()
        people.sign_in(client, ruth)
        assert is_signed_in(client)
        with transaction():
            change()
        assert not is_signed_in(client)


def test_signing_out_everywhere_else(app: Flask, client: FlaskClient, ruth: Account) -> None:
    other = app.test_client()
    people.sign_in(other, ruth)
    people.sign_in(client, ruth)
    client.post("/desk/account/sign-out-others")

    assert (is_signed_in(client), is_signed_in(other)) == (True, False)


def test_ended_rows_are_swept(app: Flask, ruth: Account) -> None:
    with transaction():
        browser_sessions.start(ruth, now=MONDAY - timedelta(days=7))
        browser_sessions.start(ruth, now=MONDAY)
    with time_machine.travel(MONDAY, tick=False):
        jobs.purge_unconfirmed()
    assert len(db.session.scalars(select(WebSession)).all()) == 1


def test_a_retired_key_signs_nobody_out(settings: Settings, client: FlaskClient, ruth: Account) -> None:
    """A new key is added behind the old one: it signs, and both verify."""
    people.sign_in(client, ruth)
    cookie = client.get_cookie("__Host-newsletter")
    assert cookie is not None
    rotated = create_app(
        replace(settings, secret_keys=(*settings.secret_keys, "another-key-that-is-long-enough-too")),
        runner=SilentRunner(),
        relay=MemoryRelay(),
    )
    after = rotated.test_client()
    after.set_cookie("__Host-newsletter", cookie.value)

    assert is_signed_in(after)
    with rotated.app_context():
        db.engine.dispose()
