"""Another address for the same person: a fresh link to the one we know, a button pressed at the new one, and a word
to the old one, which can undo it.

Whoever holds a forwarded newsletter can only cause a mail to the address we know. Whoever holds that mail can only
cause mails to the new address, as few as a sign-up may. Nothing changes before the new address has answered, and the
old one can take it back for two weeks. The subscriptions stay the same rows, with their consent and their links.

An address that has a subscriber of its own is not taken over or merged: its owner is told so by mail and chooses
there. An address that must not be written to is not written to. Whoever asks is told the same in every case.
"""

import hashlib
import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import select, update

from ... import addresses
from ...db import db, kept_if, take_turn
from ...errors import Invalid, NotFound, Problem, Refused, TokenExpired
from ...i18n import gettext as _
from ...models import AddressChange, Subscriber
from .. import notices
from ..staff import activity
from . import access, heard, joining, leaving, mail_domains, preferences, suppressing
from .sign_ups import ADDRESS_KNOWN, CONFIRM_ADDRESS, LINK_WORKS_FOR, mails_today, month_is_full

_log = logging.getLogger(__name__)

LINK, CHANGED, UNDONE = "address_change_link", "address_changed", "address_change_undone"
_MOST_LINKS_A_DAY = 3
#: How long the address that was left can take the change back.
UNDO_WORKS_FOR = timedelta(days=14)
#: How the record of consent names what ended a subscription because its owner took the address back.
ROUTE_UNDONE = "address change undone"


class ChangeState(Enum):
    OPEN = "open"
    CONFIRMED = "confirmed"
    UNDONE = "undone"
    REPLACED = "replaced"
    EXPIRED = "expired"
    TAKEN = "taken"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Link:
    """A fresh link to the form: whose it is, the hash of its nonce, and what came of it if it was used."""

    subscriber: Subscriber
    hash: bytes
    change: AddressChange | None


def send_link(subscriber: Subscriber, *, now: datetime) -> None:
    """Mail a link to the form, good for an hour and for one change, to the address we know. At most three a day.

    Raises Refused when that address must not be written to.
    """
    if suppressing.blocks_sign_up(subscriber.address):
        raise Refused(_("We do not write to this address any more. Email us to change that."))
    since = now - timedelta(hours=24)
    if notices.count_sent([LINK], subscriber.address, since=since) < _MOST_LINKS_A_DAY:
        _write_to(subscriber, LINK, subscriber.address, {"subscriber": str(subscriber.public_id)}, now)


def find_link(nonce: uuid.UUID, now: datetime) -> Link:
    """What a fresh link leads to. Raises NotFound, and TokenExpired an hour after it was asked for.

    A link that was mailed to an address the person has left since is not known any more.
    """
    link_hash = hashlib.sha256(nonce.bytes).digest()
    used = db.session.scalar(select(AddressChange).where(AddressChange.link_hash == link_hash))
    if used is not None:
        return Link(used.subscriber, link_hash, used)
    return Link(access.find_by_fresh_link(nonce, now, template=LINK), link_hash, None)


def ask(nonce: uuid.UUID, typed: str, *, now: datetime) -> AddressChange:
    """Keep the wish for a new address and write to it, if it may be written to. Says nothing of what was decided.

    `nonce` is the fresh link's, `typed` what stood in the form. Raises Invalid, naming the field `email`, for what is
    no address or the one that we have; TokenExpired for a link that was used already; and as `find_link` does.
    """
    new = addresses.clean(typed)
    subscriber = find_link(nonce, now).subscriber
    _take_turn(subscriber)
    link = find_link(nonce, now)
    if link.change is not None:
        raise TokenExpired(_("This link was used already. Ask for a new one on your preferences page."))
    if addresses.key(new) == subscriber.address_key:
        raise Invalid([Problem("email", _("We send to this address already. Enter the new one"))])
    _replace_pending(subscriber, now)
    change = AddressChange(
        subscriber_id=subscriber.id,
        link_hash=link.hash,
        old_address=subscriber.address,
        old_key=subscriber.address_key,
        new_address=new,
        new_key=addresses.key(new),
        created_at=now,
        expires_at=now + LINK_WORKS_FOR,
    )
    db.session.add(change)
    db.session.flush()
    take_turn(f"sign-up:{change.new_key}")
    outcome = _answer(change, now)
    _record("address_change.requested", subscriber, now, outcome=outcome)
    _log.info("A change of address was answered by: %s", outcome)
    return change


def _answer(change: AddressChange, now: datetime) -> str:
    """Decide what the new address gets: a confirmation, word that it has a subscriber already, or nothing.

    All is looked at and written whatever is decided, as for a sign-up.
    """
    suppressed = suppressing.is_suppressed(change.new_address)
    takes_none = mail_domains.takes_no_mail(change.new_address, now)
    full = month_is_full(change.new_address, now)
    sent = mails_today(change.new_address, now)
    known = joining.find_subscriber(change.new_address) is not None
    nothing = "suppressed" if suppressed else "takes no mail" if takes_none else ""
    if not nothing and (full or sent >= (1 if known else 2)):
        nothing = "limited"
    template = ADDRESS_KNOWN if known else CONFIRM_ADDRESS
    with kept_if(not nothing):
        _write_to(change.subscriber, template, change.new_address, {"change": str(change.public_id)}, now)
    return nothing or ("known" if known else "confirmation")


def find_change(public_id: uuid.UUID) -> AddressChange:
    """The change that a link leads to. Raises NotFound once it has been tidied away."""
    found = db.session.scalar(select(AddressChange).where(AddressChange.public_id == public_id))
    if found is None:
        raise NotFound("This link is not known any more. Ask for a new one on your preferences page.")
    return found


