"""Whether a link leads anywhere is asked of real servers, through a resolver and a connector that tests can watch.

The servers stand on loopback; the resolver says that a name is at a public address, and the connector leads that
address to the server. What is refused is refused before the connector is called.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.domain.issues import checking, editing
from newsletter.domain.issues.checking import asking
from newsletter.domain.issues.checking.public_hosts import is_public, is_reserved_name, system_resolver
from newsletter.domain.issues.checking.reach import MOST_BYTES, Answer, ask
from newsletter.models import Block, LinkCheck
from newsletter.states import LinkState
from tests.domain.issue_makers import desk, draft
from tests.smtp_servers import Authority

PUBLIC, OTHER = "93.184.216.34", "93.184.216.35"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>Here"


@contextmanager
def _server(
    answers: Callable[[socket.socket, bytes], None], tls: ssl.SSLContext | None = None
) -> Iterator[tuple[int, list[bytes]]]:
    """A server on loopback that hands each connection with its request to `answers`: (port, requests)."""
    requests: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _address = listener.accept()
            except OSError:
                return
            try:
                with tls.wrap_socket(plain, server_side=True) if tls else plain as connection:
                    request = b""
                    while b"\r\n\r\n" not in request and (more := connection.recv(4096)):
                        request += more
                    requests.append(request)
                    answers(connection, request)
            except OSError:
                continue

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1], requests
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


class Wires:
    """A resolver that answers from a script, and a connector that leads every address to one port."""

    def __init__(self, port: int, names: dict[str, list[list[str]]] | None = None) -> None:
        self.port, self.names = port, names or {}
        self.resolved: list[str] = []
        self.connected: list[tuple[str, int]] = []

    def resolve(self, host: str, _port: int) -> list[str]:
        self.resolved.append(host)
        script = self.names.get(host, [[PUBLIC]])
        return script.pop(0) if len(script) > 1 else script[0]

    def connect(self, address: str, port: int, seconds: float) -> socket.socket:
        self.connected.append((address, port))
        return socket.create_connection(("127.0.0.1", self.port), timeout=seconds)

    def ask(self, url: str, trust: ssl.SSLContext | None = None, seconds: float = 5.0) -> Answer:
        return ask(url, resolve=self.resolve, connect=self.connect, trust=trust, seconds=seconds)


def _says(answer: bytes) -> Callable[[socket.socket, bytes], None]:
    return lambda connection, _request: connection.sendall(answer)


@pytest.mark.parametrize(
    ("head", "state", "detail"),
    [
        (b"200 OK", LinkState.REACHED, ""),
        (b"204 No Content", LinkState.REACHED, ""),
        (b"403 Forbidden", LinkState.REACHED, ""),
        (b"429 Too Many Requests", LinkState.REACHED, ""),
        (b"404 Not Found", LinkState.UNREACHABLE, "Its website says that there is no such page."),
        (b"410 Gone", LinkState.UNREACHABLE, "Its website says that there is no such page."),
        (b"500 Oh dear", LinkState.UNREACHABLE, "Its website answered with error 500."),
    ],
)
def test_what_a_page_answers(head: bytes, state: LinkState, detail: str) -> None:
    with _server(_says(b"HTTP/1.1 " + head + b"\r\n\r\n")) as (port, requests):
        assert Wires(port).ask("http://larkmere.gov.uk/plans?a=1&b=é#top") == Answer(state, detail)
    assert requests[0].startswith(b"GET /plans?a=1&b=%C3%A9 HTTP/1.1\r\nHost: larkmere.gov.uk\r\n")
    assert not [name for name in (b"cookie", b"referer", b"authorization") if name in requests[0].lower()]


def test_it_goes_to_the_very_address_that_was_looked_at_and_never_asks_twice_for_a_name() -> None:
    """A name that is public when it is looked at and private when it is connected to gains nothing."""
    with _server(_says(OK)) as (port, _requests):
        wires = Wires(port, {"rebinding.gov.uk": [[PUBLIC], ["127.0.0.1"]]})
        assert wires.ask("http://rebinding.gov.uk/").state is LinkState.REACHED
    assert wires.resolved == ["rebinding.gov.uk"]
    assert wires.connected == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://127.1/", "http://0x7f.1/", "http://2130706433/", "http://0177.0.0.1/",
        "http://0/", "http://[::1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::127.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/", "http://[::ffff:169.254.169.254]/", "http://10.0.0.7/",
        "http://172.16.4.1/", "http://192.168.0.1/", "http://100.64.0.1/", "http://100.127.255.255/",
        "http://224.0.0.1/", "http://[ff02::1]/", "http://[fe80::1]/", "http://[fc00::1]/", "http://[fec0::1]/",
        "http://[64:ff9b::7f00:1]/", "http://[64:ff9b:1::a00:7]/", "http://[2002:7f00:1::]/", "http://[2001::1]/",
        "http://255.255.255.255/", "http://240.0.0.1/", "http://192.0.2.1/", "http://[2001:db8::1]/",
    ],
)  # fmt: skip
def test_no_machine_beside_us_is_asked(url: str) -> None:
    """The system's own resolver reads the number, however it is written; nothing is connected to."""
    wires = Wires(1)
    answer = ask(url, resolve=system_resolver, connect=wires.connect)
    assert (answer.state, wires.connected) == (LinkState.NOT_ASKED, [])


