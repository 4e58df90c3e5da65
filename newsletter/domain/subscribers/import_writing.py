"""Writing batches of people: everything by set, past the session, inside the transaction of the caller.

A batch goes into a temporary table first, and each rule is then one statement over it: who is suppressed, who is on the
list, who has left it, who is new. So a million rows cost a million rows, and no round trip for any of them.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, ScalarSelect, Select, delete, func, insert, select

from ...db import db
from ...i18n import gettext as _
from ...models import Subscriber, Subscription, Suppression
from ...states import SubscriptionState, SuppressionReason
from . import objection_log
from .import_cells import Refused
from .import_evidence import Evidence
from .import_on_postgresql import add_on_postgresql
from .import_on_sqlite import add_on_sqlite
from .import_packing import Planned, pack
from .import_rows import Batch, rising_ids
from .import_staging import INCOMING, staged

_new = INCOMING.c


def write(batch: Batch, list_id: int, evidence: Evidence, now: datetime) -> tuple[int, dict[str, int]]:
    """Put the people of a batch on the list: how many were added, and the counts of those who were not.

    Those not added are put to `batch.refused`, except who is on the list already.
    """
    connection = db.session.connection()
    with staged(connection, batch.packed, numbered=True):
        counts, known = _sort_out(connection, batch, list_id)
        if connection.dialect.name == "sqlite":
            return add_on_sqlite(connection, list_id, evidence, now, known=known), counts
        return add_on_postgresql(connection, list_id, evidence, now), counts


def look(batch: Batch, list_id: int) -> tuple[int, dict[str, int]]:
    """As `write`, and nobody is written: how many would be added, and the counts of the others."""
    connection = db.session.connection()
    with staged(connection, batch.packed):
        counts, _known = _sort_out(connection, batch, list_id)
        return connection.execute(select(func.count()).select_from(INCOMING)).scalar_one(), counts


def left_over(batch: Batch, list_id: int) -> tuple[Sequence[Row[str, str, str]], dict[str, int]]:
    """Who would be added: address, name and organisation of each; and the counts of the others."""
    connection = db.session.connection()
    with staged(connection, batch.packed):
        counts, _known = _sort_out(connection, batch, list_id)
        chosen = select(_new.address, _new.name, _new.organisation).order_by(_new.address_key)
        return connection.execute(chosen).all(), counts


def keep_out(batch: Batch, note: str, now: datetime, actor_id: int | None, *, dry_run: bool) -> dict[str, int]:
    """Suppress those of a batch who left another sender, or whose mail came back there.

    Somebody who is subscribed here now asked here, later, and stays; the line is told.
    """
    if not batch.out:
        return {}
    reasons = {person[0]: reason for person, reason in batch.out}
    connection = db.session.connection()
    out = [person for person, _reason in batch.out]
    with staged(connection, pack(connection.dialect.name, out, *rising_ids(len(out)), Planned())):
        active = select(_new.address_key, _new.line, _new.address).where(
            select(Subscription.id)
            .where(Subscription.subscriber_id == _person(), Subscription.state == SubscriptionState.ACTIVE)
            .exists()
        )
        staying = {key: (line, address) for key, line, address in connection.execute(active)}
        known = set(connection.execute(select(_new.address_key).where(_new.address_hash.in_(_suppressed()))).scalars())
    for line, address in staying.values():
        batch.refused.append(Refused(line, "staying", _("Left elsewhere, and is subscribed here now: stays."), address))
    kept_out = [
        (person[2], SuppressionReason(reasons[person[0]]))
        for person, _reason in batch.out
        if person[0] not in staying and person[0] not in known
    ]
    if kept_out and not dry_run:
        shared = {"note": note, "at": now, "actor_id": actor_id, "lift_reason": ""}
        connection.execute(
            insert(Suppression),
            [{"address_hash": digest, "reason": reason, **shared} for digest, reason in kept_out],
        )
        for reason in SuppressionReason:
            objection_log.suppressed([digest for digest, why in kept_out if why is reason], reason, now)
    return {"kept_out": len(kept_out), "staying": len(staying), "suppressed": len(known - staying.keys())}


def _sort_out(connection: Connection, batch: Batch, list_id: int) -> tuple[dict[str, int], bool]:
    """Take out of the table who is not to be added: the suppressed, who has the list already, who has left it.

    How many each were; and whether somebody is left whom we know already, from another list.
    """
    counts, known = {"suppressed": 0, "already": 0, "left": 0}, False
    suppressed = _new.address_hash.in_(_suppressed())
    for line, address in connection.execute(select(_new.line, _new.address).where(suppressed)).all():
        counts["suppressed"] += 1
        batch.refused.append(Refused(line, "suppressed", _("Is never to be written to."), address))
    if counts["suppressed"]:
        connection.execute(delete(INCOMING).where(suppressed))
    people = select(_new.line, _new.address, _person().label("person")).subquery()
    theirs = (Subscription.subscriber_id == people.c.person) & (Subscription.list_id == list_id)
    state_of = select(Subscription.state).where(theirs).correlate(people).scalar_subquery()
    found = select(people.c.line, people.c.address, state_of).where(people.c.person.is_not(None))
    for line, address, state in connection.execute(found).all():
        if state is None:
            known = True
        elif state is SubscriptionState.ACTIVE:
            counts["already"] += 1
        else:
            counts["left"] += 1
            batch.refused.append(Refused(line, "left", _("Has left this list, and can ask for it anew."), address))
    if counts["already"] or counts["left"]:
        connection.execute(delete(INCOMING).where(_held(list_id).is_not(None)))
    return counts, known


def _suppressed() -> Select[bytes]:
    return select(Suppression.address_hash).where(Suppression.lifted_at.is_(None))


def _person() -> ScalarSelect[int]:
    """The subscriber of a line. A value for each line, not a join: a join could be begun at the other, larger end."""
    return select(Subscriber.id).where(Subscriber.address_key == _new.address_key).correlate(INCOMING).scalar_subquery()


def _held(list_id: int) -> ScalarSelect[SubscriptionState]:
    """How the person of a line stands with the list; NULL for who has never been on it."""
    theirs = (Subscription.subscriber_id == _person()) & (Subscription.list_id == list_id)
    return select(Subscription.state).where(theirs).correlate(INCOMING).scalar_subquery()
