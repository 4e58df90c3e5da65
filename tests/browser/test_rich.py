"""The editor of formatted words: typed, pasted and linked words are what is stored, word for word."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from newsletter.rendering import rich
from newsletter.web.lightmarkup import XHTML_MARK, from_posted

from .conftest import Installation, Visitor

pytestmark = pytest.mark.browser

PASTES = Path(__file__).parents[1] / "fixtures" / "pastes"
MOST_RANDOM = 150


@pytest.fixture
def ruth(larkmere: Installation, visitor: "type[Visitor]") -> Visitor:
    """Ruth at an empty new section."""
    ruth = visitor()
    ruth.sign_in(larkmere.address)
    ruth.page.goto(f"{larkmere.issue(1)}/write/add")
    ruth.page.locator("button[name=kind][value=section]").click()
    expect(body(ruth.page)).to_be_visible()
    return ruth


def body(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Text").and_(page.locator("[contenteditable]"))


def posted(page: Page) -> str:
    """What the form would post for the section's text."""
    return page.locator("textarea[data-xhtml][name='d.body']").input_value()


def stored(page: Page) -> str:
    """What the server makes of it; it must be what the editor wrote."""
    written = posted(page)
    assert written.startswith(XHTML_MARK)
    kept = from_posted(written)
    assert XHTML_MARK + kept == written
    return kept


def paste(field: Locator, mime: str, content: str) -> None:
    field.evaluate(
        """(field, [mime, content]) => {
            const clipboardData = new DataTransfer()
            clipboardData.setData(mime, content)
            field.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
        }""",
        [mime, content],
    )


def test_ruth_types_a_section_with_the_keyboard_alone(ruth: Visitor) -> None:
    page = ruth.page
    ruth.go_to(body(page))
    keyboard = page.keyboard
    keyboard.type("Four practice days in ")
    keyboard.press("Control+b")
    keyboard.type("March")
    keyboard.press("Control+b")
    keyboard.type(".")
    keyboard.press("Enter")
    keyboard.type("- your timetable")
    keyboard.press("Enter")
    keyboard.type("one case")
    keyboard.press("Enter")
    keyboard.press("Control+]")
    keyboard.type("its dates")
    for _ in range(3):
        keyboard.press("Enter")
    keyboard.type("## Where")
    keyboard.press("Enter")
    keyboard.type("Millrace House. ")
    keyboard.press("Control+k")
    dialog = page.get_by_role("dialog", name="Link")
    expect(dialog.get_by_label("Words")).to_be_focused()
    keyboard.type("Here")
    keyboard.press("Tab")
    keyboard.type("www.example.org/map")
    keyboard.press("Enter")
    expect(dialog.get_by_text("Say what people find there")).to_be_visible()
    expect(dialog.get_by_label("Words")).to_be_focused()
    ruth.look("a link of vague words")
    keyboard.press("Control+A")
    keyboard.type("See the map")
    keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(body(page)).to_be_focused()
    assert stored(page) == (
        "<p>Four practice days in <strong>March</strong>.</p>"
        "<ul><li>your timetable</li><li>one case<ul><li>its dates</li></ul></li></ul>"
        '<h3>Where</h3><p>Millrace House. <a href="https://www.example.org/map">See the map</a></p>'
    )
    expect(page.get_by_text("17 words")).to_be_visible()
    ruth.look("words in the editor")
    written = stored(page)
    ruth.press("Save")
    page.goto(page.url)
    expect(body(page)).to_be_visible()
    assert page.locator("textarea[data-xhtml]").first.get_attribute("data-xhtml") == written


def test_an_address_that_leads_nowhere_is_refused_in_words_and_keeps_what_was_typed(ruth: Visitor) -> None:
    page = ruth.page
    body(page).click()
    page.keyboard.type("Read the guide")
    page.keyboard.press("Shift+Control+ArrowLeft")
    page.get_by_role("button", name="Link", exact=True).click()
    dialog = page.get_by_role("dialog", name="Link")
    expect(dialog.get_by_label("Words")).to_have_value("guide")
    dialog.get_by_label("Address").fill("javascript:alert(1)")
    dialog.get_by_role("button", name="Save the link").click()
    expect(dialog.get_by_text("Enter an address that begins with https://")).to_be_visible()
    expect(dialog.get_by_label("Address")).to_be_focused()
    expect(dialog.get_by_label("Address")).to_have_value("javascript:alert(1)")
    dialog.get_by_label("Address").fill("bethan@example.org")
    dialog.get_by_role("button", name="Save the link").click()
    assert stored(page) == '<p>Read the <a href="mailto:bethan@example.org">guide</a></p>'
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Control+k")
    expect(dialog.get_by_label("Address")).to_have_value("bethan@example.org")
    dialog.get_by_role("button", name="Remove the link").click()
    assert stored(page) == "<p>Read the guide</p>"


