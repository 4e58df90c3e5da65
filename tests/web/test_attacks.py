"""What strangers and curious colleagues try: every address and form of the pages, with what they were not made for."""

import re
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import IntegerConverter

from newsletter import clock
from newsletter import db as database
from newsletter.db import LARGEST_ID, db, transaction
from newsletter.domain.staff import passwords
from newsletter.models import Account, Contribution, Delivery, MailingList, Notice, Subscription
from newsletter.states import ContributionState, DeliveryState, Role, SubscriptionState
from newsletter.web.sessions import CookieAndRow
from tests import people
from tests.web.test_access import address, dump, rules, sample

__all__ = ["sample"]

#: Values that no form of ours sends.
HOSTILE: dict[str, str | bytes] = {
    "nul": "a\0b",
    "line ends": "a\r\nBcc: x@example.org",
    "nested tags": "<b>" * 10_000,
    "nested points": "\n".join(" " * depth + "- x" for depth in range(400)),
    "brackets": "[" * 20_000,
    "override": "\u202eevil",
    "surrogate": b"\xed\xa0\x80",
    "no UTF-8": b"\xff\xfe",
    "digits": "9" * 5_000,
    "a large number": "9" * 20,
    "script": '"><script>alert(1)</script>',
    "template": "{{ 7 * 7 }}{% for %}%s{0}",
    "nothing": "",
    "no such day": "31 February 99999",
    "the last day": "9999-12-31",
    "separators": "\u2028\u0085\x0b",
    "much": "x" * 300_000,
}


FIELD = re.compile(r'<(?:input|textarea|select|button)[^>]* name="([^"]+)"')
#: Words for a place in an address, as they stand in it.
WORDS = ("%00", "a%00b", "%ff%fe", "%ED%A0%80", "..%2f..%2fetc%2fpasswd", "%2e%2e", "a" * 8_000, "%0d%0aX:%20y", "%20")
GUARDS = {"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"}
SESSIONS: list[dict[str, Any]] = [{"sid": 1}, {"sid": None}, {"sid": "x" * 10_000}, {"sid": ["a"]}, {"_user_id": "1"}]


@pytest.fixture
def administrator(app: Flask, now: datetime, sample: dict[str, Any]) -> FlaskClient:
    client = app.test_client()
    people.sign_in(client, people.staff(now, "Ruth Adeyemi", Role.ADMIN))
    return client


