"""How many sign-ups a second the pages take, over real HTTP: the processes of `newsletter serve`.

People come at a steady pace, as many as are asked for, whether the ones before were answered or not; how long each
waited counts from the moment it should have been sent. Each comes from a network of their own (TRUSTED_PROXIES), and
the limits that end a flood are lifted: a flood of real people is what is measured.
"""

import asyncio
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import func, select

from newsletter import clock
from newsletter.app import create_app
from newsletter.bench.readers import publish_list
from newsletter.cli.processes import listen
from newsletter.cli.serving import WEB_PROCESSES
from newsletter.config import Settings
from newsletter.db import db
from newsletter.domain.subscribers import importing, indexing, sealing
from newsletter.mail.memory import MemoryRelay
from newsletter.models import SignUp
from newsletter.schema import prepare_schema
from newsletter.web.public import asking
from newsletter.work.liveness import Fate, processes
from newsletter.work.runners import SilentRunner
from tests.bench.imports import processor_seconds, sheet
from tests.faults.processes import worker_environment
from tests.postfix import HOST, free_port

_CONNECTIONS = 32
_STARTING_SECONDS = 30.0
#: Of steady visits before it counts: what is made once in each process and each thread is made by then.
_WARMING_SECONDS = 5.0
_TOKEN = re.compile(r'name="form" value="([^"]+)"')
_ANSWER = re.compile(rb"HTTP/1\.1 (\d+).*?\r\nContent-Length: (\d+)\r\n", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class Taken:
    """What came of it. Milliseconds by sign-up, once all was warm; `seconds` from the first to the last answer.

    `processor`: milliseconds that a processor worked at the pages for each.
    """

    among: int
    asked_rate: float
    seconds: float
    waited: list[float]
    errors: int
    asked: int
    kept: int
    processor: float

    def __str__(self) -> str:
        waited = sorted(self.waited)
        return (
            f"sign-ups beside {self.among:,} subscribers, {self.asked_rate:.0f} asked a second: "
            f"{self.asked / self.seconds:.0f} answered a second, {self.errors} errors, {self.kept:,} of"
            f" {self.asked:,} kept; "
            f"waited: median {statistics.median(waited):.0f} ms, p95 {waited[int(len(waited) * 0.95)]:.0f} ms, "
            f"longest {waited[-1]:.0f} ms; {self.processor:.1f} ms of a processor each at the pages"
        )


def sign_up(among: int, rate: float, seconds: float) -> Taken:
    """So many people a second for so long, on SQLite, beside so many subscribers."""
    with tempfile.TemporaryDirectory(prefix="newsletter-bench-") as folder:
        settings = Settings(
            data_dir=Path(folder),
            database_url=f"sqlite:///{Path(folder) / 'newsletter.db'}",
            public_url=f"http://{HOST}:{free_port()}",
            secret_keys=(secrets.token_urlsafe(32),),
        )
        app = create_app(settings, runner=SilentRunner(), relay=MemoryRelay(), pages=False)
        with app.app_context():
            prepare_schema()
            quarterly = publish_list(clock.now())
            if among:
                path = Path(folder) / "people.csv"
                path.write_bytes(sheet(among))
                importing.import_csv(path, quarterly, source="Bench", actor=None, now=clock.now())
                # They have been here for long: nothing is left to do for them.
                indexing.index_wanted()
                sealing.seal_all(clock.now())
            db.session.remove()
            with _serving(settings) as (port, web):
                visitors = _People(port, rate, seconds)
                token = asyncio.run(visitors.token())
                _until_all_are_there()
                before = sum(map(processor_seconds, web))
                took, waited, errors = asyncio.run(visitors.come(token))
                worked = (sum(map(processor_seconds, web)) - before) / visitors.number * 1000
            kept = db.session.scalar(select(func.count(SignUp.id))) or 0
            db.session.remove()
            db.engine.dispose()
        return Taken(among, rate, took, waited, errors, visitors.number, kept, worked)


def _until_all_are_there() -> None:
    """Those of the pages and the worker: what is measured is how it goes on, not how it begins."""
    ends = time.monotonic() + _STARTING_SECONDS
    while True:
        there = [part for part, how in processes() if how is Fate.ALIVE]
        db.session.rollback()
        if len(there) == WEB_PROCESSES + 1:
            return
        assert time.monotonic() < ends, "Not all of the processes have come"
        time.sleep(0.1)


@contextmanager
def _serving(settings: Settings) -> Iterator[tuple[int, list[int]]]:
    """The processes of the pages, the worker, and a mail server that takes everything: processes of their own.

    The port of the first, and their numbers as processes.
    """
    port = int(settings.public_url.rpartition(":")[2])
    with subprocess.Popen([sys.executable, "-m", "tests.bench.slow_sink", "0"], stdout=subprocess.PIPE) as sink:
        assert sink.stdout is not None
        environment = worker_environment(settings, f"smtp://{HOST}:{int(sink.stdout.readline())}", 4)
        environment["NEWSLETTER_TRUSTED_PROXIES"] = "1"
        with listen(HOST, port) as listening:
            shared = listening.fileno()
            words = [sys.executable, "-m", __name__, "web", "--listen-fd", str(shared)]
            web = [subprocess.Popen(words, env=environment, pass_fds=[shared]) for _ in range(WEB_PROCESSES)]
        worker = subprocess.Popen([sys.executable, "-m", "newsletter.cli", "worker"], env=environment)
        try:
            yield port, [process.pid for process in web]
        finally:
            for process in (*web, worker, sink):
                process.terminate()
                process.wait()


class _People:
    """Those who sign up, over kept connections, as a proxy before the pages would hold them."""

    def __init__(self, port: int, rate: float, seconds: float) -> None:
        self._port, self._rate = port, rate
        self._cold = int(rate * _WARMING_SECONDS)
        self.number = self._cold + int(rate * seconds)
        self._waited: list[float] = []
        self._errors = 0

    async def come(self, token: str) -> tuple[float, list[float], int]:
        await asyncio.sleep(asking_time())
        began, queue = time.perf_counter(), asyncio.Queue[tuple[int, float]]()
        hands = [asyncio.create_task(self._hand(queue, token)) for _ in range(_CONNECTIONS)]
        for number in range(self.number):
            due = began + number / self._rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            queue.put_nowait((number, due))
        await queue.join()
        took = time.perf_counter() - began
        for hand in hands:
            hand.cancel()
        return took, self._waited, self._errors

    async def _hand(self, queue: "asyncio.Queue[tuple[int, float]]", token: str) -> None:
        reader, writer = await asyncio.open_connection(HOST, self._port)
        while True:
            number, due = await queue.get()
            typed = {"form": token, "email": f"visitor{number}@street{number % 97}.example.org", "name": "A Visitor"}
            body = urlencode({**typed, "lists": "safeguarding-news"})
            network = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            status = await self._ask(reader, writer, "POST", body, network)
            if number >= self._cold:
                self._waited.append((time.perf_counter() - due) * 1000)
            self._errors += status[0] != 200
            queue.task_done()

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, body: str, network: str
    ) -> tuple[int, bytes]:
        head = (
            f"{method} /subscribe HTTP/1.1\r\nHost: {HOST}:{self._port}\r\nX-Forwarded-For: {network}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write((head + body).encode())
        answer = _ANSWER.match(await reader.readuntil(b"\r\n\r\n"))
        if answer is None:
            return 0, b""
        return int(answer[1]), await reader.readexactly(int(answer[2]))

    async def token(self) -> str:
        """Of the form, once the server is there."""
        ends = time.monotonic() + _STARTING_SECONDS
        while True:
            try:
                reader, writer = await asyncio.open_connection(HOST, self._port)
                break
            except OSError:
                assert time.monotonic() < ends, "The web server did not start"
                await asyncio.sleep(0.1)
        _status, page = await self._ask(reader, writer, "GET", "", "10.0.0.1")
        writer.close()
        found = _TOKEN.search(page.decode())
        assert found, "The form has no token"
        return found[1]


def asking_time() -> float:
    """Seconds in which nobody fills the form in."""
    from newsletter.web.public.form_tokens import QUICK

    return QUICK.total_seconds() + 0.1


def main() -> None:
    """The web server, without the limits."""
    from newsletter.cli.main import root

    asking._MOST.update(dict.fromkeys(asking._MOST, 1_000_000_000))
    root()


if __name__ == "__main__":
    main()
