"""An installation whose worker lives, with everything well: each test then breaks one thing."""

from datetime import datetime

import pytest
from flask import Flask

from newsletter.db import transaction
from newsletter.models import Account, ProcessSign, Worker
from newsletter.operations import totals
from newsletter.states import Role
from newsletter.work import counting
from newsletter.work.liveness import Process, _start_of, machine_clock
from tests import people


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """What tests before this one counted in this process is none of its business."""
    counting.take()


@pytest.fixture
def ada(app: Flask, now: datetime) -> Account:
    """Ada, the one administrator, and an editor beside her."""
    people.larkmere(now)
    people.staff(now, "Ruth Adeyemi", Role.EDITOR)
    return people.staff(now, "Ada Lindqvist", Role.ADMIN)


@pytest.fixture
def worker(ada: Account, now: datetime) -> int:
    """The number of the worker: this very process, as far as anybody can tell."""
    number = enlist(now)
    happened(now, totals.JOB, "watch_over")
    happened(now, totals.RELAY, "accepted")
    return number


def enlist(now: datetime, part: str = "worker", pid: int = 1) -> int:
    """A process of the installation on this machine: its first, which is always there, or one that `pid` names."""
    me = Process.this()
    with transaction() as session:
        _counts_from, beat = machine_clock()
        row = Worker(
            part=part, host=me.host, boot_id=me.boot_id, pid_namespace=me.pid_namespace, pid=pid,
            process_start=_start_of(1) or "", started_at=now, beat=beat,
        )  # fmt: skip
        session.add(row)
        session.flush()
        session.add(ProcessSign(worker_id=row.id, version="1", seen_at=now, disk_free=50_000_000_000, clock_ahead=0.0))
    return row.id


def happened(now: datetime, name: str, label: str, said: str = "", measured: float = 0.0) -> None:
    """Some process counted this, at that moment, and has written it down."""
    counting.give_back({(name, label): counting.Count(1, measured, measured, now, said)})
    totals.write_down()
