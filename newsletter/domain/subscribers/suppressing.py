"""Addresses that get no mail. A keyed hash, a reason and a date is all that is kept of them.

A suppression wins over every import, form, restore and launch. What a person did about all lists at once
(unsubscribe from everything, have their data erased) ends when the same person asks again and proves the address;
what somebody else told us (a complaint, a bounce, "this was not me") ends only when staff lift it.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update

from ... import addresses
from ...config import current_settings
from ...db import db
from ...models import Account, Suppression
from ...states import SuppressionReason
from ...tokens import keyed_hash
from ..staff import activity

_PURPOSE = "suppression.v1"

#: Reasons that a person's own, proven sign-up ends.
ENDED_BY_SIGN_UP = frozenset({SuppressionReason.UNSUBSCRIBED_ALL, SuppressionReason.ERASED})


def address_hash(address: str) -> bytes:
    """32 bytes that stand for the address in the table (HMAC-SHA-256 of its key)."""
    return keyed_hash(current_settings().secret_keys, _PURPOSE, addresses.key(address))


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
    return any(one.reason not in ENDED_BY_SIGN_UP for one in suppressions_of(address))


def suppressed_keys(address_keys: Iterable[str]) -> set[str]:
    """Which of these keys of addresses (`addresses.key`) stand for a suppressed one; for claims, some hundreds."""
    keys = current_settings().secret_keys
    by_hash = {keyed_hash(keys, _PURPOSE, address_key): address_key for address_key in address_keys}
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


def end_by_sign_up(address: str, *, now: datetime) -> None:
    """End what the person's own new wish ends."""
    db.session.execute(
        update(Suppression)
        .where(
            Suppression.address_hash == address_hash(address),
            Suppression.lifted_at.is_(None),
            Suppression.reason.in_(ENDED_BY_SIGN_UP),
        )
        .values(lifted_at=now, lift_reason="The person asked again and proved the address")
    )
