"""A sending with a stopwatch beside it: the product's own launch and run, and nothing between them."""

import asyncio
import ipaddress
import resource
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flask import current_app

from .. import clock
from ..config import current_settings
from ..db import db
from ..delivery import launch
from ..delivery.ledger.wirelog import number_of_records
from ..delivery.reports import accounts
from ..delivery.run import engine, loop
from ..delivery.run.letters import compile_letter
from ..errors import Refused, RelayError, SettingError
from ..mail.relay import Relay
from ..mail.smtp import SmtpRelay
from ..models import Issue
from ..states import IssueState
from ..work.liveness import wire_folder
from ..work.standing import keep_what_stands
from .installation import installation
from .issue import schedule_issue
from .readers import publish_list, subscribe

MOST_RECIPIENTS = 5_000_000
_LOOK_EVERY_SECONDS = 0.002
_KIBIBYTE = 1024
#: Hears of a step: what is done, how much of it more, of how many.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Result:
    """What a bench measured. Times in seconds, memory in bytes; `cpu_seconds` is this process's alone."""

    recipients: int
    accepted: int
    seconds: float
    messages_per_second: float
    cpu_seconds: float
    peak_rss_bytes: int
    freeze_seconds: float
    seconds_to_first_message: float
    message_bytes: int
    connections: int
    database: str
    relay: str
    event_loop: str


def open_relay(url: str, connections: int, *, mean_it: bool) -> Relay:
    """The relay of `url`, tried once. Raises SettingError if it cannot be reached, or is not on this machine.

    A bench sends mail to people who do not exist: a real mail server would try to deliver it, and be blamed.
    """
    if not mean_it and not _is_loopback(url):
        raise SettingError(
            "A bench sends only to this machine (127.0.0.1, ::1 or localhost). If that mail server throws away "
            "whatever it is given, say --i-mean-it."
        )
    relay = SmtpRelay.from_url(url, connections=connections)
    try:
        asyncio.run(_try(relay))
    except RelayError as error:
        raise SettingError(f"The mail server {relay.name} cannot be used: {error}") from None
    return relay


def bench_send(recipients: int, relay: Relay, database: str | None, tell: Progress) -> Result:
    """Make a throw-away installation with so many readers and send them one issue. Opens its own transactions.

    Raises Refused when not everybody's message was accepted, SettingError for a database that cannot be used.
    """
    with installation(relay, database):
        now = clock.now()
        mailing_list = publish_list(now)
        subscribe(mailing_list, recipients, now, lambda more: tell("Readers", more, recipients))
        issue_id = schedule_issue(mailing_list, now).id
        db.session.remove()
        # As a worker has done, long before an issue is due.
        keep_what_stands()
        watch = _Watch(wire_folder(), lambda more: tell("Sending", more, recipients))
        cpu = time.process_time()
        watch.start()
        began = time.perf_counter()
        launched = launch.launch(issue_id, clock.now())
        frozen = time.perf_counter()
        if launched:
            engine.send_issue(issue_id)
        seconds = time.perf_counter() - began
        cpu = time.process_time() - cpu
        watch.stop()
        accepted, size = _checked(issue_id)
        return Result(
            recipients=recipients,
            accepted=accepted,
            seconds=round(seconds, 3),
            messages_per_second=round(accepted / seconds, 1),
            cpu_seconds=round(cpu, 3),
            peak_rss_bytes=_peak_rss(),
            freeze_seconds=round(frozen - began, 3),
            seconds_to_first_message=round((watch.first or frozen) - began, 3),
            message_bytes=size,
            connections=relay.limits.connections,
            database="SQLite" if current_settings().sqlite else "PostgreSQL",
            relay=relay.name,
            event_loop=loop.name(),
        )


def _checked(issue_id: int) -> tuple[int, int]:
    """How many were accepted, and the bytes of one message. Raises Refused where the accounts say otherwise."""
    db.session.rollback()
    issue = db.session.get_one(Issue, issue_id)
    found = accounts.counts(issue)
    wrong = accounts.verify(issue)
    if issue.state is not IssueState.SENT or found.accepted != found.recipients or wrong:
        counted = ", ".join(f"{number} {name}" for name, number in found.as_dict().items() if number)
        raise Refused(" ".join([f"The issue is {issue.state.value}: {counted}.", issue.pause_reason, *wrong]).strip())
    letter = compile_letter(issue, current_settings(), current_app.extensions["newsletter_signer"])
    return found.accepted, len(letter.compiled.as_eml())


class _Watch:
    """Looks at the end of the wire log: costs the sending next to nothing, and says when the first message left."""

    def __init__(self, folder: Path, tell: Callable[[int], None]) -> None:
        self.first: float | None = None
        self._folder = folder
        self._tell = tell
        self._done = threading.Event()
        self._told = 0
        self._thread = threading.Thread(target=self._look, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(_LOOK_EVERY_SECONDS if self.first is None else 0.25):
            started = sum(_records(path) for path in self._folder.glob("*.wire"))
            if started and self.first is None:
                self.first = time.perf_counter()
            # Two records a message.
            if started // 2 > self._told:
                self._tell(started // 2 - self._told)
                self._told = started // 2


def _records(path: Path) -> int:
    try:
        return number_of_records(path)
    except FileNotFoundError:
        return 0


async def _try(relay: Relay) -> None:
    connection = await relay.connect()
    await connection.close()


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _peak_rss() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIBIBYTE
