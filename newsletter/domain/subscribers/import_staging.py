"""The table that a batch of people stands in while it is dealt with: packed by whoever read it, and gone with the
transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, Connection, Integer, LargeBinary, MetaData, Table, Text, Uuid, text

from ...db import ATTACHED
from .import_packing import IDS, PERSON

#: In SQLite it has no ids (see `import_packing`), but `known`, and each row its place.
INCOMING = Table(
    "incoming",
    MetaData(),
    Column("address_key", Text()),
    Column("address", Text()),
    Column("address_hash", LargeBinary(32)),
    Column("name", Text()),
    Column("organisation", Text()),
    Column("sector", Text()),
    Column("line", Integer()),
    Column("subscriber_id", Uuid()),
    Column("subscription_id", Uuid()),
    prefixes=["TEMPORARY"],
)
#: On PostgreSQL, what each gets as it comes in, so that nothing that was written is looked up again.
_NUMBERED = (
    "ALTER TABLE incoming"
    " ADD COLUMN person bigint DEFAULT nextval('subscriber_id_seq'),"
    " ADD COLUMN subscription bigint DEFAULT nextval('subscription_id_seq'),"
    " ADD COLUMN event bigint DEFAULT nextval('consent_id_seq'),"
    " ADD COLUMN salt bytea DEFAULT uuid_send(gen_random_uuid())"
)
#: Room for the pages that a batch touches, while it is written. SQLite's own measure is 2 MB.
_PAGES_KB = 32_000


@contextmanager
def staged(connection: Connection, packed: bytes, *, numbered: bool = False) -> Iterator[None]:
    """INCOMING with these people, for as long as the block lasts. `numbered`: to be written, see `_NUMBERED`."""
    if connection.dialect.name == "sqlite":
        _attach(connection, packed)
    else:
        _copy(connection, packed, numbered)
    yield
    INCOMING.drop(connection)


def _attach(connection: Connection, packed: bytes) -> None:
    connection.exec_driver_sql(f"PRAGMA cache_size=-{_PAGES_KB}")
    # A database that takes part in a transaction is given up after it only: see `ATTACHED`.
    attached = connection.info.setdefault(ATTACHED, [])
    name = f"batch{len(attached)}"
    connection.exec_driver_sql(f"ATTACH ':memory:' AS {name}")
    attached.append(name)
    driver: Any = connection.connection.driver_connection
    driver.deserialize(packed, name=name)
    connection.exec_driver_sql(f"PRAGMA {name}.secure_delete=OFF")


def _copy(connection: Connection, packed: bytes, numbered: bool) -> None:
    # A table that was empty a moment ago is read from end to end for each row, by every check of a foreign key. The
    # price at which that is forbidden would have each statement compiled, which takes longer than to run it.
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    connection.execute(text("SET LOCAL jit = off"))
    INCOMING.create(connection)
    if numbered:
        connection.exec_driver_sql(_NUMBERED)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY incoming ({', '.join(PERSON + IDS)}) FROM STDIN") as copy:
        copy.write(packed)
