"""A reader moves to another address: by keyboard with every page looked at, and once more without JavaScript."""

import email
import email.policy
import re
import sqlite3
import time
import uuid
from collections.abc import Callable
from contextlib import closing

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from newsletter.tokens import Purpose, Signer

from .conftest import Installation, Serve, Visitor

pytestmark = pytest.mark.browser

KEY = "a-key-of-this-test-that-is-long-enough-to-be-used"
NEW, NEWER = "moved.reader@county.example.org", "moved.again@school.example.org"
LONGEST_WAIT = 60
#: Nobody fills a form in less: the form's own least time, in milliseconds.
READING = 2500


def test_a_reader_moves_to_another_address(serve: Serve, visitor: Callable[[], Visitor], browser: Browser) -> None:
    installation = serve("--demo", SECRET_KEYS=KEY)
    old, own = somebody(installation)
    reader = visitor()
    by_keyboard(reader, installation, old, own)
    context = browser.new_context(java_script_enabled=False, locale="en-GB", viewport={"width": 320, "height": 900})
    try:
        without_javascript(context.new_page(), installation, old, own)
    finally:
        context.close()
    assert reader.complaints == []


def somebody(installation: Installation) -> tuple[str, str]:
    """A subscriber of the demo: the address, and the link to the preferences that stands in each issue."""
    with closing(sqlite3.connect(installation.database, timeout=30)) as database:
        address, public_id = database.execute(
            "SELECT subscriber.address, subscription.public_id FROM subscription JOIN subscriber"
            " ON subscriber.id = subscription.subscriber_id WHERE subscription.state = 'active' LIMIT 1"
        ).fetchone()
    token = Signer((KEY,)).sign_id(Purpose.PREFERENCES, uuid.UUID(public_id))
    return address, f"{installation.address}/preferences/{token}"


def by_keyboard(reader: Visitor, installation: Installation, old: str, own: str) -> None:
    page = reader.page
    page.goto(own)
    reader.look("preferences")
    reader.press("Change my address")
    expect(heading(page)).to_have_text("Check your inbox")
    reader.look("address-link-sent")
    form = link_to(installation, old, "new-address")
    page.goto(form)
    reader.look("new-address")
    reader.write(page.get_by_label("New email address"), "moved")
    reader.press("Continue")
    reader.look("new-address-mistyped")
    reader.write(page.get_by_label("New email address"), NEW)
    page.wait_for_timeout(READING)
    reader.press("Continue")
    expect(heading(page)).to_have_text("Check the inbox of your new address")
    reader.look("new-address-sent")
    page.goto(form)
    reader.look("new-address-used")
    confirm = link_to(installation, NEW, "confirm-address")
    for _ in range(3):
        page.request.get(confirm)  # a mail filter looks at it first
    page.goto(confirm)
    expect(heading(page)).to_have_text("1 step left")
    reader.look("confirm-address")
    reader.press("Confirm my new address")
    expect(heading(page)).to_have_text("Your address is changed")
    reader.look("address-confirmed")
    page.goto(confirm)
    reader.look("address-already-confirmed")
    page.goto(link_to(installation, old, "undo-address"))
    expect(heading(page)).to_have_text("Was it not you?")
    reader.look("undo-address")
    reader.press("Change it back")
    expect(heading(page)).to_have_text("The change is undone")
    reader.look("undone")
    page.goto(confirm)
    reader.look("address-change-over")


def without_javascript(page: Page, installation: Installation, old: str, own: str) -> None:
    used = link_to(installation, old, "new-address")
    page.goto(own)
    page.get_by_role("button", name="Change my address").click()
    page.goto(link_to(installation, old, "new-address", after=used))
    page.get_by_label("New email address").fill(NEWER)
    page.wait_for_timeout(READING)
    page.get_by_role("button", name="Continue").click()
    page.goto(link_to(installation, NEWER, "confirm-address"))
    page.get_by_role("button", name="Confirm my new address").click()
    expect(heading(page)).to_have_text("Your address is changed")


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def link_to(installation: Installation, address: str, page: str, *, after: str = "") -> str:
    """The newest link of this kind that came to an address; its mail may be on its way, and is not the one before."""
    ends = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < ends:
        with closing(sqlite3.connect(installation.database, timeout=30)) as database:
            rows = database.execute("SELECT source FROM mailbox_message WHERE recipient = ? ORDER BY id", (address,))
            found = [link for (source,) in rows for link in links(source, page)]
        if found and found[-1] != after:
            return found[-1]
        time.sleep(0.2)
    raise AssertionError(f"No link to {page} came to {address}")


def links(source: bytes, page: str) -> list[str]:
    body = email.message_from_bytes(source, policy=email.policy.default).get_body(("plain",))
    assert body is not None
    return re.findall(rf"http://\S+/{page}/[\w-]+", body.get_content())
