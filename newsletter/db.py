"""The database: one session a request or job, times as instants, one way to write.

Reading may happen anywhere. Writing happens inside `transaction()`, which the doors open (views, commands, jobs)
and nothing below them: it commits once, and only then rings the jobs that wait for the change.

On SQLite a writer begins with BEGIN IMMEDIATE. A transaction that reads first and writes later would otherwise
fail at once with "database is locked" whenever somebody else wrote in between, whatever the busy timeout says.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import URL, BigInteger, Connection, Engine, Integer, MetaData, event, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Session

from .instants import UTCDateTime as UTCDateTime  # a column type like BigId: models and verbs find it here

if TYPE_CHECKING:
    from flask import Flask

_log = logging.getLogger(__name__)
_BUSY_TIMEOUT_MS = 30_000
_CLEARING_TIMEOUT_MS = 2_000
#: SQLite's codes for what passes or an operator mends: busy, locked, read-only, I/O, full, cannot open.
_PASSING = frozenset({5, 6, 8, 10, 13, 14})
#: Words of libpq: seconds, and how often it asks; the last one in milliseconds.
_PATIENCE = {"connect_timeout": 10, "keepalives_idle": 15, "keepalives_interval": 5, "tcp_user_timeout": 30_000}
_AFTER_COMMIT = "newsletter_after_commit"
_GATHERED = "newsletter_gathered"
_BEFORE_COMMIT = "newsletter_before_commit"
_COMMITTED = "newsletter_committed"
#: Where a connection remembers the databases that were attached to it within a transaction: they go after its end.
ATTACHED = "newsletter_attached"
_writing: ContextVar[bool] = ContextVar("writing", default=False)
_lasting: ContextVar[bool] = ContextVar("lasting", default=True)
_KEPT_BY = "newsletter_kept_by"

#: SQLite counts row numbers only in a column declared INTEGER; PostgreSQL's integer would end at two thousand million.
BigId = BigInteger().with_variant(Integer(), "sqlite")
#: What both databases can count to. SQLite's driver raises OverflowError for more.
LARGEST_ID = 2**63 - 1


class Base(DeclarativeBase):
    """Every constraint has a name: a migration can find it, and an error can be told from it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)

if TYPE_CHECKING:
    # Flask-SQLAlchemy makes the class at run time; the type checker reads it as what it is.
    class Model(Base):
        __abstract__ = True
else:
    Model = db.Model


@contextmanager
def transaction(*, lasting: bool = True) -> Iterator[Session]:
    """Write within this block; it commits at its end, or changes nothing if anything is raised.

    What is not `lasting` may be gone after the machine lost its power, not after the process died: its commit does
    not wait for the disk, for which every other writer would wait too. Counters of limits, and nothing that anybody
    was told of.

    What was read before is read again inside, so nobody decides on what has changed meanwhile. Hashing, MJML,
    pictures and the network stay outside: the whole site waits for a writer. It does not nest.
    """
    session = db.session()
    if _writing.get():
        raise RuntimeError("transaction() does not nest: a verb never commits, its door does")
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("Something was changed before transaction() was entered")
    session.rollback()
    session.info[_AFTER_COMMIT], session.info[_GATHERED], session.info[_BEFORE_COMMIT] = [], {}, {}
    token, kept = _writing.set(True), _lasting.set(lasting)
    try:
        if not lasting and db.engine.dialect.name == "postgresql":
            session.execute(text("SET LOCAL synchronous_commit = off"))
        yield session
        _call_in_order(session)
        session.commit()
        session.info[_COMMITTED] = True
    except BaseException:
        session.rollback()
        raise
    finally:
        _writing.reset(token)
        _lasting.reset(kept)
        session.info.pop(_BEFORE_COMMIT, None)
        callbacks: list[Callable[[], None]] = session.info.pop(_AFTER_COMMIT, [])
    for callback in callbacks:
        _call_safely(callback)


@contextmanager
def kept_if(keep: bool, *, rows: bool = False) -> Iterator[None]:
    """Write within this block, in the running transaction, and take all of it back again unless `keep`.

    For answers that must not be told apart by the work that they cost: whether something is kept is decided first,
    and written in either case. A ring within the block is heard in either case. `rows`: nothing but statements is in
    it, past the session, which then need not remember what its objects were: that is most of the work.
    """
    savepoint = db.session.connection().begin_nested() if rows else db.session.begin_nested()
    try:
        yield
        db.session.flush()
    except BaseException:
        savepoint.rollback()
        raise
    if keep:
        savepoint.commit()
    else:
        savepoint.rollback()


def before_commit(key: str, callback: Callable[[], None]) -> None:
    """Call back as the last thing within the running transaction; once for each `key`, whatever the number of calls.

    In the order of the keys: two transactions that write the same rows then meet the first of them first, and neither
    waits for the other in a ring. Raises RuntimeError outside `transaction()`.
    """
    callbacks = db.session().info.get(_BEFORE_COMMIT)
    if callbacks is None:
        raise RuntimeError("before_commit() needs a running transaction()")
    callbacks.setdefault(key, callback)


