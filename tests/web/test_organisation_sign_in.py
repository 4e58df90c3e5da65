"""Signing in with the organisation's account: who gets in, who does not and why; what a hostile service achieves."""

import http.client
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from newsletter import clock
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.domain.staff import accounts, identities, invitations
from newsletter.models import Account, Identity, MailingList, Membership, Notice, WebSession
from newsletter.states import Role
from tests import people
from tests.oidc_provider import CLIENT_ID, CLIENT_SECRET, SignInService
from tests.web.test_signing_in import Browser, code_of_key


@pytest.fixture
def service() -> Iterator[SignInService]:
    with SignInService() as up:
        yield up


@pytest.fixture
def settings(settings: Settings, service: SignInService) -> Settings:
    return replace(
        settings, oidc_issuer=service.issuer, oidc_client_id=CLIENT_ID, oidc_client_secret=CLIENT_SECRET,
        oidc_name="your Larkmere account", oidc_second_step="there",
    )  # fmt: skip


@pytest.fixture
def ruth(app: Flask, now: datetime) -> Account:
    people.larkmere(now)
    return people.staff(now, "Ruth Adeyemi", Role.EDITOR)


class Visitor(Browser):
    """Goes there and comes back, one step at a time."""

    def goes(self, next_path: str = "") -> str:
        """Presses the button; where the service sends them back to, as a path."""
        there = self.send("/sign-in/organisation", page=f"/sign-in?next={next_path}", next=next_path)
        assert there.status_code == 200, there.text
        address = there.headers["Refresh"].partition("url=")[2]
        assert f'href="{address}"' in unescape(there.text)
        parts = urlsplit(address)
        connection = http.client.HTTPConnection(parts.netloc, timeout=10)
        connection.request("GET", f"{parts.path}?{parts.query}")
        back = urlsplit(connection.getresponse().headers["Location"])
        connection.close()
        assert f"{back.scheme}://{back.netloc}" == "https://news.example.org"
        return f"{back.path}?{back.query}"

    def comes_back(self, path: str) -> TestResponse:
        """Opens the page and presses its one button."""
        page = self.open(path)
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
        return self.client.post("/sign-in/organisation/back", data=fields)

    def signs_in(self, next_path: str = "") -> TestResponse:
        """The whole way, in a browser that knows nothing yet."""
        self.client = self.client.application.test_client()
        return self.comes_back(self.goes(next_path))


@pytest.fixture
def browser(app: Flask) -> Visitor:
    return Visitor(app)


def words(answer: TestResponse) -> str:
    found = re.search(r'class="app-lead">(.*?)</p>', answer.text, re.S)
    assert found, answer.text
    return unescape(found[1])


def signed_in() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(WebSession.account_id.is_not(None))) or 0


def test_ruth_signs_in_and_is_tied_for_good(ruth: Account, browser: Visitor, service: SignInService) -> None:
    answer = browser.signs_in("/desk/account")
    assert (answer.status_code, answer.location) == (303, "/desk/account")
    page = browser.open("/desk/account")
    assert "Your organisation’s account" in page
    assert db.session.scalar(select(Notice.template)) == "account_changed"
    assert [one.role for one in db.session.scalars(select(Membership))] == [Role.EDITOR]

    # Her address changes there; it is still her. Somebody else is given her old one: it is not them.
    service.person = {**service.person, "email": "ruth.adeyemi@example.org"}
    assert browser.signs_in().status_code == 303
    service.person = {**service.person, "sub": "another", "email": "ruth@example.org"}
    answer = browser.signs_in()
    assert answer.status_code == 403
    assert "belongs to another person" in words(answer)
    with transaction():
        assert identities.untie(accounts.find_account("ruth@example.org"), actor=None, now=clock.now())
    assert browser.signs_in().status_code == 303


def test_looking_at_the_way_back_changes_nothing(ruth: Account, browser: Visitor) -> None:
    path = browser.goes()
    for _count in range(3):
        browser.open(path)
    assert signed_in() == 0
    answer = browser.client.get(path)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert browser.comes_back(path).status_code == 303


