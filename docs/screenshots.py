"""Pictures for docs/use.md, of a demo that runs. For whoever changes a page:

    newsletter serve --demo --port 8000
    python docs/screenshots.py http://localhost:8000

It signs in with one click, looks, and changes nothing but the test copy that it does not send. Needs the extra
`test` and Chromium: Playwright's own, or the one that CHROMIUM names.
"""

import os
import re
import sys
from datetime import datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

PICTURES = Path(__file__).parent / "pictures"
LARGEST = 150_000


def take(page: Page, name: str) -> None:
    """Keep a picture of the page as it stands. Raises SystemExit for one that is too large."""
    page.wait_for_load_state("networkidle")
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path, animations="disabled", caret="hide")
    size = path.stat().st_size
    print(f"{path.name:<20} {size:>8,} bytes")
    if size > LARGEST:
        raise SystemExit(f"{path.name} has {size:,} bytes: {LARGEST:,} are the most")


def sign_in(page: Page, base: str, name: str) -> None:
    """As one of the demo's people."""
    page.goto(f"{base}/sign-in")
    page.get_by_role("button", name=name).click()
    page.wait_for_url(f"{base}/desk**")


def public_pictures(browser: Browser, base: str) -> None:
    """What readers and contributors see."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{base}/subscribe")
    take(page, "subscribe")
    page.goto(f"{base}/contribute")
    page.locator("main a[href*='/contribute/']").first.click()
    take(page, "call")


def editor_pictures(browser: Browser, base: str) -> None:
    """The quarter from the desk's side, as Ruth sees it."""
    page = browser.new_page(viewport={"width": 1280, "height": 860})
    sign_in(page, base, "Ruth Adeyemi")
    take(page, "quarter")
    in_hand, sent = issues(page, base)
    for name, path in (
        ("issue", in_hand),
        ("contributions", f"{base}/desk/contributions"),
        ("report", f"{sent}/sending"),
        ("board", f"{in_hand}/call"),
    ):
        page.goto(path)
        take(page, name)
    page.goto(f"{base}/desk/contributions")
    page.get_by_role("button", name="Read the first").click()
    take(page, "triage")
    page.goto(f"{base}/desk")
    page.get_by_role("link", name="the year planner").click()
    take(page, "planner")
    page.set_viewport_size({"width": 1200, "height": 720})
    page.goto(f"{in_hand}/write")
    page.wait_for_timeout(1500)
    take(page, "write")


def issues(page: Page, base: str) -> tuple[str, str]:
    """The addresses of the issue that is being written and of the one sent before it."""
    page.goto(f"{base}/desk/issues")
    links = page.locator("main a[href*='/desk/issues/']").evaluate_all("links => links.map(link => link.href)")
    quarterly = [link for link in links if re.search(r"/issues/[a-z]+-\d{4}$", link)]
    states = {link: "sent" if page.request.get(f"{link}/as-sent").ok else "in hand" for link in quarterly}
    dated = sorted(states, key=lambda link: datetime.strptime(link.rpartition("/")[2], "%B-%Y"))  # noqa: DTZ007 - a month has no zone
    last_sent = max(number for number, link in enumerate(dated) if states[link] == "sent")
    return dated[last_sent + 1], dated[last_sent]


def main(base: str) -> None:
    """All pictures, anew."""
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox", "--disable-gpu"]
        )
        public_pictures(browser, base)
        editor_pictures(browser, base)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/") if len(sys.argv) > 1 else "http://localhost:8000")
