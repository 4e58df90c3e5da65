"""Procrastinate's own tables: made, and brought to the version of the package, beside ours.

It ships its history as files of SQL, in order, and records nothing of it in the database; we record the last one that
was applied (`SchemaPart`). A step named "pre" leaves the programs before it working; one named "post" does not, and
waits until no worker is about that may be of an older version.
"""

import re
from datetime import datetime, timedelta
from pathlib import Path

from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, text

from ..db import db, transaction
from ..errors import SettingError
from ..models import SchemaPart

_PART = "procrastinate"
#: A worker that has been silent for so long is gone.
_SILENT = timedelta(seconds=60)
_AFTER = re.compile(r"_post_")


def wanted() -> str:
    """The newest step of the installed package."""
    return _steps()[-1].stem


def recorded() -> str:
    """The last step that was applied here; "" if there are no tables yet."""
    return db.session.scalar(text("SELECT version FROM schema_part WHERE part = :part"), {"part": _PART}) or ""


def bring_up(now: datetime) -> list[str]:
    """Make the tables, or apply the steps that are missing. Returns the steps that have to wait for old workers to end.

    Each step is one transaction with its record. Raises SettingError for tables of a version that nobody recorded.
    """
    applied = recorded()
    tables = db.session.scalar(text("SELECT to_regclass('procrastinate_jobs')")) is not None
    db.session.rollback()
    if not applied:
        if tables:
            raise SettingError(
                "The tables of Procrastinate are there, and not which version of them: put the name of the last "
                "step that was applied into schema_part, or drop them if nothing else uses them"
            )
        _apply(SchemaManager.get_schema(), wanted(), now)
        return []
    missing = [step for step in _steps() if step.stem > applied]
    while missing and not (_AFTER.search(missing[0].name) and _workers_about()):
        step = missing.pop(0)
        _apply(step.read_text(encoding="utf-8"), step.stem, now)
    return [step.stem for step in missing]


def _steps() -> list[Path]:
    return sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))


def _apply(sql: str, step: str, now: datetime) -> None:
    with transaction() as session:
        _run(session.connection(), sql)
        session.merge(SchemaPart(part=_PART, version=step, at=now))


def _run(connection: Connection, sql: str) -> None:
    """Many statements in one text, without parameters: SQLAlchemy would look for them."""
    raw = connection.connection.driver_connection
    assert raw is not None
    raw.execute(sql)


def _workers_about() -> bool:
    since = text("SELECT EXISTS (SELECT 1 FROM procrastinate_workers WHERE last_heartbeat > now() - :silent)")
    found = db.session.scalar(since, {"silent": _SILENT})
    db.session.rollback()
    return bool(found)
