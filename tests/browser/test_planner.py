"""Ruth looks at the year, tries another rhythm, lays a year out and takes it back: by keyboard, at every width."""

import re
from datetime import date

import pytest
from playwright.sync_api import expect

from .conftest import Installation, Visitor

pytestmark = pytest.mark.browser
#: The demo has no issues of this year yet, whenever it is tried.
YEAR = date.today().year + 2


def test_a_year_by_keyboard(larkmere: Installation, visitor: "type[Visitor]") -> None:
    ruth = visitor()
    page = ruth.page
    ruth.sign_in(larkmere.address)
    page.get_by_role("link", name="the year planner").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Year planner"))
    ruth.look("year")

    # Another rhythm: its days change as one chooses, and the choice keeps the focus.
    page.get_by_role("link", name="Change the rhythm").press("Enter")
    days, choice = page.locator("#days"), page.locator("#deadline_ordinal")
    expect(days).to_contain_text("on the third Friday of January, April, July and October")
    choice.focus()
    choice.select_option("second")
    expect(days).to_contain_text("on the second Friday of January, April, July and October")
    expect(choice).to_be_focused()
    expect(page.locator("#deadline_day")).to_be_hidden()
    page.locator("#deadline_way-2").press("Space")
    expect(page.locator("#deadline_day")).to_be_visible()
    expect(days).to_contain_text("Enter a day of the month from 1 to 31")
    ruth.look("rhythm")

    # Nothing was kept. A year is laid out, looked at, and taken back.
    slug = _list(page.url)
    page.goto(f"{larkmere.address}/desk/lists/{slug}/year/{YEAR}")
    page.get_by_role("button", name=f"Lay out {YEAR}").press("Enter")
    expect(page.get_by_role("heading", level=3)).to_have_count(4)
    ruth.look("laying out")
    page.get_by_role("button", name="Make 4 issues").press("Enter")
    expect(page.locator("[data-flash]")).to_have_text("4 issues are laid out.")
    page.get_by_role("link", name=f"Move the dates of June {YEAR}").press("Enter")
    ruth.look("moving")
    page.get_by_label("Date").first.fill(f"1 July {YEAR}")
    page.get_by_role("button", name="Save").press("Enter")
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    page.get_by_role("link", name=f"Year planner, {YEAR}").press("Enter")
    page.get_by_role("button", name="Take 4 empty issues back").press("Enter")
    expect(page.locator("[data-flash]")).to_contain_text("Taken back: ")
    expect(page.get_by_text("Not laid out")).to_have_count(4)

    page.goto(f"{larkmere.address}/lists/{slug}/calendar")
    follow = page.get_by_role("button", name="Follow in your calendar")
    expect(follow).to_have_attribute("href", re.compile("^webcal:"))
    ruth.look("calendar")


def _list(url: str) -> str:
    found = re.search("/desk/lists/([^/]+)/", url)
    assert found
    return found[1]
