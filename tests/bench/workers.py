"""Two workers on PostgreSQL beside one, to a mail server that is not the limit.

    python -m tests.bench.workers [--recipients 16000] [--connections 8] [--delay 20] [--rounds 2]

On a machine whose processors are the limit a second worker can only take from the first. So the mail server is far away
(`slow_sink`: each answer comes so many milliseconds later) and a worker has few connections: what limits one worker is
its connections, as it is with a provider that allows so many a client. All goes as in an installation: a scheduler
rings, the workers take the rings from the database, and join in what is being sent. The rate is that of the accepted
messages between the first and the last outcome, so the moment until the second has joined counts against it.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime

from sqlalchemy import func, select

from newsletter import clock
from newsletter.bench.installation import installation
from newsletter.bench.issue import schedule_issue
from newsletter.bench.readers import publish_list, subscribe
from newsletter.config import current_settings
from newsletter.db import db
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Delivery, Issue
from newsletter.states import DeliveryState, IssueState
from tests.faults.processes import worker_environment
from tests.postfix import HOST
from tests.postgres import Cluster, running_cluster

_PATIENCE_SECONDS = 300.0


def rate(cluster: Cluster, workers: int, recipients: int, connections: int, delay: float) -> tuple[float, int]:
    """Messages a second with so many workers, and how many of them took part."""
    name = f"bench_{workers}_{time.monotonic_ns()}"
    cluster.execute(f"CREATE DATABASE {name}")
    with ExitStack() as stack:
        port = stack.enter_context(_sink(delay))
        stack.enter_context(installation(MemoryRelay(), cluster.url(name), migrated=True))
        mailing_list = publish_list(clock.now())
        subscribe(mailing_list, recipients, clock.now(), lambda more: None)
        environment = worker_environment(current_settings(), f"smtp://{HOST}:{port}", connections)
        environment |= {"NEWSLETTER_RUNNER": "procrastinate"}
        issue_id = schedule_issue(mailing_list, clock.now()).id
        db.session.remove()
        for part in (*["worker"] * workers, "scheduler"):
            stack.enter_context(_process(part, environment))
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _is_sent(issue_id):
            assert time.monotonic() < deadline, "It is not sent"
            time.sleep(0.2)
        return _seen(issue_id)


def _is_sent(issue_id: int) -> bool:
    issue = db.session.get_one(Issue, issue_id, populate_existing=True)
    assert issue.state is not IssueState.PAUSED, issue.pause_reason
    db.session.rollback()
    return issue.state is IssueState.SENT


def _seen(issue_id: int) -> tuple[float, int]:
    accepted = select(
        func.count(),
        func.min(Delivery.updated_at),
        func.max(Delivery.updated_at),
        func.count(Delivery.owner.distinct()),
    ).where(Delivery.issue_id == issue_id, Delivery.state == DeliveryState.ACCEPTED)
    number, first, last, runs = db.session.execute(accepted).one()
    assert isinstance(first, datetime)
    db.session.rollback()
    return number / (last - first).total_seconds(), runs


@contextmanager
def _sink(delay: float) -> Iterator[int]:
    words = [sys.executable, "-m", "tests.bench.slow_sink", str(delay)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as sink:
        assert sink.stdout is not None
        try:
            yield int(sink.stdout.readline())
        finally:
            sink.terminate()


@contextmanager
def _process(part: str, environment: dict[str, str]) -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-m", "newsletter.cli", part], env=environment) as process:
        try:
            yield
        finally:
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.workers", description=__doc__)
    parser.add_argument("--recipients", type=int, default=16_000)
    parser.add_argument("--connections", type=int, default=8, help="of each worker")
    parser.add_argument("--delay", type=float, default=20, metavar="MS")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    rates: dict[int, list[float]] = {1: [], 2: []}
    with running_cluster(durable=True, connections=100) as cluster:
        for _ in range(options.rounds):
            for workers, seen in rates.items():
                found, runs = rate(cluster, workers, options.recipients, options.connections, options.delay)
                seen.append(found)
                print(f"{workers} worker(s): {found:.0f} messages a second, {runs} took part", flush=True)
    ratios = sorted(two / one for one, two in zip(rates[1], rates[2], strict=True))
    print(f"Two send {statistics.median(ratios):.2f} of what one does [{ratios[0]:.2f} to {ratios[-1]:.2f}]")


if __name__ == "__main__":
    main()
