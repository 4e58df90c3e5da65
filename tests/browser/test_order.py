"""The order of sections with a mouse, with the keyboard, on a phone: it is what one sees, or it is put back."""

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from .conftest import Installation, Visitor

pytestmark = pytest.mark.browser


@pytest.fixture
def ruth(larkmere: Installation, visitor: "type[Visitor]") -> Visitor:
    """Ruth at her desk."""
    ruth = visitor()
    ruth.sign_in(larkmere.address)
    ruth.page.goto(f"{larkmere.issue(1)}/write")
    expect(ruth.page.locator("ol.is-sortable")).to_be_visible()
    return ruth


def names(page: Page) -> list[str]:
    return page.locator(".app-outline__item [data-name]").all_inner_texts()


def drag(page: Page, item: Locator, below: Locator) -> None:
    start, end = item.locator(".app-outline__grip").bounding_box(), below.bounding_box()
    assert start and end
    page.mouse.move(start["x"] + 8, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(start["x"] + 8, start["y"] + 30, steps=3)
    page.mouse.move(end["x"] + 8, end["y"] + end["height"] - 4, steps=8)
    page.mouse.up()


def movable(page: Page) -> Locator:
    return page.locator(".app-outline__item[data-movable]")


def test_a_section_is_dragged_and_the_drop_is_said(ruth: Visitor) -> None:
    page = ruth.page
    before = names(page)
    first = movable(page).nth(0).locator("[data-name]").inner_text()
    with page.expect_response(re.compile("/place$")) as answer:
        drag(page, movable(page).nth(0), movable(page).nth(2))
    assert answer.value.status == 303
    expect(page.locator("#said")).to_have_text(re.compile(f"{re.escape(first)}, now 4 of {len(before)}"))
    assert names(page) == [before[0], *before[2:4], before[1], *before[4:]]
    page.reload()
    assert names(page) == [before[0], *before[2:4], before[1], *before[4:]]


def test_what_has_its_own_place_is_not_passed(ruth: Visitor) -> None:
    page = ruth.page
    before = names(page)
    page.set_viewport_size({"width": 1280, "height": 1400})
    drag(page, movable(page).last, page.locator(".app-outline__item").last)
    assert names(page) == before
    expect(page.locator(".app-outline__item").first.locator(".app-outline__grip")).to_be_hidden()


def test_a_refused_drop_puts_the_order_back_with_a_sentence(ruth: Visitor) -> None:
    page = ruth.page
    before = names(page)

    def refuse(route: Route) -> None:
        route.fulfill(status=409, body="Somebody else was quicker.")

    page.route("**/place", refuse)
    drag(page, movable(page).nth(0), movable(page).nth(2))
    note = page.locator("[data-sort-said]")
    expect(note).to_have_text("It could not be moved: the order is as it was.")
    assert names(page) == before
    page.unroute("**/place")
    page.route("**/place", lambda route: route.abort())
    note.evaluate("note => { note.textContent = '' }")  # what was said before does not count
    drag(page, movable(page).nth(0), movable(page).nth(2))
    expect(note).to_have_text("It could not be moved: the order is as it was.")
    assert names(page) == before
    ruth.complaints.clear()  # the browser itself complains of a request that was cut
    ruth.look("a drop that was refused")


def test_a_refused_move_leaves_the_outline_and_says_why(ruth: Visitor, larkmere: Installation) -> None:
    page = ruth.page
    before = names(page)
    refusal = page.request.get(f"{larkmere.address}/no-such-page").text()

    page.route("**/move", lambda route: route.fulfill(status=422, content_type="text/html", body=refusal))
    page.locator("[data-move]:enabled").first.click()
    expect(page.locator("[data-sort-said]")).to_have_text(re.compile(r"\w+"))
    assert names(page) == before
    page.unroute("**/move")


def test_with_the_keyboard_the_focus_stays_and_the_place_is_said(ruth: Visitor) -> None:
    page = ruth.page
    movable(page).nth(1).get_by_role("link").first.click()
    before = names(page)
    moved = before[2]
    said = page.locator("#said")
    ruth.go_to(page.get_by_role("button", name=f"Move ‘{moved}’ up"))
    page.keyboard.press("Enter")
    expect(said).to_have_text(re.compile(f"{re.escape(moved)}, now 2 of {len(before)}"))
    assert names(page) == [before[0], moved, before[1], *before[3:]]
    # At the top there is no way up any more: the focus is on the way down.
    expect(page.get_by_role("button", name=f"Move ‘{moved}’ down")).to_be_focused()
    page.keyboard.press("Alt+ArrowDown")
    expect(said).to_have_text(re.compile(f"{re.escape(moved)}, now 3 of {len(before)}"))
    assert names(page) == before
    page.get_by_label("Heading", exact=True).first.focus()
    page.keyboard.press("Alt+ArrowDown")
    page.wait_for_load_state("networkidle")
    assert names(page) == before, "while one types, it is the field's own"


def test_on_a_phone_a_section_is_moved_by_naming_the_one_above(ruth: Visitor) -> None:
    page = ruth.page
    movable(page).nth(1).get_by_role("link").first.click()
    before = names(page)
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(f"{page.url.partition('#')[0]}#outline")
    ruth.click(page.get_by_role("link", name=re.compile("^Move to")))
    page.get_by_label("Where it is to stand").select_option(label=f"Below “{before[3]}”")
    page.get_by_role("button", name="Move it").click()
    expect(page.locator("#outline")).to_be_visible()
    assert names(page) == [*before[:2], before[3], before[2], *before[4:]]
    page.goto(f"{page.url.partition('/write')[0]}/write/order")


def test_a_kind_of_section_is_found_by_typing_and_added_with_enter(ruth: Visitor) -> None:
    page = ruth.page
    page.get_by_role("button", name="Add a section").click()
    dialog = page.get_by_role("dialog", name=re.compile("Add a section"))
    find = dialog.get_by_label("Find")
    expect(find).to_be_focused()
    page.keyboard.type("nothing is called this")
    expect(dialog.get_by_role("status")).to_have_text("No kind of section is called that, or for that.")
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    ruth.look("the palette with nothing found")
    find.fill("quote")
    expect(dialog.get_by_role("status")).to_have_text("1 kind of section")
    find.fill("")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(find).to_be_focused()
    page.set_viewport_size({"width": 320, "height": 700})
    box = dialog.bounding_box()
    assert box
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 320, 700)
    page.keyboard.type("quote")
    page.keyboard.press("Enter")
    expect(page.locator("h2#kind")).to_have_text("Quotation")
