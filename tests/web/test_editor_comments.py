"""Ruth and Ewan talk about the words on the desk; Helen, without an account, by a link to the draft."""

import re
from datetime import datetime, timedelta
from html import unescape

import pytest
import time_machine
from flask.testing import FlaskClient

from newsletter.db import db, transaction
from newsletter.domain.issues import commenting, sharing
from newsletter.models import Account, Comment, DraftShare, Issue
from newsletter.states import Role
from tests import people
from tests.web import desk

ISSUE = "/desk/issues/january-2027"


@pytest.fixture(autouse=True)
def _at_work(now: datetime) -> object:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def ruth(client: FlaskClient, now: datetime) -> Account:
    return desk.ruth(client, now)


@pytest.fixture
def january(ruth: Account, now: datetime) -> Issue:
    mailing_list = people.larkmere(now)
    people.subscribers(now, mailing_list, 5)
    return desk.january(now, mailing_list, ruth)


def _comments() -> list[Comment]:
    db.session.expire_all()
    return db.session.query(Comment).order_by(Comment.id).all()


# --- the team ----------------------------------------------------------------------------------------------------


def test_a_comment_beside_the_section_comes_back_to_the_section(client: FlaskClient, january: Issue) -> None:
    section = desk.block_id(january, "section")
    answer = client.post(f"{ISSUE}/comments", data={"about": section, "body": "Which days?", "from": "desk"})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{ISSUE}/write/{section}#comment-")
    (said,) = _comments()
    sheet = client.get(f"{ISSUE}/write/{section}").text
    assert "1 comment on this section" in sheet
    assert "Which days?" in sheet
    assert "Which days?" not in client.get(f"{ISSUE}/write/{desk.block_id(january, 'contact')}").text
    answer = client.post(f"{ISSUE}/comments/{said.id}/resolve", data={"from": "desk"})
    assert answer.headers["Location"] == f"{ISSUE}/write/{section}#comments"
    assert "Which days?" not in client.get(f"{ISSUE}/write/{section}").text


def test_the_page_of_all_comments(client: FlaskClient, january: Issue) -> None:
    assert "Nobody has said anything yet" in client.get(f"{ISSUE}/comments").text
    page = client.post(f"{ISSUE}/comments", data={"about": "", "body": "Too <b>long</b>"}, follow_redirects=True).text
    assert "1 comment waits" in page
    assert "Too &lt;b&gt;long&lt;/b&gt;" in page
    (said,) = _comments()
    page = client.post(f"{ISSUE}/comments/{said.id}/resolve", follow_redirects=True).text
    assert "No comment waits" in page
    assert "Those that are resolved" in page
    assert "1 comment waits" in client.post(f"{ISSUE}/comments/{said.id}/reopen", follow_redirects=True).text


def test_what_cannot_be_said_comes_back_with_every_word(client: FlaskClient, january: Issue) -> None:
    for data, words in (
        ({"about": "", "body": " "}, "Write what you want to say"),
        ({"about": "", "body": "y" * 2_001}, "2,000 characters or fewer"),
        ({"about": "00000000-0000-4000-8000-000000000000", "body": "zanzibar"}, "This section is gone"),
        ({"about": "nonsense", "body": "zanzibar"}, "This section is gone"),
    ):
        answer = client.post(f"{ISSUE}/comments", data=data)
        assert (answer.status_code, words in answer.text) == (422, True), data
        assert data["body"].strip() in answer.text
    assert _comments() == []


def test_a_viewer_reads_and_says_nothing(client: FlaskClient, january: Issue, now: datetime) -> None:
    client.post(f"{ISSUE}/comments", data={"about": "", "body": "Which days?"})
    people.sign_in(client, people.staff(now, "Vera Nkosi", Role.VIEWER))
    page = client.get(f"{ISSUE}/comments").text
    assert "Which days?" in page
    assert "Say something" not in page
    assert client.post(f"{ISSUE}/comments", data={"about": "", "body": "No"}).status_code == 403


# --- a link to the draft -----------------------------------------------------------------------------------------


def _link(client: FlaskClient, **typed: str) -> str:
    """Make a link on the page and read it there, as Ruth copies it."""
    page = client.post(
        f"{ISSUE}/share", data={"for_whom": "Helen", "days": "7", "may_comment": "y", **typed}, follow_redirects=True
    ).text
    found = re.search(r'value="https://news\.example\.org(/draft/[A-Za-z0-9_-]+)"', page)
    assert found is not None, page
    return unescape(found[1])


