"""A process of the pages says that it is there, as workers and schedulers do, on a thread of its own.

The pages are served whatever becomes of it: while the database is away nothing is said, and it is said again when it
is back.
"""

import logging
import threading

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from .. import clock
from ..db import let_go
from ..operations import shared_folder
from ..operations.pulse import EVERY_SECONDS, pulse
from ..work.liveness import BEAT_EVERY_SECONDS, Presence, presence

_log = logging.getLogger(__name__)
_FAREWELL_SECONDS = 5.0


class Attendance:
    """`begin` it in the process itself, after any fork; `end` it before the process leaves."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._attend, name="attendance", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Take leave. A database that does not answer is not waited for."""
        self._stop.set()
        self._thread.join(_FAREWELL_SECONDS)

    def _attend(self) -> None:
        while not self._stop.is_set():
            try:
                with self._app.app_context(), presence("web", clock.now()) as life, pulse(self._app, life):
                    self._stay(life)
            except SQLAlchemyError as error:
                _log.warning("This process cannot say that it serves pages (%s)", type(error).__name__)
                self._stop.wait(EVERY_SECONDS)

    def _stay(self, life: Presence) -> None:
        shared_folder.note_here()
        while not self._stop.wait(BEAT_EVERY_SECONDS):
            try:
                life.beat_or_return(clock.now())
            except SQLAlchemyError as error:
                _log.warning("The database cannot be told that we live (%s)", type(error).__name__)
                let_go()
