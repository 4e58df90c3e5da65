"""Leaving a list: at once, without a reason, without a mail about it, as often as somebody asks (UK GDPR art. 7(3))."""

import logging
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CursorResult, update

from ... import addresses
from ...db import db
from ...models import Account, Consent, MailingList, Subscriber, Subscription
from ...states import ConsentEvent, SubscriptionState, SuppressionReason
from ..staff import activity, wording
from . import joining, objection_log, suppressing

_log = logging.getLogger(__name__)

#: How the record names somebody who has no account.
SUBSCRIBER = "A subscriber"


class WhyLeft(StrEnum):
    """What a person may say afterwards. A closed choice: free text would be personal data to look after."""

    TOO_MANY = "too_many"
    NOT_RELEVANT = "not_relevant"
    CHANGED_JOB = "changed_job"
    NEVER_ASKED = "never_asked"
    OTHER = "other"


def unsubscribe(
    subscription: Subscription,
    *,
    route: str,
    now: datetime,
    actor: Account | None = None,
    note: str = "",
    event: ConsentEvent = ConsentEvent.WITHDRAWN,
    by: str = SUBSCRIBER,
) -> bool:
    """End the subscription now. True if this ended it, False if it had ended before.

    `route` is how it was asked for ("one-click", "link", "preferences", "staff" …) and is kept as evidence, with what
    happened to the consent. `by` is how the record calls whoever did it, where that is no account.
    """
    result = db.session.execute(
        update(Subscription)
        .where(Subscription.id == subscription.id, Subscription.state == SubscriptionState.ACTIVE)
        .values(state=SubscriptionState.LEFT, left_at=now, paused_until=None)
    )
    assert isinstance(result, CursorResult)
    if result.rowcount == 0:
        return False
    db.session.add(
        Consent(
            subscription_id=subscription.id,
            event=event,
            at=now,
            route=route,
            note=note,
            actor_id=actor.id if actor else None,
        )
    )
    db.session.flush()
    objection_log.left(subscription.public_id, now)
    _log.info("Subscription %d ended by %s", subscription.id, route)
    activity.record(
        "subscription.left",
        actor=actor,
        actor_name=None if actor else by,
        now=now,
        mailing_list=db.session.get_one(MailingList, subscription.list_id),
        subject=("subscription", subscription.id),
        route=route,
    )
    return True


def unsubscribe_everywhere(subscriber: Subscriber, *, route: str, now: datetime, actor: Account | None = None) -> int:
    """Leave every list, and be on no import's list again. Returns how many were left now."""
    left = sum(
        unsubscribe(subscription, route=route, now=now, actor=actor) for subscription in subscriber.subscriptions
    )
    suppressing.suppress(subscriber.address, SuppressionReason.UNSUBSCRIBED_ALL, now=now, actor=actor)
    return left


def never_again(address: str, note: str, *, actor: Account | None, now: datetime) -> int:
    """Staff were told that this address wants no mail: it leaves every list, and only staff can undo that.

    Returns how many lists it left. Raises Invalid for a note that cannot be kept.
    """
    why = wording.line(note, field="note", longest=300)
    subscriber = joining.find_subscriber(address)
    left = 0
    for subscription in subscriber.subscriptions if subscriber else []:
        left += unsubscribe(subscription, route="staff", now=now, actor=actor)
    suppressing.suppress(address, SuppressionReason.STAFF, now=now, actor=actor, note=addresses.mask_within(why))
    return left


def complain(subscription: Subscription, *, reporter: str, now: datetime) -> bool:
    """Its reader called a mail of this list spam: they leave at once, and are written to no more, by nobody here.

    `reporter` is who passed it on, as text from outside in one line. True if it ended the subscription.
    """
    left = unsubscribe(subscription, route="complaint", now=now, note=reporter, event=ConsentEvent.COMPLAINED)
    if not left:
        db.session.add(
            Consent(
                subscription_id=subscription.id,
                event=ConsentEvent.COMPLAINED,
                at=now,
                route="complaint",
                note=reporter,
            )
        )
    if subscription.subscriber is not None:
        suppressing.suppress(subscription.subscriber.address, SuppressionReason.COMPLAINT, now=now)
    return left


def say_why(subscription: Subscription, why: WhyLeft, *, now: datetime) -> None:
    """Keep why somebody left, for the list's editors; it stands apart from who left.

    Only "I did not ask for this" is about the person: a complaint, so nothing is sent to them any more.
    """
    if why is WhyLeft.NEVER_ASKED and _may_complain(subscription):
        complain(subscription, reporter="Said so on the page for leaving", now=now)
    activity.record(
        "subscription.reason",
        actor=None,
        actor_name=SUBSCRIBER,
        now=now,
        mailing_list=db.session.get_one(MailingList, subscription.list_id),
        why=why.value,
    )


def _may_complain(subscription: Subscription) -> bool:
    """Whether it is news: somebody who has left, and has not said so before."""
    if subscription.state is SubscriptionState.ACTIVE or subscription.subscriber is None:
        return False
    known = suppressing.suppressions_of(subscription.subscriber.address)
    return all(one.reason is not SuppressionReason.COMPLAINT for one in known)
