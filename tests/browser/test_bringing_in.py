"""People are brought in from a file in a real browser, by keyboard, each page looked at wide and narrow."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .conftest import Installation, Visitor

pytestmark = pytest.mark.browser

_ROWS = "".join(
    f"reader{number}@parish{number % 5}.example.org;Zoë Näme {number};Weir Parish;Council\n" for number in range(60)
)
_FAULTS = "not-an-address;Bad One;;\nREADER1@parish1.example.org;Twice;;\n;Nobody;;\n=1+1@parish.example.org;=A(1);;\n"
ADDED, FAULTS = 61, 3


def heading(visitor: Visitor, words: str | re.Pattern[str]) -> None:
    expect(visitor.page.get_by_role("heading", level=1)).to_contain_text(words)


def test_a_sheet_is_brought_in(larkmere: Installation, visitor: Callable[[], Visitor], tmp_path: Path) -> None:
    sheet = tmp_path / "people.csv"
    sheet.write_bytes(f"E-Mail;Full name;Organisation;Sector\n{_ROWS}{_FAULTS}".encode("cp1252"))
    ada = visitor()
    ada.sign_in(larkmere.address, "Ada")
    ada.page.goto(f"{larkmere.address}/desk/subscribers")
    ada.follow("Bring people in")
    ada.look("imports")
    ada.page.locator("input[type=file]").set_input_files(sheet)
    ada.press("Go on")
    heading(ada, "What is in the file")
    expect(ada.page.get_by_text("Windows-1252, divided by semicolons")).to_be_visible()
    ada.look("import-columns")

    ada.press("Look through it")
    expect(ada.page.get_by_role("alert")).to_contain_text("Say where these people agreed to get this, and when")
    ada.look("import-refused")
    ada.write(ada.page.get_by_label("Where and when did they agree?"), "Conference, 3 October 2026")
    ada.go_to(ada.page.get_by_label("Ask each of them to confirm"))
    ada.page.keyboard.press("ArrowDown")
    ada.write(ada.page.get_by_label("How can that be shown?"), "They ticked a box; the sheets are in the office.")
    ada.press("Look through it")
    expect(ada.page.get_by_role("heading", name="Lines that nobody comes of")).to_be_visible()
    refused = ada.page.locator("tbody tr")
    expect(refused).to_have_count(FAULTS)
    expect(refused.first).to_contain_text("not-an-address")
    ada.look("import-looked")

    ada.press("Bring them in")
    expect(ada.page.get_by_role("link", name="See the subscribers")).to_be_visible()
    expect(ada.page.locator(".app-why").first).to_contain_text(str(ADDED))
    ada.look("import-done")
    ada.follow("See the subscribers")
    heading(ada, str(700 + ADDED))
    ada.look("subscribers-after")


def test_what_administrators_decide(larkmere: Installation, visitor: Callable[[], Visitor]) -> None:
    """What is kept, and taking a picture down that is none."""
    ada = visitor()
    ada.sign_in(larkmere.address, "Ada")
    ada.page.goto(f"{larkmere.address}/desk/settings/retention")
    ada.look("retention")
    ada.page.goto(f"{larkmere.address}/desk/settings/take-down")
    ada.write(ada.page.get_by_label("Its address"), "no picture")
    ada.press("Take it down for good")
    expect(ada.page.get_by_role("alert")).to_be_visible()
    expect(ada.page.get_by_label("Its address")).to_have_value("no picture")
    ada.look("take-down-picture")
    ada.page.goto(f"{larkmere.address}/desk/subscribers")
    ada.click(ada.page.locator("tbody th a").first)
    ada.look("story")
