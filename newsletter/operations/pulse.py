"""A process that lasts says how it is: every few seconds, on a thread of its own, whatever its jobs are doing."""

import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from .. import __version__, clock
from ..config import current_settings
from ..db import conflict_aware_insert, db, transaction
from ..models import ProcessSign
from ..work.liveness import Life
from . import totals, watching

_log = logging.getLogger(__name__)

EVERY_SECONDS = 20.0


@contextmanager
def pulse(app: Flask, life: Life) -> Iterator[None]:
    """Within this block the process, whose life that is, gives signs. It takes its last one back."""
    stop = threading.Event()
    thread = threading.Thread(target=_go_on, args=(app, life, stop), name="pulse", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(EVERY_SECONDS)
        with app.app_context():
            _safely(lambda: _leave(life.epoch))


def _go_on(app: Flask, life: Life, stop: threading.Event) -> None:
    while True:
        with app.app_context():
            _safely(lambda: give_sign(life.epoch, clock.now()))
        if stop.wait(EVERY_SECONDS):
            return


def give_sign(worker_id: int, now: datetime) -> None:
    """Write down how this process is and what it did. Where nobody has looked for trouble, it looks."""
    settings = current_settings()
    free = shutil.disk_usage(settings.data_dir).free
    values = {"version": __version__, "seen_at": now, "disk_free": free, "clock_ahead": _clock_ahead(now)}
    with transaction() as session:
        sign = conflict_aware_insert(ProcessSign).values(worker_id=worker_id, **values)
        session.execute(sign.on_conflict_do_update(index_elements=[ProcessSign.worker_id], set_=values))
    totals.write_down()
    watching.watch_if_nobody_does(now)


def _leave(worker_id: int) -> None:
    totals.write_down()
    with transaction() as session:
        session.execute(delete(ProcessSign).where(ProcessSign.worker_id == worker_id))


def _clock_ahead(now: datetime) -> float:
    """By how many seconds this machine's clock is ahead of the database's; SQLite has this machine's."""
    if current_settings().sqlite:
        return 0.0
    theirs: datetime = db.session.execute(select(func.clock_timestamp())).scalar_one()
    db.session.rollback()
    return (now - theirs) / timedelta(seconds=1)


def _safely(action: Callable[[], None]) -> None:
    try:
        action()
    except (SQLAlchemyError, OSError) as error:
        # The rows miss a sign, which is what others are to see.
        _log.warning("This process cannot say how it is (%s)", type(error).__name__)
        db.session.rollback()
