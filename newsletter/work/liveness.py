"""Whether a sending run lives, and what may be concluded when it does not.

A run is a row of `Worker`, and so is a process that lasts; its id is the epoch of every claim it makes. Whether it
lives is asked of the machine where it can be (does the process exist, and is it the same one), else of its heartbeat.
People's clock plays no part: it may be set, the machine's monotonic clock and the database's are not.
"""

import contextlib
import logging
import os
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import ColumnElement, Integer, cast, func, literal, select, update
from sqlalchemy.exc import SQLAlchemyError

from .. import clock
from ..config import current_settings
from ..db import BigId, db, transaction
from ..models import Worker

_log = logging.getLogger(__name__)

#: A run whose last beat is older has lost its claims, if nothing better is known of it.
LEASE_SECONDS = 120.0
#: No final dot goes with less than this left: what others conclude from silence stays true.
LEAST_LEASE_SECONDS = 30.0
BEAT_EVERY_SECONDS = 10.0

#: Set when this process is asked to leave (SIGTERM): finish what is in hand, take nothing new.
leaving = threading.Event()

#: The epochs of the runs of this very process, and its own. A process that lives may still have lost a run to an
#: exception.
_own_runs: set[int] = set()
#: Of a process that lasts: the epoch of what it claims for itself.
_own_epoch: int | None = None


class Fate(StrEnum):
    """What is known of a run. Of a DEAD one the wire log tells all; of a LOST one nothing does."""

    ALIVE = "alive"
    DEAD = "dead"
    LOST = "lost"


@dataclass(frozen=True)
class Process:
    """What tells one process from every other: a number is used again, the start of its process is not."""

    host: str
    boot_id: str
    pid_namespace: str
    pid: int
    start: str

    @classmethod
    def this(cls) -> "Process":
        pid = os.getpid()
        return cls(socket.gethostname()[:255], _boot_id(), _pid_namespace(), pid, _start_of(pid) or "")


class Life:
    """A run of this process, or itself: beats while it lives, and says how long it may still be believed."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self._believed_until = _boot_clock() + LEASE_SECONDS

    def beat(self) -> bool:
        """Renew the lease, in a short transaction. False, and nothing is done, once others have declared it ended."""
        began = _boot_clock()
        statement = update(Worker).where(Worker.id == self.epoch, Worker.ended_at.is_(None))
        with transaction() as session:
            result = session.execute(statement.values(beat=_beat_now()))
        if result.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
            return False
        self._believed_until = began + LEASE_SECONDS
        return True

    def lease_left(self) -> float:
        """Seconds for which nobody takes this run's claims away. Counts on while the machine sleeps."""
        return self._believed_until - _boot_clock()

    def may_send(self) -> bool:
        """Whether a final dot may leave now."""
        return self.lease_left() >= LEAST_LEASE_SECONDS


class Presence(Life):
    """A process that lasts. Its `epoch` is another one after it was taken for dead: a machine that slept wakes up."""

    def __init__(self, part: str, epoch: int) -> None:
        super().__init__(epoch)
        self._part = part

    def beat_or_return(self, now: datetime) -> None:
        """Renew the lease; where others have declared the process ended, and taken over what it had claimed, begin
        anew."""
        if not self.beat():
            self.take_epoch(_enlist(self._part, "", now))
            _log.warning("This %s had been silent and was taken for dead: it is there again", self._part)

    def take_epoch(self, epoch: int) -> None:
        """From now on what the process claims for itself is claimed under this epoch."""
        global _own_epoch
        _own_runs.discard(self.epoch)
        self.epoch = _own_epoch = epoch
        self._believed_until = _boot_clock() + LEASE_SECONDS


class Run(Life):
    """A sending run, which has a wire log of its own."""

    def __init__(self, epoch: int, wire_log: Path) -> None:
        super().__init__(epoch)
        self.wire_log = wire_log


@contextlib.contextmanager
def presence(part: str, now: datetime) -> Iterator[Presence]:
    """Enlist this process, which is a `part` of the installation ("worker", "scheduler"), for as long as the block.

    What it claims for itself while it is there is given back when it is found dead, as it is when the block is left by
    an exception.
    """
    global _own_epoch
    here = Presence(part, _enlist(part, "", now))
    _own_epoch = here.epoch
    try:
        yield here
    finally:
        _own_epoch = None
        _own_runs.discard(here.epoch)
    with contextlib.suppress(SQLAlchemyError):  # whoever looks next finds us gone
        _end(here.epoch, clock.now())


def own_epoch() -> int | None:
    """The epoch of this process, if it is one that lasts."""
    return _own_epoch


