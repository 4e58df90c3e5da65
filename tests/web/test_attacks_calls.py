"""What strangers, contributors of other agencies and machines try on calls for news: forms, links, codes and mails."""

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.delivery.notices.outbox import deliver_notices
from newsletter.delivery.returns.routing import take_in_mail
from newsletter.domain.calls.decisions import triage
from newsletter.domain.calls.rhythm import cadence
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Block, Contribution, Issue, Notice
from newsletter.states import Role
from newsletter.tokens import Purpose, Signer
from newsletter.web.contribute.proof_limits import may_ask, may_try_code
from tests import people
from tests.contributions import sent_in
from tests.fixtures.documents.make_word import packed, parts

TYPED = ("Cheap pills", "evil.example", "Buy now", "Mallory", "01632 960111")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, contribute_domain="example.org")


@pytest.fixture
def december(app: Flask, now: datetime) -> Issue:
    return people.issue(now, people.larkmere(now))


def opened(client: FlaskClient, moment: datetime) -> dict[str, str]:
    """The hidden values of the call's form, as a browser gets them at the moment."""
    with time_machine.travel(moment, tick=False):
        page = client.get("/contribute/december-2026").text
    found = re.search(r'name="opened" value="([^"]+)"', page)
    assert found
    return {"opened": found[1], "kind": "section"}


def spam(victim: str) -> dict[str, str]:
    return {
        "d.heading": "Cheap pills",
        "d.body": "Buy now at https://evil.example/",
        "agency": "Mallory Ltd",
        "contact_name": "Mallory Cheap pills",
        "contact_address": victim,
        "contact_phone": "01632 960111",
        "declared": "y",
    }


