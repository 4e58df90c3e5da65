"""The table of timed duties, and the scheduler that rings for them."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter import clock, jobs, scheduler
from newsletter.scheduler import Ticker
from newsletter.ticks import TICKS, Tick
from newsletter.work.registry import JOBS

OPERATE = Path(__file__).resolve().parents[2] / "docs" / "operate.md"


def test_every_tick_rings_for_a_job_that_exists() -> None:
    assert jobs.launch_due_issues is JOBS["launch_due_issues"]
    assert {tick.job for tick in TICKS} <= set(JOBS)
    assert len({tick.name for tick in TICKS}) == len(TICKS)
    assert all(tick.seconds > 0 and tick.what_for for tick in TICKS)


def test_operators_can_read_every_tick() -> None:
    page = OPERATE.read_text(encoding="utf-8")
    for tick in TICKS:
        assert f"`{tick.job}`" in page, tick.job


class Bell:
    """Counts rings, and lets a test wait for them."""

    def __init__(self) -> None:
        self.rung: Counter[str] = Counter()
        self._changed = threading.Condition()

    def __call__(self, job: str) -> None:
        with self._changed:
            self.rung[job] += 1
            self._changed.notify_all()

    def wait_for(self, **least: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: all(self.rung[job] >= n for job, n in least.items()), 30)


def test_everything_is_rung_for_at_the_start() -> None:
    bell = Bell()
    ticker = Ticker(bell)
    ticker.start()
    try:
        bell.wait_for(**{tick.job: 1 for tick in TICKS})
    finally:
        ticker.stop()


def test_a_ring_that_fails_is_rung_again() -> None:
    bell = Bell()

    def fails(job: str) -> None:
        bell(job)
        raise RuntimeError("the socket is gone")

    ticker = Ticker(fails, [Tick("often", 1, "send", "a test")])
    ticker.start()
    try:
        bell.wait_for(send=2)
    finally:
        ticker.stop()


@pytest.mark.parametrize("step", [timedelta(days=-1), timedelta(days=1)])
def test_a_clock_that_is_set_stops_no_tick(monkeypatch: pytest.MonkeyPatch, step: timedelta) -> None:
    bell = Bell()
    ticker = Ticker(bell, [Tick("daily", 86_400, "send", "a test")])
    ticker.start()
    try:
        bell.wait_for(send=1)
        ticker.heed_clock()
        assert bell.rung["send"] == 1
        # APScheduler reads the system's clock, which stays; ours says that it was set.
        monkeypatch.setattr(scheduler, "_offset", lambda now: (now + step).timestamp())
        ticker.heed_clock()
        bell.wait_for(send=2)
    finally:
        ticker.stop()


def test_the_clock_is_people_s_clock_in_utc() -> None:
    assert clock.now().tzinfo is UTC
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
