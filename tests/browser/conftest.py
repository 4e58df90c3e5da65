"""A whole installation, started as an operator starts it, and a browser to visit it with."""

import fcntl
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.chromium import chromium

WIDTHS = (320, 768, 1280)
MOST_TABS = 300
#: How long a page may take to become what a story expects: nobody waits that long, but a machine with much to do may.
PATIENCE = 15_000
expect.set_options(timeout=PATIENCE)
#: Where pictures of every page are kept, when somebody wants to look at them.
PICTURES = os.environ.get("NEWSLETTER_TEST_PICTURES")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one module: while it is driven, an event loop runs, and the other tests have loops of their own."""
    with chromium() as browser:
        yield browser


@dataclass
class Installation:
    """`newsletter serve` in a data directory of its own."""

    address: str
    data_dir: Path
    said: str
    environment: dict[str, str]

    @property
    def database(self) -> Path:
        return self.data_dir / "newsletter.db"

    def issue(self, which: int = 0) -> str:
        """The address of an issue of the demo: the one in hand, or that many after it. Their names go by the date."""
        with closing(sqlite3.connect(self.database, timeout=30)) as database:
            slugs = database.execute("SELECT slug FROM issue WHERE state = 'draft' ORDER BY id").fetchall()
        return f"{self.address}/desk/issues/{slugs[which][0]}"

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`newsletter <words>` beside the running processes."""
        return subprocess.run(
            [sys.executable, "-m", "newsletter.cli", *words], env=self.environment, capture_output=True, text=True
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def serve(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator["Serve"]:
    """Starts installations; stops them at the end."""
    serve = Serve(tmp_path, partial(request.getfixturevalue, "filled_demo"))
    yield serve
    serve.stop()


@pytest.fixture(scope="module")
def larkmere(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Installation]:
    """The demo, once for all tests of a module."""
    serve = Serve(tmp_path_factory.mktemp("larkmere"), partial(request.getfixturevalue, "filled_demo"))
    yield serve("--demo")
    serve.stop()


#: What `serve --demo` does before it serves.
_FILL = """
from newsletter import clock
from newsletter.cli.context import make_app
from newsletter.demo.seed import seed_demo

with make_app().app_context():
    seed_demo(clock.now())
"""


@pytest.fixture(scope="session")
def filled_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demo in it and no mail delivered yet. Filling it takes some seconds, so all processes of a
    test run share one."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "filled-demo"
    with (shared / "filled-demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = shared / "filled-demo.unfinished"
            environment = {**os.environ, "NEWSLETTER_DATA_DIR": str(unfinished)}
            subprocess.run([sys.executable, "-c", _FILL], env=environment, check=True)
            unfinished.rename(folder)
    return folder


@dataclass
class Serve:
    folder: Path
    filled_demo: Callable[[], Path]
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def __call__(self, *words: str, **settings: str) -> Installation:
        if "--demo" in words:
            shutil.copytree(self.filled_demo(), self.folder, dirs_exist_ok=True)
        port = free_port()
        address = f"http://localhost:{port}"
        environment = {
            **os.environ,
            "NEWSLETTER_DATA_DIR": str(self.folder),
            "NEWSLETTER_PUBLIC_URL": address,
            "PYTHONUNBUFFERED": "1",
            **{f"NEWSLETTER_{name}": value for name, value in settings.items()},
        }
        process = subprocess.Popen(
            # One process for the pages is enough for one person, and starts in half the time.
            [sys.executable, "-m", "newsletter.cli", "serve", "--port", str(port), "--web-processes", "1", *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.running.append(process)
        said = ""
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            if line.startswith("Ctrl-C"):
                return Installation(address, self.folder, said, environment)
        raise AssertionError(f"newsletter serve ended: {said}")

    def stop(self) -> None:
        for process in self.running:
            process.terminate()
            process.wait(60)
            if process.stdout:
                process.stdout.close()


_RUN_AXE = "within => axe.run(within, { resultTypes: ['violations'], iframes: false })"


@dataclass
class Visitor:
    """One person's browser, with an eye for what is wrong with a page."""

    page: Page
    seen: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def look(self, name: str, within: str = "") -> None:
        """Check the page that is open: axe, sideways scroll at three widths, scripts and policy without complaint.

        `within` has axe look at a part of it only, where the rest is as it was before.
        """
        self.seen.append(name)
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            if PICTURES:
                folder = Path(PICTURES)
                folder.mkdir(parents=True, exist_ok=True)
                self.page.screenshot(path=folder / f"{len(self.seen):02d}-{name}-{width}.png", full_page=True)
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} wide at {width}"
            if width == 768:
                continue  # between the two, nothing is laid out that the two have not
            found = self.violations(within)
            assert found.violations_count == 0, f"{name} at {width}: {found.generate_report()}"
        assert self.complaints == [], name

    def violations(self, within: str = "") -> AxeResults:
        """What axe finds on the page that is open. Its script is half a megabyte: a page is given it once. It does
        not wait half a second for an answer out of frames: what is in them is the mail, which has its own test."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(Axe().axe_script)
        return AxeResults(self.page.evaluate(_RUN_AXE, within or "html"))

    def press(self, name: str | re.Pattern[str]) -> None:
        """Press the first button of this name, and wait for the page it leads to."""
        exact = isinstance(name, str)
        self.go_to(self.page.get_by_role("button", name=name, exact=exact).first)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self.page.wait_for_load_state("networkidle")

    def sign_in(self, address: str, name: str = "Ruth") -> None:
        """At the desk of the demo at this address, as one of its people."""
        self.page.goto(f"{address}/sign-in")
        self.click(self.page.get_by_role("button", name=re.compile(name)).first)

    def click(self, target: Locator) -> None:
        """Click what leads to another page, and wait for that page."""
        with self.page.expect_navigation():
            target.click()
        self.page.wait_for_load_state("networkidle")

    def follow(self, name: str | re.Pattern[str]) -> None:
        """Follow a link; the one that leads on looks like a button, and says so to readers of screens."""
        link = self.page.get_by_role("link", name=name)
        self.go_to(self.page.locator("a").and_(link.or_(self.page.get_by_role("button", name=name))).first)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self.page.wait_for_load_state("networkidle")

    def write(self, field: Locator, text: str) -> None:
        """Put `text` in the place of what stands in a field."""
        self.go_to(field)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def go_to(self, target: Locator) -> None:
        """To an element with Tab alone: whoever has no mouse can play every one of these stories."""
        handle = target.element_handle()
        for _ in range(MOST_TABS):
            if self.page.evaluate("element => document.activeElement === element", handle):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab never came to {target} on {self.page.url}")


@pytest.fixture
def visitor(browser: Browser) -> Iterator["type[None]"]:
    """Makes visitors, each with cookies of their own."""
    contexts = []

    def make() -> Visitor:
        context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
        contexts.append(context)
        page = context.new_page()
        visitor = Visitor(page)
        page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        page.on("console", lambda message: _note(visitor, message.type, message.text))
        return visitor

    yield make
    for context in contexts:
        context.close()


def _note(visitor: Visitor, kind: str, text: str) -> None:
    if kind == "error" and not re.search(r"status of (4|5)\d\d", text):
        visitor.complaints.append(text)
