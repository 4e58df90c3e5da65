"""Ruth imports a whole newsletter: it is the issue, and she mends what the checks show her."""

import re
from datetime import datetime
from html import unescape

import pytest
from flask import Flask

from newsletter.db import db, transaction
from newsletter.domain.issues import checking, creating, documents, editing, headings, scheduling
from newsletter.domain.issues.content import frame, render_issue
from newsletter.errors import Refused
from newsletter.models import Block, Issue, IssueVersion
from newsletter.states import IssueState
from tests.domain.issue_makers import (
    AUTUMN,
    NEXT_DEADLINE,
    approved,
    autumn_mended,
    desk,
    draft,
    forms,
    kinds,
    words,
    written,
)
from tests.people import policy_changes, staff

TEXT = AUTUMN.read_text(encoding="utf-8")


def _imported(now: datetime, text: str = TEXT, title: str = "September 2026") -> Issue:
    d = desk(now)
    issue = draft(d, now, title)
    with transaction():
        documents.import_document(issue, documents.read_text(text), actor=d.ruth, now=now)
    return issue


def test_the_document_is_the_issue_with_one_masthead(app: Flask, now: datetime) -> None:
    issue = _imported(now)
    assert kinds(issue) == [
        "masthead", "in_this_issue", "section", "findings", "section", "section", "section", "section", "section",
        "key_dates", "call", "footer",
    ]  # fmt: skip
    assert (frame(issue).label, frame(issue).strapline) == (
        "September 2026", "What partners need to know this quarter.",
    )  # fmt: skip
    assert issue.next_issue is None
    reasons = [version.reason for version in db.session.query(IssueVersion)]
    assert reasons == ["Before a document was imported", "Imported a document"]


def test_every_word_and_every_heading_is_in_each_form(app: Flask, now: datetime) -> None:
    rendered = render_issue(_imported(now, title="Autumn"))
    for form, found in forms(rendered).items():
        assert words(TEXT) - found == set(), form
    sections = [
        "School attendance practice week", "Review of the front door", "Our Priorities", "Training programme",
        "Policies and Procedures", "Partnership Scrutineer", "Future newsletters",
    ]  # fmt: skip
    for html in (rendered.html, str(rendered.web)):
        assert len(re.findall("<h1", html)) == 1
        assert [title for title in _titles(html, "h2") if title in sections] == sections
        assert len(_titles(html, "h3")) == 11
        assert html.count("<li") >= 7
    assert rendered.text.count("• ") == 7


def _titles(html: str, tag: str) -> list[str]:
    found = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", html, re.DOTALL)
    return [" ".join(unescape(re.sub("<[^>]+>", "", each)).replace("\u00a0", " ").split()) for each in found]


def test_the_checks_find_what_real_newsletters_get_wrong(app: Flask, now: datetime) -> None:
    issue = _imported(now)
    found = checking.run_checks(issue, now)
    stopping = [each for each in found if each.stops]
    assert [(each.code, each.excerpt) for each in stopping if each.code != "lost_link"] == [
        ("next_deadline", ""),
        ("empty_contact", "… priorities for next year. email: by 6 October 2026"),
        ("past_date", "email: by 6 October 2026"),
        ("empty_contact", "… newsletter, write to us by email:"),
        ("past_date", "… for the next issue is 16 October 2026."),
    ]
    assert [each.sentence for each in stopping if each.code == "lost_link"] == [
        "“View the short report and the one-page prompt on absence” has no link.",
        "“View the prompt for asking about absence and the guidance …” has no link.",
        "“View the course calendar for November - February 2027” has no link.",
        "“View the course calendar” has no link.",
    ]
    assert {each.code for each in found if not each.stops} == {
        "repeated_word", "awkward_words", "ambiguous_range", "past_date", "list_punctuation", "acronym",
    }  # fmt: skip
    assert [each.suggestion for each in found if each.code == "ambiguous_range"] == ["November 2026 to February 2027"]


def test_the_holes_are_named_where_the_issue_is_scheduled(app: Flask, now: datetime) -> None:
    in_september = datetime(2026, 9, 21, 9, 0, tzinfo=now.tzinfo)
    issue = _imported(in_september)
    (checks,) = [each for each in scheduling.obstacles(issue, in_september) if each.code == "checks"]
    assert checks.sentence.startswith("6 things stop this issue: “View the short report")
    assert "email: by 6 October 2026" in checks.sentence


