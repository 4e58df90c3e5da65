"""A reader's whole life, on a phone: by keyboard with every page looked at, and once more without JavaScript. Before
each press a filter with a browser of its own has loaded the link, run its scripts, and pressed nothing."""

import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.tokens import Purpose, Signer, unsubscribe_token

from .conftest import Installation, Serve, Visitor
from .test_change_of_address import KEY, READING, heading, link_to

pytestmark = pytest.mark.browser
PHONE = {"width": 320, "height": 800}
#: What a reader's links could change; the program's own duties go on in the other tables meanwhile.
TABLES = {
    "subscriber": "*", "subscription": "*", "sign_up": "*", "sign_up_choice": "*", "suppression": "*",
    "address_change": "*", "limit_counter": "*", "data_complaint": "*",
    "consent": "id, subscription_id, event, at, route, note",
}  # fmt: skip


class Life:
    """One person with a browser, and the filter in front of their mailbox."""

    def __init__(self, installation: Installation, page: Page, scanner: Page, address: str) -> None:
        self.installation, self.page, self.scanner, self.address = installation, page, scanner, address

    def rows(self) -> dict[str, list[Any]]:
        with closing(sqlite3.connect(self.installation.database, timeout=30)) as database:
            chosen = {name: f"SELECT {columns} FROM {name} ORDER BY 1, 2" for name, columns in TABLES.items()}
            return {name: database.execute(select).fetchall() for name, select in chosen.items()}

    def follows(self, link: str) -> None:
        """The filter loads it first; then they open it themselves."""
        before = self.rows()
        for _twice in range(2):
            self.scanner.goto(link)
            self.scanner.wait_for_load_state("networkidle")
        assert self.rows() == before
        self.page.goto(link)

    def mailed(self, page: str, *, after: str = "") -> str:
        return link_to(self.installation, self.address, page, after=after)

    def own(self, purpose: str) -> str:
        """The links that stand in each issue: to their preferences, and to leave."""
        with closing(sqlite3.connect(self.installation.database, timeout=30)) as database:
            (found,) = database.execute(
                "SELECT subscription.public_id FROM subscription JOIN subscriber ON subscriber.id = subscriber_id"
                " WHERE address_key = ? ORDER BY subscription.id LIMIT 1", (self.address,),
            ).fetchone()  # fmt: skip
        public_id = uuid.UUID(found)
        if purpose == "u":
            return f"{self.installation.address}/u/{unsubscribe_token((KEY,), public_id)}"
        return f"{self.installation.address}/preferences/{Signer((KEY,)).sign_id(Purpose.PREFERENCES, public_id)}"


def live(life: Life, press: Callable[[str], None], look: Callable[[str], None], tick: Callable[[str], None]) -> None:
    """From the form to being forgotten."""
    page = life.page
    page.goto(f"{life.installation.address}/subscribe?list=safeguarding-news")
    page.get_by_label("Email address").fill(life.address)
    page.wait_for_timeout(READING)
    press("Subscribe")
    expect(heading(page)).to_contain_text("Check your inbox")
    confirm = life.mailed("confirm")
    life.follows(life.mailed("not-me"))
    look("not-me")
    life.follows(confirm)
    press("Confirm my subscription")
    expect(heading(page)).to_have_text("You are subscribed")

    life.follows(life.own("preferences"))
    tick("Pause for 3 months")
    press("Save")
    expect(page.get_by_text("Saved.")).to_be_visible()
    look("preferences-saved")
    life.follows(life.own("preferences") + "/join/policy-changes")
    expect(heading(page)).to_have_text("Get Policy changes too?")
    look("join-list")
    press("Join this list")
    expect(heading(page)).to_have_text("You get Policy changes")
    look("joined")

    life.follows(life.own("u"))
    press("Unsubscribe")
    press("Email me the way back")
    life.follows(life.mailed("come-back"))
    look("come-back")
    press("Go on getting it")
    expect(heading(page)).to_contain_text("again")
    life.follows(life.own("preferences") + "/leave")
    press("Leave every list")
    expect(heading(page)).to_have_text("You have left every list")
    look("left-every-list")

    life.follows(life.own("preferences"))
    press("Email me the link")
    life.follows(life.mailed("your-data"))
    look("your-data")
    press("Forget me")
    expect(heading(page)).to_have_text("We have forgotten you")
    look("forgotten")
    with closing(sqlite3.connect(life.installation.database, timeout=30)) as database:
        left = database.execute("SELECT count(*) FROM subscriber WHERE address_key = ?", (life.address,)).fetchone()
    assert left == (0,)


def test_a_readers_whole_life(serve: Serve, visitor: Callable[[], Visitor], browser: Browser) -> None:
    installation = serve("--demo", SECRET_KEYS=KEY)
    scanner = browser.new_context(locale="en-GB").new_page()
    reader = visitor()
    reader.page.set_viewport_size(PHONE)

    def tick(label: str) -> None:
        # Tab comes to the radio that is chosen; the arrows lead on.
        choice = reader.page.get_by_label(label)
        reader.go_to(reader.page.get_by_label("Send me each issue"))
        for _step in range(10):
            if choice.is_checked():
                return
            reader.page.keyboard.press("ArrowDown")
        raise AssertionError(f"No arrow came to {label}")

    live(Life(installation, reader.page, scanner, "noor@example.org"), reader.press, reader.look, tick)
    assert reader.complaints == []

    context = browser.new_context(java_script_enabled=False, locale="en-GB", viewport=PHONE)
    page = context.new_page()

    def press(name: str) -> None:
        with page.expect_navigation():
            page.get_by_role("button", name=name).first.click()

    live(
        Life(installation, page, scanner, "tomas@example.org"), press,
        lambda _name: None, lambda label: page.get_by_label(label).check(),
    )  # fmt: skip
    scanner.context.close()
    context.close()
