"""Ringing through PostgreSQL: a ring is a row of Procrastinate's, and any worker on any machine may take it.

The row is written by the transaction that it rings for, as its last act, so it is there if and only if the change is.
One that waits already is enough for all: each has a queueing lock. Nothing depends on it: a ring that is lost, or comes
twice, changes the moment of a job and nothing else.
"""

import logging
from functools import partial

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from .. import logs
from ..db import before_commit, db, on_commit
from .registry import JOBS, lane_of

_log = logging.getLogger(__name__)

#: It reads which lock it was from the server's words, which it expects in English: elsewhere its assertion fails.
_WAITS_ALREADY = (AlreadyEnqueued, AssertionError)


class ProcrastinateRunner:
    """Tells whichever worker is free. Its connections are ours: Procrastinate's own are for those who work."""

    def __init__(self) -> None:
        # Never opened: every statement goes over a connection that it is given.
        self._app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())

    def ring(self, job_name: str, ids: tuple[int, ...]) -> None:
        """Ring now. One that waits already will look later than this, so it does as well.

        Raises LookupError for a job that does not exist.
        """
        if JOBS and job_name not in JOBS:
            raise LookupError(f"There is no job {job_name}")
        try:
            with db.engine.begin() as connection:
                self._insert(connection, job_name, ids)
        except _WAITS_ALREADY:
            pass
        except (ConnectorException, SQLAlchemyError):
            _log.warning("The ring for %s could not be written; a tick will ring again", job_name)

    def ring_on_commit(self, job_name: str, ids: tuple[int, ...]) -> None:
        """Ring within the running transaction, at its end."""
        before_commit(f"ring {job_name} {ids}", partial(self._ring_within, job_name, ids))

    def _ring_within(self, job_name: str, ids: tuple[int, ...]) -> None:
        """A savepoint, because what fails would otherwise undo all before it, and the commit would not say so."""
        try:
            with db.session.begin_nested():
                self._insert(db.session.connection(), job_name, ids)
        except _WAITS_ALREADY:
            # Somebody may take that ring now, before our change can be seen. So once more when it can.
            on_commit(partial(self.ring, job_name, ids))
        except ConnectorException:
            _log.exception("The ring for %s could not be written; a tick will ring again", job_name)

    def _insert(self, connection: Connection, job_name: str, ids: tuple[int, ...]) -> None:
        lane = lane_of(job_name)
        self._app.configure_task(
            job_name,
            queue=lane,
            queueing_lock=" ".join([job_name, *map(str, ids)]),
            connection=connection.connection.driver_connection,
        ).defer(ids=list(ids), request_id=logs.known("request_id"))
