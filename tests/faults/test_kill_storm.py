"""Workers killed at random moments, over and over: starting, recovering, claiming, sending, leaving.

NEWSLETTER_TEST_KILLS=1000 makes it a long run; NEWSLETTER_TEST_SEED=… one like another. The moments are random but for
the seed, and a machine is never twice as busy: what a seed repeats is the plan, not the instant.
"""

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.config import Settings
from newsletter.db import db
from newsletter.delivery.reports import accounts
from newsletter.models import Delivery, Issue, MailingList
from newsletter.states import DeliveryState
from newsletter.work.doorbell import Doorbell
from tests import people
from tests.delivery.sending import makers
from tests.faults.accounting import everybody_once, is_sent
from tests.faults.conftest import PATIENCE_SECONDS
from tests.faults.processes import Nursery, Sink
from tests.faults.slow_sink import LINE
from tests.faults.tally import Figures

#: For each database; some seconds' worth. A long run sets its own.
KILLS = int(os.environ.get("NEWSLETTER_TEST_KILLS", "25"))
SEED = int(os.environ.get("NEWSLETTER_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)
READERS = 400
CONNECTIONS = 8
#: The mail server takes up to this long, twice, for each message.
SLOWEST_ANSWER = 0.02


class Storm:
    """Workers, a mail server, a dice."""

    def __init__(self, settings: Settings, sink: Sink, nursery: Nursery, dice: random.Random) -> None:
        self._bell = Doorbell(settings.data_dir)
        self._sink, self._nursery, self._dice = sink, nursery, dice
        self.kills = self.farewells = 0

    def strike(self, issue: Issue) -> None:
        """Start a worker, two at times; wait for a moment; end one or all of them, this way or that."""
        nursery, dice = self._nursery, self._dice
        while len(nursery.alive) < (2 if dice.random() < 0.3 else 1):
            nursery.start()
        self._wait_for_a_moment(issue)
        nursery.nobody_fell()
        dice.shuffle(nursery.alive)
        for pid in list(nursery.alive) if dice.random() < 0.8 else nursery.alive[:1]:
            self._end(pid)
            nursery.alive.remove(pid)

    def _end(self, pid: int) -> None:
        chance = self._dice.random()
        if chance < 0.75:
            self._nursery.kill(pid)
            self.kills += 1
            return
        self._nursery.terminate(pid)
        if chance < 0.9:
            # Killed while it drains, or while it writes the last outcomes down.
            time.sleep(self._dice.uniform(0, 0.1))
            with contextlib.suppress(ProcessLookupError):
                self._nursery.kill(pid)
            self.kills += 1
            return
        status = self._nursery.wait_for_end(pid)
        # Asked before it had taken SIGTERM into its own hands, it dies of it.
        assert status in (0, -signal.SIGTERM), self._nursery.log
        self.farewells += 1

    def _wait_for_a_moment(self, issue: Issue) -> None:
        if self._dice.random() < 0.25:
            # While it starts, recovers what was left, claims for the first time.
            time.sleep(self._dice.uniform(0, 0.8))
            return
        # However busy the machine is: in the midst of sending.
        goal = self._sink.size + self._dice.randrange(1, 120) * LINE
        looked, deadline = time.monotonic(), time.monotonic() + PATIENCE_SECONDS
        while self._sink.size < goal:
            time.sleep(0.0005)
            if time.monotonic() > looked + 0.5:
                assert time.monotonic() < deadline, self._nursery.log
                self._nursery.nobody_fell()
                if is_sent(issue):
                    return
                # A tick would look within half a minute; we do not wait for that.
                self._bell.press("continue_sending", ())
                looked = time.monotonic()
        time.sleep(self._dice.choice([0.0, self._dice.uniform(0, 0.01)]))

    def until_sent(self, issue: Issue) -> None:
        """Let one worker bring it to its end."""
        if not self._nursery.alive:
            self._nursery.start()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_sent(issue):
            assert time.monotonic() < deadline, f"{accounts.counts(issue)}\n{self._nursery.log}"
            self._nursery.nobody_fell()
            self._bell.press("continue_sending", ())
            time.sleep(0.2)


def unsure_of_one_death(issue: Issue) -> int:
    """The most that any one run of a worker left in doubt: the row keeps whose it was."""
    numbers = db.session.scalars(
        select(func.count())
        .where(Delivery.issue_id == issue.id, Delivery.state == DeliveryState.UNSURE)
        .group_by(Delivery.owner)
    )
    return max(numbers, default=0)


@pytest.fixture
def storm(settings: Settings, app: Flask, tmp_path: Path) -> Iterator[tuple[Storm, Sink]]:
    with Sink(tmp_path, SLOWEST_ANSWER) as sink, Nursery(settings, sink.url, CONNECTIONS) as nursery:
        yield Storm(settings, sink, nursery, random.Random(SEED)), sink


def test_a_storm_of_kills(storm: tuple[Storm, Sink], figures: Figures) -> None:
    print(f"NEWSLETTER_TEST_SEED={SEED}")
    weather, sink = storm
    mailing_list = people.larkmere(datetime.now(UTC))
    people.subscribers(datetime.now(UTC), mailing_list, READERS)
    number = 0
    while weather.kills + weather.farewells < KILLS:
        number += 1
        one_issue(weather, sink, mailing_list, number, figures)


def one_issue(weather: Storm, sink: Sink, mailing_list: MailingList, number: int, figures: Figures) -> None:
    """Send one issue through a part of the storm, and account for everybody."""
    kills, farewells, began = weather.kills, weather.farewells, sink.size
    issue = makers.sending_to(datetime.now(UTC), mailing_list, f"issue-{number}")
    while not is_sent(issue) and weather.kills + weather.farewells < KILLS:
        weather.strike(issue)
        db.session.rollback()
        assert accounts.counts(issue).adds_up, SEED
    weather.until_sent(issue)
    recipients = sink.recipients(began)
    states, most = everybody_once(issue, recipients, READERS), unsure_of_one_death(issue)
    figures.add(
        messages=READERS,
        kills=weather.kills - kills,
        farewells=weather.farewells - farewells,
        unsure=states[DeliveryState.UNSURE],
        unsure_of_one_death=most,
        lost=READERS - states[DeliveryState.ACCEPTED] - states[DeliveryState.UNSURE],
        doubled=len(recipients) - len(set(recipients)),
    )
    print(f"issue {number}: {weather.kills} kills, {weather.farewells} farewells so far; {figures.numbers}")
    assert most <= CONNECTIONS
