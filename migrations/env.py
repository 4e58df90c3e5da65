"""Alembic's environment: the application's own engine, one history for SQLite and PostgreSQL."""

import logging
from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask import current_app
from sqlalchemy import Connection

from newsletter import models  # noqa: F401  (the tables register themselves)
from newsletter.db import Base, UTCDateTime, db

logging.getLogger("alembic").setLevel(logging.WARNING)


def _render(kind: str, item: object, autogen: AutogenContext) -> str | Literal[False]:
    """Write our column type as itself; everything else as Alembic would."""
    if kind == "type" and isinstance(item, UTCDateTime):
        autogen.imports.add("from newsletter.db import UTCDateTime")
        return "UTCDateTime()"
    return False


def _run(connection: Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        # A table is rebuilt by copying it: its children must not be deleted with the old one.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.commit()
    else:
        # Whoever comes after a step that waits for a table waits behind it, so it gives up soon, and is tried again.
        connection.exec_driver_sql("SET lock_timeout = '2s'")
        connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=_render,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
    connection.exec_driver_sql("PRAGMA foreign_keys=ON" if sqlite else "RESET lock_timeout")
    connection.commit()


if context.is_offline_mode():
    context.configure(
        url=current_app.config["SQLALCHEMY_DATABASE_URI"], target_metadata=Base.metadata, literal_binds=True
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    with db.engine.connect() as connection:
        _run(connection)
