"""What a request makes the database do: the statements, without their values, and how often it has to reach the disk.

Two answers that must not be told apart are compared by this and not by a clock: who measures a server from outside
measures the work that it does (ASVS 6.3.8).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from newsletter.db import db


class Work:
    """The statements in their order, and the number of commits that had something to write."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.commits = 0
        self._wrote = False

    def add(self, statement: str) -> None:
        """One statement, as it was given to the database."""
        shown = re.sub(r"\s+", " ", statement).strip()
        # Savepoints are numbered for the life of a session; keeping one and giving it up are one word each.
        shown = re.sub(r"(sa_savepoint)_\d+", r"\1", shown)
        shown = re.sub(r"IN \((\?, )*\?\)", "IN (…)", shown)
        self.statements.append(re.sub(r"^(RELEASE|ROLLBACK TO) SAVEPOINT", "END SAVEPOINT", shown))
        self._wrote |= shown.partition(" ")[0] in {"INSERT", "UPDATE", "DELETE"}

    def commit(self) -> None:
        """A commit: of something, if something was written since the last one."""
        self.commits += self._wrote
        self._wrote = False


@contextmanager
def work_done() -> Iterator[Work]:
    """All that is done within the block, by this process, in its database."""
    work = Work()

    def statement(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        work.add(text)

    def commit(_connection: Any) -> None:
        work.commit()

    engine = db.engine
    event.listen(engine, "before_cursor_execute", statement)
    event.listen(engine, "commit", commit)
    try:
        yield work
    finally:
        event.remove(engine, "before_cursor_execute", statement)
        event.remove(engine, "commit", commit)
