"""The stage of the long stories: a clock of ours, a web server and a mail server on real ports, people with browsers.

What people do goes through sockets, what they read in their inbox is what the mail server was given, and what happens
by itself is the jobs of the real ticks: each time twice over, and by two schedulers at one moment.
"""

import http.client
import io
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from flask import Flask
from sqlalchemy import select
from waitress import wasyncore
from waitress.server import create_server
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import encode_multipart

from newsletter import jobs
from newsletter.app import create_app
from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.delivery.run import engine
from newsletter.domain.staff import browser_sessions
from newsletter.models import Account, Issue
from newsletter.web.sessions import CookieAndRow
from newsletter.work.runners import SilentRunner
from tests.log_witness import nobody_in_the_logs
from tests.scanner import links_in, scan
from tests.smtp_servers import AcceptingServer

HOST = "127.0.0.1"
KEY = "a-test-key-that-is-long-enough-to-be-used"
#: What a form sends: names and values, in the order of the page.
Fields = list[tuple[str, str]]
#: A field, the name of the file in it, what the file holds.
File = tuple[str, str, bytes]
_INLINE = ("a", "abbr", "b", "em", "i", "span", "strong", "time")
_UNREAD = ("script", "style", "template", "svg")
_VOID = ("area", "br", "col", "hr", "img", "input", "link", "meta", "path", "source", "use", "wbr")
_SPACES = re.compile(r"\s+")


class Clock:
    """What the product takes for the present. Whether a process is alive is told by another clock."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def to(self, written: str) -> None:
        """To this moment in UTC, as in "2017-11-24 16:58" or "2017-07-03T16:00:59.999"."""
        self.at = datetime.fromisoformat(written).replace(tzinfo=UTC)


# --- what a browser is ---------------------------------------------------------------------------------------------


@dataclass
class Form:
    """A form as it stands in a page: where it goes, what is filled in, its buttons by their words."""

    action: str
    method: str
    fields: Fields = field(default_factory=list)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    """The forms of a page, with what a browser would send of each."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._by_id: dict[str, Form] = {}
        self._in: Form | None = None
        self._words: list[str] | None = None
        self._of: tuple[Form | None, dict[str, str]] = (None, {})
        self._select = ""
        self._templates = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._templates += tag == "template"
        if self._templates:
            return
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._in = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._in)
            self._by_id[given.get("id", "")] = self._in
        form = self._by_id.get(given["form"]) if "form" in given else self._in
        if form is None or "disabled" in given:
            return
        name, kind = given.get("name", ""), given.get("type", "text")
        if tag == "input" and name and kind not in ("submit", "file", "button", "image"):
            if kind not in ("checkbox", "radio") or "checked" in given:
                form.fields.append((name, given.get("value", "on" if kind in ("checkbox", "radio") else "")))
        elif tag in ("textarea", "button"):
            self._words, self._of = [], (form, given)
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            form.fields.append((self._select, given.get("value", "")))

    def handle_data(self, words: str) -> None:
        if self._words is not None:
            self._words.append(words)

    def handle_endtag(self, tag: str) -> None:
        self._templates -= tag == "template"
        if self._templates:
            return
        if tag == "form":
            self._in = None
        elif tag in ("textarea", "button") and self._words is not None:
            (form, given), words = self._of, "".join(self._words)
            self._words = None
            assert form is not None
            if tag == "textarea":
                form.fields.append((given.get("name", ""), words.removeprefix("\n")))
            else:
                words = given.get("aria-label") or words
                form.buttons[_SPACES.sub(" ", words).strip()] = (given.get("name", ""), given.get("value", ""))


