"""A Word document and a paste, brought in by keyboard: looked at section by section, decided, and written."""

import re

import pytest
from playwright.sync_api import expect

from tests.fixtures.documents.make_word import FILE

from .conftest import Installation, Serve, Visitor

pytestmark = pytest.mark.browser

PASTE = '<h1>Peer mentors</h1><p>See <a href="https://example.org/mentors">the guide</a>.</p><ul><li>one</li></ul>'


def signed_in(visitor: Visitor, installation: Installation) -> str:
    """Sign in to the demo as its editor; the address of the issue that is being written."""
    page = visitor.page
    visitor.sign_in(installation.address)
    page.goto(f"{installation.address}/desk/issues")
    visitor.click(page.locator(".app-table tbody th a").first)
    return page.url


def test_a_word_document_is_brought_in(serve: Serve, visitor: "type[Visitor]") -> None:
    installation, ruth = serve("--demo"), visitor()
    page = ruth.page
    issue = signed_in(ruth, installation)
    page.goto(f"{issue}/document")
    page.get_by_label("A file").set_input_files(str(FILE))
    ruth.press("Show what is in it")
    expect(page.get_by_role("heading", level=1)).to_have_text("7 sections were found")
    ruth.look("what-was-found")
    page.set_viewport_size({"width": 1280, "height": 900})
    table = page.get_by_role("group", name="What to do with “Dates for your diary”")
    with page.expect_response(re.compile("/document/")):
        table.get_by_label("Leave out").check()
    expect(page.get_by_role("button", name="Import 6 sections").first).to_be_visible()
    page.locator("#kind-0").focus()
    with page.expect_response(re.compile("/document/")):
        page.locator("#kind-0").select_option("findings")
    expect(page.locator("#part-0 .govuk-tag")).to_have_text("Findings")
    expect(page.locator("#kind-0")).to_be_focused()
    page.reload()
    expect(page.locator("#do-1-drop")).to_be_checked()
    ruth.press("Import 6 sections")
    expect(page.get_by_text("6 sections were added.")).to_be_visible()
    assert ruth.complaints == []


def test_a_paste_keeps_its_links_until_its_words_are_changed(serve: Serve, visitor: "type[Visitor]") -> None:
    installation, ruth = serve("--demo"), visitor()
    page = ruth.page
    issue = signed_in(ruth, installation)
    page.goto(f"{issue}/document")
    page.wait_for_load_state("networkidle")  # what takes a paste is there
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=installation.address)
    page.evaluate(
        """html => navigator.clipboard.write([new ClipboardItem({
            'text/html': new Blob([html], {type: 'text/html'}),
            'text/plain': new Blob(['Peer mentors See the guide. one'], {type: 'text/plain'})})])""",
        PASTE,
    )
    area = page.get_by_label("Or paste the text here")
    area.focus()
    page.keyboard.press("Control+V")
    expect(page.get_by_text("Its headings, lists and links came along.")).to_be_visible()
    area.press("End")
    area.press_sequentially("!")
    expect(page.get_by_text("so they are read as plain text")).to_be_visible()
    page.keyboard.press("Control+A")
    page.keyboard.press("Control+V")
    ruth.press("Show what is in it")
    expect(page.get_by_role("link", name="the guide")).to_have_attribute("href", "https://example.org/mentors")
    assert ruth.complaints == []


def test_without_scripts_each_section_has_a_button(serve: Serve, browser: object) -> None:
    installation = serve("--demo")
    context = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 800})
    ruth = Visitor(context.new_page())
    page = ruth.page
    issue = signed_in(ruth, installation)
    page.goto(f"{issue}/document")
    page.get_by_label("Or paste the text here").fill("News\n\nWe moved on 2 March 2027.\n\nViews\n\nTell us.")
    page.get_by_role("button", name="Show what is in it").click()
    page.get_by_label("Kind").first.select_option("notice")
    page.get_by_role("button", name="Show it so").first.click()
    expect(page.locator("#part-0 .govuk-tag")).to_have_text("Notice")
    page.get_by_role("button", name="Import 2 sections").first.click()
    expect(page.get_by_text("2 sections were added.")).to_be_visible()
    context.close()


def test_a_past_issue_comes_into_the_archive(serve: Serve, visitor: "type[Visitor]") -> None:
    installation, ruth = serve("--demo"), visitor()
    page = ruth.page
    signed_in(ruth, installation)
    page.goto(f"{installation.address}/desk/issues")
    ruth.follow("Bring in a past issue")
    ruth.press("Show what is in it")
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    ruth.write(page.get_by_label("Title"), "December 2017")
    ruth.write(page.get_by_label("Day it went out"), "4 December 2017")
    page.get_by_label("A file").set_input_files(str(FILE))
    ruth.press("Show what is in it")
    ruth.press("Import 7 sections")
    expect(page.get_by_role("heading", level=1)).to_have_text("December 2017, as it will stand in the archive")
    ruth.press("Put it in the archive")
    expect(page.get_by_text("It is in the archive.", exact=True)).to_be_visible()
    ruth.follow("See its web page")
    expect(page.get_by_text("Sent on Monday 4 December 2017.")).to_be_visible()
    assert ruth.complaints == []