@pytest.mark.parametrize(
    "addresses", [["10.1.2.3"], [PUBLIC, "192.168.1.1"], ["::ffff:7f00:1"], ["64:ff9b::a9fe:a9fe"], ["nonsense"]]
)
def test_a_name_that_leads_inside_is_refused_whole(addresses: list[str]) -> None:
    wires = Wires(1, {"plans.gov.uk": [addresses]})
    assert wires.ask("https://plans.gov.uk/").state is LinkState.NOT_ASKED
    assert wires.connected == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://larkmere.gov.uk/", "file:///etc/passwd", "gopher://larkmere.gov.uk/", "http://larkmere.gov.uk:8080/",
        "https://larkmere.gov.uk:80/", "http://larkmere.gov.uk:99999/", "https://user@larkmere.gov.uk/",
        "https://user:secret@larkmere.gov.uk/", "http:///nowhere", "http://" + "a" * 70 + ".gov.uk/",
        "https://localhost/", "https://plans.example.org/", "https://printer.local/", "https://larkmere.test/",
    ],
)  # fmt: skip
def test_only_plain_web_addresses_are_asked_for(url: str) -> None:
    wires = Wires(1)
    assert wires.ask(url).state is LinkState.NOT_ASKED
    assert (wires.resolved, wires.connected) == ([], [])


def test_each_step_onward_is_looked_at_as_the_first() -> None:
    def answers(connection: socket.socket, request: bytes) -> None:
        to = b"/there" if request.startswith(b"GET / ") else b"http://169.254.169.254/latest"
        done = request.startswith(b"GET /done")
        connection.sendall(OK if done else b"HTTP/1.1 302 Found\r\nLocation: " + to + b"\r\n\r\n")

    with _server(answers) as (port, requests):
        wires = Wires(port, {"169.254.169.254": [["169.254.169.254"]]})
        assert wires.ask("http://larkmere.gov.uk/").state is LinkState.NOT_ASKED
    assert wires.resolved == ["larkmere.gov.uk", "larkmere.gov.uk", "169.254.169.254"]
    assert len(requests) == 2


def test_three_steps_onward_are_followed_and_a_fourth_is_not() -> None:
    def answers(connection: socket.socket, request: bytes) -> None:
        step = int(request.split(b" ")[1][1:])
        connection.sendall(OK if step == 3 else b"HTTP/1.1 301 Moved\r\nLocation: /%d\r\n\r\n" % (step + 1))

    with _server(answers) as (port, requests):
        assert Wires(port).ask("http://larkmere.gov.uk/0").state is LinkState.REACHED
        assert len(requests) == 4
    with _server(_says(b"HTTP/1.1 301 Moved\r\nLocation: /on\r\n\r\n")) as (port, requests):
        assert Wires(port).ask("http://larkmere.gov.uk/").detail == "It leads on and on, from one address to the next."
        assert len(requests) == 4


def test_a_server_that_drips_or_pours_or_babbles_is_left_alone() -> None:
    def drips(connection: socket.socket, _request: bytes) -> None:
        for _time in range(200):
            connection.sendall(b"H")
            if stop.wait(0.02):
                return

    stop = threading.Event()
    with _server(drips) as (port, _requests):
        assert Wires(port).ask("http://slow.gov.uk/", seconds=0.3).detail == "Its server did not answer in time."
        stop.set()
    with _server(_says(b"HTTP/1.1 200 OK\r\nX: " + b"y" * (MOST_BYTES + 1))) as (port, _requests):
        assert Wires(port).ask("http://much.gov.uk/").detail == "Its server could not be reached."
    for words in (b"220 mail ready\r\n\r\n", b"\r\n\r\n", b"", b"HTTP/1.1 many\r\n\r\n"):
        with _server(_says(words)) as (port, _requests):
            assert Wires(port).ask("http://mail.gov.uk/").detail == "Its server could not be reached."


def test_nobody_is_at_home() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert Wires(port).ask("http://gone.gov.uk/").detail == "Its server could not be reached."

    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror

    assert ask("https://gone.gov.uk/", resolve=nowhere).detail == "There is no such website."