def state_of(change: AddressChange, now: datetime) -> ChangeState:
    """Where the change stands at `now`.

    REPLACED: the person asked again, or has another address by now. TAKEN, BLOCKED: since it was asked for, the new
    address has got a subscriber of its own, or must not be written to.
    """
    if change.undone_at is not None:
        return ChangeState.UNDONE
    if change.confirmed_at is not None:
        return ChangeState.CONFIRMED
    if change.replaced_at is not None or change.subscriber.address_key != change.old_key:
        return ChangeState.REPLACED
    if now >= change.expires_at:
        return ChangeState.EXPIRED
    if suppressing.is_suppressed(change.new_address):
        return ChangeState.BLOCKED
    return ChangeState.TAKEN if joining.find_subscriber(change.new_address) else ChangeState.OPEN


def confirm(change: AddressChange, *, now: datetime) -> bool:
    """The owner of the new address pressed the button: write there from now on, and tell the old address.

    False if it had been done before. Raises Refused for a change that cannot be made any more; the page looks at
    `state_of` first and says more.
    """
    _take_turn(change.subscriber)
    take_turn(f"sign-up:{change.new_key}")
    db.session.refresh(change)
    state = state_of(change, now)
    if state is ChangeState.CONFIRMED:
        return False
    if state is not ChangeState.OPEN:
        raise Refused(_("This change cannot be made any more. Ask for a new link on your preferences page."))
    subscriber = change.subscriber
    subscriber.address, subscriber.address_key = change.new_address, change.new_key
    change.confirmed_at = now
    db.session.flush()
    heard.heard_from(subscriber, now)
    _write_to(subscriber, CHANGED, change.old_address, {"change": str(change.public_id)}, now)
    _record("subscriber.address_changed", subscriber, now)
    _log.info("The address of subscriber %d was changed", subscriber.id)
    return True


def undo_ends(change: AddressChange) -> datetime | None:
    """When the change can be taken back no longer; None for one that was not made."""
    return change.confirmed_at + UNDO_WORKS_FOR if change.confirmed_at else None


def can_be_undone(change: AddressChange, now: datetime) -> bool:
    """Whether the old address may still take it back."""
    ends = undo_ends(change)
    return change.undone_at is None and ends is not None and now < ends


def undo(change: AddressChange, *, now: datetime) -> bool:
    """The owner of the old address takes it back, whatever was changed since; the new address is told.

    False if it had been done before. Where the old address has got a subscriber of its own meanwhile, what was moved
    away from it ends instead. Raises TokenExpired 14 days after the change, and for one that was never made.
    """
    _take_turn(change.subscriber)
    take_turn(f"sign-up:{change.old_key}")
    db.session.refresh(change)
    if change.undone_at is not None:
        return False
    if not can_be_undone(change, now):
        raise TokenExpired(_("The change could be undone for 14 days. Email us, and we look into it."))
    subscriber, told = change.subscriber, change.subscriber.address
    _void(subscriber, change, now)
    if joining.find_subscriber(change.old_address) in (None, subscriber):
        subscriber.address, subscriber.address_key = change.old_address, change.old_key
    else:
        for subscription in list(subscriber.subscriptions):
            leaving.unsubscribe(subscription, route=ROUTE_UNDONE, now=now)
    db.session.flush()
    _write_to(subscriber, UNDONE, told, {"change": str(change.public_id)}, now)
    _record("subscriber.address_restored", subscriber, now)
    _log.info("The address of subscriber %d was changed back", subscriber.id)
    return True


def former_addresses(subscriber: Subscriber) -> list[str]:
    """The person's other addresses in the last weeks, as far as they were proved and nobody else has them now."""
    made = AddressChange.subscriber_id == subscriber.id, AddressChange.confirmed_at.is_not(None)
    changes = db.session.scalars(select(AddressChange).where(*made))
    named = {address for change in changes for address in (change.old_address, change.new_address) if address}
    return sorted(one for one in named if joining.find_subscriber(one) is None)


def _void(subscriber: Subscriber, change: AddressChange, now: datetime) -> None:
    """End this change and all that came after it: whoever made it may not move the address again by an old link."""
    _replace_pending(subscriber, now)
    since = AddressChange.id >= change.id, AddressChange.confirmed_at.is_not(None), AddressChange.undone_at.is_(None)
    db.session.execute(
        update(AddressChange).where(AddressChange.subscriber_id == subscriber.id, *since).values(undone_at=now)
    )


def _replace_pending(subscriber: Subscriber, now: datetime) -> None:
    pending = AddressChange.confirmed_at.is_(None), AddressChange.replaced_at.is_(None)
    db.session.execute(
        update(AddressChange).where(AddressChange.subscriber_id == subscriber.id, *pending).values(replaced_at=now)
    )


def _take_turn(subscriber: Subscriber) -> None:
    take_turn(f"address-change:{subscriber.id}")
    db.session.refresh(subscriber)


def _write_to(subscriber: Subscriber, template: str, address: str, values: dict[str, str], now: datetime) -> None:
    lists = preferences.lists_of(subscriber)
    notices.send_notice(
        template,
        address,
        now=now,
        values=values,
        mailing_list=lists[0] if lists else None,
        priority=notices.URGENT,
    )


def _record(action: str, subscriber: Subscriber, now: datetime, **detail: Any) -> None:
    activity.record(
        action,
        actor=None,
        actor_name=leaving.SUBSCRIBER,
        now=now,
        subject=("subscriber", subscriber.id),
        **detail,
    )
