"""What a person may change by the link in a mail: which lists, and a pause. Nothing that shows who they are."""

import logging
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from sqlalchemy import select

from ... import dates
from ...db import db
from ...errors import Refused
from ...i18n import gettext as _
from ...models import Consent, MailingList, Notice, Subscriber
from ...states import ConsentEvent, SubscriptionState
from .. import notices
from ..staff import activity
from . import heard, joining, leaving, suppressing
from .offering import Offer, privacy_version

_log = logging.getLogger(__name__)
ROUTE = "preferences"


def lists_of(subscriber: Subscriber) -> list[MailingList]:
    """What the person gets, paused or not, in the order the lists were made."""
    held = (one.mailing_list for one in subscriber.subscriptions if one.state is SubscriptionState.ACTIVE)
    return sorted(held, key=lambda one: one.id)


def brought_in(subscriber: Subscriber) -> list[tuple[MailingList, str, datetime]]:
    """Where we have the address from, for each list that the person gets without having asked us: list, source, since.

    Whoever gets it forwarded may read it too, so a source names no person.
    """
    held = {one.id: one for one in subscriber.subscriptions if one.state is SubscriptionState.ACTIVE}
    came = (ConsentEvent.GIVEN, ConsentEvent.IMPORTED)
    chosen = select(Consent).where(Consent.subscription_id.in_(held), Consent.event.in_(came)).order_by(Consent.id)
    last = {one.subscription_id: one for one in db.session.scalars(chosen)}
    return [
        (held[number].mailing_list, one.source, one.at)
        for number, one in sorted(last.items())
        if one.event is ConsentEvent.IMPORTED and one.source
    ]


def choose_lists(
    subscriber: Subscriber, wanted: Iterable[MailingList], offered: Iterable[Offer], *, network: str = "", now: datetime
) -> None:
    """Leave what is not in `wanted`, join what is new in it. No confirmation: the link proves the address.

    Only what was on offer can be joined. Raises Refused when the address may not be written to at all.
    """
    wanted_ids = {one.id for one in wanted}
    held_ids = {one.id for one in lists_of(subscriber)}
    new = [offer for offer in offered if offer.mailing_list.id in wanted_ids - held_ids]
    if new and suppressing.blocks_sign_up(subscriber.address):
        raise Refused(_("We do not write to this address any more. Email us to change that."))
    for subscription in list(subscriber.subscriptions):
        if subscription.list_id not in wanted_ids:
            leaving.unsubscribe(subscription, route=ROUTE, now=now)
    for offer in new:
        _join(subscriber, offer, network, now)
    if new:
        suppressing.end_by_sign_up(subscriber.address, now=now)
    heard.heard_from(subscriber, now)
    db.session.expire(subscriber)
    _log.info("Preferences of subscriber %d were changed", subscriber.id)


def add_list(subscriber: Subscriber, offer: Offer, *, network: str = "", now: datetime) -> bool:
    """Join one list more, by one press. True if this did it, False if the person gets it already.

    Raises Refused when the address may not be written to at all.
    """
    if any(one.id == offer.mailing_list.id for one in lists_of(subscriber)):
        return False
    if suppressing.blocks_sign_up(subscriber.address):
        raise Refused(_("We do not write to this address any more. Email us to change that."))
    _join(subscriber, offer, network, now)
    suppressing.end_by_sign_up(subscriber.address, now=now)
    db.session.expire(subscriber)
    _log.info("Subscriber %d joined list %d", subscriber.id, offer.mailing_list.id)
    return True


def _join(subscriber: Subscriber, offer: Offer, network: str, now: datetime) -> None:
    evidence = joining.Evidence(offer.wording, privacy_version(), ROUTE, ROUTE, network, now)
    joining.join(subscriber, offer.mailing_list, evidence, now=now)
    activity.record(
        "subscription.joined",
        actor=None,
        actor_name=leaving.SUBSCRIBER,
        now=now,
        mailing_list=offer.mailing_list,
        subject=("subscriber", subscriber.id),
        route=ROUTE,
    )


def change_details(subscriber: Subscriber, *, name: str, organisation: str, sector: str, now: datetime) -> None:
    """What somebody says about themselves, behind a fresh link. `sector` is the slug of one on offer, or ""."""
    said = {"name": name, "organisation": organisation, "sector": sector}
    changed = [field for field, value in said.items() if getattr(subscriber, field) != value]
    for field in changed:
        setattr(subscriber, field, said[field])
    db.session.flush()
    heard.heard_from(subscriber, now)
    if changed:
        activity.record(
            "subscriber.details_changed",
            actor=None,
            actor_name=leaving.SUBSCRIBER,
            now=now,
            subject=("subscriber", subscriber.id),
            fields=changed,
        )


def pause(subscriber: Subscriber, until: date | None, *, now: datetime) -> None:
    """Send nothing until the beginning of that day in each list's zone; None ends the pause.

    Raises Refused for a day that has begun already.
    """
    for subscription in subscriber.subscriptions:
        if subscription.state is not SubscriptionState.ACTIVE:
            continue
        zone = subscription.mailing_list.timezone
        ends = None if until is None else dates.to_instant(until, time(0), zone)
        if ends is not None and ends <= now:
            raise Refused(_("Choose a day in the future to pause until."))
        subscription.paused_until = ends
    db.session.flush()
    heard.heard_from(subscriber, now)
    activity.record(
        "subscription.paused" if until else "subscription.resumed",
        actor=None,
        actor_name=leaving.SUBSCRIBER,
        now=now,
        subject=("subscriber", subscriber.id),
        until=until.isoformat() if until else None,
    )


def paused_until(subscriber: Subscriber, now: datetime) -> datetime | None:
    """When the pause ends, if all that the person gets is paused; else None."""
    ends = [one.paused_until for one in subscriber.subscriptions if one.state is SubscriptionState.ACTIVE]
    running = [end for end in ends if end is not None and end > now]
    return min(running) if running and len(running) == len(ends) else None


def send_fresh_link(subscriber: Subscriber, *, now: datetime) -> Notice | None:
    """Mail the person a link, good for an hour, to what we hold about them. None if they had three today."""
    if notices.count_sent(["fresh_link"], subscriber.address, since=now - timedelta(hours=24)) >= 3:
        return None
    lists = lists_of(subscriber)
    return notices.send_notice(
        "fresh_link",
        subscriber.address,
        now=now,
        values={"subscriber": str(subscriber.public_id)},
        mailing_list=lists[0] if lists else None,
        priority=notices.URGENT,
    )
