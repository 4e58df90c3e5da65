"""One sending run of one issue: a feeder that claims, as many senders as the relay allows, one event loop.

Each sender takes a message, hands it to the relay and settles it (see `settling`). What is still claimed when
the run has ended and the writer has written was not tried.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import TypeVar

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from ..db import db
from ..errors import Invalid, RelayBusy, RelayDown, RelayError, RelayRefused, RelayRejectsUs, RelayUnsure
from ..mail.local import LocalMailbox
from ..mail.relay import Connection, Envelope, Relay
from ..models import Issue
from ..states import IssueState
from ..work.liveness import Life, leaving
from .batches import BATCH, Claim, SendingSwitchedOff, WorkItem, claim
from .letters import Letter
from .pacing import Breaker
from .settling import Attempt, CannotVouch, Settler
from .wirelog import WireLog
from .writer import OutcomeWriter

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_Task = asyncio.Task[None]

#: How long what awaits a reply may still wait once the process was asked to leave (it has 30 seconds in all).
DRAIN_SECONDS = 25.0
_LOOK_EVERY_SECONDS = 0.25
_MOST_DROPS = 3
_MOST_CLAIM_FAILURES = 30
_GOING = frozenset({IssueState.SENDING, IssueState.SENT})


class Ending(StrEnum):
    """Why a run ended."""

    DONE = "nothing is left to claim"
    HELD = "the issue was paused or cancelled"
    LEAVING = "the process was asked to leave"
    BROKEN = "something is wrong with the relay, the database or us"


class Run:
    """Made for one `go`. `ending` and `reason` say afterwards how it went."""

    def __init__(
        self,
        app: Flask,
        letter: Letter,
        relay: Relay,
        life: Life,
        writer: OutcomeWriter,
        wire: WireLog,
        breaker: Breaker,
        read_clock: Callable[[], datetime],
    ) -> None:
        self.ending = Ending.DONE
        self.reason = ""
        self._app = app
        self._letter = letter
        self._relay = relay
        self._life = life
        self._writer = writer
        self._wire = wire
        self._breaker = breaker
        self._read_clock = read_clock
        self._settler = Settler(writer, wire, read_clock, lambda sentence: self._stop(Ending.BROKEN, sentence))
        self._ready: asyncio.Queue[WorkItem | None] = asyncio.Queue()
        self._hungry = asyncio.Event()
        self._stopped = asyncio.Event()

    async def go(self) -> None:
        """Send until nothing is left or the run is stopped. Raises what a sender did not expect."""
        senders = [asyncio.create_task(self._sender()) for _ in range(self._relay.limits.connections)]
        feeder, watcher = asyncio.create_task(self._feed()), asyncio.create_task(self._watch_issue())
        try:
            await self._until_all_end(senders, [feeder, watcher])
        finally:
            self._stop(Ending.DONE)
            watcher.cancel()
            # Not cancelled: a claim that is under way would go on without us.
            self._hungry.set()
            for task in senders:
                task.cancel()
            await asyncio.gather(*senders, feeder, watcher, return_exceptions=True)
        for task in [*senders, feeder, watcher]:
            if (error := _error_of(task)) is not None:
                raise error

    async def _until_all_end(self, senders: list[_Task], helpers: list[_Task]) -> None:
        loop = asyncio.get_running_loop()
        deadline: float | None = None
        pending = set(senders)
        while pending:
            _, pending = await asyncio.wait(pending, timeout=_LOOK_EVERY_SECONDS)
            if any(_error_of(task) for task in [*senders, *helpers]):
                self._stop(Ending.BROKEN, "The sending program failed; its log says why")
            if leaving.is_set():
                self._stop(Ending.LEAVING)
                deadline = deadline or loop.time() + DRAIN_SECONDS
            if deadline is not None and loop.time() >= deadline:
                for task in pending:
                    task.cancel()

    def _stop(self, ending: Ending, reason: str = "") -> None:
        """Take nothing new. What is in the air is waited for. The first reason stands."""
        if self._stopped.is_set():
            return
        self.ending, self.reason = ending, reason
        self._stopped.set()
        while not self._ready.empty():
            self._ready.get_nowait()
        self._no_more()

    def _no_more(self) -> None:
        for _ in range(self._relay.limits.connections):
            self._ready.put_nowait(None)

    # What there is to send

    async def _feed(self) -> None:
        """Claim batch after batch, each when half of the last is gone."""
        while not self._stopped.is_set():
            batch = await self._claim()
            if batch.seen == 0:
                self._no_more()
                return
            if self._stopped.is_set():
                return
            for item in batch.items:
                self._ready.put_nowait(item)
            while self._ready.qsize() > BATCH // 2 and not self._stopped.is_set():
                self._hungry.clear()
                await self._hungry.wait()

    async def _claim(self) -> Claim:
        any_address = isinstance(self._relay, LocalMailbox)
        for _ in range(_MOST_CLAIM_FAILURES):
            whose = (self._letter.issue_id, self._life.epoch)
            try:
                return await self._beside(partial(claim, *whose, self._read_clock(), any_address=any_address))
            except SendingSwitchedOff as error:
                self._stop(Ending.BROKEN, str(error))
            except SQLAlchemyError:
                _log.exception("No messages could be claimed; trying again")
                await self._pause(1.0)
            if self._stopped.is_set():
                return Claim([], 0)
        self._stop(Ending.BROKEN, "The database could not be read or written")
        return Claim([], 0)

    async def _watch_issue(self) -> None:
        """Somebody may pause or cancel at any time."""
        while not self._stopped.is_set():
            with suppress(SQLAlchemyError):
                if await self._beside(self._state) not in _GOING:
                    self._stop(Ending.HELD)
            await self._pause(_LOOK_EVERY_SECONDS)

    def _state(self) -> IssueState | None:
        issue = db.session.get(Issue, self._letter.issue_id)
        return issue.state if issue else None

    async def _beside(self, work: Callable[[], _T]) -> _T:
        """Work on the database in a thread, with a session of its own: the loop goes on."""

        def in_context() -> _T:
            with self._app.app_context():
                return work()

        return await asyncio.to_thread(in_context)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)

    # Sending

    async def _sender(self) -> None:
        connection: Connection | None = None
        try:
            while (item := await self._ready.get()) is not None and not self._stopped.is_set():
                if self._ready.qsize() <= BATCH // 2:
                    self._hungry.set()
                connection = await self._deliver(item, connection)
        finally:
            if connection is not None:
                await connection.close()

    async def _deliver(self, item: WorkItem, connection: Connection | None) -> Connection | None:
        """Try until the message has its answer, or the run is stopped. Gives back the connection, if it is good."""
        try:
            envelope = self._letter.to(item)
        except Invalid as error:
            self._settler.cannot_be_made(item, str(error))
            return connection
        for drop in range(1, _MOST_DROPS + 1):
            connection = await self._connected(connection)
            if connection is None:
                return None
            if await self._try(item, envelope, connection, last=drop == _MOST_DROPS):
                break
        return connection

    async def _try(self, item: WorkItem, envelope: Envelope, connection: Connection, *, last: bool) -> bool:
        """Hand it over once. Whether the message is settled; it is not when the connection was lost before."""
        attempt = Attempt(item, self._wire, self._life)
        try:
            receipt = await connection.send(envelope, before_final_dot=attempt.start)
        except RelayDown as error:
            self._lost(str(error))
            if last:
                # This message itself may be what breaks the connection: the others go first.
                self._settler.put_off(item, error)
            elif attempt.started:
                self._settler.not_taken(item, error.code)
            return last
        except RelayError as error:
            self._relay_said_no(item, error)
        except CannotVouch as error:
            self._stop(Ending.BROKEN, str(error))
            return False
        except BaseException:
            if attempt.started:
                self._settler.interrupted(item)
            raise
        else:
            self._settler.accepted(item, receipt)
            self._breaker.answered(bad=False)
        return True

    async def _connected(self, connection: Connection | None) -> Connection | None:
        """A connection that may take a message now; None when the run was stopped meanwhile."""
        while not self._stopped.is_set():
            if self._writer.behind:
                await self._pause(0.05)
                continue
            if connection is not None and connection.usable:
                return connection
            if connection is not None:
                await connection.close()
                connection = None
            await self._pause(self._breaker.wait(_now()))
            if self._stopped.is_set():
                break
            try:
                connection = await self._relay.connect()
            except RelayDown as error:
                self._lost(str(error))
            except RelayError as error:
                self._stop(Ending.BROKEN, str(error))
        if connection is not None:
            await connection.close()
        return None

    def _lost(self, sentence: str) -> None:
        self._breaker.failed(sentence, _now())
        self._heed_breaker()

    def _heed_breaker(self) -> None:
        if self._breaker.reason:
            self._stop(Ending.BROKEN, self._breaker.reason)

    def _relay_said_no(self, item: WorkItem, error: RelayError) -> None:
        match error:
            case RelayBusy():
                self._settler.put_off(item, error)
            case RelayRefused():
                self._settler.refused(item, error)
                self._breaker.answered(bad=True)
            case RelayUnsure():
                self._settler.unsure(item, error)
                self._breaker.answered(bad=True)
                self._lost(str(error))
            case RelayRejectsUs():
                self._settler.keep(item, error)
                self._stop(Ending.BROKEN, str(error))
            case _:
                raise error
        self._heed_breaker()


def _error_of(task: _Task) -> BaseException | None:
    return task.exception() if task.done() and not task.cancelled() else None


def _now() -> float:
    return asyncio.get_running_loop().time()
