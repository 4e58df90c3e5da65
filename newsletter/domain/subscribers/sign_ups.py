"""A sign-up that waits for its button, and where it stands. What follows from the clock is computed."""

import uuid
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from sqlalchemy import ColumnElement, Integer, Select, bindparam, func, literal, literal_column, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from ... import addresses
from ...db import UTCDateTime, db
from ...errors import NotFound
from ...models import (
    MailDomain,
    MailingList,
    Notice,
    PrivacyNotice,
    SignUp,
    SignUpChoice,
    Subscriber,
    Subscription,
    Suppression,
)
from ...states import SubscriptionState, SuppressionReason
from .. import notices
from . import mail_domains, suppressing

#: How long the link in a confirmation works.
LINK_WORKS_FOR = timedelta(days=7)

CONFIRMATION, ALREADY = "confirm_subscription", "already_subscribed"
REMINDER = "confirm_reminder"
CONFIRM_ADDRESS, ADDRESS_KNOWN = "confirm_new_address", "address_known"
#: What somebody else can make us send to an address: counted together.
_UNPROVED = (CONFIRMATION, REMINDER, ALREADY, CONFIRM_ADDRESS, ADDRESS_KNOWN)
_DAY, _MONTH = timedelta(hours=24), timedelta(days=30)
_MOST_A_MONTH = 3
_NONE = literal_column("0", Integer())
_Number = ColumnElement[int] | InstrumentedAttribute[int]


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


class Pending(NamedTuple):
    """A sign-up that can still be confirmed: what was said in it, and the lists in it, each with its wording."""

    public_id: uuid.UUID
    said: dict[str, str]
    lists: dict[int, int]


def pending_sign_up(address_key: str, now: datetime) -> Pending | None:
    """The sign-up of this address that can still be confirmed. The same question whether there is one or not."""
    rows = db.session.execute(_PENDING, {"key": address_key, "now": now}).all()
    if not rows:
        return None
    public_id, name, organisation, sector = rows[0][:4]
    said = {"name": name, "organisation": organisation, "sector": sector}
    return Pending(public_id, said, {row.list_id: row.wording_id for row in rows})


_newest = select(func.max(SignUp.id)).where(
    SignUp.address_key == bindparam("key"),
    SignUp.confirmed_at.is_(None),
    SignUp.replaced_at.is_(None),
    SignUp.expires_at > bindparam("now", type_=UTCDateTime),
)
_PENDING = (
    select(
        *(SignUp.public_id, SignUp.name, SignUp.organisation, SignUp.sector),
        *(SignUpChoice.list_id, SignUpChoice.wording_id),
    )
    .join(SignUpChoice)
    .where(SignUp.id == _newest.scalar_subquery())
)


def lists_of(sign_up: SignUp) -> list[MailingList]:
    """The lists that were ticked, in the order they were made."""
    return sorted((choice.mailing_list for choice in sign_up.choices), key=lambda one: one.id)


class Standing(NamedTuple):
    """How an address stands with us when somebody enters it in a form.

    `nothing`: why it gets no mail by a form, whatever is asked for, "" where it may get one; `today`: the mails it was
    sent, or has coming; `held`: the ids of the lists it is subscribed to; `privacy_version`: of the notice in force,
    None before there is one.
    """

    nothing: str
    today: int
    held: frozenset[int]
    privacy_version: int | None


def standing(address: str, now: datetime) -> Standing:
    """All of it by one question: the whole site waits for whoever writes, and this is asked while writing."""
    asked = {
        "key": addresses.key(address),
        "digest": suppressing.address_hash(address),
        "domain": mail_domains.domain_of(address),
        "believed": now - mail_domains.GOOD_FOR,
        "a_day": now - _DAY,
        "a_month": now - _MONTH,
    }
    found: list[tuple[str, int, int]] = [(*row,) for row in db.session.execute(_STANDING, asked)]
    numbers = {what: (number, more) for what, number, more in found}
    month, today = numbers["sent"]
    reasons = {
        "suppressed": numbers["blocked"][0] > 0,
        "takes no mail": numbers["no mail"][0] > 0,
        "limited": month >= _MOST_A_MONTH,
    }
    return Standing(
        nothing=next((why for why, holds in reasons.items() if holds), ""),
        today=today,
        held=frozenset(number for what, number, _more in found if what == "held"),
        privacy_version=numbers["privacy"][0],
    )


def _numbers(what: str, number: _Number, more: _Number = _NONE) -> Select[str, int, int]:
    return select(literal(what), number, more)


#: Made once: to put it together takes as long as to answer it.
_STANDING = union_all(
    _numbers("blocked", func.count(Suppression.id)).where(*suppressing.blocking(bindparam("digest"))),
    _numbers(
        "sent", func.count(Notice.id), func.count().filter(Notice.created_at > bindparam("a_day", type_=UTCDateTime))
    ).where(*notices.sent_to(_UNPROVED, bindparam("key"), since=bindparam("a_month", type_=UTCDateTime))),
    _numbers("privacy", func.max(PrivacyNotice.version)),
    _numbers("held", Subscription.list_id)
    .join(Subscriber)
    .where(Subscriber.address_key == bindparam("key"), Subscription.state == SubscriptionState.ACTIVE),
    _numbers("no mail", func.count(MailDomain.domain)).where(
        *mail_domains.taking_none(bindparam("domain"), bindparam("believed", type_=UTCDateTime))
    ),
)


def mails_today(address: str, now: datetime) -> int:
    """How many mails by sign-ups and changes of address it was sent, or has coming, in the last 24 hours."""
    return notices.count_sent(_UNPROVED, address, since=now - _DAY)


def month_is_full(address: str, now: datetime) -> bool:
    """Whether the address has had all the mails by sign-ups and changes of address that it gets in 30 days."""
    return notices.count_sent(_UNPROVED, address, since=now - _MONTH) >= _MOST_A_MONTH