@contextlib.contextmanager
def life(now: datetime) -> Iterator[Run]:
    """Enlist a run of this process, with a wire log of its own. Leaving the block does not end the row.

    Whoever opens the block ends it with `end` once every claim is settled; a run that could not do that is taken
    for dead as soon as the block is left, and recovered like one of a process that died.
    """
    folder = wire_folder()
    wire_log = folder / f"{uuid.uuid4().hex}.wire"
    wire_log.touch(mode=0o600, exist_ok=False)
    epoch = _enlist("run", wire_log.name, now)
    try:
        yield Run(epoch, wire_log)
    finally:
        _own_runs.discard(epoch)


def end(run: Run, now: datetime) -> None:
    """The run has settled all its claims: close its row, remove its log."""
    _end(run.epoch, now)
    run.wire_log.unlink(missing_ok=True)


def _enlist(part: str, wire_log: str, now: datetime) -> int:
    me = Process.this()
    with transaction() as session:
        worker = Worker(
            part=part,
            host=me.host,
            boot_id=me.boot_id,
            pid_namespace=me.pid_namespace,
            pid=me.pid,
            process_start=me.start,
            started_at=now,
            beat=0,
            wire_log=wire_log,
        )
        session.add(worker)
        session.flush()
        session.execute(update(Worker).where(Worker.id == worker.id).values(beat=_beat_now()))
        epoch = worker.id
        _own_runs.add(epoch)
    return epoch


def _end(epoch: int, now: datetime) -> None:
    with transaction() as session:
        session.execute(update(Worker).where(Worker.id == epoch, Worker.ended_at.is_(None)).values(ended_at=now))


def wire_folder() -> Path:
    """Where this machine's wire logs lie."""
    folder = current_settings().data_dir / "wire"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def processes() -> list[tuple[Worker, Fate]]:
    """The processes that last (no runs) and have not ended, each with its fate, the oldest first. Reads only."""
    lasting = select(Worker, _age_in_seconds()).where(Worker.ended_at.is_(None), Worker.part != "run")
    me = Process.this()
    rows = db.session.execute(lasting.order_by(Worker.id)).all()
    return [(worker, fate(worker, float(age), me)) for worker, age in rows]


def gone() -> list[tuple[Worker, Fate]]:
    """The runs that have not ended and do not live, each with its fate. Reads only."""
    session = db.session()
    rows = session.execute(select(Worker, _age_in_seconds()).where(Worker.ended_at.is_(None))).all()
    me = Process.this()
    fates = [(worker, fate(worker, float(age), me)) for worker, age in rows]
    return [(worker, its_fate) for worker, its_fate in fates if its_fate is not Fate.ALIVE]


def fate(worker: Worker, age: float, me: Process) -> Fate:
    """What `me` can know of `worker`, whose last beat is `age` seconds old."""
    silent = age > LEASE_SECONDS
    if worker.boot_id != me.boot_id:
        # Another machine, or this one before it was started again: its log is out of reach, or not whole.
        if db.engine.dialect.name == "sqlite" or silent:
            return Fate.LOST
        return Fate.ALIVE
    readable = bool(worker.wire_log) and (wire_folder() / worker.wire_log).exists()
    dead = Fate.DEAD if readable else Fate.LOST
    if worker.pid_namespace == me.pid_namespace and worker.host == me.host:
        if worker.pid == me.pid and worker.process_start == me.start:
            return Fate.ALIVE if worker.id in _own_runs else dead
        return Fate.ALIVE if _start_of(worker.pid) == worker.process_start else dead
    return dead if silent else Fate.ALIVE


def machine_clock() -> tuple[str, int]:
    """A clock that nobody sets, as the running transaction sees it: what it counts from, and its microseconds.

    Two readings may be compared when the first half is the same. On SQLite it is the machine's, since it was started;
    on PostgreSQL the database's, which all machines share.
    """
    counts_from = _boot_id() if db.engine.dialect.name == "sqlite" else ""
    return counts_from, int(db.session.scalars(select(_beat_now())).one())


def _beat_now() -> ColumnElement[int]:
    if db.engine.dialect.name == "sqlite":
        return literal(int(_boot_clock() * 1_000_000), BigId)
    return cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigId)


def _age_in_seconds() -> ColumnElement[int]:
    return cast((_beat_now() - Worker.beat) / 1_000_000, Integer)


def _boot_clock() -> float:
    """Seconds since the machine started, its sleep included where the system counts that."""
    clock: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def _boot_id() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return _said_by("sysctl", "-n", "kern.bootsessionuuid")


def _pid_namespace() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/self/ns/pid").readlink().name
    return ""


def _start_of(pid: int) -> str | None:
    """When process `pid` started, in the system's own unit; None where there is none, or only its remains."""
    if not Path("/proc/self/stat").exists():
        return _said_by("ps", "-o", "lstart=", "-p", str(pid)) or None
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    state, start = after_name[0], after_name[19]
    return None if state in "ZX" else start


def _said_by(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (fixed words)
    return result.stdout.strip()[:64]
