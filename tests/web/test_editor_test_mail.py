"""Ruth sends herself a test of the autumn issue, and reads what a real mail server was given."""

import email
import email.policy
import re
from datetime import datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from newsletter.config import current_settings
from newsletter.db import transaction
from newsletter.delivery.notices import outbox
from newsletter.domain.issues import creating, editing
from newsletter.domain.issues.documents import import_document, read_text
from newsletter.mail.smtp import SmtpRelay
from newsletter.models import Issue
from tests import people
from tests.domain.issue_makers import NEXT_DEADLINE, autumn_mended
from tests.smtp_servers import AcceptingServer
from tests.web import desk

URL = "/desk/issues/autumn-2026"
#: What makes a mail program fetch or run something as it shows a message.
_FETCHED = {"src", "srcset", "background", "poster", "data"}


class Shown(HTMLParser):
    """The mail as a mail program takes it: its language, headings, links, and what it would fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.language = ""
        self.headings: list[tuple[str, str]] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.language = self.language or (values.get("lang", "") if tag == "html" else "")
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append((tag, ""))
        if tag == "a":
            self.links.append(values.get("href", ""))
        self.fetched += [value for name, value in values.items() if name in _FETCHED]
        self.fetched += [values.get("href", "")] if tag == "link" else []

    def handle_data(self, data: str) -> None:
        if self.headings and (self.lasttag == self.headings[-1][0] or not self.headings[-1][1]):
            tag, words = self.headings[-1]
            self.headings[-1] = (tag, words + data)

    def handle_endtag(self, tag: str) -> None:
        if self.headings and tag == self.headings[-1][0]:
            self.lasttag = ""


@pytest.fixture(autouse=True)
def _at_work(now: datetime) -> object:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def issue(app: Flask, client: FlaskClient, now: datetime) -> Issue:
    """The autumn issue with its holes filled, in Ruth's hands, and the spring deadline."""
    mailing_list = people.larkmere(now)
    ruth = desk.ruth(client, now)
    with transaction():
        made = creating.create_issue(mailing_list, title="Autumn 2026", actor=ruth, now=now)
        import_document(made, read_text(autumn_mended()), actor=ruth, now=now)
        creating.ensure_next_issue(made, title="Spring 2027", deadline=NEXT_DEADLINE, actor=ruth, now=now)
    return made


def _received(server: AcceptingServer, now: datetime) -> EmailMessage:
    assert outbox.deliver_notices(now) == 1
    (received,) = server.accepted
    assert received.recipient == "ruth@example.org"
    message = email.message_from_bytes(received.message, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def _content(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def _words(text: str) -> str:
    return " ".join(re.sub(r"[^\w@./:?&=%#+-]+", " ", text.replace("\u00a0", " ")).split()).casefold()


def test_the_test_that_arrives_is_the_mail_as_readers_will_get_it(
    app: Flask, client: FlaskClient, issue: Issue, now: datetime
) -> None:
    with AcceptingServer() as server:
        app.extensions["newsletter_relay"] = SmtpRelay.from_url(server.url)
        client.post(f"{URL}/test", data={"known": "ruth@example.org"})
        message = _received(server, now)
    assert message["Subject"].startswith("[Test] ")
    assert re.fullmatch(r"<https://\S+>", message["List-Unsubscribe"])
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    shown, text = Shown(_content(message, "html")), _content(message, "plain")
    assert shown.language == "en-GB"
    assert [tag for tag, _words_of in shown.headings].count("h1") == 1
    ours = urlsplit(current_settings().public_url).netloc
    assert {urlsplit(address).netloc for address in shown.fetched} <= {ours, ""}
    assert "@import" not in _content(message, "html")
    said = _words(text)
    assert len(shown.headings) > 10
    for _tag, heading in shown.headings:
        assert _words(heading) in said
    own_page = f"{current_settings().public_url}/news/"  # its table of contents leads to places on it
    for address in set(shown.links):
        wanted = address.partition("#")[0] if address.startswith(own_page) else address
        assert wanted.removeprefix("mailto:").removeprefix("tel:") in text.replace(" ", ""), address


def test_a_changed_word_asks_for_a_new_test(client: FlaskClient, issue: Issue, now: datetime) -> None:
    assert "Send yourself a test" in client.get(f"{URL}/test").text
    client.post(f"{URL}/test", data={"known": "ruth@example.org"})
    assert "Send a new test" not in client.get(f"{URL}/test").text
    assert "Send a new test" not in client.get(URL).text
    block = next(each for each in issue.blocks if each.kind == "section")
    with transaction():
        editing.edit_block(
            block, {**block.data, "heading": "Other words"}, expected_version=block.version, actor=None, now=now
        )
    page = client.get(f"{URL}/test").text
    assert page.count("Send a new test") == 2  # its heading and its button
    assert "The words have changed since the last one." in page
    assert "Send a new test." in client.get(URL).text
    client.post(f"{URL}/test", data={"known": "ruth@example.org"})
    assert "Send a new test" not in client.get(URL).text
