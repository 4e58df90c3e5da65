"""Noting that a person is there: what they did themselves ends any question whether they still want this."""

from datetime import datetime

from sqlalchemy import Select, select, update

from ...db import db
from ...models import Renewal, Subscriber, Subscription
from ...states import RenewalState, SubscriptionState


def heard_from(subscriber: Subscriber, now: datetime) -> None:
    """The person did something here about what they get: that counts for every list that they are on."""
    theirs = Subscription.subscriber_id == subscriber.id, Subscription.state == SubscriptionState.ACTIVE
    db.session.execute(update(Subscription).where(*theirs).values(renewed_at=now))
    settle(select(Subscription.id).where(*theirs), RenewalState.KEPT, now)
    db.session.flush()


def settle(subscriptions: Select[int], state: RenewalState, now: datetime) -> int:
    """End the open questions about these subscriptions. Returns how many there were."""
    asked = Renewal.subscription_id.in_(subscriptions), Renewal.state == RenewalState.ASKED
    done = db.session.execute(update(Renewal).where(*asked).values(state=state, ended_at=now))
    return int(done.rowcount)  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
