"""An import whose process is killed, again and again, ends as if nothing had been: everybody once, with evidence."""

import io
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.config import Settings
from newsletter.db import db, transaction
from newsletter.domain.subscribers import import_files, import_runs, importing, sealing, suppressing
from newsletter.models import Consent, ImportRun, Subscriber, Subscription
from newsletter.states import ImportState, SuppressionReason
from tests import people
from tests.bench import imports
from tests.faults.importer import BATCH
from tests.faults.processes import PATIENCE_SECONDS, worker_environment

_ROWS, _KILLS = 8_000, 3


def the_run() -> ImportRun:
    db.session.rollback()
    return db.session.scalars(select(ImportRun).execution_options(populate_existing=True)).one()


def people_of(numbers: range) -> set[str]:
    """Addresses as `sheet` makes them."""
    return {f"person.{number}@school{number}.example.org" for number in numbers}


def readers_of(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def killed_in_the_middle(settings: Settings, run: int) -> None:
    """Begin, let it write a batch at least, and kill it; the reader beside it goes with it."""
    before = the_run().done_rows
    words = [sys.executable, "-m", "tests.faults.importer", str(run)]
    process = subprocess.Popen(words, env=worker_environment(settings, "smtp://127.0.0.1:9", 1))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while the_run().done_rows == before:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    readers = readers_of(process.pid)
    process.kill()
    process.wait()
    assert the_run().state is ImportState.RUNNING, "It was quicker than the kill"
    assert readers
    while any(Path(f"/proc/{one}").exists() for one in readers):
        assert time.monotonic() < deadline, "The reader outlived who it reads for"
        time.sleep(0.05)


def test_everybody_comes_once(app: Flask, settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some are on another list already, and some are never to be written to."""
    monkeypatch.setattr(importing, "BATCH", BATCH)
    quarterly, ruth = people.larkmere(now), people.staff(now, "Ruth Adeyemi")
    known, gone = people_of(range(300)), people_of(range(200, 400))
    importing.import_csv(
        io.BytesIO("\n".join(known).encode()), people.policy_changes(now), source="A list", actor=ruth, now=now
    )
    with transaction():
        for address in gone:
            suppressing.suppress(address, SuppressionReason.BOUNCED, now=now)
    sheet = imports.sheet(_ROWS)
    in_it = {line.partition(",")[0].lower() for line in sheet.decode().splitlines() if "@" in line}
    run = imports.upload(quarterly, sheet, ruth)
    imports.perform(run, look=True, actor=ruth)
    looked = the_run().counts
    with transaction():
        import_runs.start(the_run(), look=False, actor=ruth, now=now)
    for _kill in range(_KILLS):
        killed_in_the_middle(settings, run)
    import_runs.perform(run, now)

    done = the_run()
    assert (done.state, done.rows) == (ImportState.DONE, _ROWS)
    counted = {name: number for name, number in done.counts.items() if name != "report_bytes"}
    assert counted == {name: number for name, number in looked.items() if name != "report_bytes"}
    assert (counted["added"], counted["suppressed"]) == (len(in_it - gone), len(in_it & gone))
    chosen = select(Subscriber.address_key).join(Subscription)
    there = db.session.scalars(chosen.where(Subscription.list_id == quarterly.id)).all()
    assert sorted(there) == sorted(in_it - gone)
    assert set(db.session.scalars(select(Subscriber.address_key))) == known | in_it - gone
    events = select(func.count(Consent.id)).join(Subscription).where(Subscription.list_id == quarterly.id)
    assert db.session.scalar(events) == counted["added"]
    assert import_files.report_of(done.public_id).read_text().count("suppressed") == counted["suppressed"]
    db.session.rollback()
    sealing.seal_all(now)
    found = sealing.verify()
    assert (found.wrong, found.events, found.unsealed) == ((), counted["added"] + 300, 0)