def test_what_was_used_once_is_used(ruth: Account, browser: Visitor, app: Flask) -> None:
    path = browser.goes()
    assert browser.comes_back(path).status_code == 303
    again = browser.comes_back(path)
    assert again.status_code == 422
    assert "not begun in this browser" in words(again)
    # A code that was caught on its way is of no use in another browser, nor with a sign-in that was begun there.
    caught, thief = browser.goes(), Visitor(app)
    assert thief.comes_back(caught).status_code == 422
    own = thief.goes()
    mixed = own.partition("?")[0] + "?" + re.sub(r"code=[^&]+", f"code={parse_qs(urlsplit(caught).query)['code'][0]}",
                                                 own.partition("?")[2])  # fmt: skip
    assert thief.comes_back(mixed).status_code == 502, "PKCE: it is another one's code"
    assert signed_in() == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"nonce": "another"}, "answered another question than ours"),
        ({"nonce": None}, "answered another question than ours"),
        ({"iss": "https://login.elsewhere.example"}, "InvalidIssuerError"),
        ({"aud": "another program"}, "InvalidAudienceError"),
        ({"aud": [CLIENT_ID, "another program"], "azp": "another program"}, "meant for another program"),
        ({"exp": 1_700_000_000}, "came too late"),
        ({"exp": None}, "MissingRequiredClaimError"),
        ({"iat": 4_000_000_000, "exp": 4_000_000_300}, "ImmatureSignatureError"),
        ({"sub": None}, "MissingRequiredClaimError"),
        ({"sub": "x" * 256}, "does not say who it is"),
    ],
)
def test_a_token_that_is_not_good(
    ruth: Account, browser: Visitor, service: SignInService, changes: dict[str, object], sentence: str
) -> None:
    service.changes = changes
    answer = browser.signs_in()
    assert answer.status_code == 502
    assert sentence in words(answer)
    assert signed_in() == 0


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_that_nobody_signed(ruth: Account, browser: Visitor, service: SignInService, algorithm: str) -> None:
    service.algorithm = algorithm
    answer = browser.signs_in()
    assert answer.status_code == 502
    assert "cannot be believed" in words(answer)
    assert signed_in() == 0


def test_keys_change_and_thieves_have_their_own(ruth: Account, browser: Visitor, service: SignInService) -> None:
    assert browser.signs_in().status_code == 303
    service.new_key()
    assert browser.signs_in().status_code == 303
    assert service.asked.count("/keys") == 2
    service.new_key(published=False)
    answer = browser.signs_in()
    assert "InvalidSignatureError" in words(answer)
    assert signed_in() == 2


def test_a_service_that_says_that_it_is_another(ruth: Account, browser: Visitor, service: SignInService) -> None:
    service.about = {"issuer": "https://login.elsewhere.example"}
    answer = browser.send("/sign-in/organisation", page="/sign-in")
    assert answer.status_code == 502
    assert "it is another one than the settings name" in words(answer)


def test_a_service_that_sends_us_where_it_should_not(ruth: Account, browser: Visitor, service: SignInService) -> None:
    service.about = {"token_endpoint": "http://mail.example.org/token"}
    answer = browser.signs_in()
    assert "names an address that is not https" in words(answer)


def test_a_service_that_is_away(ruth: Account, app: Flask, browser: Visitor) -> None:
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], oidc_issuer="http://127.0.0.1:9")
    answer = browser.send("/sign-in/organisation", page="/sign-in")
    assert (answer.status_code, words(answer)) == (
        502, "The sign-in service 127.0.0.1:9 cannot be reached at the moment.",
    )  # fmt: skip
    assert browser.open("/sign-in/organisation/back?error=access_denied&state=x", 422)


@pytest.mark.parametrize(
    ("person", "sentence"),
    [
        ({"email_verified": False}, "does not vouch for your email address"),
        ({"email_verified": None}, "does not vouch for your email address"),
        ({"email": "tom@example.org"}, "Nobody here has the email address"),
    ],
)
def test_whom_the_service_knows_and_we_do_not(
    ruth: Account, browser: Visitor, service: SignInService, person: dict[str, object], sentence: str
) -> None:
    service.person = {**service.person, **person}
    answer = browser.signs_in()
    assert (answer.status_code, sentence in words(answer)) == (403, True)
    assert db.session.scalars(select(Identity)).all() == []
    assert len(accounts.everybody()) == 1


