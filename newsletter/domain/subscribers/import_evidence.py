"""The evidence of an import: one consent event for each who comes, digested as it is written.

The events of a batch differ in two numbers and a salt; what else is digested is the same and is put into words once.
So the database writes them by one statement, and sealing them later is a walk over their digests (see `sealing`).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    LargeBinary,
    Sequence,
    String,
    Text,
    bindparam,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.sql import Insert, Subquery
from sqlalchemy.sql.expression import CTE

from ...models import Consent
from ...states import ConsentEvent
from . import sealing

_ROUTE = "import"
_SALT = 16
_NUMBERS = Sequence("consent_id_seq")


@dataclass(frozen=True)
class Evidence:
    """What is kept with each who comes: where and when they agreed, what they were told, who brought them."""

    source: str
    note: str
    actor_id: int | None
    privacy_version: int | None


def write_on_sqlite(
    connection: Connection, made: Subquery, newest: int, many: int, evidence: Evidence, now: datetime
) -> None:
    """Write an event for each of the `many` subscriptions in `made`, whose numbers follow on `newest`; and seal them.

    Nobody else writes meanwhile, so the numbers of the events are known before; SQLite has no SHA-256 and asks us.
    """
    before = connection.execute(select(func.max(Consent.id))).scalar() or 0
    salts, rest, digests = secrets.token_bytes(_SALT * many), _rest(evidence, now).encode(), dict[int, bytes]()

    def salt(number: int) -> bytes:
        at = (number - before - 1) * _SALT
        return salts[at : at + _SALT]

    def digest(number: int, subscription: int) -> bytes:
        at = (number - before - 1) * _SALT
        facts = b"%b[%d,%d%b" % (salts[at : at + _SALT], number, subscription, rest)
        digests[number] = made = hashlib.sha256(facts).digest()
        return made

    driver: Any = connection.connection.driver_connection
    driver.create_function("consent_salt", 1, salt)
    driver.create_function("consent_digest", 2, digest)
    number = made.c.id + (before - newest)
    own = {
        "id": number,
        "subscription_id": made.c.id,
        "salt": func.consent_salt(number, type_=LargeBinary()),
        "digest": func.consent_digest(number, made.c.id, type_=LargeBinary()),
    }
    connection.execute(_insert(evidence, now, **own))
    sealing.seal_at_once(before + 1, [digests[before + at] for at in range(1, many + 1)], now)


def consents_on_postgresql(made: CTE, evidence: Evidence, now: datetime) -> Insert:
    """An event for each of the subscriptions in `made`."""
    salt = func.uuid_send(func.gen_random_uuid(), type_=LargeBinary()).label("salt")
    event = select(_NUMBERS.next_value().label("number"), made.c.id, salt).subquery("event").c
    numbers = func.concat("[", event.number, ",", event.id, literal(_rest(evidence, now), Text()))
    digest = func.sha256(event.salt.op("||")(func.convert_to(numbers, "UTF8")), type_=LargeBinary())
    return _insert(evidence, now, id=event.number, subscription_id=event.id, salt=event.salt, digest=digest)


def _rest(evidence: Evidence, now: datetime) -> str:
    return sealing.facts_after_numbers(
        event=ConsentEvent.IMPORTED,
        at=now,
        wording="",
        privacy_version=evidence.privacy_version,
        route=_ROUTE,
        source=evidence.source,
        note=evidence.note,
    )


def _insert(evidence: Evidence, now: datetime, **own: Any) -> Insert:
    values: dict[str, Any] = {
        **own,
        "event": bindparam("event", ConsentEvent.IMPORTED, Consent.event.type),
        "at": literal(now, Consent.at.type),
        "privacy_version": literal(evidence.privacy_version, Integer()),
        "route": literal(_ROUTE),
        "source": literal(evidence.source, String()),
        "note": literal(evidence.note, Text()),
        "wording": literal("", Text()),
        "network": literal("", String()),
        "actor_id": literal(evidence.actor_id, Integer()),
    }
    return insert(Consent).from_select(list(values), select(*values.values()))
