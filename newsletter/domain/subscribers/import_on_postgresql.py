"""Writing a batch to PostgreSQL: a statement for each table, over rows that were numbered as they came in.

Others write meanwhile. Whoever confirms at this very moment keeps what they have: where fewer are written than were
meant to be, a look says which.
"""

from datetime import datetime

from sqlalchemy import Connection

from ...states import ConsentEvent, SubscriptionState
from . import indexing
from .import_evidence import ROUTE, Evidence, facts_of_all

_PEOPLE = (
    "INSERT INTO subscriber (id, public_id, address, address_key, name, organisation, sector, created_at)"
    " SELECT person, subscriber_id, address, address_key, name, organisation, sector, %(now)s FROM incoming"
    " ON CONFLICT (address_key) DO NOTHING"
)
_KNOWN = (
    "UPDATE incoming SET person = subscriber.id FROM subscriber"
    " WHERE subscriber.address_key = incoming.address_key AND subscriber.id <> incoming.person"
)
_SUBSCRIPTIONS = (
    "INSERT INTO subscription"
    " (id, public_id, subscriber_id, list_id, state, joined_at, source, left_reason, left_words)"
    " SELECT subscription, subscription_id, person, %(list)s, %(active)s, %(now)s, %(source)s, '', '' FROM incoming"
    " ON CONFLICT (subscriber_id, list_id) DO NOTHING"
)
_THERE_ALREADY = "DELETE FROM incoming WHERE NOT EXISTS (SELECT FROM subscription WHERE id = incoming.subscription)"
_EVENTS = (
    "INSERT INTO consent (id, subscription_id, event, at, privacy_version, route, source, note, wording, network,"
    " actor_id, salt, digest)"
    " SELECT event, subscription, %(event)s, %(now)s, %(privacy)s, %(route)s, %(source)s, %(note)s, '', '', %(actor)s,"
    " salt, sha256(salt || convert_to(concat('[', event, ',', subscription, %(facts)s::text), 'UTF8')) FROM incoming"
)


def add_on_postgresql(connection: Connection, list_id: int, evidence: Evidence, now: datetime) -> int:
    """People who are new, subscriptions, the evidence. How many came."""
    values = {
        "list": list_id,
        "active": SubscriptionState.ACTIVE.value,
        "event": ConsentEvent.IMPORTED.value,
        "now": now,
        "privacy": evidence.privacy_version,
        "route": ROUTE,
        "source": evidence.source,
        "note": evidence.note,
        "actor": evidence.actor_id,
        "facts": facts_of_all(evidence, now),
    }
    many, first, last = connection.exec_driver_sql("SELECT count(*), min(person), max(person) FROM incoming").one()
    if not many:
        return 0
    if connection.exec_driver_sql(_PEOPLE, values).rowcount < many:
        connection.exec_driver_sql(_KNOWN)
    indexing.want_words_between(first, last)
    added = connection.exec_driver_sql(_SUBSCRIPTIONS, values).rowcount
    if added < many:
        connection.exec_driver_sql(_THERE_ALREADY)
    connection.exec_driver_sql(_EVENTS, values)
    return added
