"""Addresses that get no mail. A keyed hash, a reason and a date is all that is kept of them.

A suppression wins over every import, form, restore and launch. What a person did about all lists at once
(unsubscribe from everything, have their data erased) ends when the same person asks again and proves the address;
what somebody else told us (a complaint, a bounce, "this was not me") ends only when staff lift it.
"""

import logging
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, CursorResult, func, or_, select, update

from ... import addresses
from ...config import current_settings
from ...db import db
from ...i18n import gettext as _
from ...models import Account, Suppression
from ...states import SuppressionReason
from ...tokens import keyed_hash
from ..staff import activity, wording
from . import objection_log

_log = logging.getLogger(__name__)
#: What the keyed hash of an address is for, here.
PURPOSE = "suppression.v1"

#: Reasons that a person's own, proven sign-up ends.
ENDED_BY_SIGN_UP = frozenset({SuppressionReason.UNSUBSCRIBED_ALL, SuppressionReason.ERASED})

#: Why an address is among them, as pages say it.
REASON_WORDS = {
    SuppressionReason.UNSUBSCRIBED_ALL: _("They left every list"),
    SuppressionReason.COMPLAINT: _("They called a mail spam, or said that they had not asked for it"),
    SuppressionReason.BOUNCED: _("Mail came back: there is no such mailbox"),
    SuppressionReason.NOT_ME: _("They said that somebody else had entered their address"),
    SuppressionReason.ERASED: _("They asked to be forgotten"),
    SuppressionReason.STAFF: _("Somebody on the team was told to write no more"),
}


def address_hash(address: str) -> bytes:
    """32 bytes that stand for the address in the table (HMAC-SHA-256 of its key)."""
    return keyed_hash(current_settings().secret_keys, PURPOSE, addresses.key(address))


def suppress(
    address: str, reason: SuppressionReason, *, now: datetime, actor: Account | None = None, note: str = ""
) -> Suppression:
    """Write to this address no more. The same reason twice is one suppression."""
    found = next((one for one in suppressions_of(address) if one.reason is reason), None)
    if found is not None:
        return found
    made = Suppression(
        address_hash=address_hash(address), reason=reason, note=note, at=now, actor_id=actor.id if actor else None
    )
    db.session.add(made)
    db.session.flush()
    objection_log.suppressed([made.address_hash], reason, now)
    activity.record("suppression.made", actor=actor, now=now, subject=("suppression", made.id), reason=reason.value)
    return made


def suppressions_of(address: str) -> list[Suppression]:
    """The suppressions of the address that have not been lifted, oldest first."""
    chosen = select(Suppression).where(
        Suppression.address_hash == address_hash(address), Suppression.lifted_at.is_(None)
    )
    return list(db.session.scalars(chosen.order_by(Suppression.id)))


def is_suppressed(address: str) -> bool:
    """Whether no mail may go to the address."""
    return bool(suppressions_of(address))


def blocks_sign_up(address: str) -> bool:
    """Whether a sign-up form must not even cause a confirmation mail to the address."""
    return db.session.scalar(select(Suppression.id).where(*blocking(address_hash(address))).limit(1)) is not None


def blocking(digest: bytes | BindParameter[bytes]) -> tuple[ColumnElement[bool], ...]:
    """What is so of the suppressions that `blocks_sign_up` looks for."""
    return (
        Suppression.address_hash == digest,
        Suppression.lifted_at.is_(None),
        Suppression.reason.not_in(ENDED_BY_SIGN_UP),
    )


def suppressed_keys(address_keys: Iterable[str]) -> set[str]:
    """Which of these keys of addresses (`addresses.key`) stand for a suppressed one; for claims, some hundreds."""
    keys = current_settings().secret_keys
    by_hash = {keyed_hash(keys, PURPOSE, address_key): address_key for address_key in address_keys}
    return {by_hash[found] for found in suppressed_hashes(by_hash)}


def suppressed_hashes(hashes: Iterable[bytes]) -> set[bytes]:
    """Which of these address hashes are suppressed; for imports and claims, a few thousand at most."""
    asked = tuple(hashes)
    connection = db.session.connection()
    # Past SQLAlchemy, which takes longer to spell hundreds of values than a database to look them up.
    values: tuple[object, ...]
    if connection.dialect.name == "sqlite":
        which, values = f"IN ({', '.join('?' * len(asked))})", asked
    else:
        which, values = "= ANY(%s)", (list(asked),)
    chosen = f"SELECT address_hash FROM suppression WHERE lifted_at IS NULL AND address_hash {which}"  # noqa: S608 (marks)
    return {found for (found,) in connection.exec_driver_sql(chosen, values)}


def all_of(address: str) -> list[Suppression]:
    """Every suppression of the address, those that were lifted too, newest first."""
    chosen = select(Suppression).where(Suppression.address_hash == address_hash(address))
    return list(db.session.scalars(chosen.order_by(Suppression.id.desc())))


def numbers() -> dict[SuppressionReason, int]:
    """How many addresses are not written to, by reason; one with two reasons counts under both."""
    chosen = select(Suppression.reason, func.count()).where(Suppression.lifted_at.is_(None))
    return dict(db.session.execute(chosen.group_by(Suppression.reason)).all())


def lift(suppression: Suppression, reason: str, *, actor: Account | None, now: datetime) -> bool:
    """End a suppression, for a reason that staff give. True if this ended it. Raises Invalid without a reason.

    It puts nobody on a list: the person signs up again, or is brought in with evidence. An address within the reason
    is masked, so that the row goes on naming nobody.
    """
    why = wording.line(reason, field="reason", longest=300, missing="Say why mail may go to this address again")
    result = db.session.execute(
        update(Suppression)
        .where(Suppression.id == suppression.id, Suppression.lifted_at.is_(None))
        .values(lifted_at=now, lift_reason=addresses.mask_within(why))
    )
    assert isinstance(result, CursorResult)
    if result.rowcount == 0:
        return False
    objection_log.lifted(suppression.address_hash, [suppression.reason], now)
    _log.info("Suppression %d was lifted", suppression.id)
    activity.record(
        "suppression.lifted",
        actor=actor,
        now=now,
        subject=("suppression", suppression.id),
        reason=suppression.reason.value,
    )
    return True


def forget_notes(address: str) -> None:
    """Of an address that is erased stay hash, reason and date; what was written beside them goes."""
    for one in all_of(address):
        one.note, one.lift_reason = "", "[erased]" if one.lifted_at else ""
    db.session.flush()


def end_by_sign_up(address: str, *, now: datetime) -> None:
    """End what the person's own new wish ends."""
    ended = db.session.scalars(
        update(Suppression)
        .where(
            Suppression.address_hash == address_hash(address),
            Suppression.lifted_at.is_(None),
            Suppression.reason.in_(ENDED_BY_SIGN_UP),
        )
        .values(lifted_at=now, lift_reason="The person asked again and proved the address")
        .returning(Suppression.reason)
    )
    objection_log.lifted(address_hash(address), ended.all(), now)


def suppress_again(digest: bytes, reason: SuppressionReason, *, at: datetime) -> bool:
    """Put back what a restored backup does not know: that this hash is suppressed, since `at`. True if it was news."""
    known = select(Suppression.id).where(
        Suppression.address_hash == digest,
        Suppression.reason == reason,
        or_(Suppression.lifted_at.is_(None), Suppression.lifted_at >= at),
    )
    if db.session.scalar(known.limit(1)) is not None:
        return False
    db.session.add(Suppression(address_hash=digest, reason=reason, note="", at=at))
    db.session.flush()
    return True
