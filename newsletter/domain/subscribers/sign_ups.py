"""A sign-up that waits for its button, and where it stands. What follows from the clock is computed."""

import uuid
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import select

from ...db import db
from ...errors import NotFound
from ...models import MailingList, SignUp, Subscriber, Subscription
from ...states import SubscriptionState, SuppressionReason
from .. import notices
from . import suppressing

#: How long the link in a confirmation works.
LINK_WORKS_FOR = timedelta(days=7)

CONFIRMATION, ALREADY = "confirm_subscription", "already_subscribed"
REMINDER = "confirm_reminder"
CONFIRM_ADDRESS, ADDRESS_KNOWN = "confirm_new_address", "address_known"
#: What somebody else can make us send to an address: counted together.
_UNPROVED = (CONFIRMATION, REMINDER, ALREADY, CONFIRM_ADDRESS, ADDRESS_KNOWN)
_DAY, _MONTH = timedelta(hours=24), timedelta(days=30)
_MOST_A_MONTH = 3


class SignUpState(Enum):
    OPEN = "open"
    CONFIRMED = "confirmed"
    REPLACED = "replaced"
    EXPIRED = "expired"
    DISOWNED = "disowned"


def find_sign_up(public_id: uuid.UUID) -> SignUp:
    """The sign-up a link leads to. Raises NotFound once it has been tidied away."""
    found = db.session.scalar(select(SignUp).where(SignUp.public_id == public_id))
    if found is None:
        raise NotFound("This link is not known any more. Sign up again: it takes a minute.")
    return found


def state_of(sign_up: SignUp, now: datetime) -> SignUpState:
    """Where the sign-up stands at `now`. DISOWNED: the owner of the address said "this was not me"."""
    if sign_up.confirmed_at is not None:
        return SignUpState.CONFIRMED
    reasons = {one.reason for one in suppressing.suppressions_of(sign_up.address)}
    if SuppressionReason.NOT_ME in reasons:
        return SignUpState.DISOWNED
    if sign_up.replaced_at is not None:
        return SignUpState.REPLACED
    return SignUpState.OPEN if now < sign_up.expires_at else SignUpState.EXPIRED


def pending_sign_up(address_key: str, now: datetime) -> SignUp | None:
    """The sign-up of this address that can still be confirmed."""
    chosen = select(SignUp).where(
        SignUp.address_key == address_key,
        SignUp.confirmed_at.is_(None),
        SignUp.replaced_at.is_(None),
        SignUp.expires_at > now,
    )
    return db.session.scalar(chosen.order_by(SignUp.id.desc()).limit(1))


def lists_held(address_key: str) -> set[int]:
    """Ids of the lists that the address is subscribed to."""
    chosen = (
        select(Subscription.list_id)
        .join(Subscriber)
        .where(Subscriber.address_key == address_key, Subscription.state == SubscriptionState.ACTIVE)
    )
    return set(db.session.scalars(chosen))


def lists_of(sign_up: SignUp) -> list[MailingList]:
    """The lists that were ticked, in the order they were made."""
    return sorted((choice.mailing_list for choice in sign_up.choices), key=lambda one: one.id)


def mails_today(address: str, now: datetime) -> int:
    """How many mails by sign-ups and changes of address it was sent, or has coming, in the last 24 hours."""
    return notices.count_sent(_UNPROVED, address, since=now - _DAY)


def month_is_full(address: str, now: datetime) -> bool:
    """Whether the address has had all the mails by sign-ups and changes of address that it gets in 30 days."""
    return notices.count_sent(_UNPROVED, address, since=now - _MONTH) >= _MOST_A_MONTH