def forms(client: FlaskClient, app: Flask, sample: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The address of each form, and the names of its fields as the pages hold them."""
    names: dict[str, set[str]] = {}
    for rule in rules(app, "POST"):
        where = address(app, rule, sample)
        page = client.get(where).text if "GET" in (rule.methods or ()) else ""
        names.setdefault(where, set()).update(
            re.findall(r'<(?:input|textarea|select|button)[^>]* name="([^"]+)"', page)
        )
    yield from ((where, sorted(found - {"csrf_token"})) for where, found in sorted(names.items()))


def test_numbers_that_no_row_can_have_lead_nowhere(
    app: Flask, administrator: FlaskClient, sample: dict[str, Any]
) -> None:
    statuses = {}
    for method in ("GET", "POST"):
        for rule in rules(app, method):
            numbers = [name for name, one in rule._converters.items() if isinstance(one, IntegerConverter)]
            for name in numbers:
                for value in ("9" * 26, str(LARGEST_ID + 1), "9" * 5_000, "-1"):
                    marked = address(app, rule, sample | {name: 7_777_777, "key": 7_777_777}).replace("7777777", value)
                    statuses[f"{method} {marked[:80]}"] = administrator.open(marked, method=method).status_code

    assert len(statuses) > 40
    assert set(statuses.values()) == {404}, {one: status for one, status in statuses.items() if status != 404}


@pytest.mark.parametrize("value", ["9" * 30, "-" + "9" * 30, "x", "", "1e9", "٣", "9" * 5_000])
@pytest.mark.parametrize("page", ["mailbox?before=", "notices?before=", "activity?before=", "subscribers?after="])
def test_pages_of_long_tables_that_are_not_there(administrator: FlaskClient, page: str, value: str) -> None:
    assert administrator.get(f"/desk/{page}{value}").status_code == 200


@pytest.mark.parametrize("page", ["/desk/mailbox?to=", "/desk/subscribers?q=", "/news?list=", "/desk/issues?x="])
@pytest.mark.parametrize("text", ["%", "'", "_" * 100, "x" * 120_000, "%00", "%ff%fe", "%ED%A0%80", "%E2%80%AE"])
def test_searches_of_any_words(administrator: FlaskClient, page: str, text: str) -> None:
    assert administrator.get(page + text).status_code == 200


@pytest.mark.parametrize(
    "bad",
    ["%00", "a%00b", "%ff%fe", "%ED%A0%80", "..%2f..%2fetc%2fpasswd", "%2e%2e", "a" * 8_000, "%0d%0aX:%20y", "%20"],
)
def test_addresses_of_any_words(app: Flask, administrator: FlaskClient, sample: dict[str, Any], bad: str) -> None:
    """Each place of an address that takes a word."""
    statuses = {}
    for rule in rules(app, "GET"):
        for name in rule.arguments & {"slug", "token", "name", "reference", "state", "accent", "digest"}:
            where = rule.rule
            for other in rule.arguments - {name}:
                where = re.sub(rf"<[^<>]*\b{other}>", {"form": "html", "kind": "css"}.get(other, "1"), where)
            where = re.sub(rf"<[^<>]*\b{name}>", bad.replace("\\", "\\\\"), where)
            response = administrator.get(where)
            statuses[where[:80]] = response.status_code
            assert "x" not in [header.lower() for header, _value in response.headers]

    assert statuses
    assert not {one: status for one, status in statuses.items() if status not in (301, 308, 400, 404, 410)}


def test_forms_with_what_no_form_sends(
    app: Flask, administrator: FlaskClient, sample: dict[str, Any], now: datetime
) -> None:
    """Every field of every form, all of a form at once, with each of the values above: nothing fails."""
    failed = {}
    account = db.session.query(Account).filter_by(name="Ruth Adeyemi").one()
    for where, names in forms(administrator, app, sample):
        for what, value in HOSTILE.items():
            client = app.test_client()
            people.sign_in(client, account)
            status = client.post(where, data=dict.fromkeys(names, value)).status_code
            if status >= 500:
                failed[f"{where} {what}"] = status
            db.session.rollback()

    assert failed == {}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"email": 1}'),
        ("text/plain", b"email=x"),
        ("application/xml", b"<x/>"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nnever ends'),
        ("multipart/form-data; boundary=\xff", b"--x--"),
        ("application/x-www-form-urlencoded; charset=nonsense", b"email=%ff&email=%00&&&=&=x"),
        ("application/x-www-form-urlencoded", b"&".join(b"email=a" for _ in range(5_000))),
        ("", b"\0" * 1_000),
    ],
)
def test_bodies_of_other_kinds(
    app: Flask, administrator: FlaskClient, sample: dict[str, Any], content_type: str, body: bytes
) -> None:
    failed = {}
    account = db.session.query(Account).filter_by(name="Ruth Adeyemi").one()
    for rule in rules(app, "POST"):
        where = address(app, rule, sample)
        client = app.test_client()
        people.sign_in(client, account)
        status = client.post(where, data=body, content_type=content_type).status_code
        if status >= 500:
            failed[where] = status
        db.session.rollback()

    assert failed == {}


def uploaded(name: str, content: bytes) -> dict[str, Any]:
    """A form with a file, as the bytes a browser sends."""
    parts = {f'name="file"; filename="{name}"\r\nContent-Type: text/plain': content, 'name="do"': b"add"}
    body = b"".join(
        b"--x\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (a.encode(), b) for a, b in parts.items()
    )
    return {"data": body + b"--x--\r\n", "content_type": "multipart/form-data; boundary=x"}


@pytest.mark.parametrize("upload", [b"a\0b", b"\xff\xfe\xfa", b"", b"x" * (2 * 1024 * 1024 + 1)])
def test_a_document_that_is_none_is_refused_in_words(
    administrator: FlaskClient, sample: dict[str, Any], upload: bytes
) -> None:
    before = dump()
    answer = administrator.post(f"/desk/issues/{sample['slug']}/document", **uploaded("../../x.txt", upload))

    assert answer.status_code == 422
    assert "govuk-error-message" in answer.text
    assert dump() == before


def test_a_file_field_without_a_file(administrator: FlaskClient, sample: dict[str, Any]) -> None:
    """A form that was not sent as multipart holds the file's name alone."""
    answer = administrator.post(f"/desk/issues/{sample['slug']}/document", data={"file": "news.txt", "text": ""})

    assert answer.status_code == 422


def test_a_request_larger_than_any_of_ours(administrator: FlaskClient, sample: dict[str, Any]) -> None:
    answer = administrator.post(f"/desk/issues/{sample['slug']}/document", **uploaded("x.txt", b"x" * 26 * 1024 * 1024))

    assert answer.status_code == 413
    assert "too large" in answer.text


# --- who is who --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [300, 5_000, 400_000])
def test_a_password_longer_than_any_is_wrong_and_no_fault(
    app: Flask, now: datetime, client: FlaskClient, length: int
) -> None:
    people.larkmere(now)
    people.staff(now, "Ruth Adeyemi", Role.ADMIN)
    with transaction():
        db.session.query(Account).one().password = passwords.hashed("three words of mine")
    people.with_token(client)
    answers = [
        client.post("/sign-in", data={"email": email, "password": "three words of mine".ljust(length, "x")})
        for email in ("ruth@example.org", "nobody@example.org")
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    # The form's token carries the second it was made in, and the two answers may fall into two seconds.
    pages = {re.sub(r'name="csrf_token"[^>]*', "", answer.text).replace("nobody", "ruth") for answer in answers}
    assert len(pages) == 1


def test_a_cookie_from_before_signing_out_opens_nothing(app: Flask, now: datetime, sample: dict[str, Any]) -> None:
    client = app.test_client()
    people.sign_in(client, people.staff(now, "Ruth Adeyemi", Role.ADMIN))
    cookie = client.get_cookie("__Host-newsletter", domain="news.example.org")
    assert cookie is not None
    assert client.get("/desk/staff", base_url="https://news.example.org").status_code == 200
    client.post("/sign-out")
    thief = app.test_client()
    thief.set_cookie("__Host-newsletter", cookie.value, domain="localhost")

    assert thief.get("/desk/staff").status_code == 302


@pytest.mark.parametrize(
    "cookie",
    ["", "x", "a.b.c", "." * 9_000, "eyJzaWQiOiIxIn0.aaaa.bbbb", '"\\042"', "%00", "eyJzaWQiOjF9", "-" * 200_000],
)
def test_a_cookie_that_is_not_ours_is_nobodys(app: Flask, now: datetime, sample: dict[str, Any], cookie: str) -> None:
    answer = app.test_client().get("/desk", headers={"Cookie": f"__Host-newsletter={cookie}"})

    assert (answer.status_code, answer.location) == (302, "/sign-in?next=/desk")


@pytest.mark.parametrize(
    "content", [{"sid": 1}, {"sid": None}, {"sid": "x" * 10_000}, {"sid": ["a"]}, {"_user_id": "1"}]
)
def test_a_cookie_of_ours_with_a_strange_id(app: Flask, now: datetime, sample: dict[str, Any], content: Any) -> None:
    client = app.test_client()
    interface = app.session_interface
    assert isinstance(interface, CookieAndRow)
    client.set_cookie("__Host-newsletter", interface.write(content), domain="localhost")

    assert client.get("/desk").status_code == 302


def test_the_id_from_before_signing_in_is_not_the_id_after(app: Flask, now: datetime) -> None:
    """Session fixation: whoever planted the first knows nothing of the second."""
    people.larkmere(now)
    account = people.staff(now, "Ruth Adeyemi", Role.ADMIN)
    with transaction():
        account.password = passwords.hashed("three words of mine")
    client = app.test_client()
    people.carry(client, sid="planted")
    client.post("/sign-in", data={"email": "ruth@example.org", "password": "three words of mine"})
    with client.session_transaction() as carried:
        assert carried["sid"] != "planted"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/%0d%0aLocation: https://evil.example",
        "javascript:alert(1)",
        "https:evil.example",
        "/sign-out",
        "/@evil.example",
        "/desk\r\nSet-Cookie: a=b",
        "http://localhost@evil.example/desk",
        "/" * 3_000,
    ],
)
def test_after_signing_in_nobody_is_led_elsewhere(app: Flask, now: datetime, elsewhere: str) -> None:
    people.larkmere(now)
    client = app.test_client()
    people.sign_in(client, people.staff(now))
    answer = client.get("/sign-in", query_string={"next": elsewhere})

    assert answer.status_code == 303
    assert answer.location == "/desk"


