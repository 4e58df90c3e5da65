"""The thread that records outcomes: each 400, or each 50 milliseconds, in one commit; and the run's heartbeat.

The sending loop hands over and goes on. While the writer cannot commit it says so (`behind`), and the loop offers
no new message: nothing is sent that could not be recorded. What is in the air then lands in the wire log.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from ...states import DeliveryState
from ...work import counting
from ...work.liveness import BEAT_EVERY_SECONDS, Life
from .recording import Outcome, record

_log = logging.getLogger(__name__)

FLUSH_ROWS = 400
#: No more in one commit: while it is made ready the sending loop waits.
MOST_ROWS = 1_000
FLUSH_SECONDS = 0.05
#: An outcome older than this that is not yet recorded means that the writer cannot keep up, or cannot commit.
BEHIND_SECONDS = 1.0
BEHIND_ROWS = 4_000
#: The first begins the 50 milliseconds, the last fills the batch; for those between and behind nobody needs to wake.
_WORTH_WAKING = (1, FLUSH_ROWS)
_RETRY_SECONDS = 0.25
_BEAT_AGAIN_SECONDS = 1.0


class OutcomeWriter:
    """Started with `start`, ended with `close`; `put` may be called from one other thread."""

    def __init__(
        self,
        app: Flask,
        issue_id: int,
        life: Life,
        record_outcomes: Callable[[list[Outcome], int, int], int] = record,
    ) -> None:
        self._app = app
        self._issue_id = issue_id
        self._life = life
        self._record = record_outcomes
        self._waiting: list[Outcome] = []
        self._oldest = 0.0
        self._changed = threading.Condition()
        self._closing = False
        self._give_up_at = float("inf")
        self._thread = threading.Thread(target=self._run, name=f"ledger-{life.epoch}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, outcome: Outcome) -> None:
        """Have one outcome recorded soon."""
        waiting = self._waiting
        if not waiting:
            self._oldest = time.monotonic()
        # Without the lock: appending is one step, nobody else lengthens the list, and whoever waits has looked first.
        waiting.append(outcome)
        if len(waiting) in _WORTH_WAKING:
            with self._changed:
                self._changed.notify()

    @property
    def behind(self) -> bool:
        """Whether outcomes wait that should long be recorded: send nothing new."""
        waiting = self._waiting
        if not waiting:
            return False
        return len(waiting) > BEHIND_ROWS or time.monotonic() - self._oldest > BEHIND_SECONDS

    def close(self, patience: float) -> bool:
        """Record what waits and end, within `patience` seconds. Whether everything was recorded."""
        with self._changed:
            self._closing = True
            self._give_up_at = time.monotonic() + patience
            self._changed.notify()
        self._thread.join()
        return not self._waiting

    def _run(self) -> None:
        next_beat = time.monotonic() + BEAT_EVERY_SECONDS
        while True:
            batch, closing = self._next_batch(next_beat)
            now = time.monotonic()
            if closing and (not batch or now >= self._give_up_at):
                return
            recorded = not batch or self._try(partial(self._write, batch))
            if now >= next_beat:
                next_beat = now + (BEAT_EVERY_SECONDS if self._try(self._life.beat) else _BEAT_AGAIN_SECONDS)
            if not recorded:
                time.sleep(_RETRY_SECONDS)

    def _next_batch(self, until: float) -> tuple[list[Outcome], bool]:
        """Wait for a full batch, the end of the 50 ms, a beat that is due, or the end."""
        with self._changed:
            while not self._closing and len(self._waiting) < FLUSH_ROWS:
                now = time.monotonic()
                deadline = min(self._oldest + FLUSH_SECONDS, until) if self._waiting else until
                if now >= deadline:
                    break
                self._changed.wait(deadline - now)
            return self._waiting[:MOST_ROWS], self._closing

    def _write(self, batch: list[Outcome]) -> None:
        taken = self._record(batch, self._issue_id, self._life.epoch)
        if accepted := sum(outcome.state is DeliveryState.ACCEPTED for outcome in batch):
            counting.note("relay", "accepted", number=accepted)
        if taken != len(batch):
            _log.warning("%d of %d outcomes came too late: the rows are no longer ours", len(batch) - taken, len(batch))
        with self._changed:
            del self._waiting[: len(batch)]
            self._oldest = time.monotonic()

    def _try(self, action: Callable[[], object]) -> bool:
        """Act within an application context; False where the database would not."""
        try:
            with self._app.app_context():
                action()
        except (SQLAlchemyError, OSError):
            _log.exception("The ledger cannot be written; sending waits")
            return False
        return True
