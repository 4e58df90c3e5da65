"""Signing in: password, then code; what guessers, thieves and impatient people run into."""

import re
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.staff import one_time_codes, passwords, second_step
from newsletter.models import Account, Organisation, WebSession
from newsletter.states import Role
from tests import people

PASSWORD = "heron over the millrace"


class Browser:
    """A person with a browser: opens a page, fills in its form, sends it."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    def open(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    def send(self, path: str, *, page: str = "", **fields: object) -> TestResponse:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.open(page or path))
        assert found, f"{page or path} has no form"
        return self.client.post(path, data={"csrf_token": found.group(1), **fields})

    def give_password(self, email: str = "ruth@example.org", password: str = PASSWORD, **more: object) -> TestResponse:
        return self.send("/sign-in", email=email, password=password, **more)


@pytest.fixture
def browser(app: Flask) -> Browser:
    return Browser(app)


@pytest.fixture
def ruth(app: Flask, now: datetime) -> Account:
    """Ruth, with a password and no app yet."""
    people.larkmere(now)
    account, hashed = people.staff(now, role=Role.ADMIN), passwords.hashed(PASSWORD)
    with transaction():
        account.password = hashed
    return account


@pytest.fixture
def secret(ruth: Account) -> str:
    """What Ruth's app was connected with, a while ago."""
    made = one_time_codes.new_secret()
    with transaction():
        second_step.connect_app(
            ruth,
            secret=made,
            step=1,
            paper_hashes=one_time_codes.paper_hashes(["1111-2222-3333", "4444-5555-6666"]),
            keep=None,
            now=clock.now(),
        )
    return made


def shown_by_app(secret: str) -> str:
    """The six digits on the phone now."""
    return str(one_time_codes.OneTimeCodes((people_key(),)).generate_totp_password(secret))


def people_key() -> str:
    from tests.conftest import KEY

    return KEY


def test_the_first_sign_in_connects_an_app_and_shows_codes_on_paper_once(browser: Browser, ruth: Account) -> None:
    assert browser.give_password().location == "/sign-in/app"
    page = browser.open("/sign-in/app")
    assert browser.client.get("/sign-in/app.svg").mimetype == "image/svg+xml"
    key = re.search(r'<code class="app-code">([A-Z2-7 ]+)</code>', page)
    assert key
    answer = browser.send("/sign-in/app", code=code_of_key(key.group(1)))

    codes = re.findall(r"[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}", answer.text)
    assert (answer.status_code, len(codes)) == (200, 10)
    assert "Ruth Adeyemi" in browser.open("/desk/account")
    assert not any(code in str(ruth.mf_recovery_codes) for code in codes)


def code_of_key(key: str) -> str:
    from passlib.totp import TOTP

    return str(TOTP(key.replace(" ", "")).generate().token)


def test_password_and_code_sign_in_and_lead_where_the_person_wanted_to_go(browser: Browser, secret: str) -> None:
    browser.give_password(next="/desk/account/password")
    answer = browser.send("/sign-in/code", code=shown_by_app(secret))

    assert (answer.status_code, answer.location) == (303, "/desk/account/password")
    assert "Change your password" in browser.open("/desk/account/password")


def test_the_password_alone_opens_nothing(browser: Browser, secret: str) -> None:
    browser.give_password()

    assert browser.client.get("/desk/account").location == "/sign-in?next=/desk/account"


def test_a_code_counts_once(app: Flask, browser: Browser, secret: str) -> None:
    code = shown_by_app(secret)
    browser.give_password()
    assert browser.send("/sign-in/code", code=code).status_code == 303

    thief = Browser(app)
    thief.give_password()
    answer = thief.send("/sign-in/code", code=code)

    assert answer.status_code == 422
    assert "was used before" in answer.text


def test_a_code_on_paper_counts_once(app: Flask, browser: Browser, secret: str) -> None:
    browser.give_password()
    assert browser.send("/sign-in/code", code="1111 2222 3333").status_code == 303

    again = Browser(app)
    again.give_password()
    assert again.send("/sign-in/code", code="1111-2222-3333").status_code == 422
    assert again.send("/sign-in/code", code="4444-5555-6666").status_code == 303


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ruth@example.org", "not her password"),
        ("nobody@example.org", PASSWORD),
        ("", ""),
        ("ruth@example.org\x00", PASSWORD),
    ],
)
def test_wrong_pairs_get_one_answer(browser: Browser, secret: str, email: str, password: str) -> None:
    answer = browser.give_password(email, password)

    assert answer.status_code == 422
    assert "do not belong together" in answer.text


def test_an_unknown_address_costs_a_hash_like_a_known_one(app: Flask) -> None:
    """Same parameters, so the same work: the context would not want to make the stand-in anew."""
    context = app.extensions["security"].pwd_context

    assert not context.needs_update(passwords._NOBODYS)
    assert not passwords.proves(None, "x7Hq-nobody-knows-this-and-it-was-thrown-away")