@pytest.mark.parametrize("path", ["/desk", "/", "/forgotten", "/news", "/feed.atom", "/deadlines.ics", "/sign-in"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "X-Forwarded-Prefix": "/evil.example"},
        {"Forwarded": "host=evil.example;proto=http"},
        {"X-Original-URL": "/evil.example", "X-Rewrite-URL": "/evil.example"},
    ],
)
def test_a_host_of_the_senders_choice_stands_nowhere(
    app: Flask, now: datetime, sample: dict[str, Any], path: str, headers: dict[str, str]
) -> None:
    answer = app.test_client().get(path, headers=headers)

    assert "evil.example" not in answer.text + str(answer.headers)


def test_a_password_link_asked_for_with_another_host_leads_to_us(
    app: Flask, now: datetime, sample: dict[str, Any]
) -> None:
    client = app.test_client()
    people.with_token(client)
    answer = client.post("/forgotten", data={"email": "ewan@example.org"}, headers={"X-Forwarded-Host": "evil.example"})
    notice = db.session.query(Notice).filter_by(template="password_reset_link").one()

    assert answer.status_code == 303
    assert "evil.example" not in repr(notice.values)


@pytest.mark.parametrize("override", ["DELETE", "GET", "PUT"])
def test_a_method_is_what_the_request_line_says(app: Flask, client: FlaskClient, override: str) -> None:
    headers = {"X-HTTP-Method-Override": override, "X-Method-Override": override}

    assert client.post("/news?_method=" + override, headers=headers).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../secret_keys",
        "/assets/..%2f..%2fsecret_keys",
        "/assets/%2e%2e/%2e%2e/newsletter.db",
        "/assets/manifest.json",
        "/assets/part-..%2f.js",
        "/media/..%2fnewsletter.db",
        "/media/.%00.png",
        "/static/site.css",
        "/newsletter.db",
        "/.env",
    ],
)
def test_no_file_is_served_that_is_not_an_asset(app: Flask, client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_every_answer_carries_the_headers_that_guard_it(
    app: Flask, administrator: FlaskClient, sample: dict[str, Any]
) -> None:
    """And pages for one person, or whose address is a key, are kept in no cache."""
    bare, cached = {}, {}
    for client in (administrator, app.test_client()):
        for rule in rules(app, "GET"):
            where = address(app, rule, sample)
            answer = client.get(where)
            if not {"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"} <= set(
                answer.headers.keys()
            ):
                bare[where] = answer.status_code
            for_one = where.startswith("/desk") or "token" in rule.arguments or rule.endpoint.startswith("account.")
            if for_one and answer.cache_control.no_store is not True:
                cached[where] = str(answer.cache_control)

    assert bare == {}
    assert cached == {}


# --- what belongs to another list --------------------------------------------------------------------------------


@pytest.fixture
def other(app: Flask, now: datetime, sample: dict[str, Any]) -> tuple[FlaskClient, MailingList]:
    """An administrator of one list who knows every number of the other."""
    mailing_list = people.policy_changes(now)
    client = app.test_client()
    people.sign_in(client, people.staff(now, "Nadia Khan", Role.ADMIN, on=mailing_list))
    return client, mailing_list


def test_nothing_of_another_list_can_be_seen_or_done(
    other: tuple[FlaskClient, MailingList], now: datetime, sample: dict[str, Any]
) -> None:
    client, mailing_list = other
    own = people.issue(now, mailing_list, slug="own-issue")
    subscription = db.session.query(Subscription).first()
    assert subscription is not None
    with transaction() as session:
        contribution = Contribution(
            issue_id=1,
            reference="ABCDE",
            title="News",
            body="News.",
            agency="Rowan House",
            contact_name="Asha",
            contact_address="asha@example.org",
            state=ContributionState.SUBMITTED,
            opened_at=now,
            created_at=now,
            submitted_at=now,
        )
        delivery = Delivery(
            issue_id=1, subscription_id=subscription.id, state=DeliveryState.UNSURE, updated_at=now, attempts=1
        )
        session.add_all([contribution, delivery])
        session.flush()
        delivery_id = delivery.id
    person, keys = sample["public_id"], sample["key"]
    tries = [
        ("GET", "/desk/contributions/ABCDE"),
        ("POST", "/desk/contributions/ABCDE"),
        ("POST", "/desk/contributions/ABCDE/reopen"),
        ("GET", f"/desk/subscribers/{person}"),
        ("POST", f"/desk/subscribers/{person}/leave/{sample['list_id']}"),
        ("POST", f"/desk/subscribers/{person}/leave/{mailing_list.id}"),
        ("POST", f"/desk/subscribers/{person}/link"),
        ("POST", f"/desk/subscribers/{person}/forget"),
        ("POST", f"/desk/issues/{own.slug}/deliveries/{delivery_id}/again"),
        ("POST", f"/desk/issues/{own.slug}/deliveries/{delivery_id}/leave"),
        ("GET", f"/desk/issues/{own.slug}/write/{sample['block_id']}"),
        *(("POST", f"/desk/issues/{own.slug}/write/{sample['block_id']}{verb}") for verb in BLOCK_VERBS),
        ("GET", f"/desk/notices/{keys['admin.notice']}"),
        ("POST", f"/desk/notices/{keys['admin.notice']}/retry"),
        ("GET", "/desk/mailbox"),
        ("GET", f"/desk/mailbox/{keys['admin.mailbox']}"),
        ("GET", f"/desk/mailbox/{keys['admin.mailbox']}/source"),
        ("POST", "/desk/mailbox/empty"),
        ("GET", f"/desk/lists/{sample['list']}"),
        ("POST", f"/desk/lists/{sample['list']}"),
        ("POST", f"/desk/lists/{sample['list']}/wording"),
        ("GET", f"/desk/staff/{keys['admin.']}"),
        ("POST", f"/desk/staff/{keys['admin.']}/role?on={mailing_list.slug}"),
        ("POST", f"/desk/staff/{keys['admin.']}/disable"),
        ("POST", f"/desk/staff/{keys['admin.']}/second-step"),
        ("POST", f"/desk/staff/{keys['admin.']}/password-link"),
        ("POST", "/desk/staff/invitations/1/revoke"),
        ("POST", "/desk/lists/new"),
        ("GET", "/desk/activity"),
        ("GET", "/desk/settings/sending"),
        ("POST", "/desk/settings/organisation"),
    ]
    before = dump()
    statuses = {f"{method} {path}": client.open(path, method=method).status_code for method, path in tries}

    assert set(statuses.values()) <= {403, 404}, {one: status for one, status in statuses.items() if status < 400}
    assert dump() == before


BLOCK_VERBS = ("", "/delete", "/duplicate", "/level", "/move", "/undo")


@pytest.mark.parametrize("path", ["/desk/subscribers", "/desk/subscribers?list=safeguarding-news&state=all&q=reader"])
def test_a_list_of_subscribers_shows_nobody_of_another_list(other: tuple[FlaskClient, MailingList], path: str) -> None:
    client, _mailing_list = other

    assert "reader1" not in client.get(path).text


def test_the_story_of_a_person_tells_of_the_readers_own_lists_only(
    other: tuple[FlaskClient, MailingList], now: datetime, sample: dict[str, Any]
) -> None:
    """Somebody on two lists: staff of one do not learn of the other; who may not see addresses finds none quoted."""
    client, mailing_list = other
    subscription = db.session.query(Subscription).one()
    subscriber = subscription.subscriber
    assert subscriber is not None
    own = people.issue(now, mailing_list, title="Own issue", slug="own-issue")
    with transaction() as session:
        more = Subscription(
            subscriber_id=subscriber.id,
            list_id=mailing_list.id,
            state=SubscriptionState.ACTIVE,
            joined_at=now,
            source="test",
        )
        session.add(more)
        session.flush()
        for issue_id, one in ((1, subscription), (own.id, more)):
            session.add(
                Delivery(
                    issue_id=issue_id,
                    subscription_id=one.id,
                    state=DeliveryState.REFUSED,
                    updated_at=now,
                    reply="550 5.1.1 <Reader1@example.org>: unknown user",
                )
            )
    page = client.get(f"/desk/subscribers/{subscriber.public_id}").text
    assert "“Own issue”" in page
    assert "“December 2026”" not in page
    assert "Safeguarding news" not in page

    curious = client.application.test_client()
    people.sign_in(curious, people.staff(now, "Viola Ferrier", Role.VIEWER, on=mailing_list))
    page = curious.get(f"/desk/subscribers/{subscriber.public_id}").text
    assert "550 5.1.1" in page
    assert "reader1@example.org" not in page.lower()
    recipients = curious.get("/desk/issues/own-issue/sending/refused").text
    assert "550 5.1.1" in recipients
    assert "reader1@example.org" not in recipients.lower()


# --- the database --------------------------------------------------------------------------------------------------


def test_a_database_locked_for_long_is_told_of_and_nothing_is_done(
    app: Flask, administrator: FlaskClient, sample: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_TIMEOUT_MS", 50)
    db.session.remove()
    db.engine.dispose()
    holder = sqlite3.connect(Path(app.config["NEWSLETTER"].data_dir) / "newsletter.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        read = administrator.get("/desk/issues")
        wrote = administrator.post(f"/desk/issues/{sample['slug']}/write/add", data={"kind": "section"})
    finally:
        holder.close()

    assert read.status_code == 200
    assert wrote.status_code == 503
    assert "Nothing was changed" in wrote.text
    assert wrote.headers["Retry-After"]


def test_a_clock_set_back_a_day_lets_nobody_in_longer(app: Flask, now: datetime, sample: dict[str, Any]) -> None:
    """A form opened "tomorrow" is shown again; a session begun "tomorrow" ends no later for it."""
    import time_machine

    from newsletter.web.public.form_tokens import form_token, opened_at

    tomorrow = clock.now() + timedelta(days=1)
    with time_machine.travel(tomorrow, tick=False), app.test_request_context():
        token = form_token(clock.now())
    assert opened_at(token, clock.now()) is None