def _token(page: str) -> str:
    return page.split('name="form" value="')[1].split('"')[0]


def test_helen_reads_the_draft_and_nobody_else_finds_it(client: FlaskClient, january: Issue) -> None:
    address = _link(client)
    client.post(f"{ISSUE}/comments", data={"about": "", "body": "Among ourselves"})
    helen = client.application.test_client()
    answer = helen.get(address)
    assert answer.status_code == 200
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert "Set-Cookie" not in answer.headers
    assert ">Draft</strong>" in answer.text
    assert "We will run four practice days in March." in answer.text
    assert "Among ourselves" not in answer.text
    assert helen.get(address[:-1] + "!").status_code == 400
    assert helen.get("/news/january-2027").status_code == 404


def test_helen_comments_on_a_section(client: FlaskClient, january: Issue) -> None:
    address, section = _link(client), desk.block_id(january, "section")
    helen = client.application.test_client()
    page = helen.get(f"{address}?about={section}").text
    assert f'<option value="{section}" selected' in page
    typed = {"about": section, "body": "Which days?", "name": "Helen Moss", "form": _token(page)}
    answer = helen.post(address, data={**typed, "name": ""})
    assert (answer.status_code, "Enter your name" in answer.text, "Which days?" in answer.text) == (422, True, True)
    answer = helen.post(address, data=typed)
    assert answer.status_code == 303
    page = helen.get(answer.headers["Location"]).text
    assert "The editors have your comment" in page
    assert "Helen Moss" in page
    assert "Helen Moss" in client.get(f"{ISSUE}/write/{section}").text
    assert "By the link for Helen" in client.get(f"{ISSUE}/comments").text


def test_machines_and_floods_say_nothing(client: FlaskClient, january: Issue) -> None:
    address = _link(client)
    helen = client.application.test_client()
    typed = {"about": "", "body": "Hello", "name": "Helen", "form": _token(helen.get(address).text)}
    assert helen.post(address, data={**typed, "form": "forged"}).status_code == 400
    assert helen.post(address, data={**typed, "website": "https://example.org"}).status_code == 303
    assert _comments() == []
    for _number in range(30):
        assert helen.post(address, data=typed).status_code == 303
    last = helen.post(address, data={**typed, "body": "zanzibar"})
    assert (last.status_code, "zanzibar" in last.text) == (429, True)
    assert len(_comments()) == 30


def test_a_link_that_only_shows_takes_no_comment(client: FlaskClient, january: Issue) -> None:
    address = _link(client, may_comment="")
    helen = client.application.test_client()
    page = helen.get(address).text
    assert "What do you think?" not in page
    form = _token(client.application.test_client().get("/subscribe").text)
    answer = helen.post(address, data={"about": "", "body": "Hello", "name": "Helen", "form": form})
    assert (answer.status_code, _comments()) == (422, [])


def test_a_link_ends_by_itself_or_by_hand(client: FlaskClient, january: Issue, now: datetime) -> None:
    address, other = _link(client, days="3"), _link(client, for_whom="Cara")
    helen = client.application.test_client()
    number = db.session.query(DraftShare).filter_by(for_whom="Cara").one().id
    page = client.post(f"{ISSUE}/share/{number}/revoke", follow_redirects=True).text
    assert "The link for Cara opens nothing any more." in page
    assert helen.get(other).status_code == 410
    assert helen.get(address).status_code == 200
    with time_machine.travel(now + timedelta(days=3), tick=False):
        ended = helen.get(address)
        assert (ended.status_code, "Ask whoever sent it to you" in ended.text) == (410, True)


def test_the_form_of_a_link_says_what_is_missing(client: FlaskClient, january: Issue) -> None:
    answer = client.post(f"{ISSUE}/share", data={"for_whom": "", "days": "7"})
    assert (answer.status_code, "Say whom the link is for" in answer.text) == (422, True)
    assert client.post(f"{ISSUE}/share", data={"for_whom": "Helen", "days": "400"}).status_code == 422
    assert sharing.shares_of(january) == []


def test_once_it_is_out_the_link_leads_to_its_page(client: FlaskClient, january: Issue, now: datetime) -> None:
    address = _link(client)
    client.post(f"{ISSUE}/comments", data={"about": "", "body": "Which days?"})
    with transaction():
        db.session.get_one(Issue, january.id).published_at = now
    answer = client.application.test_client().get(address)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/news/january-2027")
    assert commenting.unresolved(january) == 1
