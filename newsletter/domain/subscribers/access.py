"""From a link to what it leads to: a subscription, its subscriber, or what we hold about a person."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select

from ...db import db
from ...errors import NotFound, TokenExpired
from ...models import Notice, Subscriber, Subscription
from ...states import SubscriptionState

#: How long a link to a person's own data works.
FRESH_FOR = timedelta(hours=1)
_UNKNOWN = "This link is not known here. Copy the whole of it from the email, or ask for a new one."


def find_subscription(public_id: uuid.UUID) -> Subscription:
    """The subscription a link leads to, its subscriber erased or not. Raises NotFound."""
    found = db.session.scalar(select(Subscription).where(Subscription.public_id == public_id))
    if found is None:
        raise NotFound(_UNKNOWN)
    return found


def is_active(subscription: Subscription) -> bool:
    """Whether the person gets this list now, paused or not."""
    return subscription.state is SubscriptionState.ACTIVE


def find_subscriber_of(public_id: uuid.UUID) -> Subscriber:
    """The person behind a subscription. Raises NotFound for an unknown link and for somebody we have forgotten."""
    subscriber = find_subscription(public_id).subscriber
    if subscriber is None:
        raise NotFound("We hold nothing about you any more.")
    return subscriber


def find_by_fresh_link(nonce: uuid.UUID, now: datetime, *, template: str = "fresh_link") -> Subscriber:
    """The person a fresh link was mailed to, by a notice of this template.

    Raises TokenExpired an hour after it was asked for, and NotFound; also where the person has moved to another
    address since.
    """
    notice = db.session.scalar(select(Notice).where(Notice.nonce == nonce.bytes, Notice.template == template).limit(1))
    if notice is None or "subscriber" not in notice.values:
        raise NotFound("We hold nothing about you any more, or this link is not complete.")
    if now >= notice.created_at + FRESH_FOR:
        raise TokenExpired("This link worked for one hour. Ask for a new one on your preferences page.")
    subscriber = db.session.scalar(
        select(Subscriber).where(Subscriber.public_id == uuid.UUID(notice.values["subscriber"]))
    )
    if subscriber is None or subscriber.address_key != notice.address_key:
        raise NotFound("We hold nothing about you at this address any more.")
    return subscriber
