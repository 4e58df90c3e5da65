"""A consistent copy of the database while everybody goes on: SQLite's online backup, or pg_dump on one snapshot."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.exc import DatabaseError

from ..db import Base, db
from ..errors import Refused
from ..schema import schema_version
from . import manifest
from .streams import Progress

_PAGES_AT_ONCE = 2_000
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Copied:
    """What was copied: which database, the revision of its tables, how many rows each has."""

    database: str
    schema: str
    rows: Mapping[str, int]


def copy_database(folder: Path, on_progress: Progress) -> Copied:
    """Write the database into `folder`, under its name in an archive. Nobody waits for it.

    Raises Refused where there are no tables yet, or the database is damaged.
    """
    schema = schema_version()
    if schema is None:
        raise Refused("There is nothing to back up: the database has no tables yet.")
    kind = db.engine.dialect.name
    target = folder / manifest.DATABASES[kind]
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        rows = _copy_sqlite(target, on_progress) if kind == "sqlite" else _copy_postgresql(target, on_progress)
    except DatabaseError as error:
        raise Refused(f"The database is damaged or cannot be read, so there is no backup: {error.orig}") from None
    return Copied(kind, schema, rows)


def count_rows(connection: Connection) -> dict[str, int]:
    """How many rows each of our tables has that is there, by name: a database of before may lack some."""
    there = set(inspect(connection).get_table_names())
    return {
        name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for name, table in sorted(Base.metadata.tables.items())
        if name in there
    }


def _copy_sqlite(target: Path, on_progress: Progress) -> dict[str, int]:
    with db.engine.connect() as connection:
        # A transaction that has read holds its snapshot: without it the copy would begin anew at each write.
        connection.execute(text("SELECT count(*) FROM sqlite_master"))
        rows = count_rows(connection)
        source: Any = connection.connection.driver_connection
        copy = sqlite3.connect(target)
        try:
            source.backup(
                copy, pages=_PAGES_AT_ONCE, progress=lambda _status, left, total: on_progress(total - left, total)
            )
            copy.execute("PRAGMA journal_mode=DELETE")
            said = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.DatabaseError as error:
            said = str(error)
        finally:
            copy.close()
    if said != "ok":
        raise Refused(f"The database is damaged, and a backup of it would be too: {said}. See newsletter doctor.")
    return rows


def _copy_postgresql(target: Path, on_progress: Progress) -> dict[str, int]:
    with db.engine.connect() as connection:
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        snapshot = str(connection.scalar(text("SELECT pg_export_snapshot()")))
        schema = str(connection.scalar(text("SELECT current_schema()")))
        size = text(
            "SELECT coalesce(sum(pg_table_size(oid)), 0) FROM pg_class WHERE relkind = 'r' AND relname = ANY(:n)"
        )
        whole = int(connection.scalar(size, {"n": list(Base.metadata.tables)}) or 0)
        rows = count_rows(connection)
        _dump(connection, target, snapshot, schema, lambda done: on_progress(min(done, whole), whole))
        connection.rollback()
    return rows


def _dump(
    connection: Connection, target: Path, snapshot: str, schema: str, on_progress: Callable[[int], object]
) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise Refused("There is no pg_dump here: install PostgreSQL's client programs (postgresql-client).")
    tables = [f'--table="{schema}"."{name}"' for name in ("alembic_version", *sorted(Base.metadata.tables))]
    words = [program, "--format=plain", "--encoding=UTF8", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
    # As the settings have it, not as our driver knows it, whose library may be a newer one with words of its own. The
    # password goes by the environment, which only we and root can read: a command line is read by everybody.
    url = connection.engine.url.difference_update_query(["password"]).set(drivername="postgresql", password=None)
    environment = dict(os.environ)
    if password := connection.engine.url.password or connection.engine.url.query.get("password"):
        environment["PGPASSWORD"] = str(password)
    with target.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 (our words, and no shell)
            [*words, *tables, f"--dbname={url.render_as_string()}"],
            stdout=output, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        said = _wait(process, lambda: on_progress(target.stat().st_size))
    if process.returncode:
        raise Refused(f"pg_dump failed: {said or process.returncode}")


def _wait(process: subprocess.Popen[bytes], on_progress: Callable[[], object]) -> str:
    """Wait for its end; what it said last."""
    while True:
        try:
            _output, said = process.communicate(timeout=_POLL_SECONDS)
            lines = said.decode("utf-8", "replace").strip().splitlines()
            return lines[-1][:300] if lines else ""
        except subprocess.TimeoutExpired:
            on_progress()
        except BaseException:
            process.kill()
            process.wait()
            raise
