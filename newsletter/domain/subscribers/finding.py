"""Finding subscribers for staff, page by page, and telling one person's story from what is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import selectinload

from ... import dates
from ...db import db
from ...i18n import gettext as _
from ...models import AddressChange, Consent, Delivery, Feedback, Issue, MailingList, Subscriber, Subscription
from ...states import ConsentEvent, DeliveryState, FeedbackKind, SubscriptionState


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


@dataclass(frozen=True)
class StoryEvent:
    """Something that happened: when, in a few words, more of it, and the words that were shown or said."""

    at: datetime
    what: str
    more: str = ""
    quote: str = ""


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


def story(
    subscriber: Subscriber, *, among: Sequence[Subscription] | None = None, newest_issues: int = 6
) -> list[StoryEvent]:
    """What is kept about a person, newest first: consent in the words of its day, changes of address, issues.

    Older issues are one line with their count.

    `among` are those of their subscriptions that the reader may know of; all of them where None.
    """
    known = subscriber.subscriptions if among is None else among
    events = [_of_consent(consent, one) for one in known for consent in _consents(one)]
    events += _of_issues(known, newest_issues)
    events += _of_what_came_back(known)
    events += _of_address_changes(subscriber)
    return sorted(events, key=lambda event: event.at, reverse=True)


def _of_address_changes(subscriber: Subscriber) -> list[StoryEvent]:
    made = AddressChange.subscriber_id == subscriber.id, AddressChange.confirmed_at.is_not(None)
    events = []
    for change in db.session.scalars(select(AddressChange).where(*made)):
        if change.confirmed_at is not None:
            events.append(StoryEvent(change.confirmed_at, _("Changed the address"), _("Confirmed at the new one.")))
        if change.undone_at is not None:
            events.append(StoryEvent(change.undone_at, _("Took the address back"), _("By the link to the old one.")))
    return events


def _consents(subscription: Subscription) -> list[Consent]:
    chosen = select(Consent).where(Consent.subscription_id == subscription.id).order_by(Consent.at, Consent.id)
    return list(db.session.scalars(chosen))


def _of_consent(consent: Consent, subscription: Subscription) -> StoryEvent:
    name = subscription.mailing_list.name
    words = {
        ConsentEvent.ASKED: _("Was asked about “%(list)s”"),
        ConsentEvent.GIVEN: _("Subscribed to “%(list)s”"),
        ConsentEvent.IMPORTED: _("Imported to “%(list)s”"),
        ConsentEvent.WITHDRAWN: _("Left “%(list)s”"),
        ConsentEvent.COMPLAINED: _("Complained about “%(list)s”"),
    }[consent.event]
    more = [_("By %(route)s.") % {"route": consent.route}]
    if consent.asked_at is not None and consent.asked_at != consent.at:
        more.append(_("Asked at %(when)s.") % {"when": _moment(consent.asked_at, subscription)})
    if consent.source and consent.source != consent.route:
        more.append(_("Source: %(source)s.") % {"source": consent.source})
    if consent.privacy_version is not None:
        more.append(_("Privacy notice version %(version)d.") % {"version": consent.privacy_version})
    if consent.note:
        more.append(consent.note)
    return StoryEvent(consent.at, words % {"list": name}, " ".join(more), consent.wording)


def _of_issues(known: Sequence[Subscription], newest: int) -> list[StoryEvent]:
    ids = [one.id for one in known]
    rows = db.session.execute(
        select(Delivery, Issue)
        .join(Issue, Issue.id == Delivery.issue_id)
        .where(Delivery.subscription_id.in_(ids))
        .order_by(Delivery.updated_at.desc(), Delivery.id.desc())
    ).all()
    events = [_of_delivery(delivery, issue) for delivery, issue in rows[:newest]]
    older = rows[newest:]
    if older:
        accepted = sum(delivery.state is DeliveryState.ACCEPTED for delivery, _issue in older)
        what = _("%(number)d older issues, %(accepted)d accepted") % {"number": len(older), "accepted": accepted}
        events.append(StoryEvent(older[0][0].updated_at, what))
    return events


def _of_delivery(delivery: Delivery, issue: Issue) -> StoryEvent:
    words = {
        DeliveryState.QUEUED: _("“%(issue)s” waits to be sent"),
        DeliveryState.CLAIMED: _("“%(issue)s” is being sent"),
        DeliveryState.ACCEPTED: _("“%(issue)s” was accepted by the mail server"),
        DeliveryState.DEFERRED: _("“%(issue)s” is tried again later"),
        DeliveryState.REFUSED: _("“%(issue)s” was refused by the mail server"),
        DeliveryState.UNSURE: _("“%(issue)s” left us and no answer came"),
        DeliveryState.SKIPPED: _("“%(issue)s” was not sent"),
    }[delivery.state]
    more = _("Because: %(reason)s.") % {"reason": delivery.skip_reason.value} if delivery.skip_reason else ""
    return StoryEvent(delivery.updated_at, words % {"issue": issue.title}, more, delivery.reply or "")


def _of_what_came_back(known: Sequence[Subscription]) -> list[StoryEvent]:
    """Bounces and complaints; each says itself what it meant for the address."""
    words = {
        FeedbackKind.HARD: _("“%(issue)s” came back: there is no such mailbox"),
        FeedbackKind.SOFT: _("“%(issue)s” came back: not this time"),
        FeedbackKind.POLICY: _("“%(issue)s” was turned away, not because of the address"),
        FeedbackKind.COMPLAINT: _("Called “%(issue)s” spam"),
    }
    rows = db.session.execute(
        select(Feedback, Issue.title)
        .join(Issue, Issue.id == Feedback.issue_id, isouter=True)
        .where(Feedback.subscription_id.in_([one.id for one in known]))
    )
    return [
        StoryEvent(
            said.at,
            words[said.kind] % {"issue": title or _("An issue")},
            _("The address gets no more mail.") if said.suppressed else "",
            said.reply,
        )
        for said, title in rows
    ]


def _moment(instant: datetime, subscription: Subscription) -> str:
    return dates.moment(instant, subscription.mailing_list.timezone)
