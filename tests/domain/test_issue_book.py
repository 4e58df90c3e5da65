"""Ruth keeps a book of people, links and acronyms; it fills sections, and says where somebody still stands."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from newsletter.db import transaction
from newsletter.domain.issues import book, editing
from newsletter.errors import Invalid, NotFound
from newsletter.models import BookEntry, Issue
from newsletter.states import BookKind
from tests.domain.issue_makers import Desk, desk, draft
from tests.people import policy_changes

BETHAN = {"role": "Policy officer", "organisation": "County council", "email": "Bethan@Example.org",
          "phone": "01632 960 123"}  # fmt: skip


def _bethan(d: Desk, now: datetime) -> BookEntry:
    with transaction():
        return book.add(d.mailing_list, BookKind.PERSON, "Bethan Price", BETHAN, actor=d.ruth, now=now)


def _section(issue: Issue, d: Desk, body: str, now: datetime) -> None:
    with transaction():
        editing.add_block(
            issue, "section", {"heading": "News", "body": body}, position=2, actor=d.ruth, now=now
        )  # fmt: skip


def test_entries_of_a_list_and_of_all_lists_stand_together(app: Flask, now: datetime) -> None:
    d = desk(now)
    other = policy_changes(now)
    _bethan(d, now)
    with transaction():
        book.add(None, BookKind.LINK, "Threshold guide", {"url": "https://example.org/guide"}, actor=d.ruth, now=now)
        book.add(other, BookKind.ACRONYM, "DSL", {"meaning": "designated safeguarding lead"}, actor=d.ruth, now=now)
        book.add(None, BookKind.ACRONYM, "DSL", {"meaning": "digital subscriber line"}, actor=d.ruth, now=now)
    assert [entry.name for entry in book.entries(d.mailing_list)] == ["Bethan Price", "DSL", "Threshold guide"]
    assert [entry.name for entry in book.entries(None)] == ["DSL", "Threshold guide"]
    assert book.acronyms(d.mailing_list) == {"DSL": "digital subscriber line"}
    assert book.acronyms(other) == {"DSL": "designated safeguarding lead"}


@pytest.mark.parametrize(
    ("kind", "name", "data", "fields"),
    [
        (BookKind.PERSON, " ", {}, ["name", "email"]),
        (BookKind.PERSON, "Bethan", {"email": "bethan at example"}, ["email"]),
        (BookKind.PERSON, "B" * 161, {"phone": "01632 960 123", "role": "r" * 121}, ["name", "role"]),
        (BookKind.LINK, "Guide", {"url": "example.org/guide"}, ["url"]),
        (BookKind.LINK, "Guide", {"url": "https://[oh"}, ["url"]),
        (BookKind.ACRONYM, "DSL", {}, ["meaning"]),
    ],
)
def test_what_cannot_be_kept_is_named_field_by_field(
    app: Flask, now: datetime, kind: BookKind, name: str, data: dict[str, str], fields: list[str]
) -> None:
    d = desk(now)
    with pytest.raises(Invalid) as refused, transaction():
        book.add(d.mailing_list, kind, name, data, actor=d.ruth, now=now)
    assert [problem.field for problem in refused.value.problems] == fields


def test_nothing_is_kept_twice(app: Flask, now: datetime) -> None:
    d = desk(now)
    _bethan(d, now)
    with pytest.raises(Invalid, match="in the book already"):
        _bethan(d, now)


def test_an_entry_fills_a_contact_and_joins_a_list(app: Flask, now: datetime) -> None:
    d = desk(now)
    bethan = _bethan(d, now)
    with transaction():
        guide = book.add(
            d.mailing_list, BookKind.LINK, "Guide", {"url": "https://example.org/g", "type": "PDF"}, actor=d.ruth,
            now=now,
        )  # fmt: skip
    contact = book.filled("contact", {"heading": "Who to ask", "name": "Somebody", "phone": "1"}, bethan)
    assert contact == {"heading": "Who to ask", "name": "Bethan Price", **BETHAN, "email": "Bethan@example.org"}
    listed = book.filled("resources", {"heading": "To read", "items": [{"title": "", "url": ""}]}, guide)
    assert listed["items"] == [{"title": "Guide", "url": "https://example.org/g", "type": "PDF"}]
    news = book.filled("people_news", {"items": [{"name": "Ann"}]}, bethan)
    assert news["items"][1] == {"name": "Bethan Price", "role": "Policy officer"}
    with pytest.raises(Invalid):
        book.filled("contact", {}, guide)


def test_ending_needs_a_reason_and_is_undone(app: Flask, now: datetime) -> None:
    d = desk(now)
    bethan = _bethan(d, now)
    with pytest.raises(Invalid), transaction():
        book.end(bethan, now, " ", actor=d.ruth, now=now)
    with transaction():
        book.end(bethan, now, "Left the team", actor=d.ruth, now=now)
    assert book.entries(d.mailing_list) == []
    assert book.entries(d.mailing_list, ended=True) == [bethan]
    with transaction():
        book.take_up_again(bethan, actor=d.ruth, now=now)
    assert book.entries(d.mailing_list) == [bethan]
    with pytest.raises(NotFound):
        book.find_entry(99)


@pytest.mark.parametrize(
    ("words", "stands"),
    [
        ("<p>Write to <a href='mailto:bethan@example.org'>Bethan</a>.</p>", True),
        ("<p>BETHAN@EXAMPLE.ORG</p>", True),
        ("<p>lisbethan@example.org</p>", False),
        ("<p>Ring 01632-960123 or come.</p>", True),
        ("<p>Ring +44 (0)1632 960 123.</p>", True),
        ("<p>Ring 01632 960 1234.</p>", False),
        ("<p>Bethan will be there.</p>", False),
    ],
)
def test_a_person_is_found_by_address_and_number(app: Flask, now: datetime, words: str, stands: bool) -> None:
    d = desk(now)
    bethan = _bethan(d, now)
    issue = draft(d, now)
    _section(issue, d, words, now)
    assert bool(book.uses(bethan)) is stands


@pytest.mark.parametrize(
    ("words", "stands"),
    [
        ("<p><a href='https://www.example.org/guide/'>The guide</a></p>", True),
        ("<p>http://example.org/guide.</p>", True),
        ("<p><a href='https://example.org/guidelines'>Others</a></p>", False),
        ("<p><a href='https://example.org/guide/part-2'>Part 2</a></p>", False),
    ],
)
def test_a_link_is_found_however_it_is_spelled(app: Flask, now: datetime, words: str, stands: bool) -> None:
    d = desk(now)
    with transaction():
        guide = book.add(None, BookKind.LINK, "Guide", {"url": "https://example.org/guide"}, actor=d.ruth, now=now)
    _section(draft(d, now), d, words, now)
    assert bool(book.uses(guide)) is stands


def test_who_has_left_by_the_day_it_is_read_is_named_to_the_checks(app: Flask, now: datetime) -> None:
    d = desk(now)
    bethan = _bethan(d, now)
    issue = draft(d, now)
    with transaction():
        block = editing.add_block(
            issue, "contact", {"name": "Bethan Price", "email": "bethan@example.org"}, actor=d.ruth, now=now
        )
        book.end(bethan, now + timedelta(days=3), "Leaves", actor=d.ruth, now=now)
    assert book.ended_uses(issue, now) == []
    (use,) = book.ended_uses(issue, now + timedelta(days=7))
    assert (use.block, use.field, use.entry) == (block, "email", bethan)
