"""One of a run's senders: keeps a connection to the relay, gives it messages, and settles what comes of each."""

from collections.abc import Callable

from ...errors import Invalid, RelayBusy, RelayDown, RelayError, RelayRefused, RelayRejectsUs, RelayUnsure
from ...mail.relay import Connection, Envelope, Receipt, note
from ..ledger.batches import WorkItem
from .conductor import Conductor
from .settling import CannotVouch

#: A connection that has had nothing to carry for so long is closed: a server that waits for us longer is rude to us.
_IDLE_SECONDS = 60.0
#: A message that was about to be handed over when its connection broke, so often, may be what breaks it.
_MOST_DROPS = 3


class Sender:
    """Works until its run is over. It is the `Mailing` of the connection that it keeps (see `mail.relay`)."""

    def __init__(self, run: Conductor, clock: Callable[[], float]) -> None:
        self._run = run
        self._clock = clock
        self._connection: Connection | None = None
        #: What the connection has and has not settled, in order: at most the one awaiting its answer and the next.
        self._out: dict[int, WorkItem] = {}
        self._started: set[int] = set()
        self._turn_began = 0.0
        self._blamed = False

    async def go(self) -> None:
        """Send until the run is over. Everything taken is settled or returned, whatever this raises."""
        run = self._run
        try:
            while not run.over:
                if not run.has_work(connected=self._connection is not None):
                    if not await run.news(_IDLE_SECONDS):
                        await self._close()
                    continue
                connection = await self._connected()
                if connection is None:
                    continue
                self._blamed = False
                try:
                    await connection.work(self)
                except CannotVouch:
                    # The run knows: it was told before the dot.
                    await self._close()
                finally:
                    self._leave_nothing_open()
        finally:
            await self._close()

    # The relay's side asks and tells

    def next_ready(self) -> Envelope | None:
        run = self._run
        while run.may_offer and (item := run.dispatcher.next_ready(behind=bool(self._out))) is not None:
            run.taken()
            try:
                envelope = run.letter.to(item)
            except Invalid as error:
                run.settler.cannot_be_made(item, str(error))
                run.dispatcher.answered(item, RelayRefused(str(error)), 0.0)
                run.came_back()
                continue
            if not self._out:
                self._turn_began = self._clock()
            self._out[item.delivery] = item
            return envelope
        return None

    def before_final_dot(self, envelope: Envelope) -> None:
        delivery = _delivery(envelope)
        try:
            self._run.settler.about_to_leave(self._out[delivery])
        except CannotVouch as error:
            self._run.fail(str(error))
            raise
        self._started.add(delivery)

    def settled(self, envelope: Envelope, outcome: Receipt | RelayError) -> None:
        delivery = _delivery(envelope)
        item = self._out.pop(delivery)
        started = delivery in self._started
        self._started.discard(delivery)
        for following in self._out.values():
            self._run.dispatcher.began(following)
        now = self._clock()
        seconds, self._turn_began = now - self._turn_began, now
        run = self._run
        if isinstance(outcome, RelayError):
            note(outcome)
        if isinstance(outcome, Receipt):
            run.settler.accepted(item, outcome)
            run.breaker.answered(bad=False)
            run.dispatcher.answered(item, outcome, seconds)
        elif isinstance(outcome, RelayDown) and not self._is_to_blame(item):
            if started:
                run.settler.not_taken(item, outcome.code)
            run.dispatcher.returned(item, outcome, seconds)
            self._lost(outcome)
        else:
            self._said_no(item, outcome)
            run.dispatcher.answered(item, outcome, seconds)
        run.came_back()

    # What a refusal means

    def _said_no(self, item: WorkItem, error: RelayError) -> None:
        run = self._run
        match error:
            case RelayBusy():
                run.settler.put_off(item, error)
                run.breaker.busy(error)
            case RelayDown():
                # This message itself may be what breaks the connection: the others go first.
                run.settler.put_off(item, error)
                self._lost(error)
            case RelayRefused():
                run.settler.refused(item, error)
                run.breaker.answered(bad=True)
            case RelayUnsure():
                run.settler.unsure(item, error)
                run.breaker.answered(bad=True)
                self._lost(error)
            case RelayRejectsUs():
                run.settler.keep(item, error)
                run.fail(str(error))
            case _:
                raise error
        run.heed_breaker()

    def _is_to_blame(self, item: WorkItem) -> bool:
        """Whether the connection broke over this message for the last time that is forgiven.

        Of the two that are out only the first is blamed: the other had not begun.
        """
        if self._blamed or self._run.over:
            return False
        self._blamed = True
        drops = self._run.drops[item.delivery] = self._run.drops.get(item.delivery, 0) + 1
        return drops >= _MOST_DROPS

    def _lost(self, error: RelayError) -> None:
        """The server is gone, as far as this connection can tell."""
        self._blamed = True
        if not self._run.over:
            self._run.breaker.failed(str(error), self._clock())
            self._run.heed_breaker()

    def _leave_nothing_open(self) -> None:
        """What a connection did not settle when it was left in the midst of it (a task that was cancelled)."""
        for delivery, item in self._out.items():
            if delivery in self._started:
                self._run.settler.interrupted(item)
                self._run.dispatcher.answered(item, RelayUnsure("It was left before the answer"), 0.0)
            else:
                self._run.dispatcher.returned(item)
            self._run.came_back()
        self._out.clear()
        self._started.clear()

    # The connection

    async def _connected(self) -> Connection | None:
        """A connection that may take a message now; None when there is nothing to send any more, or not here."""
        run = self._run
        if self._connection is not None and self._connection.usable:
            return self._connection
        await self._close()
        await run.pause(run.breaker.wait(self._clock()))
        if run.over:
            return None
        run.connecting += 1
        try:
            self._connection = await run.relay.connect()
            if not self._connection.usable:
                await self._close()
                raise RelayDown("The mail server spoke out of turn, or hung up, before it was given anything")
        except RelayDown as error:
            note(error)
            self._lost(error)
        except RelayError as error:
            note(error)
            run.fail(str(error))
        finally:
            run.connecting -= 1
        return self._connection

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _delivery(envelope: Envelope) -> int:
    assert envelope.delivery is not None  # each of ours has one
    return envelope.delivery
