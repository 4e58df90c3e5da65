"""The evidence of an import: one consent event for each who comes, digested as it is written.

The events of a batch differ in two numbers and a salt; what else is digested is the same and is put into words once.
So the database writes them by one statement, and sealing them later is a walk over their digests (see `sealing`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
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
from sqlalchemy.sql import Insert
from sqlalchemy.sql.expression import CTE

from ...models import Consent
from ...states import ConsentEvent
from . import sealing

ROUTE = "import"
_SALT = 16
_NUMBERS = Sequence("consent_id_seq")


@dataclass(frozen=True)
class Evidence:
    """What is kept with each who comes: where and when they agreed, what they were told, who brought them."""

    source: str
    note: str
    actor_id: int | None
    privacy_version: int | None


def consents_on_postgresql(made: CTE, evidence: Evidence, now: datetime) -> Insert:
    """An event for each of the subscriptions in `made`."""
    salt = func.uuid_send(func.gen_random_uuid(), type_=LargeBinary()).label("salt")
    event = select(_NUMBERS.next_value().label("number"), made.c.id, salt).subquery("event").c
    numbers = func.concat("[", event.number, ",", event.id, literal(facts_of_all(evidence, now), Text()))
    digest = func.sha256(event.salt.op("||")(func.convert_to(numbers, "UTF8")), type_=LargeBinary())
    return _insert(evidence, now, id=event.number, subscription_id=event.id, salt=event.salt, digest=digest)


def facts_of_all(evidence: Evidence, now: datetime) -> str:
    """What is digested of each event of an import after its two numbers."""
    return sealing.facts_after_numbers(
        event=ConsentEvent.IMPORTED,
        at=now,
        wording="",
        privacy_version=evidence.privacy_version,
        route=ROUTE,
        source=evidence.source,
        note=evidence.note,
    )


def _insert(evidence: Evidence, now: datetime, **own: Any) -> Insert:
    values: dict[str, Any] = {
        **own,
        "event": bindparam("event", ConsentEvent.IMPORTED, Consent.event.type),
        "at": literal(now, Consent.at.type),
        "privacy_version": literal(evidence.privacy_version, Integer()),
        "route": literal(ROUTE),
        "source": literal(evidence.source, String()),
        "note": literal(evidence.note, Text()),
        "wording": literal("", Text()),
        "network": literal("", String()),
        "actor_id": literal(evidence.actor_id, Integer()),
    }
    return insert(Consent).from_select(list(values), select(*values.values()))
