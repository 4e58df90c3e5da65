"""What a run has to send: claimed a portion at a time, and given back where it would wait in hand for too long."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from ...mail.local import LocalMailbox
from ..ledger.batches import Claim, SendingSwitchedOff, claim, hand_back, put_off
from ..pace.appetite import Appetite
from ..pace.pacing import retry_at
from .conductor import Conductor

_log = logging.getLogger(__name__)

#: What waits in hand for longer goes back, and is claimed anew: that looks again at who left.
MOST_SECONDS_IN_HAND = 60.0
_MOST_FAILURES = 30


class Feeder:
    """Keeps the dispatcher of its run supplied. All of it is for the event loop's thread."""

    def __init__(self, run: Conductor, epoch: int, read_clock: Callable[[], datetime]) -> None:
        #: Nothing is left in the database that could be claimed now.
        self.claimed_all = False
        self._run = run
        self._whose = (run.letter.issue_id, epoch)
        self._read_clock = read_clock
        self._appetite = Appetite(time.monotonic)
        self._hungry = asyncio.Event()
        self._fresh_until = 0.0

    async def go(self) -> None:
        """Claim portion after portion, each while one is left; and all that waits anew when it has waited for long."""
        run = self._run
        self._fresh_until = time.monotonic() + MOST_SECONDS_IN_HAND
        while not run.over:
            nothing_in_hand = not run.in_hand
            batch = await self._claim()
            if batch.held:
                run.held()
            elif batch.seen == 0 and nothing_in_hand:
                run.done()
            elif batch.seen == 0:
                self.claimed_all = True
                self.look()
            else:
                run.dispatcher.add(batch.items)
                await self.put_off_surplus()
                run.wake_all()
            await self._until_hungry()

    def look(self) -> None:
        """Something was taken or came back: is it time to claim?

        Once more, too, when all has come back: others may have died meanwhile, and left what they held.
        """
        if self.claimed_all:
            if self._run.in_hand:
                return
            self.claimed_all = False
        if self._run.dispatcher.sendable <= self._appetite.portion:
            self._hungry.set()

    def stop(self) -> None:
        """The run is over: wait for nothing."""
        self._hungry.set()

    async def put_off_surplus(self) -> None:
        """What is held back for a domain that takes mail slowly goes back to the database, without a try."""
        surplus = [item.delivery for item in self._run.dispatcher.overfull()]
        if surplus:
            now = self._read_clock()
            with suppress(SQLAlchemyError):
                # Where the database cannot be written they are released when the run ends.
                await self._run.beside(partial(put_off, *self._whose, surplus, retry_at(1, now), now))
            self.look()

    async def _until_hungry(self) -> None:
        """Wait until no more than a portion may leave, or who left has to be asked again."""
        run = self._run
        while not run.over and (self.claimed_all or run.dispatcher.sendable > self._appetite.portion):
            still_fresh = self._fresh_until - time.monotonic()
            if still_fresh <= 0:
                await self._hand_back_all()
                return
            self._hungry.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hungry.wait(), still_fresh)

    async def _hand_back_all(self) -> None:
        """What waits for its turn goes back, to be claimed again at once."""
        self._fresh_until = time.monotonic() + MOST_SECONDS_IN_HAND
        self.claimed_all = False
        waiting = [item.delivery for item in self._run.dispatcher.drain()]
        if waiting:
            with suppress(SQLAlchemyError):
                # Where the database cannot be written they are released when the run ends.
                await self._run.beside(partial(hand_back, *self._whose, waiting, self._read_clock()))

    async def _claim(self) -> Claim:
        run = self._run
        any_address = isinstance(run.relay, LocalMailbox)
        claim_portion = partial(claim, *self._whose, any_address=any_address, limit=self._appetite.next_portion())
        for _ in range(_MOST_FAILURES):
            try:
                return await run.beside(partial(claim_portion, now=self._read_clock()))
            except SendingSwitchedOff as error:
                run.fail(str(error))
            except SQLAlchemyError:
                _log.exception("No messages could be claimed; trying again")
                await run.pause(1.0)
            if run.over:
                return Claim([], 0)
        run.fail("The database could not be read or written")
        return Claim([], 0)
