"""What the worker and the scheduler do until they are told to leave."""

import logging
import sys
import time
from contextlib import nullcontext

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from .. import clock, logs
from ..config import Settings
from ..db import db
from ..operations import shared_folder
from ..operations.pulse import pulse
from ..scheduler import Ticker
from ..ticks import TICKS
from ..work.doorbell import Doorbell, Press
from ..work.leases import LOOK_EVERY_SECONDS, Leadership
from ..work.liveness import BEAT_EVERY_SECONDS, Presence, leaving, presence
from ..work.runners import Runner, ThreadsRunner

_log = logging.getLogger(__name__)

#: Of the 30 seconds that a process has to leave after SIGTERM.
_DRAIN_SECONDS = 28.0
_EVERYWHERE = tuple(tick for tick in TICKS if tick.everywhere)
_BY_ONE = tuple(tick for tick in TICKS if not tick.everywhere)


def work(app: Flask) -> None:
    """Run jobs until we are asked to leave. Within an application context."""
    runner = ThreadsRunner(app)
    app.extensions["newsletter_own_runner"] = runner
    shared_folder.note_here()
    with presence("worker", clock.now()) as life, pulse(app, life):
        if _alone(app):
            app.extensions["newsletter_runner"] = runner
            _work_alone(app, runner, _Heart(life))
            drained = runner.stop(_DRAIN_SECONDS)
        else:
            drained = _work_with_others(app, runner, _Heart(life))
        if not drained:
            # What is still in hand is settled by whoever finds us gone, so our row must not say that all is settled.
            sys.exit("Not everything could be brought to an end in time")


def _work_alone(app: Flask, runner: ThreadsRunner, heart: "_Heart") -> None:
    """Rung for by processes of this machine, and by ticks of our own."""
    bell = Doorbell(app.config["NEWSLETTER"].data_dir)
    bell.listen()
    ticker = Ticker(lambda job: runner.ring(job, ()))
    ticker.start()
    while not leaving.is_set():
        press = bell.hear(1.0)
        if press is not None:
            _ring(runner, press)
        ticker.heed_clock()
        heart.beat()
    ticker.stop()
    bell.close()


def _work_with_others(app: Flask, runner: ThreadsRunner, heart: "_Heart") -> bool:
    """Rung for through the database, from any machine. What each worker must do itself it does by itself."""
    from ..work.ring_taker import RingTaker

    taker = RingTaker(app, db.engine.url, runner)
    taker.start()
    ticker = Ticker(lambda job: runner.ring(job, ()), _EVERYWHERE)
    ticker.start()
    while not leaving.wait(1.0):
        ticker.heed_clock()
        heart.beat()
    ticker.stop()
    began = time.monotonic()
    taken = taker.stop(_DRAIN_SECONDS)
    return runner.stop(max(0.0, began + _DRAIN_SECONDS - time.monotonic())) and taken


def ring_in_turn(app: Flask) -> None:
    """Ring at every tick while the lease is ours, until we are asked to leave. Within an application context."""
    runner: Runner = app.extensions["newsletter_runner"]
    leadership = Leadership("scheduler")

    def ring(job: str) -> None:
        if leadership.ours:
            with app.app_context():
                runner.ring(job, ())

    ticker: Ticker | None = None
    with presence("scheduler", clock.now()) as life, pulse(app, life):
        heart = _Heart(life)
        while not leaving.is_set():
            if leadership.look(clock.now()):
                if ticker is None:
                    # Anew, so that everything is rung for at once: whoever did it before may be gone for a while.
                    ticker = Ticker(ring, TICKS if _alone(app) else _BY_ONE)
                    ticker.start()
                ticker.heed_clock()
            elif ticker is not None:
                ticker.stop()
                ticker = None
            heart.beat()
            leaving.wait(LOOK_EVERY_SECONDS)
        if ticker is not None:
            ticker.stop()
        leadership.give_up()


class _Heart:
    """Beats now and then, and is not troubled by a database that is away."""

    def __init__(self, life: Presence) -> None:
        self._life = life
        self._next = time.monotonic() + BEAT_EVERY_SECONDS

    def beat(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + BEAT_EVERY_SECONDS
        try:
            self._life.beat_or_return(clock.now())
        except SQLAlchemyError as error:
            _log.warning("The database cannot be told that we live (%s)", type(error).__name__)


def _alone(app: Flask) -> bool:
    settings: Settings = app.config["NEWSLETTER"]
    return settings.runner == "threads"


def _ring(runner: Runner, press: Press) -> None:
    with logs.about(request_id=press.request_id) if press.request_id else nullcontext():
        try:
            runner.ring(press.job_name, press.ids)
        except LookupError:
            _log.warning("Somebody rang for %r, which is no job", press.job_name)
