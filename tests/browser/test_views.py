"""A call for views in real browsers: answered by keyboard, without JavaScript, on a phone; read, closed by editors."""

from datetime import time, timedelta
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from newsletter import clock, dates
from newsletter.db import db, transaction
from newsletter.domain.issues import editing, publishing
from newsletter.models import Account, Issue

from .conftest import Visitor
from .test_desk import at_work, desk

__all__ = ["desk"]

pytestmark = pytest.mark.browser


def test_readers_answer_and_editors_read(desk: Flask, browser: Browser) -> None:
    address = desk.config["NEWSLETTER"].public_url
    asked, draft = questions()
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    reader = Visitor(context.new_page())
    reader.page.goto(f"{address}/views/{asked}")
    expect(reader.page.get_by_role("heading", level=1)).to_have_text("What should the new guide cover?")
    reader.look("views")
    reader.press("Send my answer")
    expect(reader.page.get_by_role("alert")).to_contain_text("Write your answer")
    reader.look("views-empty")
    reader.write(reader.page.get_by_label("Your answer"), "More on school holidays.")
    reader.press("Send my answer")
    expect(reader.page.get_by_role("heading", level=1)).to_have_text("Thank you for your answer")
    reader.look("views-thanks")
    assert context.cookies() == []

    without_javascript(browser, f"{address}/views/{asked}")
    with at_work(desk, browser, "Ruth Adeyemi") as ruth:
        editors(ruth, address, draft)
    reader.page.goto(f"{address}/views/{asked}")
    expect(reader.page.get_by_role("heading", level=1)).to_have_text("This call for views has closed")
    reader.look("views-closed")
    context.close()


def questions() -> tuple[UUID, UUID]:
    """A question in January, which is out, and one in April, a draft."""
    now = clock.now()
    ruth = db.session.scalars(select(Account).where(Account.name == "Ruth Adeyemi")).one()
    january, april = db.session.scalars(select(Issue).order_by(Issue.id)).all()
    day = dates.local(now + timedelta(days=3), "Europe/London").date()
    asked = {
        "heading": "What should the new guide cover?",
        "question": "<p>We are writing a guide on <strong>neglect</strong> for everybody who works with families.</p>",
        "own_page": True,
        "button": "Tell us",
        "closes": f"{day}T{time(17):%H:%M}",
        "next": "<p>We print what we heard in April.</p>",
    }
    with transaction():
        out = editing.add_block(january, "ask_views", asked, position=1, actor=ruth, now=now)
        draft = editing.add_block(april, "ask_views", asked, position=1, actor=ruth, now=now)
        publishing.publish(january, now)
    return out.id, draft.id


def without_javascript(browser: Browser, address: str) -> None:
    """On a phone, with a name."""
    context = browser.new_context(java_script_enabled=False, locale="en-GB", viewport={"width": 320, "height": 800})
    page = context.new_page()
    page.goto(address)
    page.get_by_label("Your answer").fill("=1+1 is what we need.")
    page.get_by_label("Your name (optional)").fill("Nadia Rahman")
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you for your answer")
    context.close()


def editors(editor: Visitor, address: str, draft: UUID) -> None:
    page = editor.page
    page.goto(f"{address}/views/{draft}")
    expect(page.get_by_text("This is a preview.")).to_be_visible()
    editor.look("views-preview")
    page.goto(f"{address}/desk/views")
    editor.look("views-desk")
    editor.follow("What should the new guide cover?")
    expect(page.get_by_text("More on school holidays.")).to_be_visible()
    editor.look("views-answers")
    with page.expect_download() as download:
        editor.go_to(page.get_by_role("button", name="Download as a spreadsheet"))
        page.keyboard.press("Enter")
    assert "'=1+1" in download.value.path().read_text(encoding="utf-8-sig")
    editor.press("Close it now")
    expect(page.get_by_text("Who has begun an answer can still send it for 15 minutes.")).to_be_visible()
    editor.look("views-closed-early")
    editor.follow("Delete the answers")
    expect(page.get_by_role("heading", level=1)).to_have_text("Delete 2 answers?")
    editor.look("views-delete")
    editor.press("Delete them")
    expect(page.get_by_text("give those who have begun 15 minutes")).to_be_visible()
    assert editor.complaints == []
