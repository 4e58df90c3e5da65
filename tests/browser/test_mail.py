"""The mail itself in a browser: as accessible as a page, on a phone and in the dark too."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from newsletter.rendering.issue import render
from tests.rendering import larkmere

pytestmark = pytest.mark.browser

#: These two rules are about pages: a mail stands inside somebody's webmail, which has its own main part.
OPTIONS = {"rules": {"landmark-one-main": {"enabled": False}, "region": {"enabled": False}}}


@pytest.mark.parametrize("issue", larkmere.ISSUES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 700])
def test_an_issue_can_be_read_by_everybody(
    browser: Browser, issue: str, scheme: Literal["light", "dark"], width: int
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    try:
        page = context.new_page()
        page.route("**/*", lambda route: route.abort())  # as with images off, and nothing leaves the machine
        page.set_content(render(larkmere.issue(issue)).html, wait_until="domcontentloaded")
        results = Axe().run(page, options=OPTIONS)
        assert results.violations_count == 0, results.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("h1").count() == 1
    finally:
        context.close()
