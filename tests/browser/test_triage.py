"""Ruth works through what came in by keyboard; Helen sees what was made of her news, on a phone, and answers."""

import email
import email.policy
import re
import sqlite3
import time
from contextlib import closing

import pytest
from playwright.sync_api import expect

from .conftest import Installation, Serve, Visitor

pytestmark = pytest.mark.browser

#: The machine may be busy.
LONGEST_WAIT = 60


def test_what_came_in_is_read_decided_and_answered(serve: Serve, visitor: "type[Visitor]") -> None:
    installation, ruth = serve("--demo"), visitor()
    page = ruth.page
    ruth.sign_in(installation.address)
    page.goto(f"{installation.address}/desk/contributions")
    ruth.look("contributions")
    page.set_viewport_size({"width": 1280, "height": 900})
    ruth.follow("Read the first")
    reading = page.url
    expect(page.get_by_label("Accept it for")).to_be_checked()
    ruth.look("contribution")

    changes = page.get_by_label("Ask for changes")
    changes.focus()
    page.keyboard.press("Space")
    expect(page.get_by_label("They can change it until")).to_be_visible()
    expect(page.get_by_label("Which issue?")).to_be_hidden()
    ruth.press("Save the decision")
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.locator("#changes_words-error")).to_contain_text("Say what should change.")
    expect(page.get_by_label("They can change it until")).to_be_visible()
    ruth.look("changes-without-words")

    page.get_by_label("Accept it for").check()
    words = page.locator("#place_words")
    ruth.write(words, f"{words.input_value()}\n\nIt stands first.")
    ruth.press("Save the decision")
    expect(page.get_by_text(re.compile("A mail leaves at "))).to_be_visible()
    ruth.look("decided")

    page.get_by_text(re.compile("^Ask ")).first.click()
    ruth.look("asking-whether-it-is-right")
    ruth.press("Ask now")
    expect(page.get_by_text(re.compile("was asked, and has until"))).to_be_visible()
    ruth.follow("What was changed, and when")
    ruth.look("what-was-changed")
    page.goto(reading)
    ruth.press("Compare")
    ruth.look("side-by-side")
    page.goto(f"{installation.address}/desk/issues")
    ruth.click(page.locator(".app-table tbody th a").first)
    page.goto(f"{page.url}/leftovers")
    ruth.look("leftovers")

    helen = visitor()
    helen.page.goto(_link_in_the_mail(installation))
    _helen_answers(helen)
    page.goto(reading)
    expect(page.get_by_text("Thirteen mentors, not twelve.")).to_be_visible()
    assert ruth.complaints == helen.complaints == []


def _helen_answers(helen: Visitor) -> None:
    """It is right; and then something else occurs to her."""
    helen.look("the-section-to-its-sender")
    helen.page.set_viewport_size({"width": 320, "height": 700})
    helen.press("It is right")
    expect(helen.page.get_by_text("You have said that it is right.")).to_be_visible()
    helen.page.get_by_text("Suggest a change").first.click()
    helen.press("Send it to the editors")
    expect(helen.page).to_have_title(re.compile("^Error: "))
    helen.write(helen.page.get_by_label("What would you change?"), "Thirteen mentors, not twelve.")
    helen.press("Send it to the editors")
    helen.look("suggested")


def _link_in_the_mail(installation: Installation) -> str:
    """The link in the mail that asks whether it is right; the mail may be on its way."""
    ends = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < ends:
        with closing(sqlite3.connect(installation.database, timeout=30)) as database:
            rows = database.execute("SELECT source FROM mailbox_message WHERE subject LIKE 'Is this right%'").fetchall()
        if rows:
            body = email.message_from_bytes(rows[-1][0], policy=email.policy.default).get_body(("plain",))
            assert body is not None
            found = re.search(r"http://\S+/contribution/[\w-]+/section", body.get_content())
            assert found is not None
            return found[0]
        time.sleep(0.2)
    raise AssertionError("No mail asks whether it is right")
