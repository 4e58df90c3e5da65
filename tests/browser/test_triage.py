"""Ruth works through what came in by keyboard; Helen sees what was made of her news, on a phone, and answers."""

import email
import email.policy
import hashlib
import re
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

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
    issue = installation.issue()
    page.goto(f"{issue}/leftovers")
    ruth.look("leftovers")

    helen = visitor()
    helen.page.goto(_link_in_the_mail(installation))
    _helen_answers(helen)
    page.goto(reading)
    expect(page.get_by_text("Thirteen mentors, not twelve.")).to_be_visible()

    _asks_to_have_it_out(helen, installation)
    _settles_it(ruth, issue, reading)
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


def _asks_to_have_it_out(helen: Visitor, installation: Installation) -> None:
    """Signed in as whoever sent it, she asks for one thing to go."""
    now = datetime.now(UTC)
    instants = [int(each.timestamp() * 1_000_000) for each in (now, now + timedelta(hours=20))]
    with closing(sqlite3.connect(installation.database, timeout=30)) as database, database:
        [(title, contributor)] = database.execute(
            "SELECT title, contributor_id FROM contribution WHERE state = 'accepted' AND contributor_id IS NOT NULL"
        )
        database.execute(
            "INSERT INTO contributor_session (id_hash, contributor_id, user_agent, created_at, ends_at)"
            " VALUES (?, ?, '', ?, ?)",
            [hashlib.sha256(b"helen").digest(), contributor, *instants],
        )
    helen.page.context.add_cookies([{"name": "contributor", "value": "helen", "url": installation.address}])
    helen.page.goto(f"{installation.address}/contribute/mine")
    helen.follow(title)
    helen.follow("Ask the editors to take it out")
    helen.look("asking-to-take-it-out")
    helen.write(helen.page.get_by_role("textbox"), "One school asks not to be named.")
    helen.press("Ask the editors")


def _settles_it(ruth: Visitor, issue: str, reading: str) -> None:
    """Nothing is scheduled before the sender has an answer."""
    page = ruth.page
    asked = page.get_by_text(re.compile("asks you to take something out of"))
    page.goto(f"{issue}/schedule")
    expect(asked.first).to_be_visible()
    page.goto(reading)
    expect(page.get_by_text("One school asks not to be named.")).to_be_visible()
    ruth.look("asked to take something out")
    ruth.write(page.get_by_label("What have you done?"), "The school is not named any more.")
    ruth.press("It is settled")
    page.goto(f"{issue}/schedule")
    expect(asked).to_have_count(0)


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
