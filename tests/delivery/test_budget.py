"""A relay that takes so many a second, an hour, a day gets no more, however many send, whatever the clocks do."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from sqlalchemy import select

from newsletter.config import Settings
from newsletter.db import db
from newsletter.delivery.pace.budget import VALID_SECONDS, Pace, RelayBudget
from newsletter.mail.memory import MemoryRelay
from newsletter.models import RelayPace
from tests.databases import opened
from tests.delivery.sending.conftest import worker_app

pytestmark = pytest.mark.both_databases

SECOND = 1_000_000
HOUR, DAY = 3_600, 86_400


def limited(settings: Settings, second: int = 0, hour: int = 0, day: int = 0) -> Settings:
    return replace(settings, relay_per_second=second, relay_per_hour=hour, relay_per_day=day)


def plain() -> Settings:
    return Settings(data_dir=None, database_url="")


def most_within(times: list[float], seconds: float) -> int:
    """The largest number of messages in any stretch of so many seconds."""
    most = first = 0
    for last, time in enumerate(times):
        while times[first] <= time - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


# The arithmetic, over timelines


class Timeline:
    """One row, used by several; remembers when each message left."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.now = 0.0
        self.left: list[float] = []
        self._kept: tuple[int, float, dict[str, int]] = (0, 1e9, {})

    def pace(self) -> Pace:
        time, tokens, used = self._kept
        return Pace(self._settings, time=time, tokens=tokens, used=used)

    def keep(self, pace: Pace) -> None:
        self._kept = (pace.time, pace.tokens, pace.used)

    def wait(self, seconds: float) -> None:
        pace = self.pace()
        before = round(self.now * SECOND)
        self.now += seconds
        pace.go_on(round(self.now * SECOND) - before)
        self.keep(pace)

    def reserve(self, wanted: int) -> tuple[int, float]:
        pace = self.pace()
        answer = pace.reserve(wanted)
        self.keep(pace)
        return answer

    def give_back(self, number: int) -> None:
        pace = self.pace()
        pace.give_back(number)
        self.keep(pace)


@given(
    limit=st.integers(1, 500),
    steps=st.lists(st.tuples(st.floats(0, 3), st.integers(0, 300), st.integers(0, 50)), min_size=1, max_size=150),
)
def test_no_second_sees_more_than_its_limit(limit: int, steps: list[tuple[float, int, int]]) -> None:
    timeline = Timeline(limited(plain(), second=limit))
    for pause, wanted, unused in steps:
        timeline.wait(pause)
        granted, _ = timeline.reserve(wanted)
        unused = min(unused, granted)
        timeline.give_back(unused)
        timeline.left += [timeline.now] * (granted - unused)
    assert most_within(timeline.left, 1.0) <= limit


@dataclass
class Round:
    """Wait (None: for as long as we are told), reserve, and use it now or as late as may be; or give some back."""

    pause: float | None
    wanted: int
    then: str


ROUNDS = st.builds(
    Round,
    pause=st.sampled_from([None, None, 2.0, 59.0, 3_539.0]),
    wanted=st.integers(1, 4),
    then=st.sampled_from(["now", "late", "late", "give back", "give back the one before"]),
)


@pytest.mark.parametrize(("window", "name"), [(HOUR, "hour"), (DAY, "day")])
@settings_of_hypothesis(max_examples=500)
@given(limit=st.integers(1, 4), rounds=st.lists(ROUNDS, min_size=2, max_size=12))
def test_no_hour_and_no_day_sees_more_than_its_limit(window: int, name: str, limit: int, rounds: list[Round]) -> None:
    """Though we ask at the first moment at which there is more, and use what we got as late as we may."""
    timeline = Timeline(limited(plain(), **{name: limit}))
    in_hand: list[tuple[float, int]] = []
    used: list[tuple[float, int]] = []
    for each in rounds:
        timeline.wait(timeline.pace().reserve(1)[1] if each.pause is None else each.pause)
        used += [its for its in in_hand if its[0] <= timeline.now]
        in_hand = [its for its in in_hand if its[0] > timeline.now]
        granted, _ = timeline.reserve(each.wanted)
        if each.then == "now":
            used.append((timeline.now, granted))
        else:
            in_hand.append((timeline.now + VALID_SECONDS - 0.001, granted))
        if each.then == "give back":
            timeline.give_back(in_hand.pop()[1])
        elif each.then == "give back the one before" and len(in_hand) > 1:
            timeline.give_back(in_hand.pop(-2)[1])
    times = sorted(at for at, number in used + in_hand for _ in range(number))
    assert most_within(times, window) <= limit


