"""Ruth makes an issue of a document with the faults that documents have, by keyboard alone."""

import re
from datetime import date, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from newsletter import dates
from newsletter.db import db, transaction
from newsletter.models import Issue

from .conftest import Visitor
from .in_process import home
from .test_desk import at_work, desk

__all__ = ["desk"]  # a fixture

pytestmark = pytest.mark.browser

#: Long before the issue goes out, and long after: no day of the story may become another by waiting.
_LAST_YEAR = date.today().year - 1
_AHEAD = [date.today() + timedelta(days=number) for number in (60, 67, 74, 81)]

#: What is chosen, once something is; nothing after five seconds. (The policy forbids what Playwright waits with.)
CHOSEN = """new Promise((done) => {
    let left = 100
    const look = () => {
        const words = getSelection().toString()
        words || !left-- ? done(words) : setTimeout(look, 50)
    }
    look()
})"""
DOCUMENT = f"""Reading week

We read the records with practitioners from eight agencies and, and thank every team.

View the report of the reading week.

Standards for meetings

A set of standards is ready. They will be tried from {dates.day(_AHEAD[1])}.

Priorities

We'd would welcome your views. email: by {dates.day(_AHEAD[0])}

The board meets on {dates.day(_AHEAD[2])} to hear them.

Training

To book, please email:

Courses run October - March {_LAST_YEAR + 3}. The new programme is out on {dates.day(_AHEAD[3])}.
"""


def _january() -> Issue:
    db.session.rollback()
    return db.session.query(Issue).filter_by(slug="january-2027").one()


def test_a_document_with_faults_becomes_an_issue_that_can_go(desk: Flask, browser: Browser) -> None:
    with transaction():
        _january().next_issue = None
    january = f"{home(desk)}/desk/issues/january-2027"
    with at_work(desk, browser, "Ruth Adeyemi") as ruth:
        bring_it_in(ruth, january)
        hear_what_is_wrong(ruth, january)
        delete_and_have_back(ruth, january)
        set_the_next_deadline(ruth, january)
        assert ruth.complaints == []


def bring_it_in(ruth: Visitor, address: str) -> None:
    page = ruth.page
    page.goto(f"{address}/document")
    ruth.write(page.get_by_role("textbox"), DOCUMENT)
    ruth.press("Show what is in it")
    ruth.press("Import 4 sections")
    expect(page.get_by_text("4 sections were added.")).to_be_in_viewport()
    expect(page.locator("#outline").get_by_text("A document was imported.")).to_be_visible()
    page.goto(f"{address}/preview/text")
    table = page.locator("body").inner_text().split("Key dates", 1)[-1]
    places = [table.find(dates.short_day(day, year=False)) for day in _AHEAD]
    assert -1 not in places, table
    assert places == sorted(places)


def hear_what_is_wrong(ruth: Visitor, address: str) -> None:
    page = ruth.page
    page.goto(f"{address}/checks")
    said = page.locator("main").inner_text()
    for fault in (
        "An email address is missing.", "“View the report of the reading week” has no link.",
        "These dates could be read two ways.", "A word is repeated.", "“We'd would” has a word too many.",
        "The next issue has no deadline yet.",
    ):  # fmt: skip
        assert fault in said, fault
    expect(page.get_by_role("heading", name="An email address is missing.")).to_have_count(2)
    assert f"October {_LAST_YEAR + 2} to March {_LAST_YEAR + 3}" in said
    ruth.follow(re.compile(r"^Go to it\s*: These dates could be read two ways"))
    expect(page.locator("[contenteditable]:focus")).to_be_visible()
    assert page.evaluate(CHOSEN).startswith("October - March")
    page.goto(f"{address}/checks")
    ruth.press("Fix the 1 that is safe")
    expect(page.get_by_text("“Reading week” was mended.")).to_be_visible()
    expect(page.get_by_role("heading", name="A word is repeated.")).to_have_count(0)


def delete_and_have_back(ruth: Visitor, address: str) -> None:
    page = ruth.page
    page.goto(f"{address}/write")
    ruth.follow(re.compile("^Standards for meetings"))
    names = page.locator(".app-outline__name").all_inner_texts()
    ruth.press("Delete")
    expect(page.get_by_text("Deleted ‘Standards for meetings’.")).to_be_visible()
    ruth.press("Undo")
    assert page.locator(".app-outline__name").all_inner_texts() == names
    ruth.press("Delete")
    page.goto(f"{address}/bin")
    ruth.press(re.compile("^Put it back"))
    expect(page.get_by_text("is back at its old place.")).to_be_visible()
    assert page.locator(".app-outline__name").all_inner_texts() == names


def set_the_next_deadline(ruth: Visitor, address: str) -> None:
    page = ruth.page
    page.goto(address)
    schedule = page.get_by_role("listitem").filter(has_text="Schedule")
    expect(schedule).to_contain_text("Cannot start yet")
    ruth.follow("Next deadline")
    ruth.write(page.get_by_label("Title of the next issue"), "Spring issue")
    when = page.get_by_role("group", name="Deadline for news for the next issue")
    ruth.write(when.get_by_label("Date"), "soon")
    ruth.press("Save")
    expect(page).to_have_title(re.compile("^Error: "))
    ruth.write(when.get_by_label("Date"), dates.day(_AHEAD[3] + timedelta(days=30)))
    ruth.press("Save")
    expect(page.get_by_role("heading", level=1)).to_have_text("January 2027")
    page.goto(f"{address}/preview/text")
    assert f"5pm, {dates.day(_AHEAD[3] + timedelta(days=30))}" in page.locator("body").inner_text()