def test_addresses_that_only_administrators_set_can_be_trusted(
    app: Flask, ruth: Account, browser: Visitor, service: SignInService
) -> None:
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], oidc_email="trusted")
    service.person = {**service.person, "email_verified": None}
    assert browser.signs_in().status_code == 303


def test_an_invitation_is_accepted_by_signing_in_under_its_address(
    ruth: Account, browser: Visitor, service: SignInService
) -> None:
    with transaction():
        invitations.invite("tom@example.org", Role.VIEWER, None, actor=None, now=clock.now())
    service.person = {"sub": "8", "email": "Tom@example.org", "email_verified": True, "name": "Tom\nHale"}
    assert browser.signs_in().status_code == 303
    tom = accounts.find_account("tom@example.org")
    assert tom is not None
    assert (tom.name, tom.password, [one.role for one in tom.memberships]) == ("Tom", None, [Role.VIEWER])


def test_whoever_is_switched_off_stays_out(ruth: Account, browser: Visitor, now: datetime) -> None:
    people.staff(now, "Ada Lindqvist", Role.ADMIN)
    assert browser.signs_in().status_code == 303
    with transaction():
        accounts.disable(ruth, actor=None, now=now)
    answer = browser.signs_in()
    assert "switched off" in words(answer)
    assert browser.client.get("/desk/account").status_code == 302


def test_our_own_second_step_follows_unless_the_service_took_two(
    app: Flask, ruth: Account, browser: Visitor, service: SignInService
) -> None:
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], oidc_second_step="here")
    assert browser.signs_in().location == "/sign-in/app"
    assert signed_in() == 0
    service.changes = {"amr": ["pwd", "mfa"]}
    assert browser.signs_in().location == "/desk"
    assert signed_in() == 1


def test_without_passwords_there_is_one_way_in_and_one_back(
    app: Flask, ruth: Account, browser: Visitor, now: datetime
) -> None:
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], password_sign_in=False)
    page = browser.open("/sign-in")
    assert "Sign in with your Larkmere account" in page
    assert 'type="password"' not in page
    refused = browser.send("/sign-in", email="ruth@example.org", password="heron over the millrace")
    assert refused.status_code == 403
    assert browser.client.get("/forgotten").status_code == 403
    with transaction():
        _invitation, token = invitations.invite("tom@example.org", Role.VIEWER, None, actor=None, now=clock.now())
        link = invitations.password_link(ruth, actor=None, now=clock.now())
    assert 'type="password"' not in browser.open(f"/join/{token}")
    back = browser.send(f"/password/{link}", password="heron over the millrace")
    assert back.location == "/sign-in/app"
    assert browser.signs_in().status_code == 303
    assert browser.client.get("/desk/account/password").status_code == 404


def leaves(browser: Visitor) -> str:
    """Signs out; the page that says so."""
    done = browser.send("/sign-out", page="/desk/account")
    assert (done.status_code, done.location, signed_in()) == (303, "/sign-out/done", 0)
    return unescape(browser.open("/sign-out/done"))


def test_signing_out_says_that_the_other_side_may_still_be_signed_in(ruth: Account, browser: Visitor) -> None:
    browser.signs_in()
    page = leaves(browser)
    assert "You may still be signed in at your organisation" in page
    assert "Sign out there too" not in page, "this service has no such thing"


