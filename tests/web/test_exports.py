"""Miriam takes people out as a file: for a reason, with a code of her app, under a number that everybody can find."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from newsletter.db import db, transaction
from newsletter.domain.staff import one_time_codes, permissions
from newsletter.domain.staff.permissions import Permission
from newsletter.domain.subscribers import audiences, exporting, importing, indexing, leaving, taking_out
from newsletter.models import Account, Activity, MailingList, Notice, Organisation, Subscriber, SubscriberExport
from newsletter.states import Role
from tests import people
from tests.databases import KEY
from tests.web.public_pages import heading, words

pytestmark = pytest.mark.both_databases
PAGE = "/desk/subscribers/export"
WHY = "Badges for the conference of 3 October"


@pytest.fixture(autouse=True)
def moment(now: datetime) -> Iterator[time_machine.Traveller]:
    """That morning; `shift` by more than half a minute, and the app shows another code."""
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def miriam(client: FlaskClient, quarterly: MailingList, now: datetime) -> Account:
    """An administrator, signed in, with an app."""
    account = people.staff(now, "Miriam Okoro", Role.ADMIN)
    connect_app(account)
    people.sign_in(client, account)
    return account


def connect_app(account: Account) -> None:
    secret = one_time_codes.new_secret()
    with transaction():
        account.tf_totp_secret, account.tf_primary_method = secret, one_time_codes.APP


def code_of(account: Account) -> str:
    return str(one_time_codes.OneTimeCodes((KEY,)).generate_totp_password(account.tf_totp_secret))


def asked(account: Account, **more: object) -> dict[str, object]:
    """The form as it is filled in for everybody subscribed to the quarterly."""
    return {
        "which": "all", "of": "safeguarding-news", "state": "active", "columns": ["email", "name", "organisation"],
        "reason": WHY, "code": code_of(account), **more,
    }  # fmt: skip


def cells(answer: TestResponse) -> list[list[str]]:
    assert answer.status_code == 200, words(answer)
    return list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline="")))


def record() -> SubscriberExport:
    db.session.rollback()
    return db.session.scalars(select(SubscriberExport).order_by(SubscriberExport.id.desc())).first()


def test_a_list_goes_out_and_everybody_can_see_that_it_did(
    client: FlaskClient, miriam: Account, quarterly: MailingList, now: datetime
) -> None:
    people.staff(now, "Omar Haddad", Role.ADMIN)
    made = people.subscribers(now, quarterly, 3)
    with transaction():
        made[0].subscriber.name, made[1].subscriber.name = "Zoë Ó Briain", "=HYPERLINK(1)"
        leaving.unsubscribe(made[2], route="link", now=now)
    page = client.get("/desk/subscribers")
    (way,) = re.findall(r'href="(/desk/subscribers/export[^"]*)"', page.text)
    opened = client.get(way.replace("&amp;", "&"))
    assert heading(opened) == "Export 2 lines"
    assert db.session.scalars(select(SubscriberExport)).all() == []

    answer = client.post(PAGE, data=asked(miriam))
    head, *lines = cells(answer)
    found = record()
    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="subscribers-safeguarding-news-{now:%Y-%m-%d}-{found.reference}.csv"'
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.get_data().startswith(b"\xef\xbb\xbf")
    assert head == ["email", "name", "organisation", f"export {found.reference}, {now:%Y-%m-%d}, Miriam Okoro: {WHY}"]
    assert lines == [
        ["reader1@example.org", "Zoë Ó Briain", "", found.reference],
        ["reader2@example.org", "'=HYPERLINK(1)", "", found.reference],
    ]
    assert (found.account_id, found.list_id, found.door, found.whom) == (miriam.id, quarterly.id, "page", "Subscribed")
    assert (found.number, found.handed, found.complete) == (2, 2, True)
    (entry,) = db.session.scalars(select(Activity).where(Activity.action == "subscribers.exported"))
    assert (entry.actor_name, entry.detail["reason"], entry.detail["number"]) == ("Miriam Okoro", WHY, 2)
    told = db.session.scalars(select(Notice.address).where(Notice.template == taking_out.TOLD))
    assert set(told) == {"miriam@example.org", "omar@example.org"}
    listed = words(client.get("/desk/settings/exports"))
    assert f"{WHY} {found.reference} Safeguarding news: Subscribed" in listed
    assert "Miriam Okoro" in listed

    changes = people.policy_changes(now)
    report = importing.import_csv(
        io.BytesIO(answer.get_data()), changes, source="Conference", basis_note="", dry_run=False, actor=None, now=now
    )
    assert (report.added, report.bad) == (2, 0)
    kept = db.session.scalars(select(Subscriber.name).order_by(Subscriber.address_key)).all()
    assert kept == ["Zoë Ó Briain", "=HYPERLINK(1)", ""]


def test_those_ticked_those_found_and_an_audience(
    client: FlaskClient, miriam: Account, quarterly: MailingList, now: datetime, moment: time_machine.Traveller
) -> None:
    changes = people.policy_changes(now)
    made = people.subscribers(now, quarterly, 4)
    with transaction() as session:
        made[1].subscriber.organisation = "Larkmere College"
        made[2].subscriber.organisation = "Larkmere College"
        session.add(type(made[0])(subscriber_id=made[0].subscriber_id, list_id=changes.id, state="active",
                                  joined_at=now, source="test"))  # fmt: skip
        saved = audiences.save(
            None, quarterly, "Colleges", [{"field": "organisation", "is": "has", "value": "college"}],
            actor=miriam, now=now,
        )  # fmt: skip
        leaving.unsubscribe(made[2], route="link", now=now)
        ticked = str(made[0].subscriber.public_id)
    indexing.index_wanted()

    sent_on = client.get(f"/desk/subscribers/together?do=export&which=picked&of=&state=active&who={ticked}")
    assert sent_on.status_code == 303
    assert heading(client.get(sent_on.headers["Location"])) == "Export 2 lines"
    of_ticked = client.post(PAGE, data=asked(miriam, which="picked", of="", who=ticked, columns=["email", "list"]))
    assert [line[:2] for line in cells(of_ticked)[1:]] == [
        ["reader1@example.org", "safeguarding-news"], ["reader1@example.org", "policy-changes"],
    ]  # fmt: skip
    assert (record().whom, record().list_id) == ("1 person who was ticked", None)

    moment.shift(60)
    of_search = client.post(PAGE, data=asked(miriam, q="larkmere", state="all"))
    assert {line[0] for line in cells(of_search)[1:]} == {"reader2@example.org", "reader3@example.org"}
    assert record().whom == "Everybody, found by a search"

    moment.shift(60)
    of_audience = client.post(PAGE, data=asked(miriam, audience=str(saved.id)))
    assert [line[0] for line in cells(of_audience)[1:]] == ["reader2@example.org"]
    assert record().whom == "Audience “Colleges”"


def test_what_is_missing_is_said_and_costs_neither_words_nor_the_code(
    client: FlaskClient, miriam: Account, quarterly: MailingList, now: datetime
) -> None:
    people.subscribers(now, quarterly, 2)
    code = code_of(miriam)
    for wrong, sentence in (
        ({"reason": " "}, "Say what the file is for"),
        ({"columns": []}, "Choose at least one column"),
        ({"columns": ["password"]}, "Choose at least one column"),
        ({"code": "000000"}, "That code is not right, or was used before"),
        ({"code": ""}, "That code is not right, or was used before"),
    ):
        answer = client.post(PAGE, data={**asked(miriam), **wrong})
        assert (answer.status_code, answer.mimetype) == (422, "text/html")
        assert sentence in words(answer)
        if "reason" not in wrong:
            assert f'value="{WHY}"' in answer.text
    assert record() is None
    assert cells(client.post(PAGE, data=asked(miriam, code=code)))[1:]
    again = client.post(PAGE, data=asked(miriam, code=code))
    assert again.status_code == 422
    assert db.session.scalars(select(SubscriberExport.complete)).all() == [True]


def test_guessing_codes_is_slowed(client: FlaskClient, miriam: Account, quarterly: MailingList, now: datetime) -> None:
    people.subscribers(now, quarterly, 1)
    for _try in range(10):
        client.post(PAGE, data=asked(miriam, code="000000"))
    right = client.post(PAGE, data=asked(miriam))
    assert "Too many tries. Wait 15 minutes" in words(right)
    assert record() is None


def test_whoever_may_not_is_told_and_gets_nobody(client: FlaskClient, quarterly: MailingList, now: datetime) -> None:
    changes = people.policy_changes(now)
    people.subscribers(now, quarterly, 2)
    for name, role in (("Ruth Adeyemi", Role.EDITOR), ("Tom Byrne", Role.VIEWER), ("Ada Bell", Role.APPROVER)):
        account = people.staff(now, name, role)
        connect_app(account)
        people.sign_in(client, account)
        assert client.post(PAGE, data=asked(account)).status_code == 403
        page = client.get("/desk/subscribers")
        assert "Administrators export people to a file" in words(page)
        assert "/subscribers/export" not in page.text
        assert 'value="export"' not in page.text
    of_one = people.staff(now, "Noor Malik", Role.ADMIN, changes)
    connect_app(of_one)
    people.sign_in(client, of_one)
    for other in ("safeguarding-news", ""):
        # Names what they may not see: their own list is what they get.
        assert "2 lines" not in words(client.get(f"{PAGE}?which=all&state=all&of={other}"))
    assert record() is None


def test_whoever_may_export_and_not_see_addresses_gets_them_in_part(
    client: FlaskClient, miriam: Account, quarterly: MailingList, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    less = frozenset(Permission) - {Permission.SEE_ADDRESSES}
    monkeypatch.setitem(permissions.ROLE_PERMISSIONS, Role.ADMIN, less)
    people.subscribers(now, quarterly, 1)
    answer = client.post(PAGE, data=asked(miriam, columns=["name", "email"]))
    assert [line[0] for line in cells(answer)[1:]] == ["re…r1@example.org"]


def test_an_export_that_breaks_off_says_how_far_it_came(
    client: FlaskClient, miriam: Account, quarterly: MailingList, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_CHUNK", 2)
    people.subscribers(now, quarterly, 5)
    answer = client.post(PAGE, data=asked(miriam), buffered=False)
    pieces = iter(answer.response)
    next(pieces)
    assert next(pieces).count(b"\r\n") == 2
    assert record().handed is None
    assert "Up to 5: it goes on, or broke off" in words(client.get("/desk/settings/exports"))
    answer.close()
    assert (record().handed, record().complete) == (2, False)
    assert "2 of 5: it was broken off" in words(client.get("/desk/settings/exports"))


def test_nothing_of_it_lies_in_the_data_folder(
    client: FlaskClient, miriam: Account, quarterly: MailingList, now: datetime, app: Flask
) -> None:
    people.subscribers(now, quarterly, 1)
    with transaction() as session:
        session.scalars(select(Subscriber)).one().name = "Clementine Onlyhere"
    folder = app.config["NEWSLETTER"].data_dir
    kept = {path for path in folder.rglob("*") if path.is_file()}
    lines = cells(client.post(PAGE, data=asked(miriam, reason="For reader1@example.org")))
    assert lines[1][1] == "Clementine Onlyhere"
    assert {path for path in folder.rglob("*") if path.is_file()} - kept == set()
    assert record().reason == "For re…r1@example.org"
    assert "@" not in lines[0][-1]


def test_whoever_has_no_app_proves_it_elsewhere_or_not_at_all(
    client: FlaskClient, quarterly: MailingList, now: datetime
) -> None:
    people.subscribers(now, quarterly, 1)
    account = people.staff(now, "Miriam Okoro", Role.ADMIN)
    people.sign_in(client, account)
    page = client.get(f"{PAGE}?which=all&of=safeguarding-news")
    assert "connect an app for the second step" in words(page)
    data = {"which": "all", "of": "safeguarding-news", "columns": "email", "reason": WHY}
    assert client.post(PAGE, data=data).status_code == 422
    assert record() is None
    with transaction() as session:
        session.get_one(Organisation, 1).demo = True
    assert len(cells(client.post(PAGE, data=data))) == 2
