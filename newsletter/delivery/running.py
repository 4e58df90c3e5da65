"""One sending run of one issue: a feeder that claims, as many senders as the relay allows, one event loop.

Each sender takes a message, hands it to the relay and settles it: a line in the wire log, an outcome for the
writer. What is still claimed when the run has ended and the writer has written was not tried.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from ..db import db
from ..errors import Invalid, RelayBusy, RelayDown, RelayError, RelayRefused, RelayRejectsUs, RelayUnsure
from ..mail.local import LocalMailbox
from ..mail.relay import Connection, Envelope, Relay
from ..models import Issue
from ..states import DeliveryState, IssueState
from ..work.liveness import Life, leaving
from . import pacing
from .batches import BATCH, Claim, Outcome, SendingSwitchedOff, WorkItem, claim
from .letters import Letter
from .pacing import Breaker
from .wirelog import Verdict, WireLog
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
_VERDICTS = {
    DeliveryState.ACCEPTED: Verdict.ACCEPTED,
    DeliveryState.DEFERRED: Verdict.BUSY,
    DeliveryState.REFUSED: Verdict.REFUSED,
    DeliveryState.UNSURE: Verdict.UNSURE,
    DeliveryState.QUEUED: Verdict.NOT_TAKEN,
}


class Ending(StrEnum):
    """Why a run ended."""

    DONE = "nothing is left to claim"
    HELD = "the issue was paused or cancelled"
    LEAVING = "the process was asked to leave"
    BROKEN = "something is wrong with the relay, the database or us"


class CannotVouch(Exception):
    """The final dot must not leave: it could not be written down, or the claim is about to run out."""


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
            now = self._read_clock()
            try:
                return await self._beside(
                    lambda now=now: claim(self._letter.issue_id, self._life.epoch, now, any_address=any_address)  # type: ignore[misc]
                )
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
            self._settle(item, DeliveryState.REFUSED, reply=str(error))
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
        attempt = _Attempt(item, self._wire, self._life)
        try:
            receipt = await connection.send(envelope, before_final_dot=attempt.start)
        except RelayDown as error:
            self._lost(str(error))
            if last:
                # This message itself may be what breaks the connection: the others go first.
                self._put_off(item, error)
            elif attempt.started:
                self._write_down(item, Verdict.NOT_TAKEN, error.code)
            return last
        except RelayError as error:
            self._relay_said_no(item, error)
        except CannotVouch as error:
            self._stop(Ending.BROKEN, str(error))
            return False
        except BaseException:
            if attempt.started:
                self._settle(item, DeliveryState.UNSURE, reply="The program was stopped before the answer came")
            raise
        else:
            self._settle(item, DeliveryState.ACCEPTED, receipt.code, reply=receipt.reply)
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

    # Settling

    def _relay_said_no(self, item: WorkItem, error: RelayError) -> None:
        match error:
            case RelayBusy():
                self._put_off(item, error)
            case RelayRefused():
                self._settle(item, DeliveryState.REFUSED, error.code, error.enhanced, error.reply or str(error))
                self._breaker.answered(bad=True)
            case RelayUnsure():
                self._settle(item, DeliveryState.UNSURE, error.code, error.enhanced, error.reply or str(error))
                self._breaker.answered(bad=True)
                self._lost(str(error))
            case RelayRejectsUs():
                self._keep_for_later(item, error)
                self._stop(Ending.BROKEN, str(error))
            case _:
                raise error
        self._heed_breaker()

    def _put_off(self, item: WorkItem, error: RelayError) -> None:
        now = self._read_clock()
        reply = error.reply or str(error)
        if pacing.is_hopeless(item.first_tried_at, now):
            self._settle(item, DeliveryState.REFUSED, error.code, error.enhanced, f"Given up after 5 days: {reply}")
            return
        retry_at = pacing.retry_at(item.attempt, now)
        self._settle(item, DeliveryState.DEFERRED, error.code, error.enhanced, reply, retry_at)

    def _keep_for_later(self, item: WorkItem, error: RelayRejectsUs) -> None:
        """Back to the queue. If it was this very message before, others go first when the run is resumed."""
        if item.attempt > 1:
            self._put_off(item, error)
        else:
            self._settle(item, DeliveryState.QUEUED, error.code, error.enhanced, error.reply or str(error))

    def _settle(
        self,
        item: WorkItem,
        state: DeliveryState,
        code: int = 0,
        enhanced: str = "",
        reply: str = "",
        retry_at: datetime | None = None,
    ) -> None:
        self._write_down(item, _VERDICTS[state], code)
        at = self._read_clock()
        self._writer.put(
            Outcome(item.delivery, item.attempt, state, at, code or None, enhanced, reply.replace("\0", ""), retry_at)
        )

    def _write_down(self, item: WorkItem, verdict: Verdict, code: int) -> None:
        try:
            self._wire.answered(item.delivery, item.attempt, verdict, code)
        except OSError as error:
            # The writer still has it; but if it cannot write either, this message will be listed as unsure.
            self._stop(Ending.BROKEN, f"The wire log cannot be written: {error.strerror or error}")


class _Attempt:
    """One try of one message: knows whether the final dot was let go."""

    def __init__(self, item: WorkItem, wire: WireLog, life: Life) -> None:
        self._item = item
        self._wire = wire
        self._life = life
        self.started = False

    def start(self) -> None:
        """Called just before the final dot. Raises CannotVouch: then it does not leave."""
        try:
            self._wire.started(self._item.delivery, self._item.attempt)
        except OSError as error:
            raise CannotVouch(f"The wire log cannot be written: {error.strerror or error}") from None
        # After the record, not before: if we are held up between the two, the record says "maybe".
        if not self._life.may_send():
            with suppress(OSError):
                self._wire.answered(self._item.delivery, self._item.attempt, Verdict.NOT_TAKEN)
            raise CannotVouch("The database could not be written for so long that our claims ran out")
        self.started = True


def _error_of(task: _Task) -> BaseException | None:
    return task.exception() if task.done() and not task.cancelled() else None


def _now() -> float:
    return asyncio.get_running_loop().time()
