"""Writing a batch to SQLite: a statement for each table, over the rows that the reader has packed.

Nobody else writes meanwhile. So the numbers of all that comes are known before, each from the place of its row, and
nothing that was written is looked up again.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from ...db import UTCDateTime
from ...states import ConsentEvent, SubscriptionState
from . import indexing, sealing
from .import_evidence import ROUTE, Evidence, facts_of_all
from .import_packing import DIGEST, Planned, digests

#: A person whom another list has brought keeps their row.
_KNOWN = "UPDATE incoming SET known = (SELECT id FROM subscriber WHERE subscriber.address_key = incoming.address_key)"
_PEOPLE = (
    "INSERT INTO subscriber (id, public_id, address, address_key, name, organisation, sector, created_at)"
    " SELECT :people + rowid, CAST(substr(:ids, (rowid - 1) * 32 + 1, 32) AS TEXT), address, address_key, name,"
    " organisation, sector, :now"
    " FROM incoming WHERE known IS NULL"
)
_SUBSCRIPTIONS = (
    "INSERT INTO subscription"
    " (id, public_id, subscriber_id, list_id, state, joined_at, source, left_reason, left_words)"
    " SELECT :subscriptions + rowid, CAST(substr(:own_ids, (rowid - 1) * 32 + 1, 32) AS TEXT),"
    " coalesce(known, :people + rowid), :list, :active, :now, :source, '', '' FROM incoming"
)
_EVENTS = (
    "INSERT INTO consent (id, subscription_id, event, at, privacy_version, route, source, note, wording, network,"
    " actor_id, salt, digest)"
    " SELECT :events + rowid, :subscriptions + rowid, :event, :now, :privacy, :route, :source, :note, '', '', :actor,"
    " substr(:salts, (rowid - 1) * 16 + 1, 16), substr(:digests, (rowid - 1) * 32 + 1, 32)"
    " FROM incoming"
)


def add_on_sqlite(connection: Connection, list_id: int, evidence: Evidence, now: datetime, *, known: bool) -> int:
    """People who are new, subscriptions, the evidence, its seal. How many came. `known`: somebody is there already."""
    places = _places(connection)
    if not places:
        return 0
    if known:
        connection.exec_driver_sql(_KNOWN)
    people, (events, subscriptions) = _newest(connection, "subscriber"), newest_numbers(connection)
    facts = facts_of_all(evidence, now).encode()
    ids, own_ids, salts, digested, *plan = connection.exec_driver_sql("SELECT * FROM given").one()
    planned = Planned(*plan)
    if planned.facts == facts and planned.events >= events and planned.subscriptions >= subscriptions:
        ours = [digested[(place - 1) * DIGEST : place * DIGEST] for place in places]
    else:
        planned = Planned(events, subscriptions, facts)
        ours = digests(planned, salts, places)
        digested = _by_place(places, ours)
    values = {
        "ids": ids,
        "own_ids": own_ids,
        "people": people,
        "subscriptions": planned.subscriptions,
        "events": planned.events,
        "list": list_id,
        "active": SubscriptionState.ACTIVE.value,
        "event": ConsentEvent.IMPORTED.value,
        "now": UTCDateTime().process_bind_param(now, connection.dialect),
        "privacy": evidence.privacy_version,
        "route": ROUTE,
        "source": evidence.source,
        "note": evidence.note,
        "actor": evidence.actor_id,
        "salts": salts,
        "digests": digested,
    }
    for statement in (_PEOPLE, _SUBSCRIPTIONS, _EVENTS):
        connection.exec_driver_sql(statement, values)
    indexing.want_words_between(people + places[0], people + places[-1])
    sealing.seal_at_once(planned.events + places[0], planned.events + places[-1], ours, now)
    return len(places)


def newest_numbers(connection: Connection) -> tuple[int, int]:
    """After which numbers the next event and the next subscription come."""
    return _newest(connection, "consent"), _newest(connection, "subscription")


def _places(connection: Connection) -> Sequence[int]:
    """Where those stand who are left, in order."""
    many, last = connection.exec_driver_sql("SELECT count(*), coalesce(max(rowid), 0) FROM incoming").one()
    if many == last:
        return range(1, last + 1)
    return connection.exec_driver_sql("SELECT rowid FROM incoming ORDER BY rowid").scalars().all()


def _by_place(places: Sequence[int], ours: list[bytes]) -> bytes:
    """The digests one after the other; zeros where nobody stands any more."""
    made = [bytes(DIGEST)] * places[-1]
    for place, digest in zip(places, ours, strict=True):
        made[place - 1] = digest
    return b"".join(made)


def _newest(connection: Connection, table: str) -> int:
    return int(connection.exec_driver_sql(f"SELECT coalesce(max(id), 0) FROM {table}").scalar_one())  # noqa: S608 (ours)
