"""One sending run of one issue: a feeder that claims, a dispatcher that chooses, as many senders as the relay allows.

All on one event loop. Each sender keeps a connection and gives it what the dispatcher says may leave (see `sender`);
the settler writes down what came of it (see `settling`). What is still claimed when the run has ended and the writer
has written was not tried.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from ...db import db
from ...mail.relay import Relay
from ...models import Issue
from ...states import IssueState
from ...work.liveness import Life, leaving
from ..ledger.wirelog import WireLog
from ..ledger.writer import OutcomeWriter
from ..pace.budget import RelayBudget
from ..pace.dispatch import Dispatcher
from ..pace.pacing import Breaker
from .allowance import keep_allowance
from .feeding import Feeder
from .letters import Letter
from .sender import Sender
from .settling import Settler

_T = TypeVar("_T")
_Task = asyncio.Task[None]

#: How long what awaits a reply may still wait once the process was asked to leave (it has 30 seconds in all).
DRAIN_SECONDS = 25.0
_LOOK_EVERY_SECONDS = 0.25
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
        #: Nothing new is taken any more; what is in the air is waited for.
        self.over = False
        self.letter = letter
        self.relay = relay
        self.breaker = breaker
        self.settler = Settler(writer, wire, life, read_clock, self.fail)
        self.dispatcher = Dispatcher(relay.limits.connections, time.monotonic)
        #: How often a connection broke over a message, by delivery.
        self.drops: dict[int, int] = {}
        #: How many senders are opening a connection.
        self.connecting = 0
        self._app = app
        self._writer = writer
        self._budget = RelayBudget(relay.name, app.config["NEWSLETTER"])
        self._out = 0
        self._idle: deque[asyncio.Future[None]] = deque()
        self._feeder = Feeder(self, life.epoch, read_clock)
        self._stopped = asyncio.Event()

    async def go(self) -> None:
        """Send until nothing is left or the run is stopped. Raises what a sender did not expect."""
        if self._budget.limited:
            self.dispatcher.allow(0)
        connections = self.relay.limits.connections
        senders = [asyncio.create_task(Sender(self, time.monotonic).go()) for _ in range(connections)]
        watcher = asyncio.create_task(self._watch())
        # Not cancelled: a claim or a reservation that is under way would go on without us.
        helpers = [asyncio.create_task(self._feeder.go()), asyncio.create_task(keep_allowance(self, self._budget))]
        try:
            await self._until_all_end(senders, [*helpers, watcher])
        finally:
            self._stop(Ending.DONE)
            watcher.cancel()
            for task in senders:
                task.cancel()
            await asyncio.gather(*senders, *helpers, watcher, return_exceptions=True)
        for task in [*senders, *helpers, watcher]:
            if (error := _error_of(task)) is not None:
                raise error

    async def _until_all_end(self, senders: list[_Task], helpers: list[_Task]) -> None:
        deadline: float | None = None
        pending = set(senders)
        while pending:
            _, pending = await asyncio.wait(pending, timeout=_LOOK_EVERY_SECONDS)
            if any(_error_of(task) for task in [*senders, *helpers]):
                self._stop(Ending.BROKEN, "The sending program failed; its log says why")
            if leaving.is_set():
                self._stop(Ending.LEAVING)
                deadline = deadline or time.monotonic() + DRAIN_SECONDS
            if deadline is not None and time.monotonic() >= deadline:
                for task in pending:
                    task.cancel()

    # What senders ask and tell

    @property
    def may_offer(self) -> bool:
        """Whether a new message may be begun: not while what is sent could not be recorded."""
        return not self.over and not self._writer.behind

    @property
    def in_hand(self) -> bool:
        """Whether anything was claimed that is not settled."""
        return bool(self._out or self.dispatcher.waiting)

    def has_work(self, *, connected: bool) -> bool:
        """Whether a sender would get a message now; one that is not connected stands behind those that connect."""
        dispatcher = self.dispatcher
        ahead = 0 if connected else self.connecting
        return self.may_offer and dispatcher.sendable > ahead and dispatcher.allowance != 0

    def taken(self) -> None:
        """A sender took a message."""
        self._out += 1
        self._feeder.look()

    def came_back(self) -> None:
        """What a sender took is settled or returned."""
        self._out -= 1
        self._feeder.look()
        if self._idle and self.dispatcher.sendable:
            self.wake(1)

    def fail(self, sentence: str) -> None:
        """Something is wrong that a person must look at."""
        self._stop(Ending.BROKEN, sentence)

    def heed_breaker(self) -> None:
        """Stop if the breaker says so."""
        if self.breaker.reason:
            self.fail(self.breaker.reason)

    async def news(self, seconds: float) -> bool:
        """Wait until there may be something to send. False when there was none for so long."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle.append(future)
        done, _ = await asyncio.wait([future], timeout=seconds)
        if not done:
            self._idle.remove(future)
        return bool(done)

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until the run is over."""
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), seconds)

    def wake(self, number: int) -> None:
        """Have so many of those who wait for news look again."""
        while number and self._idle:
            future = self._idle.popleft()
            if not future.done():
                future.set_result(None)
                number -= 1

    def wake_all(self) -> None:
        """Have all who wait for news look again."""
        self.wake(len(self._idle))

    def _stop(self, ending: Ending, reason: str = "") -> None:
        """Take nothing new. What is in the air is waited for. The first reason stands."""
        if self.over:
            return
        self.over = True
        self.ending, self.reason = ending, reason
        self.dispatcher.drain()
        self._stopped.set()
        self._feeder.stop()
        self.wake_all()

    def held(self) -> None:
        """The issue is paused, cancelled or gone: take nothing new."""
        self._stop(Ending.HELD)

    def done(self) -> None:
        """Nothing is in hand, and nothing is left to claim."""
        self._stop(Ending.DONE)

    async def _watch(self) -> None:
        """Somebody may pause or cancel at any time; pauses of domains end; the writer catches up."""
        while not self.over:
            with suppress(SQLAlchemyError):
                if await self.beside(self._state) not in _GOING:
                    self.held()
            await self._feeder.put_off_surplus()
            if self._idle and self.may_offer and self.dispatcher.waits() == 0:
                self.wake_all()
            await self.pause(_LOOK_EVERY_SECONDS)

    def _state(self) -> IssueState | None:
        return db.session.scalar(select(Issue.state).where(Issue.id == self.letter.issue_id))

    async def beside(self, work: Callable[[], _T]) -> _T:
        """Work on the database in a thread, with a session of its own: the loop goes on."""

        def in_context() -> _T:
            with self._app.app_context():
                return work()

        return await asyncio.to_thread(in_context)


def _error_of(task: _Task) -> BaseException | None:
    return task.exception() if task.done() and not task.cancelled() else None