def mails(relay: MemoryRelay, now: datetime) -> list[str]:
    """The mails that leave, each whole: its headers and both its parts."""
    before = len(relay.accepted)
    deliver_notices(now)
    found = []
    for sent in relay.accepted[before:]:
        mail = message_from_bytes(sent.message, policy=policy.default)
        parts = [str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text"]
        found.append("\n".join([*(f"{name}: {value}" for name, value in mail.items()), *parts]))
    return found


# --- mail to people who have sent nothing ----------------------------------------------------------------------


@pytest.mark.parametrize("days", [0, 10])
def test_an_address_that_nobody_has_proved_gets_not_a_word_of_its_sender(
    december: Issue, client: FlaskClient, relay: MemoryRelay, now: datetime, days: int
) -> None:
    """In time or late: the reference, the link and the code go, and what was typed once the address is proved."""
    moment = now + timedelta(days=days, minutes=2)
    hidden = opened(client, now)
    with time_machine.travel(moment, tick=False):
        kept = client.post("/contribute/december-2026", data=spam("victim@example.org") | hidden)
    (mail,) = mails(relay, moment)

    reference = db.session.scalars(select(Contribution.reference)).one()
    assert reference in mail
    assert [word for word in TYPED if word in mail] == []

    with time_machine.travel(moment + timedelta(minutes=1), tick=False):
        client.post(f"{kept.location}/prove")
    (again,) = mails(relay, moment + timedelta(minutes=1))
    assert reference in again
    assert [word for word in TYPED if word in again] == []

    code = re.search(r"^ +(\d{3} \d{3})\s*$", again, re.MULTILINE)
    assert code
    with time_machine.travel(moment + timedelta(minutes=2), tick=False):
        where = client.post(f"{kept.location}/prove").location
        (newest,) = mails(relay, moment + timedelta(minutes=2))
        code = re.search(r"^ +(\d{3} \d{3})\s*$", newest, re.MULTILINE)
        assert code
        assert client.post(where, data={"code": code[1]}).status_code == 303
        assert client.post(where, data={"code": code[1]}).status_code == 200
    (copy,) = mails(relay, moment + timedelta(minutes=2))
    assert "Buy now at" in copy
    assert "Mallory Ltd" in copy
    assert not re.search(r"^ +(\d{3} \d{3})\s*$", copy, re.MULTILINE)
    assert len(db.session.scalars(select(Notice)).all()) == 4


def test_a_forger_s_words_do_not_come_back_to_whom_they_name(
    december: Issue, relay: MemoryRelay, now: datetime
) -> None:
    """A letter with somebody's address in From, taken or not: what is answered holds no subject, name or file name."""
    attached = spam_letter("contribute+safeguarding-news@example.org", "Buy now at https://evil.example/")
    nowhere = spam_letter("contribute+nowhere@example.org", "Buy now at https://evil.example/")
    empty = spam_letter("contribute+safeguarding-news@example.org", "")
    for letter in (attached, nowhere, empty):
        db.session.rollback()
        take_in_mail(letter, "the mailbox", now, now, kept_elsewhere=True)
    answers = mails(relay, now)

    assert len(answers) == 3
    assert [word for word in TYPED for mail in answers if word in mail] == []
    assert [mail for mail in answers if "Cheap-pills" in mail] == []


def spam_letter(to: str, text: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = "Mallory Cheap pills <victim@example.net>", to
    mail["Subject"] = "Cheap pills: https://evil.example/ Buy now"
    mail["Message-ID"] = f"<{len(text)}{len(to)}@elsewhere.example.net>"
    mail.set_content(text)
    mail.add_attachment(b"PK", maintype="application", subtype="zip", filename="Cheap-pills evil.example.docx")
    mail.add_attachment(b"GIF89a", maintype="image", subtype="gif", filename="Cheap-pills evil.example.gif")
    return mail.as_bytes()


def test_a_decision_on_what_nobody_has_proved_quotes_nobody(
    december: Issue, client: FlaskClient, relay: MemoryRelay, now: datetime
) -> None:
    with time_machine.travel(now + timedelta(minutes=2), tick=False):
        client.post("/contribute/december-2026", data=spam("victim@example.org") | opened(client, now))
    mails(relay, now + timedelta(minutes=3))
    (contribution,) = db.session.scalars(select(Contribution)).all()
    with transaction():
        triage.decline(contribution, "It is not news.", actor=None, now=now + timedelta(minutes=4))
    (told,) = mails(relay, now + timedelta(minutes=20))

    assert "It is not news." in told
    assert [word for word in TYPED if word in told] == []


# --- guessing ---------------------------------------------------------------------------------------------------


def test_guessing_at_many_addresses_from_many_networks_ends_too(december: Issue, app: Flask, now: datetime) -> None:
    """A limit for an address and one for a network hold up nobody who has many of both."""
    statuses = []
    with time_machine.travel(now, tick=False), app.test_request_context():
        for number in range(600):
            with app.test_request_context(environ_base={"REMOTE_ADDR": f"198.51.{number // 250}.{number % 250}"}):
                statuses.append(may_try_code(f"person{number}@example.org", now))

    assert statuses[:500] == [True] * 500
    assert not any(statuses[500:])


def test_a_decision_is_on_no_page_before_its_mail_leaves(december: Issue, client: FlaskClient, now: datetime) -> None:
    """It can be taken back for ten minutes: nobody reads meanwhile what may not stand."""
    contribution = sent_in(december, now)
    with transaction():
        triage.decline(contribution, "It is old news.", actor=None, now=now)
    signer: Signer = client.application.extensions["newsletter_signer"]
    key = signer.sign_id(Purpose.CONTRIBUTION, contribution.public_id)
    with time_machine.travel(now + timedelta(minutes=5), tick=False):
        early = client.get(f"/contribution/{key}").text
    with time_machine.travel(now + timedelta(minutes=11), tick=False):
        later = client.get(f"/contribution/{key}").text

    assert "It is old news." not in early
    assert "It is old news." in later


def test_nobody_s_letter_box_is_filled_by_asking_every_hour(december: Issue, app: Flask, now: datetime) -> None:
    given = []
    with app.test_request_context(environ_base={"REMOTE_ADDR": "198.51.100.7"}):
        for hour in range(24):
            moment = now.replace(hour=0, minute=30) + timedelta(hours=hour)
            given += [may_ask("victim@example.org", moment) for _time in range(6)]

    assert sum(given) == 20


# --- files and questions ----------------------------------------------------------------------------------------


def bomb() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr("word/document.xml", b"<w>" + b" " * 60_000_000)
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.docx", bomb),
        ("password.docx", lambda: bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 4_000),
        ("cut.docx", lambda: b"PK\x03\x04" + b"\xff" * 500),
        ("../../etc/passwd\r\nX: y.docx", lambda: b"no document"),
        ("empty.docx", lambda: b""),
        ("macros.docm", lambda: packed({**parts(), "word/vbaProject.bin": b"x"})),
    ],
)
def test_a_stranger_s_file_that_is_no_document_is_refused_in_words(
    december: Issue, client: FlaskClient, now: datetime, name: str, content: Callable[[], bytes]
) -> None:
    fields = opened(client, now) | {"do": "document", "d.body": "What I typed."}
    with time_machine.travel(now + timedelta(minutes=1), tick=False):
        answer = client.post(
            "/contribute/december-2026", data={**fields, "document": (io.BytesIO(content()), name)},
            content_type="multipart/form-data",
        )  # fmt: skip

    assert answer.status_code == 422
    assert "What I typed." in answer.text
    assert "X" not in answer.headers
    assert db.session.scalars(select(Contribution)).all() == []