def test_mended_it_passes(app: Flask, now: datetime) -> None:
    in_september = datetime(2026, 9, 21, 9, 0, tzinfo=now.tzinfo)
    issue = _imported(in_september, autumn_mended())
    stopping = [each.code for each in checking.run_checks(issue, in_september) if each.stops]
    assert stopping == ["next_deadline"]
    with transaction():
        creating.ensure_next_issue(issue, title="March 2027", deadline=NEXT_DEADLINE, actor=None, now=in_september)
    assert [each for each in checking.run_checks(issue, in_september) if each.stops] == []


def test_the_call_keeps_its_words_and_gets_the_bound_deadline(app: Flask, now: datetime) -> None:
    issue = _imported(now)
    call = next(block for block in issue.blocks if block.kind == "call")
    assert call.data["heading"] == "Future newsletters"
    assert "16 October 2026" in call.data["intro"]
    assert "Deadline for the next issue" not in render_issue(issue).text


def test_a_list_without_a_rhythm_has_a_section_in_the_calls_place(app: Flask, now: datetime) -> None:
    mailing_list, ruth = policy_changes(now), staff(now)
    with transaction():
        issue = creating.create_issue(mailing_list, title="September 2026", actor=ruth, now=now)
        documents.import_document(issue, documents.read_text(TEXT), actor=ruth, now=now)
    assert kinds(issue) == [
        "masthead", "section", "findings", *["section"] * 6, "key_dates", "footer",
    ]  # fmt: skip
    for form, found in forms(render_issue(issue)).items():
        assert words(TEXT) - found == set(), form


def test_a_second_document_is_added_and_overwrites_nothing(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = written(d, now)
    first = documents.read_text("Winter 2026\n\nShort and good.\n\nOne\n\nText one.\n\nMore\n\n"
                                "Write.\n\nThe deadline for the next issue is 9 April 2027.")  # fmt: skip
    second = documents.read_text("Two\n\nText <two>.\n\nAnd more\n\nThe deadline for the next issue is 9 July 2027.")
    with transaction():
        documents.import_document(issue, first, actor=d.ruth, now=now)
    with transaction():
        documents.import_document(issue, second, actor=d.ruth, now=now)
    text = render_issue(issue).text
    for sentence in ("Families have a place", "Text one.", "Text <two>.", "9 April 2027", "9 July 2027", "And more",
                     "Winter 2026", "Short and good."):  # fmt: skip
        assert sentence in text
    assert kinds(issue).count("call") == 1


def test_an_import_is_an_edit_like_any_other(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = approved(d, now)
    document = documents.read_text("News\n\nText.")
    with transaction():
        (block,) = documents.import_document(issue, document, actor=d.ruth, now=now)
    assert (issue.state, block.version) == (IssueState.DRAFT, 1)
    with transaction():
        issue.state, issue.cancelled_at = IssueState.CANCELLED, now
    with pytest.raises(Refused), transaction():
        documents.import_document(issue, document, actor=d.ruth, now=now)


def test_one_click_mends_a_level(app: Flask, now: datetime) -> None:
    issue = _imported(now)
    review = issue.blocks[4]
    assert headings.sub_headings(review)[3] == "Standards for call handling"
    with transaction():
        raised = headings.change_heading_level(review, 3, expected_version=review.version, actor=None, now=now)
    assert kinds(issue)[4:6] == ["section", "section"]
    with transaction():
        headings.change_heading_level(raised, expected_version=raised.version, actor=None, now=now)
    assert headings.sub_headings(review)[3:] == ["Standards for call handling", "Review of letters to people who refer"]
    for form, found in forms(render_issue(issue)).items():
        assert words(TEXT) - found == set(), form


def test_a_large_document_is_written_at_once(app: Flask, now: datetime) -> None:
    d = desk(now)
    issue = draft(d, now)
    source = "\n\n".join(f"Heading {number}\n\nText {number}.\n\n• a\n• b" for number in range(250))
    with transaction():
        made = documents.import_document(issue, documents.read_text(source), actor=d.ruth, now=now)
    assert len(made) == 250
    positions = [position for (position,) in db.session.query(Block.position).order_by(Block.position)]
    assert positions == list(range(255))
    with transaction():
        editing.delete_block(made[100], actor=d.ruth, now=now)
    assert len(issue.blocks) == 254
