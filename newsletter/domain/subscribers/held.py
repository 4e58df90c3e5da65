"""All that is held on a person, from every table that says something of anybody (UK GDPR art. 15 and 20).

Which columns these are stands in `personal`. Which rows are theirs stands here, one line a table; a test holds that no
table with a personal column is left out.
"""

import base64
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, String, cast, false, func, or_, select

from ... import addresses
from ...db import Base, db
from ...models import (
    Account,
    Activity,
    AddressChange,
    AddressProof,
    AgencyAnswer,
    Approval,
    BookEntry,
    Chase,
    Comment,
    Consent,
    Contribution,
    ContributionRevision,
    Contributor,
    ContributorAnswer,
    ContributorSession,
    DataComplaint,
    Delivery,
    Extension,
    Feedback,
    Identity,
    InboundMessage,
    Invitation,
    MailboxMessage,
    Membership,
    Notice,
    Presence,
    Renewal,
    SignUp,
    Subscriber,
    Subscription,
    Suppression,
    TestAddress,
    TestSend,
    ViewsAnswer,
    WebSession,
)
from . import addressing, joining, suppressing
from .personal import COLUMNS

#: A table's rows as plain data, by its name.
Held = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Person:
    """What leads to somebody's rows: their addresses as keys, and the numbers of what hangs on these."""

    addresses: tuple[str, ...]
    keys: tuple[str, ...]
    subscribers: tuple[int, ...]
    subscriptions: tuple[int, ...]
    contributors: tuple[int, ...]
    contributions: tuple[int, ...]
    accounts: tuple[int, ...]


_Finder = Callable[[Person], ColumnElement[bool]]
_WHOSE: Mapping[str, _Finder] = {
    "subscriber": lambda who: Subscriber.id.in_(who.subscribers),
    "subscription": lambda who: Subscription.id.in_(who.subscriptions),
    "renewal": lambda who: Renewal.subscription_id.in_(who.subscriptions),
    "consent": lambda who: Consent.subscription_id.in_(who.subscriptions),
    "delivery": lambda who: Delivery.subscription_id.in_(who.subscriptions),
    "feedback": lambda who: Feedback.subscription_id.in_(who.subscriptions),
    "sign_up": lambda who: SignUp.address_key.in_(who.keys),
    "address_change": lambda who: or_(
        AddressChange.subscriber_id.in_(who.subscribers),
        AddressChange.old_key.in_(who.keys),
        AddressChange.new_key.in_(who.keys),
    ),
    "suppression": lambda who: Suppression.address_hash.in_([suppressing.address_hash(one) for one in who.addresses]),
    "notice": lambda who: Notice.address_key.in_(who.keys),
    "mailbox_message": lambda who: func.lower(MailboxMessage.recipient).in_(who.keys),
    "inbound_message": lambda who: or_(
        InboundMessage.id.in_(select(Feedback.inbound_id).where(Feedback.subscription_id.in_(who.subscriptions))),
        InboundMessage.id.in_(select(Contribution.inbound_id).where(Contribution.id.in_(who.contributions))),
    ),
    "contributor": lambda who: Contributor.id.in_(who.contributors),
    "contributor_session": lambda who: ContributorSession.contributor_id.in_(who.contributors),
    "address_proof": lambda who: AddressProof.address_key.in_(who.keys),
    "agency_answer": lambda who: or_(
        AgencyAnswer.contributor_id.in_(who.contributors), AgencyAnswer.account_id.in_(who.accounts)
    ),
    "contributor_answer": lambda who: or_(
        ContributorAnswer.contributor_id.in_(who.contributors), ContributorAnswer.account_id.in_(who.accounts)
    ),
    "extension": lambda who: or_(
        Extension.contributor_id.in_(who.contributors), Extension.contribution_id.in_(who.contributions)
    ),
    "chase": lambda who: Chase.address_key.in_(who.keys),
    "contribution": lambda who: Contribution.id.in_(who.contributions),
    "contribution_revision": lambda who: ContributionRevision.contribution_id.in_(who.contributions),
    "views_answer": lambda who: func.lower(ViewsAnswer.address).in_(who.keys),
    "data_complaint": lambda who: func.lower(DataComplaint.address).in_(who.keys),
    "account": lambda who: Account.id.in_(who.accounts),
    "membership": lambda who: Membership.account_id.in_(who.accounts),
    "identity": lambda who: Identity.account_id.in_(who.accounts),
    "web_session": lambda who: WebSession.account_id.in_(who.accounts),
    "presence": lambda who: Presence.account_id.in_(who.accounts),
    "invitation": lambda who: func.lower(Invitation.email).in_(who.keys),
    "approval": lambda who: Approval.approver_id.in_(who.accounts),
    "comment": lambda who: Comment.author_id.in_(who.accounts),
    "activity": lambda who: or_(
        Activity.actor_id.in_(who.accounts),
        (Activity.subject_type == "subscription") & Activity.subject_id.in_([str(one) for one in who.subscriptions]),
        (Activity.subject_type == "subscriber") & Activity.subject_id.in_([str(one) for one in who.subscribers]),
    ),
    "test_address": lambda who: TestAddress.address_key.in_(who.keys),
    "test_send": lambda who: func.lower(TestSend.address).in_(who.keys),
    # A person in the book is there to be published; their address stands in its fields.
    "book_entry": lambda who: or_(
        false(), *(cast(BookEntry.data, String).icontains(one, autoescape=True) for one in who.keys)
    ),
}


def person(address: str) -> Person:
    """Who stands behind this address, with the former addresses that we know of."""
    subscriber = joining.find_subscriber(address)
    former = addressing.former_addresses(subscriber) if subscriber else []
    known = tuple(dict.fromkeys((address, *former)))
    keys = tuple(addresses.key(one) for one in known)
    contributors = _numbers(select(Contributor.id).where(Contributor.address_key.in_(keys)))
    theirs = or_(func.lower(Contribution.contact_address).in_(keys), Contribution.contributor_id.in_(contributors))
    return Person(
        addresses=known,
        keys=keys,
        subscribers=(subscriber.id,) if subscriber else (),
        subscriptions=tuple(one.id for one in subscriber.subscriptions) if subscriber else (),
        contributors=contributors,
        contributions=_numbers(select(Contribution.id).where(theirs)),
        accounts=_numbers(select(Account.id).where(Account.email_key.in_(keys))),
    )


def held_about(address: str) -> Held:
    """Every row about whoever has this address, as plain data ready for JSON. Tables with none are left out.

    Keys and hashes of links are named, never shown.
    """
    who = person(address)
    found: Held = {}
    for name, whose in _WHOSE.items():
        table = Base.metadata.tables[name]
        hidden = set(COLUMNS[name].names("hidden"))
        shown = [column for column in table.columns if column.name not in hidden]
        rows = db.session.execute(select(*shown).where(whose(who)).order_by(*table.primary_key.columns)).all()
        if rows:
            kept_back = dict.fromkeys(sorted(hidden), "kept, not shown")
            names = [column.name for column in shown]
            found[name] = [dict(zip(names, map(_plain, row), strict=True)) | kept_back for row in rows]
    return found


def tables() -> frozenset[str]:
    """The tables that are looked through."""
    return frozenset(_WHOSE)


def _numbers(chosen: Any) -> tuple[int, ...]:
    return tuple(db.session.scalars(chosen))


def _plain(value: Any) -> Any:
    match value:
        case datetime() | date() | time():
            return value.isoformat()
        case Enum():
            return value.value
        case uuid.UUID():
            return str(value)
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return base64.b64encode(value).decode()
    return value