@given(
    second=st.sampled_from([0, 1, 7, 40, 1_000]),
    hour=st.sampled_from([0, 50, 3_000]),
    day=st.sampled_from([0, 400, 10_000]),
    wanted=st.integers(1, 700),
)
def test_asking_again_after_the_wait_that_was_named_brings_more(second: int, hour: int, day: int, wanted: int) -> None:
    timeline = Timeline(limited(plain(), second, hour, day))
    for _ in range(40):
        granted, seconds = timeline.reserve(wanted)
        assert granted == wanted if seconds == 0 else granted < wanted
        if not seconds:
            continue
        timeline.wait(seconds + 0.001)
        again, _ = timeline.reserve(wanted)
        assert again >= 1


@pytest.mark.parametrize(("limit", "least"), [(1, 1), (10, 10), (100, 95), (2_000, 1_900)])
def test_a_rate_is_used_nearly_whole(limit: int, least: int) -> None:
    timeline = Timeline(limited(plain(), second=limit))
    timeline.reserve(limit)
    given_out = 0
    end = timeline.now + 60
    while timeline.now < end:
        granted, seconds = timeline.reserve(limit)
        given_out += granted
        timeline.wait(max(seconds, 0.0005))
    assert least * 60 <= given_out + 1 <= limit * 60 + 2


def test_an_hour_is_over_after_an_hour_and_two_minutes_at_most() -> None:
    timeline = Timeline(limited(plain(), hour=100))
    assert timeline.reserve(100) == (100, 0.0)
    granted, seconds = timeline.reserve(10)
    assert granted == 0
    assert HOUR <= seconds <= HOUR + 120
    timeline.wait(seconds)
    assert timeline.reserve(100) == (100, 0.0)


def test_a_row_does_not_grow() -> None:
    timeline = Timeline(limited(plain(), hour=1_000_000, day=10_000_000))
    for _ in range(4_000):
        timeline.reserve(1)
        timeline.wait(61)
    assert len(timeline.pace().used) < 100


# The row, on both databases


@pytest.fixture
def app(settings: Settings, tables: None) -> Iterator[Flask]:
    app = worker_app(settings, MemoryRelay())
    with opened(app):
        yield app


class SetClock:
    """A clock of the test's own, in seconds; `boot` changes when the machine is started anew."""

    def __init__(self) -> None:
        self.now, self.boot = 5_000.0, "first"

    def __call__(self) -> tuple[str, int]:
        return self.boot, int(self.now * SECOND)


def test_where_no_limit_is_set_no_row_is_touched(app: Flask, settings: Settings) -> None:
    budget = RelayBudget("mail.example.org:587", settings)
    assert not budget.limited
    assert budget.reserve(500) == (500, 0.0)
    budget.give_back(3)
    budget.count(3)
    assert db.session.scalars(select(RelayPace)).all() == []


def test_two_workers_share_one_budget(app: Flask, settings: Settings) -> None:
    clock, rules = SetClock(), limited(settings, hour=100)
    first = RelayBudget("mail.example.org:587", rules, read_clock=clock)
    second = RelayBudget("mail.example.org:587", rules, read_clock=clock)
    other = RelayBudget("other.example.org:587", rules, read_clock=clock)
    assert first.reserve(70) == (70, 0.0)
    assert second.reserve(70)[0] == 30
    assert first.reserve(1)[0] == 0
    assert other.reserve(70) == (70, 0.0)
    second.give_back(10)
    assert first.reserve(70)[0] == 10


def test_a_clock_set_back_a_day_and_a_machine_started_anew_open_nothing(app: Flask, settings: Settings) -> None:
    clock = SetClock()
    budget = RelayBudget("mail.example.org:587", limited(settings, hour=100), read_clock=clock)
    assert budget.reserve(100)[0] == 100
    clock.now -= DAY
    assert budget.reserve(1)[0] == 0
    clock.now += 1_800
    assert budget.reserve(1)[0] == 0
    clock.boot, clock.now = "second", 1_000_000.0
    assert budget.reserve(1)[0] == 0
    clock.now += 1_800
    # Half an hour before the restart and half an hour after it.
    granted, seconds = budget.reserve(1)
    assert granted == 0
    assert seconds <= 120
    clock.now += seconds
    assert budget.reserve(100)[0] == 100


def test_mail_to_one_person_is_not_held_back_but_counts(app: Flask, settings: Settings) -> None:
    budget = RelayBudget("mail.example.org:587", limited(settings, day=10), read_clock=SetClock())
    budget.count(15)
    granted, seconds = budget.reserve(1)
    assert granted == 0
    assert seconds > DAY


def test_many_threads_at_once_get_what_there_is_and_no_more(app: Flask, settings: Settings) -> None:
    """By the real clock: workers on one database, each in a transaction of its own."""
    rules = limited(settings, hour=500, day=100_000)
    granted: list[int] = []
    together = threading.Barrier(6)

    def work() -> None:
        with app.app_context():
            budget = RelayBudget("mail.example.org:587", rules)
            together.wait(30)
            for _ in range(10):
                granted.append(budget.reserve(20)[0])
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 60
    assert sum(granted) == 500
