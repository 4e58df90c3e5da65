"""A duty that one process at a time has, whoever of many it is: a row that its holder renews, and others take over.

Time is the database's on PostgreSQL, the machine's own on SQLite: a clock that somebody sets neither ends a lease nor
prolongs it. Nothing that is done under a lease may depend on it for its truth, for there may be two holders for a
moment: whoever is held up cannot know that time has passed.
"""

import logging
import secrets
import time
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.exc import SQLAlchemyError

from ..db import conflict_aware_insert, db, transaction
from ..models import Lease
from .liveness import Process, machine_clock

_log = logging.getLogger(__name__)

#: A holder that is gone is followed by another within the lease and one look.
LEASE_SECONDS = 8.0
LOOK_EVERY_SECONDS = 2.0
_MICROSECONDS = 1_000_000


class Leadership:
    """This process's part in the duty called `name`. Call `look` every few seconds."""

    def __init__(self, name: str) -> None:
        me = Process.this()
        self._name = name
        self._holder = f"{me.host} {me.boot_id} {me.pid} {secrets.token_hex(4)}"[-200:]
        self._believed_until = 0.0

    @property
    def ours(self) -> bool:
        """Whether we may believe to hold it: nobody can have taken it over yet."""
        return time.monotonic() < self._believed_until

    def look(self, now: datetime) -> bool:
        """Take the duty if it is free, renew it if it is ours. Returns `ours`. Opens its own transaction.

        Where the database cannot be asked, nothing changes: what was ours runs out.
        """
        began = time.monotonic()
        try:
            if self._take(now):
                self._believed_until = began + LEASE_SECONDS
            else:
                self._believed_until = 0.0
        except SQLAlchemyError as error:
            _log.warning("The lease of the %s cannot be renewed (%s)", self._name, type(error).__name__)
        return self.ours

    def give_up(self) -> None:
        """Let others have it at once."""
        self._believed_until = 0.0
        try:
            with transaction() as session:
                lease = session.scalar(self._row())
                if lease is not None and lease.holder == self._holder:
                    lease.ends = 0
        except SQLAlchemyError as error:
            _log.warning("The lease of the %s cannot be given up (%s)", self._name, type(error).__name__)

    def _take(self, now: datetime) -> bool:
        with transaction() as session:
            counts_from, clock = machine_clock()
            lease = session.scalar(self._row())
            ends = clock + int(LEASE_SECONDS * _MICROSECONDS)
            if lease is None:
                return self._first(counts_from, ends, now)
            if lease.holder != self._holder:
                # Of a machine that was started again since, nobody holds anything.
                if lease.counts_from == counts_from and lease.ends > clock:
                    return False
                lease.holder, lease.taken_at, lease.term = self._holder, now, lease.term + 1
                _log.warning("This process is the %s from now on (term %d)", self._name, lease.term)
            lease.counts_from, lease.ends = counts_from, ends
        return True

    def _first(self, counts_from: str, ends: int, now: datetime) -> bool:
        values = {
            "name": self._name,
            "holder": self._holder,
            "term": 1,
            "counts_from": counts_from,
            "ends": ends,
            "taken_at": now,
        }
        statement = conflict_aware_insert(Lease).values(**values).on_conflict_do_nothing()
        return db.session.execute(statement.returning(Lease.name)).first() is not None

    def _row(self) -> Select[Lease]:
        return select(Lease).where(Lease.name == self._name).with_for_update()
