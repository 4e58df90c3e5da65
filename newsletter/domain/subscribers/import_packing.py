"""A batch of people in the form that each database takes fastest, made by whoever reads. Knows no database of ours.

Handing a row over costs SQLite as much as all that it then does to keep it. So the reader, beside the writer, hands the
rows to a database of its own in memory, and the writer takes that as it is. PostgreSQL takes COPY's text form.
"""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing

#: One usable line, in the order of PERSON.
Person = tuple[str, str, bytes, str, str, str, int]
PERSON = ("address_key", "address", "address_hash", "name", "organisation", "sector", "line")
#: Two public ids for each, for those who turn out to be new: 32 hexadecimal digits each.
IDS = ("subscriber_id", "subscription_id")
#: `known` is filled in by the writer: the number of a person who is there already.
_TABLE = (
    "CREATE TABLE incoming (address_key TEXT, address TEXT, address_hash BLOB, name TEXT, organisation TEXT,"
    " sector TEXT, line INTEGER, known INTEGER)"
)
_MARKS = ", ".join("?" * len(PERSON))
_INSERT = f"INSERT INTO incoming ({', '.join(PERSON)}) VALUES ({_MARKS})"  # noqa: S608 (ours)


def pack(form: str, people: list[Person], subscriber_ids: list[str], subscription_ids: list[str]) -> bytes:
    """The people as the database of this name takes them. In SQLite each stands at a place of their own, from 1 on, and
    the table `given` has the ids of all in one row, in the order of places."""
    return _PACKERS[form](people, subscriber_ids, subscription_ids)


def _for_sqlite(people: list[Person], subscriber_ids: list[str], subscription_ids: list[str]) -> bytes:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        # It is thrown away where anything goes wrong, and its pages are never on a disk.
        for pragma in ("page_size=16384", "journal_mode=OFF", "secure_delete=OFF"):
            made.execute(f"PRAGMA {pragma}")
        made.execute("BEGIN")
        made.execute(_TABLE)
        made.executemany(_INSERT, people)
        made.execute("CREATE TABLE given (subscriber_ids BLOB, subscription_ids BLOB)")
        ids = "".join(subscriber_ids).encode(), "".join(subscription_ids).encode()
        made.execute("INSERT INTO given VALUES (?, ?)", ids)
        made.execute("COMMIT")
        return made.serialize()


def _for_postgresql(people: list[Person], subscriber_ids: list[str], subscription_ids: list[str]) -> bytes:
    return "".join(map(_copied, people, subscriber_ids, subscription_ids)).encode()


def _copied(person: Person, subscriber: str, subscription: str) -> str:
    """A line of COPY's text form. No cell of ours holds what ends a cell or a line; a backslash is doubled."""
    key, address, hashed, name, organisation, sector, line = person
    words = "\t".join((key, address, rf"\x{hashed.hex()}", name, organisation, sector)).replace("\\", r"\\")
    return f"{words}\t{line}\t{subscriber}\t{subscription}\n"


_PACKERS: Mapping[str, Callable[[list[Person], list[str], list[str]], bytes]] = {
    "sqlite": _for_sqlite,
    "postgresql": _for_postgresql,
}
