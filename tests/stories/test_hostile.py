"""People who mean harm, and people who want to be forgotten: what each of them finds at the end of the whole way."""

import logging
import re
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from newsletter import addresses
from newsletter.db import db, transaction
from newsletter.delivery.notices.outbox import deliver_notices
from newsletter.domain.calls.decisions import triage
from newsletter.domain.calls.handing_in import contributing
from newsletter.domain.calls.texts.news import News
from newsletter.domain.issues import creating
from newsletter.domain.issues.content import issue_content
from newsletter.domain.issues.documents import import_document, read_text
from newsletter.domain.staff import mailing_lists
from newsletter.domain.subscribers import forgetting, importing, offering, subscribing
from newsletter.errors import Invalid
from newsletter.mail.memory import MemoryRelay
from newsletter.models import (
    Account,
    Activity,
    Contribution,
    Delivery,
    Issue,
    MailboxMessage,
    MailingList,
    SignUp,
    Subscription,
)
from newsletter.rendering import rich
from newsletter.rendering.issue import render
from newsletter.states import DeliveryState, Role
from tests import people

XSS = "<script>alert(1)</script><img src=x onerror=alert(2)>"
#: The marks of the above where they would run; escaped, they are words.
RUNS = re.compile(r"<script>alert|<img src=x|onerror=alert\(2\)>(?<!&gt;)", re.IGNORECASE)


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def ruth(quarterly: MailingList, now: datetime) -> Account:
    return people.staff(now, "Ruth Adeyemi", Role.ADMIN)


def contribution(issue: Issue, now: datetime, **words: str) -> Contribution:
    news = {
        "title": "Training on neglect",
        "body": "Two half days in February.",
        "agency": "Larkmere Council",
        "contact_name": "Cara Bell",
        "contact_address": "cara@council.example.org",
        "contact_phone": "01632 960 117",
    }
    with transaction():
        return contributing.save_contribution(issue, News(**(news | words)), opened_at=now, now=now).contribution


def every_page(client: FlaskClient, found: list[str]) -> dict[str, str]:
    """The pages at these addresses, by address; all of them are there."""
    pages = {}
    for address in found:
        answer = client.get(address)
        assert answer.status_code == 200, address
        pages[address] = answer.text
    return pages


def test_markup_that_strangers_type_is_words_wherever_staff_and_readers_see_it(
    app: Flask, quarterly: MailingList, ruth: Account, now: datetime
) -> None:
    """A contributor, a subscriber, a document, a mail server and a mail, each with a script in all its words."""
    issue = creating_issue(quarterly, ruth, now)
    sent = contribution(issue, now, title=XSS, body=f"{XSS}\n\n- {XSS}", agency=XSS, contact_name=XSS)
    with transaction():
        triage.place(sent, issue=issue, mail=triage.Mail(send=False), actor=ruth, now=now)
        import_document(issue, read_text(f"{XSS}\n{'=' * 60}\n\n{XSS}\n\n* {XSS}\n* {XSS}\n"), actor=ruth, now=now)
    sheet = f'email,name,organisation\nreader@example.org,"{XSS}","{XSS}"\n'.encode()
    path = Path(app.config["NEWSLETTER"].data_dir) / "sheet.csv"
    path.write_bytes(sheet)
    importing.import_csv(path, quarterly, source=XSS, basis_note=XSS, actor=ruth, now=now)
    subscription = db.session.scalars(select(Subscription)).one()
    subscriber = subscription.subscriber
    assert subscriber is not None
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = XSS, "x@example.org", "reader@example.org"
    mail.set_content(XSS)
    mail.add_alternative(f"<p>{XSS}</p>", subtype="html")
    with transaction() as session:
        message = MailboxMessage(
            at=now, sender="x@example.org", recipient="reader@example.org", subject=XSS, source=mail.as_bytes()
        )
        reply = f"550 5.1.1 {XSS}"
        delivery = Delivery(
            issue_id=issue.id, subscription_id=subscription.id, state=DeliveryState.REFUSED, updated_at=now, reply=reply
        )
        session.add_all([message, delivery])
        session.add(Activity(at=now, action="issue.paused", actor_name=XSS, detail={"reason": XSS}))
    client = app.test_client()
    with time_machine.travel(now, tick=False):
        people.sign_in(client, ruth)
        pages = every_page(
            client,
            [
                "/",
                f"/contribute/{issue.slug}",
                "/desk",
                "/desk/contributions",
                f"/desk/contributions/{sent.reference}",
                f"/desk/issues/{issue.slug}",
                f"/desk/issues/{issue.slug}/checks",
                *(f"/desk/issues/{issue.slug}/write/{block.id}" for block in issue.blocks),
                *(f"/desk/issues/{issue.slug}/preview/{form}" for form in ("html", "text", "web")),
                f"/desk/issues/{issue.slug}/sending/refused",
                "/desk/subscribers",
                f"/desk/subscribers/{subscriber.public_id}",
                "/desk/activity",
                "/desk/notices",
                "/desk/mailbox",
                *(f"/desk/mailbox/{message.id}?view={view}" for view in ("text", "headers", "source", "html")),
            ],
        )
        shown = client.get(f"/desk/mailbox/{message.id}/html")
    assert {address for address, text in pages.items() if RUNS.search(text)} == set()
    assert any("&lt;script&gt;" in text for text in pages.values()), "the words themselves are shown"
    assert shown.headers["Content-Security-Policy"].startswith("sandbox allow-same-origin; default-src 'none'")
    assert "allow-scripts" not in shown.headers["Content-Security-Policy"]


