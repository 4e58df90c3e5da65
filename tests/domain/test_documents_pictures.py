"""Pictures in a Word document become sections of their own; those that nobody wants are gone after a while."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from newsletter.db import db, transaction
from newsletter.domain.issues import checking, pictures
from newsletter.domain.issues.documents import Document, import_document, read_document, remade, with_stored_pictures
from newsletter.domain.issues.documents.choosing import Choice, Decision, chosen, groups
from newsletter.domain.issues.documents.leaving_out import Left
from newsletter.models import Issue, Media
from tests import pictures as files
from tests.domain.issue_makers import Desk, desk, draft
from tests.fixtures.documents.make_word import packed, paragraph, parts, picture, relations

TWO = "".join([
    paragraph("Practice week", style="Heading1"),
    paragraph("We met by the lake.", ),
    paragraph(picture("rIdLake", "The lake at noon, with two rowing boats")),
    paragraph("Then we walked ", picture("rIdWeir", "Picture 2"), " to the weir."),
    paragraph("Training", style="Heading1"),
    paragraph("Four days in March."),
])  # fmt: skip


def _word(body: str, lake: bytes, weir: bytes) -> bytes:
    rows = (("rIdLake", "image", "media/lake.jpg", False), ("rIdWeir", "image", "media/weir.png", False))
    return packed(
        {
            **parts(body), "word/_rels/document.xml.rels": relations(*rows),
            "word/media/lake.jpg": lake, "word/media/weir.png": weir,
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def word() -> bytes:
    return _word(TWO, files.photograph(), files.drawing())


@pytest.fixture
def d(app: Flask, now: datetime) -> Desk:
    return desk(now)


def _stored(document: Document, d: Desk, now: datetime) -> Document:
    made = remade(document.pictures)
    with transaction():
        return with_stored_pictures(document, made, actor=d.ruth, now=now)


def _behind(document: Document) -> list[tuple[int, tuple[str, ...]]]:
    """How many pictures stayed behind, and what they are said to show."""
    return [(each.number, each.words) for each in document.left_out if each.what is Left.PICTURES]


def test_each_stands_below_the_section_that_it_stood_in(word: bytes) -> None:
    document = read_document(word, "week.docx", with_pictures=True)
    assert [(each.kind, each.data.get("heading"), each.data.get("alt")) for each in document.proposals] == [
        ("section", "Practice week", None),
        ("image", None, "The lake at noon, with two rowing boats"),
        ("image", None, ""),
        ("section", "Training", None),
    ]
    assert document.proposals[0].data["body"] == "<p>We met by the lake.</p><p>Then we walked to the weir.</p>"
    assert _behind(document) == []


def test_who_does_not_ask_for_them_is_told_that_they_stay_behind(word: bytes) -> None:
    document = read_document(word, "week.docx")
    assert document.pictures == ()
    assert _behind(document) == [(2, ("The lake at noon, with two rowing boats", "Picture 2"))]


def test_a_mark_above_all_words_is_no_masthead() -> None:
    body = paragraph(picture("rIdLake", "Our mark")) + TWO.replace("rIdLake", "rIdWeir")
    document = read_document(_word(body, files.drawing(), files.drawing(40, 40)), with_pictures=True)
    assert [each.kind for each in document.proposals] == ["image", "section", "image", "image", "section"]
    assert document.publication == document.strapline == ""


def test_they_are_in_the_issue_and_want_a_description(d: Desk, word: bytes, now: datetime) -> None:
    issue: Issue = draft(d, now)
    document = _stored(read_document(word, "week.docx", with_pictures=True), d, now)
    assert {each.deleted_at for each in db.session.query(Media)} == {now}, "nobody has said yet that they are wanted"
    with transaction():
        made = import_document(issue, document, actor=d.ruth, now=now)
    shown = [block for block in made if block.kind == "image"]
    assert [(block.data["alt"], block.continues) for block in shown] == [
        ("The lake at noon, with two rowing boats", True), ("", True),
    ]  # fmt: skip
    lake = pictures.find_picture(shown[0].data["media"])
    assert (lake.width, lake.content_type, lake.deleted_at) == (1200, "image/jpeg", None)
    found = checking.run_checks(issue, now)
    assert [each.block_id for each in found if each.code == "missing_alt"] == [str(shown[1].id)]


def test_what_is_left_out_is_let_go(d: Desk, word: bytes, now: datetime) -> None:
    issue: Issue = draft(d, now)
    document = _stored(read_document(word, "week.docx", with_pictures=True), d, now)
    drop = Choice(Decision.DROP)
    with transaction():
        import_document(issue, chosen(document, [Choice(), Choice(), drop, Choice()]), actor=d.ruth, now=now)
    assert len([block for block in issue.blocks if block.kind == "image"]) == 1
    with transaction():
        assert pictures.forget_deleted(now + timedelta(days=31)) == 1
    assert db.session.query(Media).count() == 1


def test_a_picture_goes_into_no_other_section(d: Desk, word: bytes, now: datetime) -> None:
    document = _stored(read_document(word, "week.docx", with_pictures=True), d, now)
    merge = Choice(Decision.MERGE)
    made = groups(document, [merge, merge, merge, merge])
    assert [block.kind for _number, block in made] == ["section", "image", "image", "section"]


def test_what_no_mail_shows_stays_behind_and_is_told(d: Desk, now: datetime) -> None:
    word = _word(TWO, b"\x01\x00\x00\x00 a drawing of another program", files.drawing())
    document = _stored(read_document(word, "week.docx", with_pictures=True), d, now)
    assert [each.kind for each in document.proposals] == ["section", "image", "section"]
    assert _behind(document) == [(1, ("The lake at noon, with two rowing boats",))]