class _Words(HTMLParser):
    """What is to be read of a page without its scripts: nothing hidden, words of controls among it."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.words.append("" if tag in _INLINE else " ")
        if (self._hidden or tag in _UNREAD or "hidden" in dict(attributes)) and tag not in _VOID:
            self._hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.words.append("" if tag in _INLINE else " ")
        if tag in self._hidden:
            while self._hidden.pop() != tag:
                pass

    def handle_data(self, words: str) -> None:
        if not self._hidden:
            self.words.append(words)


@dataclass
class Page:
    """What came back, and from which address."""

    url: str
    status: int
    headers: http.client.HTTPMessage
    html: str

    @property
    def words(self) -> str:
        """What stands between header and footer, each word parted by one space."""
        reader = _Words()
        reader.feed(self.html.partition("<main")[2].partition("</main>")[0].partition(">")[2] or self.html)
        return _SPACES.sub(" ", "".join(reader.words)).strip()

    @property
    def heading(self) -> str:
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.html, re.DOTALL)
        return _SPACES.sub(" ", unescape(re.sub(r"<[^>]+>", " ", found[1]))).strip() if found else ""

    def forms(self) -> list[Form]:
        reader = _Reader()
        reader.feed(self.html)
        return reader.forms

    def form(self, button: str) -> Form:
        """The form that has this button."""
        found = [form for form in self.forms() if button in form.buttons]
        there = [list(each.buttons) for each in self.forms()]
        assert found, f"no button “{button}” on {self.url}, which has {there}: {self.words}"
        return found[0]


class Browser:
    """One person's browser: cookies, redirects, forms; no scripts. Every request is a connection of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}

    def open(self, url: str, method: str = "GET") -> Page:
        return self._follow(method, url, None, "none")

    def press(
        self,
        page: Page,
        button: str,
        typed: Mapping[str, object] | None = None,
        file: File | None = None,
    ) -> Page:
        """Fill the form that has the button in with `typed`, over what stands there, and press it.

        What is typed as None is left out, as a box is that nobody ticks. `file`: field, name, content.
        """
        form = page.form(button)
        filled = typed or {}
        sent = [(name, value) for name, value in form.fields if name not in filled]
        sent += [(name, str(value)) for name, value in filled.items() if value is not None]
        if form.buttons[button][0]:
            sent.append(form.buttons[button])
        return self._follow(form.method.upper(), urljoin(page.url, form.action), sent, "same-origin", file)

    def _follow(self, method: str, url: str, sent: Fields | None, site: str, file: File | None = None) -> Page:
        for _hop in range(6):
            page = self.request(method, url, sent, {"Sec-Fetch-Site": site}, file)
            if page.status not in (301, 302, 303, 307, 308):
                return page
            url, method, site = urljoin(url, page.headers["Location"]), "GET", "same-origin"
            sent = file = None
        raise AssertionError(f"{url} leads in circles")

    def request(
        self,
        method: str,
        url: str,
        sent: Fields | None = None,
        headers: Mapping[str, str] | None = None,
        file: File | None = None,
    ) -> Page:
        """One request and its answer, wherever that leads."""
        parts = urlsplit(urljoin(f"http://localhost:{self.port}/", url))
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        more = {"Host": f"localhost:{self.port}", **(headers or {})}
        if self.cookies:
            more["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body: bytes | str | None = None
        if sent is not None and file is not None:
            name, called, content = file
            parted = MultiDict([*sent, (name, FileStorage(io.BytesIO(content), called))])
            boundary, body = encode_multipart(parted)
            more["Content-Type"] = f"multipart/form-data; boundary={boundary}"
        elif sent is not None:
            body = urlencode(sent)
            more["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        try:
            connection.request(method, target, body, more)
            answer = connection.getresponse()
            html = answer.read().decode("utf-8")
        finally:
            connection.close()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            if value and "Max-Age=0" not in cookie:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return Page(parts.geturl(), answer.status, answer.headers, html)


# --- the mail ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mail:
    """A mail as the mail server was given it. `text` has each word parted by one space, `lines` as they were."""

    to: str
    subject: str
    text: str
    lines: str
    html: str
    headers: Mapping[str, str]

    def link(self, path: str) -> str:
        """The first link in it whose path begins so."""
        found = re.search(rf"http://localhost:\d+{path}\S*", self.lines)
        assert found, f"no link to {path} in: {self.lines}"
        return found[0]


def read_mail(to: str, source: bytes) -> Mail:
    message = message_from_bytes(source, policy=policy.default)
    parts = {kind: message.get_body([kind]) for kind in ("plain", "html")}
    found = {kind: str(part.get_content()) if part is not None else "" for kind, part in parts.items()}
    text = _SPACES.sub(" ", found["plain"]).strip()
    headers = {name: str(value) for name, value in message.items()}
    return Mail(to, str(message["Subject"]), text, found["plain"], found["html"], headers)


# --- the stage -----------------------------------------------------------------------------------------------------


class Stage:
    """The installation: pages on a port, mails to a server on another, jobs when a tick would ring for them."""

    def __init__(self, app: Flask, second: Flask, port: int, post: AcceptingServer, clock: Clock) -> None:
        self.app, self.second, self.port, self.post, self.clock = app, second, port, post, clock
        self._read = 0
        self._opened = set[str]()

    def browser(self) -> Browser:
        return Browser(self.port)

    def desk(self, name: str) -> Browser:
        """A browser in which a member of staff, by first name, has just signed in."""
        interface = self.app.session_interface
        assert isinstance(interface, CookieAndRow)
        with transaction() as session:
            who = session.scalars(select(Account).where(Account.name.startswith(name))).one()
            cookie = interface.write({"sid": browser_sessions.start(who, now=self.clock())})
        browser = self.browser()
        browser.cookies[interface.cookie_name] = cookie
        return browser

    def post_leaves(self) -> list[Mail]:
        """What the mail server has been given since this was last asked, after the tick for notices, twice over."""
        for _twice in range(2):
            self._now(jobs.deliver_notices)
        return self._fresh()

    def _fresh(self) -> list[Mail]:
        fresh = self.post.accepted[self._read :]
        self._read += len(fresh)
        mails = [read_mail(each.recipient, each.message) for each in fresh]
        self._filter_opens(mails)
        return mails

    def _filter_opens(self, mails: list[Mail]) -> None:
        """Before anybody reads: a mail filter opens each link that it has not met yet, and nothing may come of it."""
        bodies = [body for mail in mails for body in (mail.lines, mail.html, mail.headers.get("List-Unsubscribe", ""))]
        met = links_in(*bodies, base=f"http://localhost:{self.port}") - self._opened
        self._opened |= met
        visitor = self.browser()
        scan(met, lambda method, path: visitor.request(method, path).status)

    def ticks(self) -> list[Mail]:
        """The ticks of calls and digests come twice, to two schedulers at once; then the post leaves."""
        together, broken = threading.Barrier(2), []

        def scheduler(app: Flask) -> None:
            try:
                with app.app_context():
                    together.wait()
                    for _twice in range(2):
                        jobs.chase_calls()
                        jobs.send_digests()
                        db.session.remove()
            except Exception as error:
                broken.append(error)

        threads = [threading.Thread(target=scheduler, args=(app,)) for app in (self.app, self.second)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert not broken, broken
        return self.post_leaves()

    def sends(self, slug: str) -> list[Mail]:
        """The tick that launches what is due comes twice; then the run of this issue, to its end."""
        for _twice in range(2):
            self._now(jobs.launch_due_issues)
        issue = db.session.scalars(select(Issue.id).where(Issue.slug == slug)).one()
        db.session.remove()
        # The same as the job, which reads the clock that it knew when it was loaded.
        engine.send_issue(issue, read_clock=self.clock)
        return self._fresh()

    def _now(self, job: Any) -> None:
        db.session.remove()
        job()
        db.session.remove()


@contextmanager
def on_stage(folder: Path, clock: Clock) -> Iterator[Stage]:
    """Everything up, on an empty database in this folder, inside the application's context; and down again."""
    pages: list[Flask] = []
    with AcceptingServer() as post, _served(lambda *call: pages[0].wsgi_app(*call)) as port:
        settings = Settings(
            data_dir=folder, database_url=f"sqlite:///{folder / 'newsletter.db'}", relay_url=post.url,
            public_url=f"http://localhost:{port}", secret_keys=(KEY,), check_links=False,
        )  # fmt: skip
        app, second = (create_app(settings, runner=SilentRunner()) for _count in range(2))
        pages.append(app)
        with app.app_context():
            db.create_all()
            with nobody_in_the_logs(post):
                yield Stage(app, second, port, post, clock)
        for each in (app, second):
            with each.app_context():
                db.session.remove()
                db.engine.dispose()


@contextmanager
def _served(pages: Callable[..., Iterable[bytes]]) -> Iterator[int]:
    """The port on which waitress serves these pages meanwhile."""
    server = create_server(pages, host=HOST, port=0, threads=4)
    serving = threading.Thread(target=server.run, name="waitress")
    serving.start()
    try:
        yield server.effective_port
    finally:
        # In its own thread: a socket that is closed under another's select() is noticed a second later.
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map, ignore_all=True))
        serving.join()
        server.task_dispatcher.shutdown()
