"""APScheduler over the table of ticks.

The schedule is made from the table at each start and kept nowhere: no job store, nothing to unpickle. Times are
UTC intervals, so no clock change of any country doubles or drops one.
"""

import logging
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from . import clock
from .ticks import TICKS, Tick

_log = logging.getLogger(__name__)

#: How late a tick may come and still be worth ringing: always, once (its default would be one second).
_NO_LIMIT = None
#: A difference between people's clock and the machine's that is no drift: somebody set it.
_STEP_SECONDS = 20.0


class Ticker:
    """Rings for each tick on a thread of its own. `ring` takes a job's name; it must not block."""

    def __init__(self, ring: Callable[[str], None], ticks: Iterable[Tick] = TICKS) -> None:
        self._ring = ring
        self._ticks = tuple(ticks)
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            daemon=True,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": _NO_LIMIT},
        )
        self._offset = 0.0

    def start(self) -> None:
        """Ring for everything once, at once, and then at its intervals."""
        now = clock.now()
        for number, tick in enumerate(self._ticks):
            self._scheduler.add_job(
                self._ring_safely,
                "interval",
                seconds=tick.seconds,
                args=(tick.job,),
                id=tick.name,
                next_run_time=now + timedelta(milliseconds=100 * number),
            )
        self._scheduler.start()
        self._offset = _offset(now)

    def heed_clock(self) -> None:
        """Call this now and then: when the clock was set, the intervals begin anew.

        A clock that is set back by a day would otherwise stop every tick for a day.
        """
        now = clock.now()
        if abs(_offset(now) - self._offset) < _STEP_SECONDS:
            return
        _log.warning("The clock was set; the ticks begin anew")
        self._offset = _offset(now)
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=now)

    def stop(self) -> None:
        self._scheduler.shutdown(wait=False)

    def _ring_safely(self, job: str) -> None:
        try:
            self._ring(job)
        except Exception:
            _log.exception("Ringing for %s failed; the next tick tries again", job)


def _offset(now: datetime) -> float:
    return now.timestamp() - time.monotonic()