def on_commit(callback: Callable[[], None]) -> None:
    """Call back once the running transaction has been committed; never if it is rolled back.

    Raises RuntimeError outside `transaction()`.
    """
    callbacks = db.session().info.get(_AFTER_COMMIT)
    if callbacks is None:
        raise RuntimeError("on_commit() needs a running transaction()")
    callbacks.append(callback)


def gather_for_commit(write: Callable[[list[str]], None], lines: list[str]) -> None:
    """Hand `write` all lines of the running transaction together, once it has been committed; as `on_commit` does."""
    gathered: dict[Callable[[list[str]], None], list[str]] = db.session().info.setdefault(_GATHERED, {})
    if write not in gathered:
        on_commit(lambda: write(gathered[write]))
    gathered.setdefault(write, []).extend(lines)


def clear_log() -> None:
    """Write SQLite's write-ahead log back and empty it: what was erased still stands in it. Nothing elsewhere.

    A reader who holds the log for longer than two seconds keeps it as it is; the next call tries again.
    """
    if db.engine.dialect.name != "sqlite":
        return
    with db.engine.connect() as connection:
        cursor = connection.connection.cursor()
        try:
            cursor.execute(f"PRAGMA busy_timeout={_CLEARING_TIMEOUT_MS}")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
            cursor.close()


def _call_in_order(session: Session) -> None:
    callbacks: dict[str, Callable[[], None]] = session.info[_BEFORE_COMMIT]
    if callbacks:
        session.flush()
    for _key, callback in sorted(callbacks.items()):
        callback()


def _call_safely(callback: Callable[[], None]) -> None:
    # The change is committed; a doorbell that fails must not look like a change that failed.
    try:
        callback()
    except Exception:
        _log.exception("A callback after the commit failed")


def conflict_aware_insert(table: type[Model]) -> "sqlite.Insert | postgresql.Insert":
    """An INSERT into `table` that knows ON CONFLICT, which each database spells through a construct of its own."""
    return sqlite.insert(table) if db.engine.dialect.name == "sqlite" else postgresql.insert(table)


def take_turn(name: str) -> None:
    """Wait until no other transaction holds the turn of this name; it is given back at the end of this one.

    For what is decided by counting rows that are not there yet. On SQLite every writer has had its turn already.
    """
    if db.engine.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        db.session.execute(select(func.pg_advisory_xact_lock(number)))


def why_unavailable(error: Exception) -> str:
    """What the database says when it is away, locked for longer than we wait, full, or not to be written to.

    "" for every other error: those are faults of ours, or of the tables.
    """
    if not isinstance(error, OperationalError):
        return ""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return str(error.orig) if code is None or code & 0xFF in _PASSING else ""


def may_be_saved(error: Exception) -> bool:
    """Whether something may have been written by whoever has this session now, though `error` ended it all.

    A transaction of theirs was committed before, or the connection broke at a commit: nobody knows of that one.
    """
    at_commit = isinstance(error, DBAPIError) and error.connection_invalidated and error.statement is None
    return at_commit or bool(db.session().info.get(_COMMITTED))


def let_go() -> None:
    """Give up the session, its connection too where that is broken. The next statement has another."""
    try:
        db.session.remove()
    except SQLAlchemyError as error:
        _log.warning("The connection to the database broke (%s)", type(error).__name__)
        with suppress(SQLAlchemyError):
            db.session().invalidate()
        db.session.registry.clear()


def let_go_safely(app: "Flask") -> None:
    """At the end of a request or a job, give up the session even where its connection is broken.

    Flask-SQLAlchemy does it by a rollback, which fails then: an answer that is ready would be lost for it, and the
    broken session kept for somebody else. Call it after `db.init_app`: what is registered last is done first.
    """

    @app.teardown_appcontext
    def _let_go(_error: BaseException | None) -> None:
        let_go()


def patience_of(url: URL) -> dict[str, Any]:
    """How long a connection to PostgreSQL at `url` waits for a machine that says nothing, unless the address says.

    One that lost its power or network closes nothing, and the system would wait for a quarter of an hour.
    """
    return {name: value for name, value in _PATIENCE.items() if name not in url.query}


def prepare_engine(engine: Engine) -> None:
    """Set what every SQLite connection needs; PostgreSQL needs nothing."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: object) -> None:
        # The driver's own BEGIN comes too late and is always deferred: we send ours below.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={_BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            # NORMAL may lose the last commits with the power, and with them who was sent what.
            "synchronous=FULL",
            "foreign_keys=ON",
            # What is erased is overwritten, not only marked as free: people are told that it is gone.
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "checkin")
    def _detach(connection: Any, record: Any) -> None:
        for name in record.info.pop(ATTACHED, ()):
            connection.execute(f"DETACH {name}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if not _writing.get():
            connection.exec_driver_sql("BEGIN")
            return
        kept_by = "FULL" if _lasting.get() else "NORMAL"
        if connection.info.get(_KEPT_BY, "FULL") != kept_by:
            connection.exec_driver_sql(f"PRAGMA synchronous={kept_by}")
            connection.info[_KEPT_BY] = kept_by
        connection.exec_driver_sql("BEGIN IMMEDIATE")
