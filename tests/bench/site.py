"""The public site on PostgreSQL under gunicorn, beside the same on SQLite under `serve`.

    python -m tests.bench.site [--requests 400] [--clients 8] [--processes 2]

Real HTTP, one request a connection, from one process of clients beside the site on the same machine: read the ratios.
A sign-up is the POST alone, each from another network; 1,400 in an hour are what the site takes from everybody.
"""

import argparse
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from newsletter import clock
from newsletter.app import create_app
from newsletter.bench.issue import schedule_issue
from newsletter.bench.readers import publish_list, subscribe
from newsletter.config import Settings
from newsletter.db import db
from newsletter.delivery import launch
from newsletter.delivery.notices.links import preferences_link
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Issue, Subscription
from newsletter.schema import prepare_schema
from newsletter.web.public.form_tokens import form_token
from newsletter.work.runners import SilentRunner
from tests.postfix import free_port
from tests.postgres import running_cluster

_READERS = 1_000
#: Nobody fills in a form in less; then fewer are let through.
_READING_SECONDS = 2.5
_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Pages:
    """What is asked for: paths, and the token of a form that was opened a while ago."""

    archive: str
    preferences: str
    form: str


@dataclass(frozen=True)
class Measured:
    """Of one kind of request."""

    a_second: float
    p95: float


def measure(site: str, pages: Pages, requests: int, clients: int) -> dict[str, Measured]:
    """Ask a site that answers. Raises URLError for an answer that is none."""
    kinds: dict[str, Callable[[int], None]] = {
        "archive page": lambda number: _ask(site + pages.archive, number),
        "preference page": lambda number: _ask(site + pages.preferences, number),
        "sign-up": lambda number: _ask(site + "/subscribe", number, _sign_up(number, pages.form)),
    }
    return {kind: _measure(ask, requests, clients) for kind, ask in kinds.items()}


def _measure(ask: Callable[[int], None], requests: int, clients: int) -> Measured:
    for number in range(clients):
        ask(-1 - number)

    def timed(number: int) -> float:
        began = time.perf_counter()
        ask(number)
        return time.perf_counter() - began

    with ThreadPoolExecutor(clients) as pool:
        began = time.perf_counter()
        took = list(pool.map(timed, range(requests)))
        seconds = time.perf_counter() - began
    return Measured(requests / seconds, statistics.quantiles(took, n=20)[-1])


def _sign_up(number: int, form: str) -> dict[str, str]:
    return {"email": f"new{number}@town{number % 9}.example.org", "lists": "safeguarding-news", "form": form}


def _ask(address: str, number: int, form: dict[str, str] | None = None) -> None:
    data = urllib.parse.urlencode(form).encode() if form else None
    request = urllib.request.Request(address, data, {"X-Forwarded-For": f"198.51.{number // 200 % 250}.{number % 200}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


@contextmanager
def serving(folder: Path, database: str, commands: list[list[str]], runner: str) -> Iterator[tuple[str, Pages]]:
    """A site with a published issue, run by these commands."""
    port = free_port()
    key = secrets.token_urlsafe(32)
    site = f"http://localhost:{port}"
    settings = Settings(
        data_dir=folder, database_url=database, public_url=site, secret_keys=(key,), trusted_proxies=1, runner=runner
    )
    app = create_app(settings, runner=SilentRunner(), relay=MemoryRelay())
    with app.app_context():
        prepare_schema()
        mailing_list = publish_list(clock.now())
        subscribe(mailing_list, _READERS, clock.now(), lambda more: None)
        issue_id = schedule_issue(mailing_list, clock.now()).id
        launch.launch(issue_id, clock.now())
        reader = db.session.scalars(select(Subscription.public_id).limit(1)).one()
        slug = db.session.get_one(Issue, issue_id).slug
        pages = Pages(f"/news/{slug}", preferences_link(reader).removeprefix(site), form_token(clock.now()))
        db.session.remove()
        db.engine.dispose()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")} | {
        "NEWSLETTER_DATA_DIR": str(folder),
        "NEWSLETTER_DATABASE_URL": database,
        "NEWSLETTER_PUBLIC_URL": site,
        "NEWSLETTER_SECRET_KEYS": key,
        "NEWSLETTER_TRUSTED_PROXIES": "1",
        "NEWSLETTER_RUNNER": runner,
    }
    with ExitStack() as stack:
        for words in commands:
            words = [word.replace("PORT", str(port)) for word in words]
            command = [sys.executable, "-m", "newsletter.cli", *words]
            process = stack.enter_context(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL))
            stack.callback(process.terminate)
        _wait_for(site)
        time.sleep(_READING_SECONDS)
        yield site, pages


def _wait_for(site: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            _ask(f"{site}/readyz", 0)
            return
        except OSError:
            assert time.monotonic() < deadline, "The site does not answer"
            time.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.site", description=__doc__)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    many = ["web", "--port", "PORT", "--processes", str(options.processes)]
    measured: dict[str, dict[str, Measured]] = {}
    with tempfile.TemporaryDirectory(prefix="newsletter-site-") as folder, running_cluster(durable=True) as cluster:
        sites = {
            "SQLite, serve": (f"sqlite:///{folder}/one/newsletter.db", [["serve", "--port", "PORT"]], "threads"),
            "PostgreSQL, gunicorn": (cluster.url("postgres"), [many, ["worker"], ["scheduler"]], "procrastinate"),
        }
        for number, (name, (database, commands, runner)) in enumerate(sites.items()):
            own = Path(folder) / ("one", "two")[number]
            own.mkdir()
            with serving(own, database, commands, runner) as (site, pages):
                measured[name] = measure(site, pages, options.requests, options.clients)
    one, two = measured.values()
    for kind in one:
        for name, found in measured.items():
            print(f"{kind}, {name}: {found[kind].a_second:.0f} a second, p95 {found[kind].p95 * 1000:.0f} ms")
        rate, p95 = two[kind].a_second / one[kind].a_second, two[kind].p95 / one[kind].p95
        print(f"{kind}: PostgreSQL under gunicorn answers {rate:.2f} as many, its p95 is {p95:.2f} as long")


if __name__ == "__main__":
    main()
