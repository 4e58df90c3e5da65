"""Putting a person on a list, with the evidence that they agreed. Every way onto a list ends here or in importing."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from ... import addresses
from ...db import db
from ...models import Consent, ConsentWording, MailingList, Subscriber, Subscription
from ...states import ConsentEvent, SubscriptionState
from . import heard, objection_log


@dataclass(frozen=True)
class Evidence:
    """How somebody agreed: the words they read, when they asked, by which route, from where."""

    wording: ConsentWording
    privacy_version: int | None
    route: str
    source: str = ""
    network: str = ""
    asked_at: datetime | None = None


def find_subscriber(address: str) -> Subscriber | None:
    """The subscriber with this address, in whatever case it is written."""
    return db.session.scalar(select(Subscriber).where(Subscriber.address_key == addresses.key(address)))


def find_or_make_subscriber(
    address: str, *, name: str, organisation: str, sector: str = "", now: datetime
) -> Subscriber:
    """The subscriber with this address. A name that is there already is not overwritten from a public form."""
    found = find_subscriber(address)
    if found is None:
        found = Subscriber(address=address, address_key=addresses.key(address), created_at=now)
        db.session.add(found)
    found.name = found.name or name
    found.organisation = found.organisation or organisation
    found.sector = found.sector or sector
    db.session.flush()
    return found


def join(subscriber: Subscriber, mailing_list: MailingList, evidence: Evidence, *, now: datetime) -> bool:
    """Make the person's subscription active and keep the evidence. False if it was active already."""
    found = db.session.scalar(
        select(Subscription).where(Subscription.subscriber_id == subscriber.id, Subscription.list_id == mailing_list.id)
    )
    if found is not None and found.state is SubscriptionState.ACTIVE:
        heard.heard_from(subscriber, now)
        return False
    if found is None:
        found = Subscription(subscriber_id=subscriber.id, list_id=mailing_list.id)
        db.session.add(found)
    else:
        objection_log.joined(found.public_id, now)
    found.state = SubscriptionState.ACTIVE
    found.joined_at, found.left_at, found.paused_until = now, None, None
    found.source = evidence.source or evidence.route
    db.session.flush()
    db.session.add(
        Consent(
            subscription_id=found.id,
            event=ConsentEvent.GIVEN,
            at=now,
            asked_at=evidence.asked_at,
            wording_id=evidence.wording.id,
            wording=evidence.wording.text,
            privacy_version=evidence.privacy_version,
            route=evidence.route,
            source=evidence.source,
            network=evidence.network,
        )
    )
    heard.heard_from(subscriber, now)
    return True
