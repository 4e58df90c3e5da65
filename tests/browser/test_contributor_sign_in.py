"""A lead signs in and invites a colleague, who begins without JavaScript; an editor looks after both: by keyboard."""

import email
import email.policy
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from newsletter.demo.words import PARTNERS

from .conftest import Installation, Serve, Visitor

pytestmark = pytest.mark.browser

AGENCY, (LEAD, LEAD_ADDRESS) = next((name, people[0]) for name, people in PARTNERS.items())
COLLEAGUE = "new.colleague@example.org"
LONGEST_WAIT = 60


def test_a_lead_signs_in_and_looks_after_an_agency(
    serve: Serve, visitor: Callable[[], Visitor], browser: Browser
) -> None:
    installation = serve("--demo")
    lead = visitor()
    signs_in(lead, installation)
    invites(lead)
    begins_without_javascript(browser, installation)
    editor = visitor()
    looks_after_them(editor, installation)
    asks(visitor(), installation)
    assert lead.complaints == editor.complaints == []


def signs_in(lead: Visitor, installation: Installation) -> None:
    page = lead.page
    page.goto(f"{installation.address}/contribute/agency")
    expect(heading(page)).to_have_text("Sign in to send news")
    lead.look("sign-in")
    lead.write(page.get_by_label("Email address"), "not an address")
    lead.press("Email me a link")
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.locator(".govuk-error-summary")).to_be_focused()
    lead.look("sign-in-wrong")
    lead.write(page.get_by_label("Email address"), f"{LEAD_ADDRESS}.")
    lead.press("Email me a link")
    expect(heading(page)).to_have_text("Check your email")
    lead.look("code")
    _link, code = mailed(installation, LEAD_ADDRESS)
    lead.write(page.get_by_label("Code"), "000 001" if code == "000 000" else "000 000")
    lead.press("Continue")
    lead.look("code-wrong")
    lead.write(page.get_by_label("Code"), code)
    lead.press("Continue")
    expect(heading(page)).to_have_text(AGENCY)
    lead.look("agency-of-lead")


def invites(lead: Visitor) -> None:
    page = lead.page
    lead.follow("Invite somebody")
    lead.look("invite-colleague")
    lead.write(page.get_by_label("Email address"), COLLEAGUE)
    lead.press("Send the invitation")
    expect(page.get_by_text(f"An invitation is on its way to {COLLEAGUE}.")).to_be_visible()
    lead.follow(COLLEAGUE)
    lead.look("colleague")
    lead.press("Make them a lead")
    page.goto(page.url.replace(page.url.partition("/contribute")[2], "/account"))
    lead.look("account")


def begins_without_javascript(browser: Browser, installation: Installation) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB", viewport={"width": 320, "height": 900})
    try:
        page = context.new_page()
        link, _code = mailed(installation, COLLEAGUE)
        for _ in range(3):
            page.request.get(link)  # a mail filter looks at it first
        page.goto(link)
        expect(heading(page)).to_have_text("Welcome")
        page.get_by_role("button", name="Begin").click()
        expect(heading(page)).to_have_text("Your account")
        page.get_by_label("Your name").fill("Nela Colleague")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        page.goto(link)
        expect(heading(page)).to_have_text("This was used already")
        page.goto(f"{installation.address}/contribute/account")
        page.get_by_role("button", name="Sign out", exact=True).click()
        expect(heading(page)).to_have_text("You are signed out")
    finally:
        context.close()


def looks_after_them(editor: Visitor, installation: Installation) -> None:
    page = editor.page
    editor.sign_in(installation.address)
    page.goto(f"{installation.address}/desk/agencies")
    editor.look("agencies")
    editor.follow(AGENCY)
    editor.look("agency")
    editor.follow("Nela Colleague")
    editor.look("contributor")
    editor.press("End their access")
    editor.look("contributor-ended")
    page.goto(f"{installation.address}/desk/contributors")
    editor.look("contributors")
    page.goto(f"{installation.address}/desk/agencies/import")
    editor.look("import")
    editor.write(
        page.get_by_label("Paste the list"), "Larkmere Zoo, Ann Poe, ann@\nLarkmere Zoo, Bo Poe, bo@example.org"
    )
    editor.press("Look through it")
    editor.look("import-wrong")
    editor.write(page.get_by_label("Paste the list"), "Larkmere Zoo, Ann Poe, ann@example.org, lead")
    editor.press("Look through it")
    editor.look("import-found")
    editor.press("Bring them in")
    editor.look("imported")


def asks(stranger: Visitor, installation: Installation) -> None:
    page, address = stranger.page, "somebody.new@example.org"
    page.goto(f"{installation.address}/contribute/sign-in")
    stranger.write(page.get_by_label("Email address"), address)
    stranger.press("Email me a link")
    link, _code = mailed(installation, address)
    page.goto(link)
    stranger.look("prove")
    stranger.press("Sign in")
    expect(heading(page)).to_have_text("For whom do you send news?")
    stranger.look("ask")
    stranger.write(page.get_by_label("Your name"), "Sol Newcomer")
    stranger.write(page.get_by_label("I send news for"), "Larkmere Zoo, the keepers")
    stranger.press("Ask the editors")
    expect(heading(page)).to_have_text("Your account")


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def mailed(installation: Installation, address: str) -> tuple[str, str]:
    """The link and the code in the newest mail that came to an address, which may be on its way."""
    ends = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < ends:
        with closing(sqlite3.connect(installation.database, timeout=30)) as database:
            rows = database.execute("SELECT source FROM mailbox_message WHERE recipient = ? ORDER BY id", (address,))
            found = [both for (source,) in rows if (both := link_and_code(source))]
        if found:
            return found[-1]
        time.sleep(0.2)
    raise AssertionError(f"No link came to {address}")


def link_and_code(source: bytes) -> tuple[str, str] | None:
    body = email.message_from_bytes(source, policy=email.policy.default).get_body(("plain",))
    assert body is not None
    link = re.search(r"http://\S+/contribute/prove/[\w-]+", body.get_content())
    code = re.search(r"^ +(\d{3} \d{3})\s*$", body.get_content(), re.MULTILINE)
    return (link[0], code[1] if code else "") if link else None
