"""An SQLite file from outside: nothing in it may act by itself.

A file may hold triggers and views, which run whenever a table is used, and tables that are programs. Ours has none.
"""

from sqlalchemy import Connection, text

from ..db import Base
from ..errors import Refused

_OURS = ("alembic_version", "sqlite_sequence", "sqlite_stat1", "sqlite_stat4")


def require_plain_tables(connection: Connection) -> None:
    """See that the file has our tables, indexes on them, and nothing else. Raises Refused."""
    connection.exec_driver_sql("PRAGMA trusted_schema=OFF")
    known = {*Base.metadata.tables, *_OURS}
    for kind, name, table, definition in connection.execute(
        text("SELECT type, name, tbl_name, sql FROM sqlite_master")
    ):
        plain = kind in ("table", "index") and table in known and "VIRTUAL" not in str(definition).upper().split()[:3]
        if not plain:
            what = f"{kind} {name}"
            raise Refused(f"The database in this backup holds what we never make ({what}). Nothing was restored.")