def test_the_other_address_is_tried_where_the_first_is_silent() -> None:
    with _server(_says(OK)) as (port, _requests):
        wires = Wires(port, {"two.gov.uk": [["2606:2800:220::1", PUBLIC]]})
        tried: list[str] = []

        def connect(address: str, there: int, seconds: float) -> socket.socket:
            tried.append(address)
            if len(tried) == 1:
                raise ConnectionRefusedError
            return wires.connect(address, there, seconds)

        assert ask("http://two.gov.uk/", resolve=wires.resolve, connect=connect).state is LinkState.REACHED
    assert tried == [PUBLIC, "2606:2800:220::1"]


def test_the_certificate_must_be_that_of_the_name(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    trust = ssl.create_default_context(cafile=str(authority.file))
    with _server(_says(OK), authority.server("larkmere.gov.uk")) as (port, _requests):
        wires = Wires(port)
        assert wires.ask("https://larkmere.gov.uk/", trust).state is LinkState.REACHED
        assert wires.connected == [(PUBLIC, 443)]
        for url, trusted in (("https://other.gov.uk/", trust), ("https://larkmere.gov.uk/", None)):
            said = wires.ask(url, trusted)
            assert said.detail == "Its certificate is not valid: browsers warn of it."


def test_what_is_public() -> None:
    assert [is_public(each) for each in (PUBLIC, "2606:2800:220:1::", "127.0.0.1", "::ffff:8.8.8.8", "")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert [is_reserved_name(each) for each in ("example.org.", "a.EXAMPLE.com", "notexample.org")] == [
        True, True, False,
    ]  # fmt: skip


# --- in the background --------------------------------------------------------------------------------------


class Asked:
    """Answers from a table, and remembers what was asked."""

    def __init__(self, **answers: Answer) -> None:
        self.urls: list[str] = []
        self._answers = answers
        self._session = db.session()

    def __call__(self, url: str) -> Answer:
        assert not self._session.in_transaction()
        self.urls.append(url)
        return self._answers.get(url.rpartition("/")[2], Answer(LinkState.REACHED))


def _linked(now: datetime, *names: str):
    d = desk(now)
    issue = draft(d, now)
    links = " ".join(f"<a href='https://larkmere.gov.uk/{name}'>the {name} of the year</a>" for name in names)
    with transaction():
        editing.add_block(
            issue, "section", {"heading": "News", "body": f"<p>{links}</p>"}, position=2, actor=d.ruth, now=now
        )
    return issue, d


def test_links_are_asked_for_once_the_words_have_come_to_rest(app: Flask, now: datetime) -> None:
    issue, _d = _linked(now, "plans", "plans", "report")
    asked = Asked(report=Answer(LinkState.UNREACHABLE, "There is no such website."))
    assert asking.check_due_links(now + timedelta(seconds=30), asking=asked) == 0
    later = now + timedelta(minutes=2)
    assert asking.check_due_links(later, asking=asked) == 2
    assert sorted(asked.urls) == ["https://larkmere.gov.uk/plans", "https://larkmere.gov.uk/report"]
    (dead,) = [each for each in checking.run_checks(issue, later) if each.code == "dead_link"]
    assert (dead.blocking, dead.why, dead.excerpt) == (
        False, "There is no such website.", "https://larkmere.gov.uk/report",
    )  # fmt: skip
    assert asking.check_due_links(later + timedelta(hours=23), asking=asked) == 0
    assert asking.check_due_links(later + timedelta(hours=25), asking=Asked()) == 2
    assert not [each for each in checking.run_checks(issue, later) if each.code == "dead_link"]


def test_they_can_be_asked_for_again_at_once(app: Flask, now: datetime) -> None:
    issue, _d = _linked(now, "plans")
    later = now + timedelta(minutes=2)
    asking.check_due_links(later, asking=Asked())
    with transaction():
        asking.ask_again(issue)
    assert asking.check_due_links(later, asking=Asked()) == 1


def test_answers_about_links_that_nobody_has_are_let_go(app: Flask, now: datetime) -> None:
    _linked(now, "plans")
    asking.check_due_links(now + timedelta(minutes=2), asking=Asked())
    with transaction():
        for block in db.session.query(Block):
            block.data = {**block.data, "body": ""} if block.kind == "section" else block.data
    asking.check_due_links(now + timedelta(days=200), asking=Asked())
    assert db.session.query(LinkCheck).count() == 0


def test_an_operator_can_switch_it_off(app: Flask, settings: Settings, now: datetime) -> None:
    _linked(now, "plans")
    app.config["NEWSLETTER"] = Settings(**{**vars(settings), "check_links": False})
    asked = Asked()
    assert asking.check_due_links(now + timedelta(minutes=2), asking=asked) == 0
    assert asked.urls == []
    off = Settings.from_environment({"NEWSLETTER_CHECK_LINKS": "no", "NEWSLETTER_DATA_DIR": str(settings.data_dir)})
    assert not off.check_links
