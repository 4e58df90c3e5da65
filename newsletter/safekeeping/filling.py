"""Filling the empty tables of a PostgreSQL database, in one transaction: all of it, or nothing."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, func, inspect, select, text
from sqlalchemy.dialects.postgresql.base import PGIdentifierPreparer
from sqlalchemy.exc import SQLAlchemyError

from ..db import Base
from ..errors import Refused

_FOREIGN_KEYS = text(
    "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(constraints.oid)"
    " FROM pg_constraint constraints JOIN pg_class ON pg_class.oid = conrelid"
    " WHERE contype = 'f' AND connamespace = current_schema()::regnamespace AND relname = ANY(:tables)"
    " ORDER BY 1, 2"
)
_WHERE = re.compile(r"line (\d+)(?:, column (\w+))?")
#: What the queue of jobs brings along where it lives in the same database: rings, on which nothing depends.
_OF_THE_QUEUE = re.compile("procrastinate_.*")


def require_empty(connection: Connection) -> None:
    """See that no row of anybody's is in the way. Raises Refused, naming the table.

    Our own tables may be there: somebody may have made them with `newsletter migrate`.
    """
    for name in sorted(inspect(connection).get_table_names()):
        if name == "alembic_version" or _OF_THE_QUEUE.fullmatch(name):
            continue
        table = Base.metadata.tables.get(name)
        if table is None or connection.execute(select(table.c[0]).limit(1)).first() is not None:
            rows = "" if table is None else ", with rows"
            raise Refused(
                f"The PostgreSQL database is not empty: it has the table {name}{rows}."
                " Name an empty one (createdb makes it): nothing is ever written over."
            )


@contextmanager
def filling(connection: Connection) -> Iterator[Any]:
    """The driver's connection, to copy rows by in whatever order; afterwards every foreign key holds again.

    Within the caller's transaction. Rows that lead to each other have no order in which they could come.
    """
    connection.execute(text("SET LOCAL client_encoding = 'UTF8'"))
    keys = connection.execute(_FOREIGN_KEYS, {"tables": list(Base.metadata.tables)}).all()
    for table, name, _definition in keys:
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    yield connection.connection.driver_connection
    for table, name, definition in keys:
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


@contextmanager
def copying(connection: Connection, driver: Any, table: str, columns: list[str]) -> Iterator[Callable[[bytes], object]]:
    """Where to write rows of `table` as COPY's text format has them; names are quoted as PostgreSQL wants them.

    Raises Refused, naming the table and the column, for a row that PostgreSQL does not take.
    """
    prepare = connection.dialect.identifier_preparer
    assert isinstance(prepare, PGIdentifierPreparer)
    statement = f"COPY {prepare.quote(table)} ({', '.join(map(prepare.quote, columns))}) FROM STDIN"
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            yield copy.write
    except connection.dialect.loaded_dbapi.Error as error:
        # What it says besides quotes the row: people's addresses.
        where = _WHERE.search(error.diag.context or "")
        place = f"{table}, line {where[1]}{f', {where[2]}' if where[2] else ''}" if where else table
        raise Refused(f"PostgreSQL did not take a row of {place}: {error.diag.message_primary}") from None


def said_by(error: SQLAlchemyError) -> str:
    """What the database said, in its first line: what follows it quotes rows."""
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]


def set_sequences(connection: Connection, at_least: Mapping[str, int]) -> None:
    """Let every table number its next row above those it has, and above what `at_least` says by its table."""
    for table in Base.metadata.tables.values():
        column = table.autoincrement_column
        if column is None:
            continue
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        if connection.scalar(select(sequence)) is None:
            continue
        newest = max(connection.scalar(select(func.max(column))) or 0, at_least.get(table.name, 0))
        if newest:
            connection.execute(select(func.setval(sequence, newest)))
    connection.execute(text("ANALYZE"))
