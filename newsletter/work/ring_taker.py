"""The worker's side of Procrastinate: take rings from PostgreSQL and run their jobs.

One of Procrastinate's own workers for each lane, all on one event loop in one thread, so a lane that is full keeps
nobody else waiting. Sending runs are only passed on: they last, and every worker joins them by itself.

What Procrastinate leaves to its users is done here: rings that a dead worker took are rung again, finished ones
deleted at once, and after a restart of the database everything begins anew (its listener and its heartbeat would
end there without a word).
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

import procrastinate
from flask import Flask
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job, Status
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL

from .. import logs
from ..db import patience_of
from .performing import perform
from .registry import JOBS, SLOTS, Lane, lane_of
from .runners import Runner

_log = logging.getLogger(__name__)

#: A notification may be missed between a look and the wait for the next one.
POLL_SECONDS = 1.0
BEAT_SECONDS = 5.0
#: A worker that has been silent for so long has lost what it took.
SILENT_SECONDS = 20.0
_WATCH_SECONDS, _RESCUE_SECONDS, _AGAIN_SECONDS = 1.0, 5.0, 0.5
_MOST_CONNECTIONS = 5
_Work = Callable[[str, list[int], str], Coroutine[Any, Any, None]]


class RingTaker:
    """`start` it, and `stop` it; in between it is not to be disturbed by anything that the database does."""

    def __init__(self, app: Flask, url: URL, own_runner: Runner) -> None:
        self._app = app
        self._own_runner = own_runner
        words = {**patience_of(url), **url.translate_connect_args(username="user", database="dbname"), **url.query}
        self._conninfo = make_conninfo("", **words)
        self._winding_up: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="rings", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Take no more and wait, at most `timeout` seconds, for the running jobs to end. Whether they did."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended by itself
                self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        asyncio.run(self._take())

    async def _take(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            try:
                # Of its own: when it breaks, so have all the others.
                async with await AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
                    await self._take_while(connection)
            except Exception as error:
                _log.warning("Rings cannot be taken at the moment (%s)", type(error).__name__)
                await asyncio.sleep(_AGAIN_SECONDS)
        await asyncio.gather(*self._winding_up)

    async def _take_while(self, connection: "AsyncConnection[Any]") -> None:
        """Until we are asked to stop, or the connection breaks. What runs then is waited for, but not here."""
        app = _procrastinate(self._conninfo, self._work)
        await app.open_async()
        lanes = [asyncio.create_task(self._take_lane(app, lane)) for lane in Lane]
        try:
            await _first_to_end(_watch(app, connection), self._stopping.wait(), *lanes)
        finally:
            self._winding_up.append(asyncio.create_task(_wind_up(app, lanes)))

    async def _take_lane(self, app: procrastinate.App, lane: Lane) -> None:
        await app.run_worker_async(
            queues=[lane],
            name=lane,
            concurrency=SLOTS[lane],
            install_signal_handlers=False,
            fetch_job_polling_interval=POLL_SECONDS,
            update_heartbeat_interval=BEAT_SECONDS,
            stalled_worker_timeout=SILENT_SECONDS,
            delete_jobs="always",
        )

    async def _work(self, job_name: str, ids: list[int], request_id: str) -> None:
        with logs.about(request_id=request_id) if request_id else contextlib.nullcontext():
            if lane_of(job_name) is Lane.SENDING:
                self._own_runner.ring(job_name, tuple(ids))
            else:
                await _in_thread(job_name, partial(perform, self._app, job_name, tuple(ids), request_id=request_id))


async def _watch(app: procrastinate.App, connection: "AsyncConnection[Any]") -> None:
    """Raises as soon as the connection is broken; rescues rings meanwhile."""
    rescue_at = 0.0
    while True:
        await connection.execute("SELECT 1")
        if time.monotonic() >= rescue_at:
            await asyncio.wait_for(rescue(app), _RESCUE_SECONDS)
            rescue_at = time.monotonic() + _RESCUE_SECONDS
        await asyncio.sleep(_WATCH_SECONDS)


async def _wind_up(app: procrastinate.App, lanes: "list[asyncio.Task[None]]") -> None:
    """Take nothing more; what runs may end."""
    for task in lanes:
        task.cancel()
    await asyncio.gather(*lanes, return_exceptions=True)
    with contextlib.suppress(Exception):  # of a database that is away nothing needs to be said goodbye to
        await app.close_async()


async def rescue(app: procrastinate.App) -> int:
    """Ring again for what dead workers took. Returns how many rings it were. Safe for any number of workers at once."""
    manager = app.job_manager
    await manager.prune_stalled_workers(SILENT_SECONDS)
    rescued = 0
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_SECONDS):
        # Not retried: its way back could be barred by a ring that has come meanwhile.
        with contextlib.suppress(ConnectorException):  # somebody else was quicker
            await manager.finish_job(job, Status.ABORTED, delete_job=True)
            rescued += 1
            await _ring_again(app, job)
    return rescued


async def _ring_again(app: procrastinate.App, job: Job) -> None:
    again = app.configure_task(job.task_name, queue=job.queue, queueing_lock=job.queueing_lock)
    with contextlib.suppress(AlreadyEnqueued, AssertionError):
        await again.defer_async(**job.task_kwargs)


def _procrastinate(conninfo: str, work: _Work) -> procrastinate.App:
    """An application of Procrastinate's that knows our jobs, with connections of its own."""
    connector = procrastinate.PsycopgConnector(conninfo=conninfo, min_size=1, max_size=_MOST_CONNECTIONS)
    app = procrastinate.App(connector=connector)
    for name in JOBS:
        app.task(name=name, queue=lane_of(name))(_task(name, work))
    return app


def _task(name: str, work: _Work) -> Callable[..., Coroutine[Any, Any, None]]:
    async def task(ids: list[int], request_id: str = "") -> None:
        await work(name, ids, request_id)

    return task


async def _in_thread(name: str, call: Callable[[], None]) -> None:
    """Run the call in a thread of its own, which does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def work() -> None:
        try:
            call()
        finally:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_settle, done)

    threading.Thread(target=work, name=name, daemon=True).start()
    await done


def _settle(done: "asyncio.Future[None]") -> None:
    if not done.done():
        done.set_result(None)


async def _first_to_end(*ways: Awaitable[Any]) -> None:
    """Wait for the first of them to end, and end the others, but for tasks that came as such. Raises what it raised."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    done, _pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for way, task in zip(ways, tasks, strict=True):
        if way is not task:
            task.cancel()
    for task in done:
        task.result()
