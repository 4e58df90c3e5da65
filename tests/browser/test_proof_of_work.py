"""A real browser does the sum behind the sign-up form, and whoever presses at once waits for it and is signed up."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest
from playwright.sync_api import Browser, expect

from .conftest import Serve, Visitor

pytestmark = pytest.mark.browser


def test_nobody_notices(serve: Serve, visitor: Callable[[], Visitor], browser: Browser) -> None:
    installation = serve("--demo", PROOF_OF_WORK="yes")
    reader = visitor()
    for number in range(5):
        reader.page.goto(f"{installation.address}/subscribe?list=safeguarding-news")
        expect(reader.page.locator("input[name=work]")).not_to_have_value("")
        reader.page.get_by_label("Email address").fill(f"reader{number}@parish.example.org")
        reader.page.wait_for_timeout(2100)
        reader.press("Subscribe")
        expect(reader.page.get_by_role("heading", level=1)).to_contain_text("Check your inbox")
    reader.page.goto(f"{installation.address}/subscribe")
    reader.look("subscribe-with-a-sum")
    with closing(sqlite3.connect(installation.database, timeout=30)) as database:
        chosen = "SELECT count(*) FROM sign_up WHERE address LIKE 'reader_@parish.example.org'"
        assert database.execute(chosen).fetchone() == (5,), "five from one network: three is the most without a sum"
    without = browser.new_context(java_script_enabled=False, locale="en-GB").new_page()
    without.goto(f"{installation.address}/subscribe?list=safeguarding-news")
    without.get_by_label("Email address").fill("quiet@parish.example.org")
    without.wait_for_timeout(2100)
    without.get_by_role("button", name="Subscribe").click()
    expect(without.get_by_role("heading", level=1)).to_contain_text("Check your inbox")
    with closing(sqlite3.connect(installation.database, timeout=30)) as database:
        (found,) = database.execute("SELECT count(*) FROM sign_up WHERE address LIKE 'quiet@%'").fetchone()
    assert found == 1
    without.context.close()