def test_whoever_is_unknown_is_hashed_for_as_often_as_whoever_is_known(
    browser: Browser, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CVE-2024-47057: an answer that comes sooner says that there is no such account."""
    hashed: list[str] = []
    verify = passwords.verify_password

    def counted(password: str, known: str) -> bool:
        hashed.append(known)
        return bool(verify(password, known))

    monkeypatch.setattr(passwords, "verify_password", counted)
    numbers = []
    for email in ("ruth@example.org", "nobody-at-all@example.org"):
        hashed.clear()
        assert "do not belong together" in browser.give_password(email, "not the password of anybody").text
        numbers.append(len(hashed))
    assert numbers == [1, 1]


def test_a_person_who_is_switched_off_is_nobody(browser: Browser, ruth: Account, secret: str) -> None:
    with transaction():
        ruth.active = False

    assert "do not belong together" in browser.give_password().text


def test_guessing_is_slowed_and_ends_by_itself(browser: Browser, secret: str) -> None:
    with time_machine.travel(datetime(2026, 12, 7, 10, 1, tzinfo=UTC), tick=False):
        answers = [browser.give_password(password=f"guess number {number}").status_code for number in range(11)]
    assert answers == [422] * 10 + [429]

    with time_machine.travel(datetime(2026, 12, 7, 10, 16, tzinfo=UTC), tick=False):
        assert browser.give_password().location == "/sign-in/code"


def test_a_new_id_at_each_step(app: Flask, browser: Browser, secret: str) -> None:
    """Session fixation: what somebody put into the browser before is worth nothing after."""
    browser.open("/sign-in")
    seen = [_cookie(browser)]
    browser.give_password()
    seen.append(_cookie(browser))
    browser.send("/sign-in/code", code=shown_by_app(secret))
    seen.append(_cookie(browser))

    assert len(set(seen)) == 3
    for old in seen[:2]:
        other = app.test_client()
        other.set_cookie("__Host-newsletter", old)
        assert other.get("/desk/account").status_code == 302
    assert db.session.scalar(select(func.count()).select_from(WebSession)) == 1


def _cookie(browser: Browser) -> str:
    cookie = browser.client.get_cookie("__Host-newsletter")
    assert cookie is not None
    return cookie.value


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/desk",
        "//evil.example/",
        "/\\evil.example/",
        "/\t/evil.example/",
        "javascript:alert(1)",
        "desk",
        "/nowhere",
        "/sign-out",
        "",
    ],
)
def test_no_other_place_to_go_on_to(browser: Browser, secret: str, path: str) -> None:
    browser.give_password(next=path)
    answer = browser.send("/sign-in/code", code=shown_by_app(secret))

    assert answer.location in ("/desk", "/desk/account")


def test_signing_out_ends_the_session_not_only_the_cookie(app: Flask, browser: Browser, secret: str) -> None:
    browser.give_password()
    browser.send("/sign-in/code", code=shown_by_app(secret))
    kept = _cookie(browser)
    browser.send("/sign-out", page="/desk/account")

    other = app.test_client()
    other.set_cookie("__Host-newsletter", kept)
    assert other.get("/desk/account").status_code == 302


def test_a_changed_password_signs_every_other_browser_out(
    app: Flask, client: FlaskClient, secret: str, ruth: Account
) -> None:
    people.sign_in(client, ruth)
    other = app.test_client()
    people.sign_in(other, ruth)
    answer = client.post("/desk/account/password", data={"current": PASSWORD, "password": "kingfisher by the weir"})

    assert answer.status_code == 303
    assert client.get("/desk/account").status_code == 200
    assert other.get("/desk/account").status_code == 302


def test_the_demo_signs_in_with_one_click_on_its_own_machine_only(settings: object, app: Flask, ruth: Account) -> None:
    from dataclasses import replace

    with transaction() as session:
        organisation = session.get(Organisation, 1)
        assert organisation is not None
        organisation.demo = True
    elsewhere = app.test_client()
    people.with_token(elsewhere)
    assert elsewhere.post("/sign-in/demo", data={"account": ruth.id}).status_code == 404

    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], public_url="http://127.0.0.1:8000")
    here = Browser(app)
    assert "Ruth Adeyemi" in here.open("/sign-in")
    # A page elsewhere whose name was made to lead to this machine (DNS rebinding) still says its name.
    assert "Ruth Adeyemi" not in here.client.get("/sign-in", headers={"Host": "evil.example"}).text
    assert here.send("/sign-in/demo", page="/sign-in", account=ruth.id).status_code == 303
    assert here.client.get("/desk/account").status_code == 200


def test_a_forgotten_password_is_answered_alike_for_everybody(app: Flask, browser: Browser, secret: str) -> None:
    known = browser.send("/forgotten", email="ruth@example.org")
    unknown = Browser(app).send("/forgotten", email="nobody@example.org")

    assert (known.status_code, known.location) == (unknown.status_code, unknown.location) == (303, "/forgotten/sent")
