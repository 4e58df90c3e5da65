"""What came of one message, written down twice: a line in the wire log at once, an outcome for the writer."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from ...errors import RelayError, RelayRejectsUs
from ...mail.relay import Receipt
from ...states import DeliveryState
from ...work.liveness import Life
from ..ledger.batches import WorkItem
from ..ledger.recording import Outcome
from ..ledger.wirelog import Verdict, WireLog
from ..ledger.writer import OutcomeWriter
from ..pace import pacing

_VERDICTS = {
    DeliveryState.ACCEPTED: Verdict.ACCEPTED,
    DeliveryState.DEFERRED: Verdict.BUSY,
    DeliveryState.REFUSED: Verdict.REFUSED,
    DeliveryState.UNSURE: Verdict.UNSURE,
    DeliveryState.QUEUED: Verdict.NOT_TAKEN,
}


class CannotVouch(Exception):
    """The final dot must not leave: it could not be written down, or the claim is about to run out."""


class Settler:
    """Settles messages for the run. `on_failure` is told, in a sentence, when the wire log cannot be written."""

    def __init__(
        self,
        writer: OutcomeWriter,
        wire: WireLog,
        life: Life,
        read_clock: Callable[[], datetime],
        on_failure: Callable[[str], None],
    ) -> None:
        self._writer = writer
        self._wire = wire
        self._life = life
        self._read_clock = read_clock
        self._on_failure = on_failure

    def about_to_leave(self, item: WorkItem) -> None:
        """Called just before the final dot. Raises CannotVouch: then it must not leave."""
        try:
            self._wire.started(item.delivery, item.attempt)
        except OSError as error:
            raise CannotVouch(f"The wire log cannot be written: {error.strerror or error}") from None
        # After the record, not before: if we are held up between the two, the record says "maybe".
        if not self._life.may_send():
            with suppress(OSError):
                self._wire.answered(item.delivery, item.attempt, Verdict.NOT_TAKEN)
            raise CannotVouch("The database could not be written for so long that our claims ran out")

    def accepted(self, item: WorkItem, receipt: Receipt) -> None:
        code, reply = receipt
        self._write_down(item, Verdict.ACCEPTED, code)
        at, reply = self._read_clock(), reply.replace("\0", "")
        self._writer.put(Outcome(item.delivery, item.attempt, DeliveryState.ACCEPTED, at, code, "", reply))

    def refused(self, item: WorkItem, error: RelayError) -> None:
        self._settle(item, DeliveryState.REFUSED, error.code, error.enhanced, _words(error))

    def cannot_be_made(self, item: WorkItem, why: str) -> None:
        """No mail can be made for this recipient: refused by ourselves."""
        self._settle(item, DeliveryState.REFUSED, reply=why)

    def unsure(self, item: WorkItem, error: RelayError) -> None:
        self._settle(item, DeliveryState.UNSURE, error.code, error.enhanced, _words(error))

    def interrupted(self, item: WorkItem) -> None:
        """We ended ourselves after the final dot, and did not wait for the answer."""
        self._settle(item, DeliveryState.UNSURE, reply="The program was stopped before the answer came")

    def put_off(self, item: WorkItem, error: RelayError) -> None:
        """Try again later, unless it has been tried for five days."""
        now = self._read_clock()
        if pacing.is_hopeless(item.first_tried_at, now):
            words = f"Given up after 5 days: {_words(error)}"
            self._settle(item, DeliveryState.REFUSED, error.code, error.enhanced, words)
            return
        retry_at = pacing.retry_at(item.attempt, now)
        self._settle(item, DeliveryState.DEFERRED, error.code, error.enhanced, _words(error), retry_at)

    def keep(self, item: WorkItem, error: RelayRejectsUs) -> None:
        """Back to the queue. If it was this very message before, others go first when the run is resumed."""
        if item.attempt > 1:
            self.put_off(item, error)
        else:
            self._settle(item, DeliveryState.QUEUED, error.code, error.enhanced, _words(error))

    def not_taken(self, item: WorkItem, code: int) -> None:
        """The final dot was announced and did not leave: the message is still in hand."""
        self._write_down(item, Verdict.NOT_TAKEN, code)

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
            self._on_failure(f"The wire log cannot be written: {error.strerror or error}")


def _words(error: RelayError) -> str:
    return error.reply or str(error)
