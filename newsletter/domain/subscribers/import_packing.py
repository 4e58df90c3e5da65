"""A batch of people in the form that each database takes fastest, made by whoever reads. Knows no database of ours.

Handing a row over costs SQLite as much as all that it then does to keep it. So the reader, beside the writer, hands the
rows to a database of its own in memory, and the writer takes that as it is. PostgreSQL takes COPY's text form.
"""

import hashlib
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from typing import NamedTuple

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


SALT, DIGEST = 16, 32


class Planned(NamedTuple):
    """After which numbers the events and subscriptions of a batch are to come, and the facts that are digested of all.

    A plan: the writer sees whether the numbers are free and the facts those, and else digests anew.
    """

    events: int = 0
    subscriptions: int = 0
    facts: bytes = b""


_Packer = Callable[[list[Person], list[str], list[str], Planned], bytes]


def pack(
    form: str, people: list[Person], subscriber_ids: list[str], subscription_ids: list[str], planned: Planned
) -> bytes:
    """The people as the database of this name takes them. In SQLite each stands at a place of their own, from 1 on, and
    the table `given` has the ids of all in one row, in the order of places, and their digests."""
    return _PACKERS[form](people, subscriber_ids, subscription_ids, planned)


def digests(planned: Planned, salts: bytes, places: Iterable[int]) -> list[bytes]:
    """Of the event at each place (see `sealing`)."""
    events, subscriptions, facts = planned
    sha256 = hashlib.sha256
    return [
        sha256(b"%b[%d,%d%b" % (salts[(at - 1) * SALT : at * SALT], events + at, subscriptions + at, facts)).digest()
        for at in places
    ]


def _for_sqlite(
    people: list[Person], subscriber_ids: list[str], subscription_ids: list[str], planned: Planned
) -> bytes:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        # It is thrown away where anything goes wrong, and its pages are never on a disk.
        for pragma in ("page_size=16384", "journal_mode=OFF", "secure_delete=OFF"):
            made.execute(f"PRAGMA {pragma}")
        made.execute("BEGIN")
        made.execute(_TABLE)
        made.executemany(_INSERT, people)
        made.execute(
            "CREATE TABLE given (subscriber_ids BLOB, subscription_ids BLOB, salts BLOB, digests BLOB,"
            " events INTEGER, subscriptions INTEGER, facts BLOB)"
        )
        ids = "".join(subscriber_ids).encode(), "".join(subscription_ids).encode()
        salts = secrets.token_bytes(SALT * len(people))
        digested = b"".join(digests(planned, salts, range(1, len(people) + 1))) if planned.facts else b""
        made.execute("INSERT INTO given VALUES (?, ?, ?, ?, ?, ?, ?)", (*ids, salts, digested, *planned))
        made.execute("COMMIT")
        return made.serialize()


def _for_postgresql(people: list[Person], subscriber_ids: list[str], subscription_ids: list[str], _: Planned) -> bytes:
    return "".join(map(_copied, people, subscriber_ids, subscription_ids)).encode()


def _copied(person: Person, subscriber: str, subscription: str) -> str:
    """A line of COPY's text form. No cell of ours holds what ends a cell or a line; a backslash is doubled."""
    key, address, hashed, name, organisation, sector, line = person
    words = "\t".join((key, address, rf"\x{hashed.hex()}", name, organisation, sector)).replace("\\", r"\\")
    return f"{words}\t{line}\t{subscriber}\t{subscription}\n"


_PACKERS: Mapping[str, _Packer] = {"sqlite": _for_sqlite, "postgresql": _for_postgresql}
