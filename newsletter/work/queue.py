"""Ringing for a job.

The database is the queue: what is to be done stands in rows (a notice that is queued, an issue that is due, a
delivery that is deferred). A ring only says "look now". It leaves after the commit of the change it tells of, and
when it is lost a tick of `newsletter.ticks` looks all the same.
"""

from flask import current_app

from ..db import on_commit
from .runners import Runner


def ring(job_name: str, *ids: int) -> None:
    """Once the running transaction has been committed, have `job_name` run with these ids."""
    runner = current_runner()
    on_commit(lambda: runner.ring(job_name, ids))


def current_runner() -> Runner:
    """The runner that create_app picked."""
    runner: Runner = current_app.extensions["newsletter_runner"]
    return runner
