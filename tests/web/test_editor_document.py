"""Ruth brings in a document: she sees each section as it will look, decides, and only then is it written."""

import re
from datetime import datetime, timedelta
from io import BytesIO

import pytest
import time_machine
from flask.testing import FlaskClient

from newsletter.db import db, transaction
from newsletter.models import Account, Block, Issue, ReadDocument
from newsletter.states import Role
from tests import people
from tests.fixtures.documents.make_word import FILE
from tests.web import desk

PAGE = "/desk/issues/january-2027/document"
WORD = FILE.read_bytes()


@pytest.fixture(autouse=True)
def today(now: datetime) -> object:
    with time_machine.travel(now, tick=False) as clock:
        yield clock


@pytest.fixture
def ruth(client: FlaskClient, now: datetime) -> FlaskClient:
    account = desk.ruth(client, now)
    desk.january(now, people.larkmere(now), account)
    return client


def _issue() -> Issue:
    return db.session.query(Issue).filter_by(slug="january-2027").one()


def _brought(client: FlaskClient, content: bytes = WORD, name: str = "larkmere.docx") -> str:
    answer = client.post(PAGE, data={"file": (BytesIO(content), name)}, content_type="multipart/form-data")
    assert answer.status_code == 303, re.findall(r'error-message">(.*?)</p>', answer.text, re.DOTALL)
    return str(answer.headers["Location"])


def test_a_word_document_is_shown_as_it_will_look_and_nothing_is_written(ruth: FlaskClient) -> None:
    before = db.session.query(Block).count()
    shown = ruth.get(_brought(ruth)).text
    assert "7 sections were found" in shown
    assert "Import 7 sections" in shown
    assert 'alt="The boathouse by the lake"' in shown
    assert '<a href="https://guide.example.org/neglect?chapter=4&amp;print=yes">the guide to neglect</a>' in shown
    assert "Colours and fonts, 1 comment, 1 tracked deletion, 1 piece of hidden text" in shown
    assert "Is this true of Oakfield?" in shown
    assert "Friday 15 January 2027" in shown
    assert db.session.query(Block).count() == before


@pytest.mark.parametrize(("day", "offered"), [("15 January 2027", True), ("19 January 2018", False)])
def test_the_deadline_that_it_names_is_offered_while_it_is_ahead(ruth: FlaskClient, day: str, offered: bool) -> None:
    with transaction():
        _issue().next_issue = None
    text = f"News\n\nWe moved.\n\nFuture newsletters\n\nThe deadline for the next bulletin is {day}."
    where = ruth.post(PAGE, data={"text": text}).headers["Location"]
    assert f"{day}." in ruth.get(where).text
    page = ruth.post(where, data={"do": "add"}, follow_redirects=True).text
    assert "sections were added." in page or "section was added." in page
    assert ("Set it for the next issue" in page) is offered


