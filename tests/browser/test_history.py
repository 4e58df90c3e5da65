"""Ruth looks back, begins the next issue, keeps what was promised and the book, in a browser."""

import re
from collections.abc import Callable

from tests.browser.conftest import Installation, Serve, Visitor


def _open(ruth: Visitor, place: Installation, name: str) -> None:
    """The desk, with the section of this name open."""
    page = ruth.page
    page.goto(f"{place.issue()}/write")
    ruth.click(page.locator(".app-outline__name", has_text=name).first)


def test_going_back_loses_nothing_and_can_be_read_by_everybody(serve: Serve, visitor: Callable[[], Visitor]) -> None:
    place = serve("--demo")
    ruth = visitor()
    page = ruth.page
    ruth.sign_in(place.address)
    page.goto(f"{place.issue()}/write")
    names = page.locator(".app-outline__name").all_inner_texts()
    second = names[3].splitlines()[0]
    _open(ruth, place, second)
    page.get_by_role("button", name=f"Move ‘{second}’ down").click()
    page.get_by_text(f"“{second}” was moved.").wait_for()
    page.locator("#outline").get_by_role("button", name="Undo").click()
    page.get_by_text("Undone.").wait_for()
    assert page.locator(".app-outline__name").all_inner_texts() == names

    page.get_by_role("link", name="Versions", exact=True).first.click()
    page.get_by_role("heading", name="Versions of").wait_for()
    page.get_by_label("From").select_option(index=1)
    ruth.click(page.get_by_role("button", name="Compare"))

    _open(ruth, place, second)
    page.get_by_role("button", name="Delete").first.click()
    page.get_by_text(f"Deleted ‘{second}’.").wait_for()
    page.goto(f"{place.issue()}/history/compare?from=1")
    page.goto(f"{place.issue()}/bin")
    ruth.click(page.get_by_role("link", name=re.compile("^Delete for good")).first)
    page.go_back()
    ruth.click(page.get_by_role("button", name=re.compile("^Put it back")).first)
    page.get_by_text("is back at its old place.").wait_for()
    assert page.locator(".app-outline__name").all_inner_texts() == names
    ruth.click(page.get_by_role("link", name="Earlier words of this section"))
    page.goto(f"{place.issue()}/bin")
    assert ruth.complaints == []


def test_the_next_issue_begins_with_what_comes_back_and_what_was_promised(
    serve: Serve, visitor: Callable[[], Visitor]
) -> None:
    place = serve("--demo")
    ruth = visitor()
    page = ruth.page
    ruth.sign_in(place.address)
    page.goto(f"{place.issue()}/write")
    page.get_by_text("Follow up next time").first.click()
    page.get_by_label("A note for next time, if you like").fill("Ask Ann for the figures")
    page.get_by_role("button", name="Follow up next time").click()
    page.get_by_text("This waits at the top of the next issue.").wait_for()

    page.goto(f"{place.issue(1)}/write")
    page.get_by_text(re.compile("things? waits? for this issue")).wait_for()
    ruth.click(page.get_by_role("link", name=re.compile("^Read the old words")))
    page.goto(f"{place.issue(1)}/start")
    page.get_by_role("heading", name="Start from").wait_for()
    page.get_by_role("checkbox").first.check()
    ruth.click(page.get_by_role("button", name="Start with these"))
    page.get_by_role("button", name=re.compile("^Let it go")).click()
    page.get_by_text("will not be followed up.").wait_for()
    assert ruth.complaints == []


def test_the_book_is_kept_and_used(serve: Serve, visitor: Callable[[], Visitor]) -> None:
    place = serve("--demo")
    ruth = visitor()
    page = ruth.page
    ruth.sign_in(place.address)
    page.goto(f"{place.address}/desk/book")
    page.get_by_role("link", name="Add a person").click()
    ruth.click(page.get_by_role("button", name="Save"))
    page.get_by_label("Name", exact=True).fill("Bethan Price")
    page.get_by_label("Role").fill("Policy officer")
    page.get_by_label("Email address").fill("bethan@example.org")
    ruth.click(page.get_by_role("button", name="Save"))
    ruth.click(page.get_by_role("link", name=re.compile("^End")).first)
    page.get_by_label("Why").fill("Left the team")
    ruth.click(page.get_by_role("button", name="End it"))
    ruth.click(page.get_by_role("button", name="Use it again"))

    page.goto(f"{place.issue()}/write/add")
    ruth.click(page.get_by_role("button", name=re.compile("Contact")).first)
    page.get_by_label("From the book").select_option(index=1)
    ruth.click(page.get_by_role("button", name="Put it in"))
    page.get_by_text("Bethan Price was put in from the book.").wait_for()
    assert page.get_by_label("Email address").first.input_value() == "bethan@example.org"
    assert ruth.complaints == []
