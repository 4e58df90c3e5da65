"""Sending in news in real browsers: written first and proved afterwards, and signed in, page by page, by keyboard."""

import hashlib
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.tokens import keyed_hash
from tests.pictures import drawing
from tests.web.test_contribute_word_pictures import LAKE_AND_MAP

from .conftest import Installation, Serve, Visitor

pytestmark = pytest.mark.browser

KEY = "a-key-of-this-test-that-is-long-enough-to-be-used"
SESSION = "a-session-of-this-test-and-of-no-other"
SAM = "sam.writes@police.example.org"
#: Nobody fills a form in less: the form's own least time, in milliseconds.
READING = 3500
TYPED_FOR = 5_100


def rows(installation: Installation, query: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(installation.database, timeout=30)) as database, database:
        return list(database.execute(query, values))


def call_of(installation: Installation) -> str:
    """The demo's open call."""
    ((slug,),) = rows(
        installation, "SELECT slug FROM issue WHERE has_call AND state = 'draft' ORDER BY deadline_at DESC LIMIT 1"
    )
    return f"{installation.address}/contribute/{slug}"


def the_code(installation: Installation) -> str:
    """The six digits of the newest receipt."""
    ((nonce,),) = rows(
        installation, "SELECT nonce FROM notice WHERE template = 'contribution_receipt' ORDER BY id DESC LIMIT 1"
    )
    assert isinstance(nonce, bytes)
    return f"{int.from_bytes(keyed_hash((KEY,), 'proof-code.v1', nonce.hex())[:8], 'big') % 1_000_000:06d}"


def signed_in(page: Page, installation: Installation) -> None:
    """Sam, of an agency of the demo, is signed in in this browser."""
    now = datetime.now(UTC)
    micro = int(now.timestamp() * 1_000_000)
    ends = int((now + timedelta(hours=20)).timestamp() * 1_000_000)
    rows(
        installation,
        "INSERT INTO contributor (public_id, address, address_key, name, phone, lead, asked_words, created_at,"
        " approved_at, proved_at) VALUES (?, ?, ?, 'Sam Okafor', '', 0, '', ?, ?, ?)",
        hashlib.md5(SAM.encode(), usedforsecurity=False).hexdigest(), SAM, SAM, micro, micro, micro,
    )  # fmt: skip
    rows(
        installation,
        "INSERT INTO contributor_session (id_hash, contributor_id, user_agent, created_at, ends_at)"
        " SELECT ?, id, '', ?, ? FROM contributor WHERE address = ?",
        hashlib.sha256(SESSION.encode()).digest(), micro, ends, SAM,
    )  # fmt: skip
    page.context.add_cookies([{"name": "contributor", "value": SESSION, "url": installation.address}])


def test_written_first_and_proved_afterwards(serve: Serve, visitor: Callable[[], Visitor], browser: Browser) -> None:
    installation = serve("--demo", SECRET_KEYS=KEY)
    writer = visitor()
    page = writer.page
    page.goto(call_of(installation))
    expect(page.locator(".app-rich__text")).to_be_visible()
    writer.look("call")
    page.get_by_text("You have it as a Word file?").click()
    page.get_by_label("Word file (.docx)").set_input_files(
        {"name": "news.docx", "mimeType": "application/octet-stream", "buffer": LAKE_AND_MAP}
    )
    writer.press("Read the file")
    expect(page.get_by_label("What picture 1 shows")).to_have_value("The lake at noon")
    writer.look("call-with-pictures")
    page.get_by_label("Leave picture 2 out").check()
    page.locator(".app-rich__text").click()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.get_by_label("Heading", exact=True).fill("Training on neglect")
    page.locator(".app-rich__text").click()
    page.keyboard.type("Two half days for R & D in February.")
    expect(page.locator("[data-words-hint]")).to_contain_text("392 words left.")
    page.wait_for_timeout(READING)
    writer.press("Send to the editors")
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    assert page.title().startswith("Error: ")
    writer.look("call-wrong")
    page.get_by_label("Your agency or team").fill("Larkmere Police")
    page.get_by_label("Your name").fill("Nadia Rahman")
    page.get_by_label("Your email address").fill("nadia@health.example.org")
    page.get_by_label("You may publish this.").check()
    writer.press("Send to the editors")
    expect(page.get_by_role("heading", level=1)).to_have_text("One step left")
    expect(page.locator(".app-read")).to_contain_text("Two half days for R & D in February.")
    expect(page.get_by_role("img", name="The lake at noon")).to_be_visible()
    expect(page.locator("figure")).to_have_count(1)
    writer.look("one-step-left")
    page.get_by_label("Code").fill(the_code(installation))
    writer.press("It is from me")
    expect(page.get_by_role("heading", level=1)).to_have_text("We have your news")
    writer.look("kept")
    context = browser.new_context(java_script_enabled=False, locale="en-GB", viewport={"width": 320, "height": 900})
    try:
        without_javascript(context.new_page(), installation)
    finally:
        context.close()
    the_end_is_told(page, call_of(installation))
    assert writer.complaints == []


