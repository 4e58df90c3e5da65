"""The temporary table that a batch of people goes into first, in the form that each database takes fastest."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import Column, Connection, Integer, LargeBinary, MetaData, Table, Text, Uuid, text
from sqlalchemy.types import TypeEngine

from .import_rows import PERSON, Person

_TYPES: Mapping[str, TypeEngine[Any]] = {
    "address_hash": LargeBinary(32),
    "line": Integer(),
    "subscriber_id": Uuid(),
    "subscription_id": Uuid(),
}
INCOMING = Table(
    "incoming",
    MetaData(),
    *(Column(name, _TYPES.get(name, Text())) for name in PERSON),
    prefixes=["TEMPORARY"],
)
_COLUMNS = ", ".join(PERSON)
#: Room for the pages that a batch touches, while it is written. SQLite's own measure is 2 MB.
_PAGES_KB = 32_000
_STAGED_AT_ONCE = 2_000
_NULL = r"\N"


@contextmanager
def staged(connection: Connection, people: Iterable[Person]) -> Iterator[None]:
    """INCOMING with these people, for as long as the block lasts."""
    if connection.dialect.name == "sqlite":
        _stage_on_sqlite(connection, people)
    else:
        _stage_on_postgresql(connection, people)
    yield
    INCOMING.drop(connection)


def _stage_on_sqlite(connection: Connection, people: Iterable[Person]) -> None:
    connection.exec_driver_sql(f"PRAGMA cache_size=-{_PAGES_KB}")
    INCOMING.create(connection)
    marks = ", ".join("?" * len(PERSON))
    cursor = connection.connection.cursor()
    rows = iter(people)
    while some := list(islice(rows, _STAGED_AT_ONCE)):
        cursor.executemany(f"INSERT INTO incoming ({_COLUMNS}) VALUES ({marks})", some)  # noqa: S608 (ours)
    cursor.close()


def _stage_on_postgresql(connection: Connection, people: Iterable[Person]) -> None:
    # A table that was empty a moment ago is read from end to end for each row, by every check of a foreign key. The
    # price at which that is forbidden would have each statement compiled, which takes longer than to run it.
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    connection.execute(text("SET LOCAL jit = off"))
    INCOMING.create(connection)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY incoming ({_COLUMNS}) FROM STDIN") as copy:
        lines = map(_copied, people)
        while some := "".join(islice(lines, _STAGED_AT_ONCE)):
            copy.write(some)


def _copied(person: Person) -> str:
    """A line of COPY's text form. No cell of ours holds what ends a cell or a line; a backslash is doubled."""
    key, address, hashed, name, organisation, sector, line, subscriber, subscription = person
    words = "\t".join((key, address, rf"\x{hashed.hex()}", name, organisation, sector)).replace("\\", r"\\")
    return f"{words}\t{line}\t{subscriber or _NULL}\t{subscription or _NULL}\n"