def creating_issue(mailing_list: MailingList, actor: Account, now: datetime) -> Issue:
    """An issue with the sections that every issue has, and an open call."""
    plain = people.issue(now, mailing_list, slug="plain")
    with transaction():
        return creating.create_issue(
            mailing_list, title="December 2026", deadline=plain.deadline, planned_at=None, actor=actor, now=now
        )


def test_nothing_typed_into_names_begins_another_header(
    app: Flask, quarterly: MailingList, ruth: Account, relay: MemoryRelay, now: datetime
) -> None:
    """A list's name is refused; a stranger's name is stripped, and the mail to them is like any other."""
    for field in ("name", "sender_name", "strapline", "why"):
        for sign in ("\r\n", "\n", "\0", "\x0b", "\x85", "\u2028", "\u202e"):
            details = vars(mailing_lists.details_of(quarterly)) | {field: f"News{sign}Bcc: x@example.org"}
            with pytest.raises(Invalid), transaction():
                mailing_lists.change_list(quarterly, mailing_lists.ListDetails(**details), actor=ruth, now=now)
    name = "Ada\r\nBcc: x@example.org\u202e\0\u2028 Lovelace"
    with transaction():
        subscribing.request_subscription(
            address="ada@example.org",
            lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
            name=name,
            source="sign-up form",
            now=now,
        )
    deliver_notices(now)
    envelope = relay.accepted_for("ada@example.org")[0]
    head = envelope.message.split(b"\r\n\r\n")[0]

    assert not re.search(rb"^Bcc:", head, re.MULTILINE | re.IGNORECASE)
    assert b"Lovelace" not in envelope.message, "a confirmation repeats nothing that a stranger typed"


@pytest.mark.parametrize("address", ["a@example.org\r\nBcc: b@example.org", "-oQ/tmp@example.org\n", "a\0@example.org"])
def test_an_address_with_line_ends_is_refused_in_words(address: str) -> None:
    if address.strip() == address:
        with pytest.raises(Invalid, match="line breaks or control characters"):
            addresses.clean(address)
    else:
        assert "\n" not in addresses.clean(address)


def test_who_is_forgotten_stands_in_no_file_of_ours(
    app: Flask, quarterly: MailingList, ruth: Account, relay: MemoryRelay, now: datetime
) -> None:
    """Every byte of the data directory, the database's own log too, is looked at afterwards."""
    who, name = "zebulon.quillfeather@unusual.example.org", "Zebulon Quillfeather"
    issue = creating_issue(quarterly, ruth, now)
    with transaction():
        subscribing.request_subscription(
            address=who,
            lists_with_wordings=[(one.mailing_list, one.wording) for one in offering.offers(now)],
            name=name,
            source="sign-up form",
            now=now,
        )
    deliver_notices(now)
    sign_up = db.session.scalars(select(SignUp)).one()
    with transaction():
        subscribing.confirm(sign_up, now=now)
    contribution(issue, now, contact_address=who, contact_name=name)
    subscription = db.session.scalars(select(Subscription)).one()
    with transaction() as session:
        reply = f"550 5.1.1 <{who}>: unknown user"
        session.add(
            Delivery(
                issue_id=issue.id,
                subscription_id=subscription.id,
                state=DeliveryState.REFUSED,
                updated_at=now,
                reply=reply,
            )
        )
        session.add(
            MailboxMessage(at=now, sender="n@example.org", recipient=who, subject=name, source=f"To: {who}".encode())
        )
    assert traces(app, who, name), "it was there"
    with transaction():
        erased = forgetting.erase_address(who, route="own wish", now=now)

    assert erased.anything
    assert traces(app, who, name) == []