def test_ten_thousand_words_come_back_whole(december: Issue, client: FlaskClient, now: datetime) -> None:
    text = " ".join(f"word{number}" for number in range(10_000))
    fields = spam("cara@example.org") | opened(client, now) | {"d.body": text}
    with time_machine.travel(now + timedelta(minutes=1), tick=False):
        answer = client.post("/contribute/december-2026", data=fields)

    assert answer.status_code == 422
    assert "word9999" in answer.text


@pytest.mark.parametrize(
    ("role", "on_it", "status"), [(None, True, 404), (Role.VIEWER, True, 200), (Role.ADMIN, False, 404)]
)
def test_a_question_that_is_not_asked_yet_is_shown_to_its_own_staff(
    december: Issue, app: Flask, now: datetime, role: Role | None, on_it: bool, status: int
) -> None:
    with transaction() as session:
        block = Block(
            issue_id=december.id, position=1, kind="ask_views", updated_at=now,
            data={"heading": "Not yet public", "own_page": True, "closes": "2026-12-20T17:00"},
        )  # fmt: skip
        session.add(block)
    client = app.test_client()
    if role is not None:
        on = december.mailing_list if on_it else people.policy_changes(now)
        people.sign_in(client, people.staff(now, "Nadia Khan", role, on=on))
    answer = client.get(f"/views/{block.id}")
    posted = client.post(f"/views/{block.id}", data={"body": "x"}, headers={"Sec-Fetch-Site": "same-origin"})

    assert (answer.status_code, posted.status_code) == (status, 404)
    assert ("Not yet public" in answer.text) is (status == 200)


def test_a_year_of_a_thousand_issues_is_drawn_and_laid_out_in_bounded_work(
    app: Flask, december: Issue, now: datetime
) -> None:
    with transaction() as session:
        for number in range(1_000):
            at = now.replace(year=2027, month=1) + timedelta(hours=8 * number)
            made = Issue(list_id=december.list_id, slug=f"issue-{number}", title=f"Issue {number}", subject="News")
            made.planned_at, made.created_at = at, now
            session.add(made)
        cadence.choose(december.mailing_list, cadence.PRESETS[0].rhythm, actor=None, now=now)
    client, asked = app.test_client(), []
    with time_machine.travel(now, tick=False):
        people.sign_in(client, people.staff(now, "Ruth Adeyemi", Role.ADMIN))
        event.listen(db.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        answer = client.get("/desk/lists/safeguarding-news/year/2027")

    assert answer.status_code == 200
    assert len(asked) < 40, "as many as for a year of four issues"
