"""Ringing for a job.

The database is the queue: what is to be done stands in rows (a notice that is queued, an issue that is due, a
delivery that is deferred). A ring only says "look now". It is heard after the commit of the change it tells of, never
if that is rolled back, and when it is lost a tick of `newsletter.ticks` looks all the same.
"""

from flask import current_app

from .runners import Runner


def ring(job_name: str, *ids: int) -> None:
    """Once the running transaction has been committed, have `job_name` run with these ids."""
    current_runner().ring_on_commit(job_name, ids)


def ring_here(job_name: str, *ids: int) -> None:
    """Have this very process run the job, if it is a worker; any other rings as ever. For use outside a transaction."""
    runner: Runner = current_app.extensions.get("newsletter_own_runner") or current_runner()
    runner.ring(job_name, ids)


def current_runner() -> Runner:
    """The runner that create_app picked."""
    runner: Runner = current_app.extensions["newsletter_runner"]
    return runner