def traces(app: Flask, *words: str) -> list[str]:
    """The files of the data directory that hold one of the words."""
    db.session.remove()
    folder: Path = app.config["NEWSLETTER"].data_dir
    return [
        f"{path.name}: {word}"
        for path in folder.rglob("*")
        if path.is_file()
        for word in words
        if word.lower().encode() in path.read_bytes().lower()
    ]


def test_no_log_names_anybody_or_holds_a_key(
    app: Flask,
    quarterly: MailingList,
    ruth: Account,
    relay: MemoryRelay,
    now: datetime,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("sqlalchemy").setLevel(logging.WARNING)
    who = "zebulon.quillfeather@unusual.example.org"
    client = app.test_client()
    with time_machine.travel(now, tick=False):
        token = re.search(r'name="form" value="([^"]+)"', client.get("/subscribe").text)
    assert token is not None
    with time_machine.travel(now.replace(minute=30), tick=False):
        fields = {"email": who, "lists": quarterly.slug, "form": token[1], "name": "Zebulon"}
        client.post("/subscribe", data=fields)
        deliver_notices(now.replace(minute=30))
        mail = relay.accepted_for(who)[0].message.decode().replace("=\r\n", "").replace("=3D", "=")
        link = re.search(r"/confirm/([A-Za-z0-9_-]+)", mail)
        assert link is not None
        page = client.get(f"/confirm/{link[1]}").text
        form = re.search(r'name="form" value="([^"]+)"', page)
        assert form is not None
        assert client.post(f"/confirm/{link[1]}", data={"form": form[1]}).status_code == 200
    assert db.session.scalars(select(Subscription)).one()
    said = caplog.text

    assert who not in said.lower()
    assert link[1] not in said
    assert app.config["NEWSLETTER"].secret_keys[0] not in said
    rows = " ".join(repr(vars(row)) for row in db.session.scalars(select(Activity)))
    assert who not in rows.lower()
    assert link[1] not in rows


@pytest.mark.parametrize("kind", ["deep", "wide", "comment", "conditional", "include", "jinja", "mustache"])
def test_rich_text_of_any_shape_makes_a_mail_or_a_sentence(
    app: Flask, quarterly: MailingList, ruth: Account, now: datetime, kind: str
) -> None:
    from newsletter.domain.issues import editing

    body = {
        "deep": "<ul><li>" * 10_000 + "words",
        "wide": "<b>w</b>" * 10_000,
        "comment": "words <!-- <mj-raw><script>alert(1)</script></mj-raw> -->",
        "conditional": "words <!--[if mso]><script>alert(1)</script><![endif]-->",
        "include": 'words <mj-include path="/etc/passwd" /><mj-raw><script>alert(1)</script></mj-raw>',
        "jinja": "words {{ config }} {% include '/etc/passwd' %} {{ 7 * 7 }}",
        "mustache": "words {unsubscribe_url} {{unsubscribe_url}} {0} %(x)s",
    }[kind]
    issue = creating_issue(quarterly, ruth, now)
    try:
        with transaction():
            editing.add_block(issue, "section", {"heading": "News", "body": body}, actor=ruth, now=now)
        rendered = render(issue_content(issue))
    except Invalid as refused:
        assert str(refused)
        return
    assert "w" in rendered.html
    assert "<script" not in rendered.html
    assert "root:" not in rendered.html
    assert " 49 " not in rendered.text


#: Text that a careless pattern reads in the square of its length, which for these is minutes.
ENDLESS = {
    "a word": "A" * 400_000,
    "digits": "1" * 400_000,
    "a line": "-" * 400_000 + "x",
    "hashes": "# x" + "#" * 400_000 + "y",
    "signs": "x " + "a@" * 200_000,
    "spaces": "x" + " " * 400_000 + "y",
}


@pytest.mark.parametrize("what", ENDLESS)
def test_a_document_of_one_endless_word_is_read_while_one_waits(what: str) -> None:
    assert read_text(ENDLESS[what]).proposals


@pytest.mark.parametrize("start", ["<" + "@" * 90_000, "<" + "a@" * 45_000, "<" + "://" * 30_000])
def test_an_address_in_brackets_that_never_close(start: str) -> None:
    assert not re.search("<(?!/?p>)", rich.sanitise(start))


def test_addresses_in_angle_brackets_are_words() -> None:
    typed = "Write to <bethan@example.org> or see <https://example.org/a>, <b>not</b> <x@> or <@x>."

    assert "&lt;bethan@example.org&gt; or see &lt;https://example.org/a&gt;, <strong>not</strong>" in rich.sanitise(
        typed
    )
