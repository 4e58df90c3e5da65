"""An import whose worker is killed outright (SIGKILL), twice: what stands is whole batches, and it ends as if not."""

import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from io import BytesIO
from pathlib import Path

from flask import Flask
from sqlalchemy import func, select

from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.domain.subscribers import import_files, import_runs, import_uploads, sealing, suppressing
from newsletter.models import Consent, ImportRun, MailingList, Subscriber, Subscription
from newsletter.states import ImportState, SuppressionReason
from tests import people
from tests.dying import die_with_parent
from tests.faults.processes import PATIENCE_SECONDS, worker_environment

#: A few batches, in a file that is read by a process of its own.
PEOPLE = 160_000
_WORK = """
from newsletter import jobs
from newsletter.app import create_app
with create_app(pages=False).app_context():
    jobs.continue_imports()
"""


class Worker:
    """A process that goes on with whatever import is under way."""

    def __init__(self, settings: Settings) -> None:
        environment = worker_environment(settings, "smtp://127.0.0.1:1", 1)
        self.process = subprocess.Popen([sys.executable, "-c", _WORK], env=environment, preexec_fn=die_with_parent)

    def children(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(one) for one in listed.read_text().split()]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        assert self.process.wait(PATIENCE_SECONDS) == -signal.SIGKILL


def begin(quarterly: MailingList, now: datetime) -> ImportRun:
    """A file of many, the first and the last of whom must not be written to, looked through and about to be taken."""
    lines = "".join(
        f"reader{number:06}@parish{number % 977:03}.example.org,Reader {number}\n" for number in range(PEOPLE)
    )
    ruth = people.staff(now)
    with transaction():
        for number in (0, PEOPLE - 1):
            suppressing.suppress(
                f"reader{number:06}@parish{number % 977:03}.example.org", SuppressionReason.COMPLAINT, now=now
            )
    run = import_uploads.begin(quarterly, "people.csv", BytesIO(f"email,name\n{lines}".encode()), actor=ruth, now=now)
    with transaction() as session:
        run = session.get_one(ImportRun, run.id)
        run.state, run.started_at = ImportState.RUNNING, now
        run.source, run.basis_note = "Conference, 3 October 2026", "They ticked a box."
        run.mapping = {**run.mapping, "look": False}
    return run


def standing(run_id: int) -> tuple[ImportState, int, int]:
    """The state, how many lines are done, and how many people are there."""
    db.session.rollback()
    run = db.session.get_one(ImportRun, run_id)
    return run.state, run.done_rows, db.session.scalar(select(func.count(Subscription.id))) or 0


def test_two_deaths_lose_nobody_and_bring_nobody_twice(app: Flask, settings: Settings, now: datetime) -> None:
    quarterly = people.larkmere(now)
    run_id = begin(quarterly, now).id
    before, deaths = 0, 0
    while deaths < 2:
        worker = Worker(settings)
        until = time.monotonic() + PATIENCE_SECONDS
        while (seen := standing(run_id))[1] == before and time.monotonic() < until:
            assert worker.process.poll() is None, "it ended before it was killed"
            time.sleep(0.005)
        readers = worker.children()
        worker.kill()
        state, done, there = standing(run_id)
        assert state is ImportState.RUNNING and before < done < PEOPLE, (seen, done)
        assert there == done - 1, "whole batches, and no line of another; one of the first must not be written to"
        assert readers, "the file was read by a process of its own"
        assert all(gone(reader) for reader in readers)
        before, deaths = done, deaths + 1

    last = Worker(settings)
    assert last.process.wait(PATIENCE_SECONDS * 2) == 0
    assert standing(run_id) == (ImportState.DONE, PEOPLE, PEOPLE - 2)
    run = db.session.get_one(ImportRun, run_id)
    assert (run.counts["added"], run.counts["suppressed"]) == (PEOPLE - 2, 2)
    assert import_files.report_of(run.public_id).read_text().count("suppressed") == 2
    for counted in (Subscriber.id, Consent.subscription_id.distinct(), Consent.id):
        assert db.session.scalar(select(func.count(counted))) == PEOPLE - 2
    sealing.seal_all(now)
    assert sealing.verify().holds
    assert import_runs.running() == []


def gone(pid: int) -> bool:
    """Whether a process ends by itself: its writer's death is the end of its pipe."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False
