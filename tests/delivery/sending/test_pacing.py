"""How long to wait, and when to stop."""

import random
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.pace import pacing
from newsletter.delivery.pace.pacing import Breaker


def test_the_first_retry_comes_after_five_minutes_and_two_come_within_the_first_hour(now: datetime) -> None:
    at, waits = now, []
    for attempt in range(1, 12):
        later = pacing.retry_at(attempt, at, random.Random(attempt))
        waits.append(later - at)
        at = later
    assert timedelta(minutes=5) <= waits[0] <= timedelta(minutes=6)
    assert waits[0] + waits[1] < timedelta(hours=1)
    assert timedelta(hours=4) <= waits[-1] <= timedelta(hours=4, minutes=48)


@given(attempt=st.integers(1, 10_000), seed=st.integers())
def test_no_retry_is_sooner_than_five_minutes_or_later_than_five_hours(attempt: int, seed: int) -> None:
    now = datetime.fromisoformat("2026-12-07T10:00:00+00:00")
    wait = pacing.retry_at(attempt, now, random.Random(seed)) - now
    assert timedelta(minutes=5) <= wait <= timedelta(hours=5)


def test_a_message_is_given_up_after_five_days(now: datetime) -> None:
    assert not pacing.is_hopeless(None, now)
    assert not pacing.is_hopeless(now - timedelta(days=5) + timedelta(seconds=1), now)
    assert pacing.is_hopeless(now - timedelta(days=5), now)


def test_connections_that_are_lost_together_count_once() -> None:
    breaker = Breaker(waits=(1, 4, 15, 30))
    for _ in range(16):
        breaker.failed("Gone", 100.0)
    assert breaker.wait(100.0) == 1
    assert not breaker.reason
    for clock, wait in ((101.0, 4), (105.0, 15), (120.0, 30)):
        for _ in range(16):
            breaker.failed("Gone", clock)
        assert breaker.wait(clock) == wait
    breaker.failed("Gone", 150.0)
    assert breaker.reason == "Gone (5 times in a row)"


def test_a_good_answer_ends_the_row_of_failures() -> None:
    breaker = Breaker(waits=(1,))
    breaker.failed("Gone", 0.0)
    breaker.answered(bad=False)
    assert breaker.wait(0.0) == 0
    breaker.failed("Gone", 0.0)
    assert not breaker.reason
    breaker.answered(bad=True)
    breaker.failed("Gone", 2.0)
    assert breaker.reason


def test_only_the_first_two_hundred_answers_are_a_sample() -> None:
    breaker = Breaker()
    for _ in range(190):
        breaker.answered(bad=False)
    for _ in range(100):
        breaker.answered(bad=True)
    assert not breaker.reason