def the_end_is_told(page: Page, address: str) -> None:
    """Nothing ticks; 15 and 5 minutes before, and when it is over, the page says so, aloud as well."""
    page.clock.install()
    page.goto(address)
    panel, said = page.locator("[data-closes-in]"), page.locator("#said")
    left = int(panel.get_attribute("data-closes-in") or "")
    page.clock.fast_forward((left - 16 * 60) * 1000)
    expect(panel.locator("[data-soon]")).to_be_hidden()
    expect(said).to_have_text("")
    page.clock.fast_forward(61_000)
    for element in (panel.locator("[data-soon]"), said):
        expect(element).to_have_text("Less than 15 minutes are left.")
    page.clock.fast_forward(10 * 60_000)
    for element in (panel.locator("[data-soon]"), said):
        expect(element).to_have_text("Less than 5 minutes are left.")
    page.clock.fast_forward(5 * 60_000)
    expect(panel.locator("[data-closed]")).to_be_visible()
    expect(panel.locator("[data-open]")).to_be_hidden()
    expect(said).to_contain_text("The deadline has passed.")


def without_javascript(page: Page, installation: Installation) -> None:
    """Dates instead of news, with one more row, and no script anywhere."""
    page.goto(call_of(installation))
    page.get_by_text("It is something else").click()
    page.get_by_role("link", name="Dates", exact=True).click()
    page.get_by_label("Date", exact=True).fill("16 January 2027")
    page.get_by_label("What happens").fill("Conference on neglect")
    page.get_by_role("button", name="Add one more").click()
    second = page.get_by_label("Date", exact=True).nth(1)
    expect(second).to_be_focused()
    second.fill("17 January 2027")
    page.get_by_label("What happens").nth(1).fill("The day after")
    page.get_by_label("Your agency or team").fill("Larkmere Health")
    page.get_by_label("Your name").fill("Helen Price")
    page.get_by_label("Your email address").fill("helen@school.example.org")
    page.get_by_label("You may publish this.").check()
    page.wait_for_timeout(READING)
    page.get_by_role("button", name="Send to the editors", exact=True).last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One step left")
    expect(page.locator(".app-read")).to_contain_text("The day after")


def test_signed_in_page_by_page(serve: Serve, visitor: Callable[[], Visitor]) -> None:
    installation = serve("--demo", SECRET_KEYS=KEY)
    writer = visitor()
    page = writer.page
    signed_in(page, installation)
    page.goto(call_of(installation))
    writer.look("what-is-it")
    page.get_by_label("Findings").check()
    writer.press("Continue")
    page.get_by_label("Heading", exact=True).fill("Two findings")
    page.get_by_label("Finding", exact=True).fill("Plans were late")
    page.get_by_role("button", name="Add one more").press("Enter")
    expect(page.get_by_label("Finding", exact=True).nth(1)).to_be_focused()
    page.keyboard.type("Voices were heard")
    page.get_by_role("button", name="Add one more").press("Enter")
    expect(page.get_by_label("Finding", exact=True).nth(2)).to_be_focused()
    writer.look("findings")
    page.get_by_role("button", name="Move ‘Plans were late’ down").press("Enter")
    expect(page.get_by_role("button", name="Move ‘Plans were late’ up")).to_be_focused()
    expect(page.get_by_label("Finding", exact=True).first).to_have_value("Voices were heard")
    saved_while_typing(page)
    texts = page.locator(".app-entry .app-rich__text")
    for number in range(2):
        texts.nth(number).click()
        page.keyboard.type(f"What we saw, {number}.")
    time_to_be_signed_in_is_over(writer)
    page.get_by_label("Your agency or team").fill("Larkmere Police")
    writer.look("who-it-is-from")
    writer.press("Save and continue")
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your answers")
    writer.look("check")
    with_a_picture(writer)
    page.get_by_label("You may publish this.").check()
    writer.press("Send to the editors")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sent to the editors")
    writer.look("sent")
    page.goto(f"{installation.address}/contribute/mine")
    writer.look("mine")
    writer.click(page.get_by_role("link", name="Two findings"))
    writer.look("mine-one")
    writer.click(page.get_by_role("link", name="Withdraw it"))
    writer.look("withdraw")
    writer.press("Withdraw it")
    expect(page.get_by_text("You took it back.")).to_be_visible()
    assert writer.complaints == []


def time_to_be_signed_in_is_over(writer: Visitor) -> None:
    """What was typed comes back, and is saved by one button once one is signed in again."""
    context = writer.page.context
    cookies = context.cookies()
    context.clear_cookies()
    writer.press("Save and continue")
    expect(writer.page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    expect(writer.page.get_by_text("What we saw, 1.")).to_be_visible()
    writer.look("words-kept")
    for one in cookies:
        context.add_cookies([{"name": one["name"], "value": one["value"], "domain": one["domain"], "path": "/"}])
    writer.press("Save my words")


def with_a_picture(writer: Visitor) -> None:
    """From the answers to the pictures, one of which is described when it is asked for, and back."""
    page = writer.page
    writer.follow("Change pictures")
    poster = {"name": "poster.png", "mimeType": "image/png", "buffer": drawing()}
    page.get_by_label("Add a picture").set_input_files(poster)
    writer.press("Add it")
    writer.press("Save and continue")
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    writer.look("pictures-wrong")
    page.get_by_label("What picture 1 shows").fill("A poster in three languages")
    writer.press("Save and continue")
    expect(page.get_by_text("A poster in three languages")).to_be_visible()


def saved_while_typing(page: Page) -> None:
    """Five seconds after the last letter the page saves itself, and another window is told that it did."""
    page.clock.install()
    page.get_by_label("Heading", exact=True).fill("Two findings of the review")
    page.clock.run_for(TYPED_FOR)
    expect(page.locator("[data-saved]")).to_have_text(re.compile(r"Saved at \d"))
    page.get_by_label("Heading", exact=True).fill("Two findings")
    page.clock.run_for(TYPED_FOR)
    expect(page.locator("[data-saved]")).to_have_text(re.compile(r"Saved at \d"))