def test_the_bar_says_what_is_on_and_is_one_stop_of_the_tab_key(ruth: Visitor) -> None:
    page = ruth.page
    bold = page.get_by_role("button", name="Bold")
    body(page).click()
    page.keyboard.type("one")
    page.keyboard.press("Control+A")
    expect(bold).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Alt+F10")
    expect(bold).to_be_focused()
    page.keyboard.press("Enter")
    expect(bold).to_have_attribute("aria-pressed", "true")
    expect(body(page)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(bold).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Sub-heading")).to_be_focused()
    page.keyboard.press("Escape")
    expect(body(page)).to_be_focused()
    page.keyboard.press("Control+z")
    expect(bold).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Control+Shift+z")
    assert stored(page) == "<p><strong>one</strong></p>"
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert posted(page) == ""  # as it was before: nothing to save, and leaving asks nothing


TOLD = {
    "word.html": (
        "<h3>What the practice week showed</h3><p>Six agencies took part. <strong>Two things</strong> stood out:</p>"
        "<ul><li>first contacts were answered within the hour<ul><li>also at weekends</li></ul></li>"
        "<li>plans said who would do what</li></ul>"
        '<ol><li>Read the <a href="https://www.example.org/guide">guide to timelines</a></li>'
        '<li>Write to <a href="mailto:bethan@example.org">Bethan Price</a></li></ol>',
        "Colours and fonts were left out. Italics and underlining were left out. Comments were left out. 2 links kept.",
    ),
    "outlook.html": (
        "<p>Dear all,</p><p>The rooms are <strong>booked</strong>. See "
        '<a href="https://www.example.org/rooms">the plan of the rooms</a>.</p><p>Bring your timetable.</p>'
        "<ul><li>one case</li><li>its dates</li></ul>",
        "Colours and fonts were left out. 1 picture was left out: add it as a section of its own. 1 link kept.",
    ),
    "google_docs.html": (
        "<h3>Training in the spring</h3><p>Places are <strong>free of charge</strong>. "
        '<a href="https://www.example.org/training">Dates of the courses</a></p>'
        "<ul><li>For new staff<ul><li>half a day</li></ul></li><li>For managers</li></ul>",
        "Colours and fonts were left out. 1 link kept.",
    ),
    "web.html": (
        '<h3>How to report a concern</h3><p>Call <a href="tel:01632960100">01632 960100</a>, or read '
        '<a href="https://www.example.org/report?a=1&amp;b=2">what happens after a report</a>.</p>'
        "<p>Do not use the old form.</p><p>Day</p><p>Time</p><p>Monday</p><p>9am</p>"
        "<ol><li>Say what you saw.</li><li>Say when.<ul><li>The day<ul><li>the hour</li><li>the minute</li></ul>"
        "</li></ul></li></ol><ul><li>literal one</li><li>literal two</li></ul>",
        "Colours and fonts were left out. A table became paragraphs. "
        "1 link leads nowhere outside the document: only its words were kept. 2 links kept.",
    ),
    "lines.txt": (
        "<p>The chapters on these themes are new:</p><ul><li>Children who are not in school</li>"
        "<li>Neglect<ul><li>with a checklist</li></ul></li><li>Fire safety</li></ul>"
        '<ol><li>Read them at <a href="https://www.example.org/chapters">https://www.example.org/chapters</a>.</li>'
        "<li>Tell your team.</li></ol><p>A last paragraph that was wrapped.</p>",
        "",
    ),
}


def test_what_is_pasted_keeps_its_structure_and_says_what_was_left_out(ruth: Visitor) -> None:
    page = ruth.page
    for name, (kept, told) in TOLD.items():
        body(page).click()
        page.keyboard.press("Control+A")
        page.keyboard.press("Delete")
        mime = "text/html" if name.endswith(".html") else "text/plain"
        paste(body(page), mime, (PASTES / name).read_text(encoding="utf-8"))
        assert stored(page) == kept, name
        notice = page.locator(".app-rich__said")
        if told:
            expect(notice.get_by_role("status")).to_have_text(told)
        else:
            expect(notice).to_be_hidden()
    paste(body(page), "text/html", '<p style="color:red">Once more</p>')
    assert "Once more" in stored(page)
    ruth.look("after a paste")
    page.locator(".app-rich__said").get_by_role("button", name="Undo").click()
    assert "Once more" not in stored(page)
    body(page).click()
    page.keyboard.press("Control+A")
    page.keyboard.type("Dates")
    page.keyboard.press("Control+A")
    paste(body(page), "text/plain", "https://www.example.org/dates")
    assert stored(page) == '<p><a href="https://www.example.org/dates">Dates</a></p>'


def test_a_refused_save_leads_to_the_editor_and_loses_nothing(ruth: Visitor) -> None:
    page = ruth.page
    body(page).click()
    page.keyboard.insert_text("word " * 25_000)
    page.get_by_role("button", name="Save", exact=True).last.click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_visible()
    expect(body(page)).to_have_attribute("aria-invalid", "true")
    summary.get_by_role("link").first.click()
    expect(body(page)).to_be_focused()
    assert body(page).inner_text().count("word") == 25_000


# --- every document of the schema is the same on the server -------------------------------------------------------

_LETTERS = "ab é &<>\"'  \u00a0\u200b\t*[]()#-•1.😀e\u0301\u0338"
_HREFS = ("https://example.org/a?x=1&y='2'", "https://example.org/ü_(b)", "mailto:sam@example.org", "tel:01632960100")


def _words(dice: Random) -> dict[str, Any]:
    text = "".join(dice.choice(_LETTERS) for _ in range(dice.randint(1, 9)))
    marks: list[dict[str, Any]] = [{"type": "bold"}] if dice.random() < 0.3 else []
    if dice.random() < 0.3:
        marks.append({"type": "link", "attrs": {"href": dice.choice(_HREFS)}})
    return {"type": "text", "text": text, "marks": marks}


def _line(dice: Random, kind: str = "paragraph") -> dict[str, Any]:
    words = [_words(dice) for _ in range(dice.randint(0, 4))]
    if kind == "heading":
        for each in words:
            each["marks"] = [mark for mark in each["marks"] if mark["type"] != "bold"]
    return {"type": kind, "content": words}


def _list(dice: Random, depth: int = 1) -> dict[str, Any]:
    items = []
    for _ in range(dice.randint(1, 3)):
        below = [_list(dice, depth + 1) for _ in range(dice.randint(0, 2))] if depth < 3 else []
        items.append({"type": "listItem", "content": [_line(dice), *below]})
    return {"type": dice.choice(["bulletList", "orderedList"]), "content": items}


def _document(dice: Random) -> dict[str, Any]:
    makers = (_line, lambda dice: _line(dice, "heading"), _list)
    return {"type": "doc", "content": [dice.choice(makers)(dice) for _ in range(dice.randint(1, 5))]}


def test_every_document_of_the_schema_comes_back_from_the_server_as_it_was(ruth: Visitor) -> None:
    written = ruth.page.evaluate(
        """documents => {
            const { editor } = document.getElementById('d-body')
            const area = document.querySelector("textarea[data-xhtml][name='d.body']")
            const show = (content) => editor.commands.setContent(content, { emitUpdate: true })
            const putBack = (value) => { area.value = value; area.dispatchEvent(new Event('input')) }
            return documents.map(document => {
                show(document)
                const once = area.value
                show('<p>between</p>')
                putBack(once)
                show(editor.getJSON())
                return [once, area.value]
            })
        }""",
        [_document(Random(seed)) for seed in range(MOST_RANDOM)],
    )
    some = 0
    for seed, (once, again) in enumerate(written):
        kept = from_posted(once)
        assert once in ("", XHTML_MARK + kept), seed  # "" is what the section had: nothing was changed
        assert again == once, seed
        assert rich.sanitise(kept) == kept
        some += bool(kept)
    assert some > MOST_RANDOM / 2


def test_without_scripts_the_text_area_does_the_same_work(larkmere: Installation, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    Visitor(page).sign_in(larkmere.address)
    page.goto(f"{larkmere.issue(1)}/write/add")
    page.locator("button[name=kind][value=section]").click()
    area = page.locator("textarea[data-xhtml][name='d.body']")
    expect(area).to_be_visible()
    area.fill("One **bold** word.\n\n- a point")
    page.get_by_role("button", name="Save", exact=True).last.click()
    assert area.get_attribute("data-xhtml") == "<p>One <strong>bold</strong> word.</p><ul><li>a point</li></ul>"
    context.close()