def test_choices_are_kept_and_shown_and_then_written(ruth: FlaskClient) -> None:
    where = _brought(ruth)
    chosen = {"do-0": "keep", "kind-0": "findings", "do-1": "drop", "do-2": "keep", "do-3": "merge"}
    chosen |= {"do-4": "drop", "do-6": "drop"}
    answer = ruth.post(where, data={**chosen, "look": "0"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{where}#part-0")
    shown = ruth.get(where).text
    assert "Import 3 sections" in shown
    assert shown.count("Left out</span>") == 3
    assert "Goes into the section above" in shown
    assert '<option value="findings" selected>' in shown
    added = ruth.post(where, data={**chosen, "do": "add"})
    assert added.status_code == 303
    kinds = [block.kind for block in _issue().blocks]
    assert kinds.count("findings") == 1
    assert "table" not in kinds
    office = next(block for block in _issue().blocks if block.data.get("heading") == "New in the office")
    assert "bethan@example.org" in office.data["body"]
    assert db.session.query(ReadDocument).count() == 0
    assert ruth.get(where).status_code == 404


def test_words_without_a_place_are_shown_and_can_be_added(ruth: FlaskClient) -> None:
    from tests.fixtures.documents.make_word import packed, paragraph, parts

    ruby = "<w:r><w:ruby><w:rubyBase><w:r><w:t>Llanfair</w:t></w:r></w:rubyBase></w:ruby></w:r>"
    where = _brought(ruth, packed(parts(paragraph("News", style="Heading1") + paragraph("Text.") + paragraph(ruby))))
    shown = ruth.get(where).text
    assert "These words have no place yet." in shown
    assert 'id="unplaced" checked' in shown
    ruth.post(where, data={"look": "0"})
    assert 'id="unplaced" checked' not in ruth.get(where).text
    ruth.post(where, data={"do": "add", "unplaced": "yes"})
    assert any("Llanfair" in str(block.data) for block in _issue().blocks)


def test_a_paste_with_its_links_is_read_as_what_it_was(ruth: FlaskClient) -> None:
    pasted = '<h1>News</h1><p>See <a href="https://example.org/a">the guide</a>.</p>'
    answer = ruth.post(PAGE, data={"text": "News\n\nSee the guide.", "pasted": pasted})
    assert '<a href="https://example.org/a">the guide</a>' in ruth.get(answer.headers["Location"]).text


def test_nothing_kept_is_nothing_brought_in(ruth: FlaskClient) -> None:
    where = _brought(ruth, b"News\n\nText.", "news.txt")
    answer = ruth.post(where, data={"do-0": "drop", "do": "add"})
    assert answer.status_code == 422
    assert "Every section is left out" in answer.text
    assert "There is a problem" in answer.text


@pytest.mark.parametrize(
    "typed",
    [
        {"do-0": "nonsense", "kind-0": "masthead", "look": "x"},
        {"do-0": "merge", "kind-0": "nonsense", "look": "9" * 400},
        {f"do-{number}": "drop" for number in range(50)},
    ],
)
def test_choices_that_no_page_offers_change_nothing_else(ruth: FlaskClient, typed: dict[str, str]) -> None:
    where = _brought(ruth, b"News\n\nText.", "news.txt")
    assert ruth.post(where, data=typed).status_code == 303
    assert ruth.get(where).status_code == 200


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"%PDF-1.7", "x.pdf", "lost its paragraphs"),
        (b"PK\x03\x04broken", "x.docx", "damaged"),
        (b"", "x.txt", "no words"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "x.doc", "Save it as .docx"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(ruth: FlaskClient, content: bytes, name: str, words: str) -> None:
    answer = ruth.post(
        PAGE, data={"file": (BytesIO(content), name), "text": "kept"}, content_type="multipart/form-data"
    )
    assert answer.status_code == 422
    assert words in answer.text
    assert "kept" in answer.text
    assert db.session.query(ReadDocument).count() == 0


def test_what_was_read_is_nobody_elses_and_kept_for_a_day(
    ruth: FlaskClient, now: datetime, today: time_machine.Traveller
) -> None:
    where = _brought(ruth)
    other = ruth.application.test_client()
    people.sign_in(other, people.staff(now, "Ada Lindqvist", Role.EDITOR))
    assert other.get(where).status_code == 404
    assert other.post(where, data={"do": "add"}).status_code == 404
    assert ruth.get(where).status_code == 200
    today.move_to(now + timedelta(days=1))
    people.sign_in(ruth, db.session.query(Account).filter_by(name="Ruth Adeyemi").one())
    answer = ruth.get(where)
    assert (answer.status_code, "more than a day ago" in answer.text) == (404, True)


def test_a_scheduled_issue_takes_no_document(ruth: FlaskClient, now: datetime) -> None:
    where = _brought(ruth, b"News\n\nText.", "news.txt")
    issue, ewan = _issue(), people.staff(now, "Ewan Marsh", Role.APPROVER)
    desk.approve(issue, ewan, now)
    people.subscribers(now, issue.mailing_list, 1)
    desk.schedule(issue, ewan, now, now + timedelta(days=1))
    assert ruth.post(where, data={"do": "add"}).status_code == 422
    assert ruth.post(PAGE, data={"text": "News\n\nText."}).status_code == 422


# --- issues of the past ---------------------------------------------------------------------------------------

PAST = {"title": "December 2017", "day": "4 December 2017", "list": "safeguarding-news"}


def _past(client: FlaskClient, **typed: object) -> str:
    data = {**PAST, "file": (BytesIO(WORD), "december.docx"), **typed}
    answer = client.post("/desk/past", data=data, content_type="multipart/form-data")
    assert answer.status_code == 303, re.findall(r'error-message">(.*?)</p>', answer.text, re.DOTALL)
    return str(answer.headers["Location"])


def test_a_past_issue_is_brought_in_and_stands_in_the_archive(ruth: FlaskClient, now: datetime) -> None:
    found = _past(ruth)
    added = ruth.post(found, data={"do": "add"})
    assert added.headers["Location"] == "/desk/issues/december-2017/past"
    shown = ruth.get(added.headers["Location"]).text
    assert "It went out on Monday 4 December 2017. It is never sent" in shown.replace("\u00a0", " ")
    assert ruth.get("/news/december-2017").status_code == 404
    people.sign_in(ruth, people.staff(now, "Ewan Marsh", Role.APPROVER))
    published = ruth.post(added.headers["Location"])
    assert published.status_code == 303
    assert "is in the archive" in ruth.get(published.headers["Location"]).text
    page = ruth.get("/news/december-2017").text.replace("\u00a0", " ")
    assert "Neglect practice week" in page
    assert "Sent on Monday 4 December 2017" in page
    assert "December 2017" in ruth.get("/news").text
    assert "December 2017" not in ruth.get("/feed.atom").text
    for where in ("", "/sending"):
        assert ruth.get(f"/desk/issues/december-2017{where}").headers["Location"].endswith("/past")
    assert ruth.post(added.headers["Location"]).status_code == 422


def test_who_may_only_look_does_not_publish(ruth: FlaskClient, now: datetime) -> None:
    ruth.post(_past(ruth), data={"do": "add"})
    people.sign_in(ruth, people.staff(now, "Nia Vaughan", Role.VIEWER))
    assert "Put it in the archive" not in ruth.get("/desk/issues/december-2017/past").text
    assert ruth.post("/desk/issues/december-2017/past").status_code == 403


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"title": " "}, "Give the issue a title"),
        ({"day": "soon"}, "Enter a date"),
        ({"day": "4 December 2099"}, "a day that is over"),
        ({"day": ""}, "Enter a date"),
        ({"file": (BytesIO(b"%PDF-"), "x.pdf")}, "lost its paragraphs"),
        ({"list": "nowhere"}, "Not a valid choice"),
    ],
)
def test_a_past_issue_that_cannot_be_is_refused_at_its_field(
    ruth: FlaskClient, typed: dict[str, object], words: str
) -> None:
    data = {**PAST, "text": "News\n\nText.", **typed}
    answer = ruth.post("/desk/past", data=data, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert words in answer.text
    assert db.session.query(Issue).filter_by(archive_only=True).count() == 0


def test_the_usual_issue_has_no_such_page(ruth: FlaskClient) -> None:
    assert ruth.get("/desk/issues/january-2027/past").headers["Location"] == "/desk/issues/january-2027"
