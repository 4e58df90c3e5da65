"""Who runs a job that was rung for: a seam with one implementation a profile.

* `SilentRunner`: nobody; commands that only write, and tests that call jobs themselves.
* `InlineRunner`: this process, at once; tests of whole stories.
* `DoorbellRunner`: the worker process on this machine, told by a datagram (see `newsletter.work.doorbell`).
* `ThreadsRunner`: this process's own threads; the worker.
* `ProcrastinateRunner` (in `deferring`): any worker on any machine, told by a row of PostgreSQL.
"""

import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Protocol

from flask import Flask

from .. import logs
from ..db import on_commit
from .doorbell import Doorbell
from .performing import perform
from .registry import JOBS, SLOTS, Lane, lane_of

_Call = tuple[str, tuple[int, ...]]


class Runner(Protocol):
    """Somebody who will run a job; maybe not at once, maybe twice, and a tick covers for never."""

    def ring(self, job_name: str, ids: tuple[int, ...]) -> None:
        """Ring now, outside a transaction."""
        ...

    def ring_on_commit(self, job_name: str, ids: tuple[int, ...]) -> None:
        """Ring when, and if, the running transaction is committed."""
        ...


class AfterTheCommit(ABC):
    """Rings once the transaction is over: for runners that are no part of the database."""

    @abstractmethod
    def ring(self, job_name: str, ids: tuple[int, ...]) -> None:
        """Ring now, outside a transaction."""

    def ring_on_commit(self, job_name: str, ids: tuple[int, ...]) -> None:
        on_commit(lambda: self.ring(job_name, ids))


class SilentRunner(AfterTheCommit):
    """Runs nothing."""

    def ring(self, job_name: str, ids: tuple[int, ...]) -> None:
        if job_name not in JOBS and JOBS:
            raise LookupError(f"There is no job {job_name}")


class InlineRunner(AfterTheCommit):
    """Runs the job at once, in the caller's own context."""

    def ring(self, job_name: str, ids: tuple[int, ...]) -> None:
        with logs.about(job=job_name, job_id=logs.new_id()):
            JOBS[job_name](*ids)


class DoorbellRunner(AfterTheCommit):
    """Tells the worker process on this machine. If none is there, its next tick will see the rows."""

    def __init__(self, doorbell: Doorbell) -> None:
        self._doorbell = doorbell

    def ring(self, job_name: str, ids: tuple[int, ...]) -> None:
        self._doorbell.press(job_name, ids)


class ThreadsRunner(AfterTheCommit):
    """Runs jobs on threads of this process, so many for each lane: none waits for those of another.

    A call that is running is not started a second time beside itself; it is run once more when it ends, since
    the rows may have changed after it looked.
    """

    def __init__(self, app: Flask, slots: Mapping[Lane, int] = SLOTS) -> None:
        self._app = app
        self._calls: dict[Lane, queue.Queue[_Call | None]] = {lane: queue.Queue() for lane in slots}
        self._lock = threading.Lock()
        self._pending: set[_Call] = set()
        self._running: set[_Call] = set()
        self._rung: dict[_Call, tuple[str, float]] = {}
        self._threads = [
            threading.Thread(target=self._work, args=(calls,), name=f"{lane}-{number}", daemon=True)
            for lane, calls in self._calls.items()
            for number in range(slots[lane])
        ]
        for thread in self._threads:
            thread.start()

    def ring(self, job_name: str, ids: tuple[int, ...]) -> None:
        if job_name not in JOBS:
            raise LookupError(f"There is no job {job_name}")
        call = (job_name, ids)
        with self._lock:
            if call in self._pending:
                return
            self._pending.add(call)
            self._rung[call] = logs.known("request_id"), time.monotonic()
            if call in self._running:
                return
        self._calls[lane_of(job_name)].put(call)

    def stop(self, timeout: float) -> bool:
        """Take no more calls and wait, at most `timeout` seconds in all, for the running ones to end."""
        deadline = time.monotonic() + timeout
        for calls in self._calls.values():
            for _ in self._threads:
                calls.put(None)
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self, calls: "queue.Queue[_Call | None]") -> None:
        while (call := calls.get()) is not None:
            with self._lock:
                self._pending.discard(call)
                self._running.add(call)
                request_id, rung_at = self._rung.pop(call)
            perform(self._app, *call, request_id=request_id, waited=time.monotonic() - rung_at)
            with self._lock:
                self._running.discard(call)
                again = call in self._pending
            if again:
                calls.put(call)
