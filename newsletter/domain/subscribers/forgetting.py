"""Erasing a person: everything that names them goes, the accounts and the wish not to be written to stay
(UK GDPR art. 17).

What remains is the subscription without a subscriber (so that a link in an old mail still answers and the ledger of
past issues adds up), the dates and wordings of consent, and the keyed hash of the address among the suppressions.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, Delete, Update, delete, func, select, update

from ... import addresses
from ...db import clear_log, db, on_commit
from ...models import (
    Account,
    Consent,
    Contribution,
    Delivery,
    MailboxMessage,
    Notice,
    SignUp,
    SignUpChoice,
    Subscriber,
    Subscription,
    TestSend,
)
from ...states import NoticeState, SuppressionReason
from ..staff import activity
from . import joining, leaving, suppressing

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Erased:
    """How many rows of each kind were removed or made nameless."""

    subscriptions: int
    sign_ups: int
    notices: int
    messages: int
    contributions: int

    @property
    def anything(self) -> bool:
        return any((self.subscriptions, self.sign_ups, self.notices, self.messages, self.contributions))


def erase_subscriber(subscriber: Subscriber, *, route: str, now: datetime, actor: Account | None = None) -> Erased:
    """Forget the person. Their subscriptions end; their address is suppressed as ERASED."""
    return erase_address(subscriber.address, route=route, now=now, actor=actor)


def erase_address(address: str, *, route: str, now: datetime, actor: Account | None = None) -> Erased:
    """Forget whatever is held on an address, whether it is subscribed or only waits to be.

    A staff account with that address is not touched: staff are removed where staff are kept.
    """
    key = addresses.key(address)
    subscriptions = _erase_subscriber(joining.find_subscriber(address), route, now, actor)
    ids = select(SignUp.id).where(SignUp.address_key == key)
    _count(delete(SignUpChoice).where(SignUpChoice.sign_up_id.in_(ids)))
    erased = Erased(
        subscriptions=subscriptions,
        sign_ups=_count(delete(SignUp).where(SignUp.address_key == key)),
        notices=_erase_notices(key),
        messages=_erase_messages(key),
        contributions=_erase_contact(key),
    )
    suppressing.suppress(address, SuppressionReason.ERASED, now=now, actor=actor)
    db.session.flush()
    db.session.expire_all()
    on_commit(clear_log)
    _log.info("A person was erased by %s", route)
    activity.record(
        "subscriber.erased", actor=actor, actor_name=None if actor else leaving.SUBSCRIBER, now=now, route=route
    )
    return erased


def _erase_subscriber(subscriber: Subscriber | None, route: str, now: datetime, actor: Account | None) -> int:
    if subscriber is None:
        return 0
    subscriptions = list(subscriber.subscriptions)
    for subscription in subscriptions:
        leaving.unsubscribe(subscription, route=route, now=now, actor=actor)
    ids = [subscription.id for subscription in subscriptions]
    _count(update(Consent).where(Consent.subscription_id.in_(ids)).values(network="", note=""))
    # Mail servers quote whom they refuse.
    _count(update(Delivery).where(Delivery.subscription_id.in_(ids)).values(reply=None))
    _count(update(Subscription).where(Subscription.id.in_(ids)).values(subscriber_id=None, paused_until=None))
    _count(delete(Subscriber).where(Subscriber.id == subscriber.id))
    return len(ids)


def _erase_notices(key: str) -> int:
    waiting = (NoticeState.QUEUED, NoticeState.DEFERRED, NoticeState.HELD)
    of_them = Notice.address_key == key
    _count(update(Notice).where(of_them, Notice.state.in_(waiting)).values(state=NoticeState.DROPPED))
    _count(update(TestSend).where(func.lower(TestSend.address) == key).values(address=""))
    return _count(update(Notice).where(of_them).values(address="", address_key="", values={}, reply=""))


def _erase_messages(key: str) -> int:
    """Mails in the built-in mailbox; a real mail server's are out of our hands."""
    return _count(delete(MailboxMessage).where(func.lower(MailboxMessage.recipient) == key))


def _erase_contact(key: str) -> int:
    """The contact behind what they sent in. Their words stay the agency's; taking those down is another act."""
    theirs = func.lower(Contribution.contact_address) == key
    return _count(update(Contribution).where(theirs).values(contact_name="", contact_address="", contact_phone=""))


def _count(statement: Update | Delete) -> int:
    result = db.session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    return result.rowcount
