"""Finding subscribers for staff, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import selectinload

from ...db import db
from ...models import Delivery, MailingList, Subscriber, Subscription
from ...states import SubscriptionState


class Standing(StrEnum):
    """How a person stands with a list, as staff ask for it."""

    ACTIVE = "active"
    PAUSED = "paused"
    LEFT = "left"


@dataclass(frozen=True)
class Page:
    """Some subscribers by address, with their subscriptions loaded; `after_key` asks for the next page."""

    subscribers: list[Subscriber]
    after_key: str | None


def find_subscribers(
    query: str = "",
    mailing_list: MailingList | None = None,
    state: Standing | str | None = None,
    after_key: str | None = None,
    limit: int = 50,
    *,
    now: datetime,
) -> Page:
    """Subscribers whose address, name or organisation holds `query`, on the list and in the state asked for.

    Ordered by address; a page begins after `after_key`, so that it costs the same wherever it is.
    """
    chosen = select(Subscriber).where(*asked_for(query, mailing_list, state, now))
    if after_key is not None:
        chosen = chosen.where(Subscriber.address_key > after_key)
    loaded = selectinload(Subscriber.subscriptions).joinedload(Subscription.mailing_list)
    found = list(db.session.scalars(chosen.options(loaded).order_by(Subscriber.address_key).limit(limit + 1)))
    return Page(found[:limit], found[limit - 1].address_key if len(found) > limit else None)


def count_subscribers(
    query: str = "",
    mailing_list: MailingList | None = None,
    state: Standing | str | None = None,
    *,
    now: datetime,
) -> int:
    """How many `find_subscribers` would find in all."""
    chosen = select(func.count(Subscriber.id)).where(*asked_for(query, mailing_list, state, now))
    return db.session.scalar(chosen) or 0


def asked_for(
    query: str, mailing_list: MailingList | None, state: Standing | str | None, now: datetime
) -> list[ColumnElement[bool]]:
    """What a subscriber must fulfil to be found by this search."""
    conditions: list[ColumnElement[bool]] = []
    words = query.strip()
    if words:
        columns = (Subscriber.address_key, Subscriber.name, Subscriber.organisation)
        conditions.append(or_(*(column.icontains(words, autoescape=True) for column in columns)))
    if mailing_list is None and state is None:
        return conditions
    theirs = Subscription.subscriber_id == Subscriber.id
    if mailing_list is not None:
        theirs = and_(theirs, Subscription.list_id == mailing_list.id)
    if state is not None:
        theirs = and_(theirs, _stands(Standing(state), now))
    return [*conditions, select(Subscription.id).where(theirs).exists()]


def _stands(standing: Standing, now: datetime) -> ColumnElement[bool]:
    if standing is Standing.LEFT:
        return Subscription.state != SubscriptionState.ACTIVE
    paused = and_(Subscription.paused_until.is_not(None), Subscription.paused_until > now)
    return and_(Subscription.state == SubscriptionState.ACTIVE, paused if standing is Standing.PAUSED else ~paused)


def count_deliveries(known: Sequence[Subscription]) -> int:
    """How many issues these subscriptions were to be sent."""
    return db.session.scalar(select(func.count()).where(Delivery.subscription_id.in_([one.id for one in known]))) or 0