@pytest.mark.parametrize("second_step", ["there", "here"])
def test_where_the_service_offers_it_one_button_signs_out_there_too(
    app: Flask, ruth: Account, browser: Visitor, service: SignInService, second_step: str
) -> None:
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], oidc_second_step=second_step)
    service.about = {"end_session_endpoint": f"{service.issuer}/leave?tenant=larkmere"}
    arrived = browser.signs_in()
    if second_step == "here":
        assert arrived.location == "/sign-in/app"
        key = re.search(r'<code class="app-code">([A-Z2-7 ]+)</code>', browser.open("/sign-in/app"))
        assert key
        assert browser.send("/sign-in/app", code=code_of_key(key[1])).status_code == 200
    found = re.search(r'href="([^"]+)"[^>]*>\s*Sign out there too', leaves(browser))
    assert found
    parts = urlsplit(found[1])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{service.issuer}/leave"
    assert parse_qs(parts.query) == {
        "tenant": ["larkmere"], "client_id": [CLIENT_ID], "post_logout_redirect_uri": ["https://news.example.org/sign-in"],
    }  # fmt: skip


def test_whoever_came_by_password_has_nothing_to_leave_elsewhere(
    ruth: Account, browser: Visitor, service: SignInService
) -> None:
    service.about = {"end_session_endpoint": f"{service.issuer}/leave"}
    people.sign_in(browser.client, ruth)
    assert browser.send("/sign-out", page="/desk/account").location == "/sign-in"
    assert "You are signed out." in browser.open("/sign-in")


@pytest.mark.parametrize("offered", [7, "javascript:alert(1)", "", None])
def test_an_address_that_is_none_is_no_button(
    ruth: Account, browser: Visitor, service: SignInService, offered: object
) -> None:
    service.about = {"end_session_endpoint": offered}
    browser.signs_in()
    page = leaves(browser)
    assert "Sign out there too" not in page and "javascript" not in page


def test_a_service_that_is_away_keeps_nobody_from_leaving(
    app: Flask, ruth: Account, browser: Visitor, service: SignInService
) -> None:
    browser.signs_in()
    del app.extensions["newsletter_sign_in_service"]
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], oidc_issuer="http://127.0.0.1:1")
    assert "You may still be signed in at your organisation" in leaves(browser)


def test_where_no_service_is_set_there_is_no_such_page(app: Flask, ruth: Account, browser: Visitor) -> None:
    app.config["NEWSLETTER"] = replace(app.config["NEWSLETTER"], oidc_issuer=None)
    assert "Sign in with" not in browser.open("/sign-in")
    browser.open("/sign-in/organisation/back?code=x&state=y", 404)


def test_taking_people_out_asks_for_a_sign_in_of_now(
    app: Flask, ruth: Account, browser: Visitor, service: SignInService, now: datetime
) -> None:
    """Whoever found the browser open gets no further by the service's own session, however young that is here."""
    people.subscribers(now, db.session.scalars(select(MailingList)).one(), 2)
    with transaction() as session:
        session.scalars(select(Membership)).one().role = Role.ADMIN
    browser.signs_in()
    here = "/desk/subscribers/export?of=safeguarding-news&state=active&which=all"
    data = {"of": "safeguarding-news", "state": "active", "which": "all", "columns": "email", "reason": "An audit"}
    assert "First, show that it is you." in browser.open(here)
    assert browser.send("/desk/subscribers/export", page=here, **data).status_code == 422

    def goes_again() -> str:
        there = browser.send("/sign-in/organisation", page=here, next=here, anew="1")
        address = there.headers["Refresh"].partition("url=")[2]
        query = parse_qs(urlsplit(address).query)
        assert (query["prompt"], query["max_age"]) == (["login"], ["0"])
        back = urlsplit(service.authorize({name: values[0] for name, values in query.items()}))
        return f"{back.path}?{back.query}"

    started = int(clock.now().timestamp())
    service.changes = {"auth_time": started - 3600}
    refused = browser.comes_back(goes_again())
    assert refused.status_code == 502
    assert "without asking anew who you are" in words(refused)
    browser.signs_in()
    assert "First, show that it is you." in browser.open(here)
    service.changes = {"auth_time": started - 20}
    came = browser.comes_back(goes_again())
    assert came.headers["Location"] == here
    assert "First, show" not in browser.open(here)
    taken = browser.send("/desk/subscribers/export", page=here, **data)
    assert (taken.status_code, taken.get_data().count(b"\r\n")) == (200, 3)
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        assert "First, show that it is you." in browser.open(here)
