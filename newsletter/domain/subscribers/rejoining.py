"""Left by mistake, or by somebody a mail was forwarded to: a link to the address itself takes the leaving back.

The link in a newsletter can end a subscription and never begin one, for it travels with every forwarded copy. So the
way back is a mail that somebody asks for on the page for leaving, and a button behind its link.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from ...db import db
from ...errors import NotFound, Refused, TokenExpired
from ...models import ConsentWording, MailingList, Notice, PrivacyNotice, Subscriber, Subscription
from ...states import SubscriptionState
from .. import notices
from ..staff import activity
from . import access, joining, leaving, suppressing

#: The notice that carries the link.
LINK = "left_link"
WORKS_FOR = timedelta(days=7)
_A_DAY = timedelta(hours=24)


@dataclass(frozen=True)
class WayBack:
    """What a link leads to: the person, their list, the words that they read beside the button."""

    subscription: Subscription
    subscriber: Subscriber
    mailing_list: MailingList
    wording: ConsentWording
    asked_at: datetime

    @property
    def done(self) -> bool:
        """Whether they are on the list again already."""
        return self.subscription.state is SubscriptionState.ACTIVE


def send_link(subscription: Subscription, *, now: datetime) -> Notice | None:
    """Mail the way back to the address that left. None where there is nobody to write to, or one went out today.

    Whoever asks is told the same in every case.
    """
    subscriber = subscription.subscriber
    if subscriber is None or subscription.state is SubscriptionState.ACTIVE:
        return None
    if suppressing.blocks_sign_up(subscriber.address):
        return None
    if notices.count_sent([LINK], subscriber.address, since=now - _A_DAY):
        return None
    return notices.send_notice(
        LINK,
        subscriber.address,
        now=now,
        values={"subscription": str(subscription.public_id)},
        mailing_list=subscription.mailing_list,
        priority=notices.URGENT,
    )


def find(nonce: uuid.UUID, now: datetime) -> WayBack:
    """What the link leads to. Raises TokenExpired after a week, NotFound for a link or a person that is none."""
    notice = db.session.scalar(select(Notice).where(Notice.nonce == nonce.bytes, Notice.template == LINK).limit(1))
    if notice is None or "subscription" not in notice.values:
        raise NotFound("This link is not known here, or we hold nothing about you any more.")
    if now >= notice.created_at + WORKS_FOR:
        raise TokenExpired("This link worked for one week. You can sign up again.")
    subscription = access.find_subscription(uuid.UUID(notice.values["subscription"]))
    subscriber = subscription.subscriber
    if subscriber is None or subscriber.address_key != notice.address_key:
        raise NotFound("We hold nothing about you at this address any more.")
    newest = select(ConsentWording).where(ConsentWording.list_id == subscription.list_id)
    wording = db.session.scalars(newest.order_by(ConsentWording.version.desc()).limit(1)).one()
    return WayBack(subscription, subscriber, subscription.mailing_list, wording, notice.created_at)


def rejoin(way: WayBack, *, now: datetime, network: str = "") -> bool:
    """Take the leaving back. True if this did it, False if they are on the list already.

    Raises Refused where the address must not be written to for a reason that only staff can end.
    """
    if suppressing.blocks_sign_up(way.subscriber.address):
        raise Refused("We were told not to write to this address. The contact below can change that.")
    joined = joining.join(
        way.subscriber,
        way.mailing_list,
        joining.Evidence(
            wording=way.wording,
            privacy_version=db.session.scalar(
                select(PrivacyNotice.version).order_by(PrivacyNotice.version.desc()).limit(1)
            ),
            route="left by mistake",
            network=network,
            asked_at=way.asked_at,
        ),
        now=now,
    )
    if joined:
        suppressing.end_by_sign_up(way.subscriber.address, now=now)
        way.subscription.left_reason = way.subscription.left_words = ""
        db.session.flush()
        activity.record(
            "subscription.rejoined",
            actor=None,
            actor_name=leaving.SUBSCRIBER,
            now=now,
            mailing_list=way.mailing_list,
            subject=("subscription", way.subscription.id),
        )
    return joined
