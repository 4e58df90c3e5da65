"""One person's story, told from what is kept: what they agreed to and were sent, what came back, what changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select

from ... import dates
from ...db import db
from ...i18n import gettext as _
from ...models import (
    Account,
    Activity,
    AddressChange,
    Consent,
    Delivery,
    Feedback,
    Issue,
    Notice,
    Subscriber,
    Subscription,
)
from ...states import ConsentEvent, DeliveryState, FeedbackKind, NoticeState
from . import suppressing


@dataclass(frozen=True)
class StoryEvent:
    """Something that happened: when, in a few words, more of it, and the words that were shown or said."""

    at: datetime
    what: str
    more: str = ""
    quote: str = ""


def story(
    subscriber: Subscriber,
    *,
    among: Sequence[Subscription] | None = None,
    newest_issues: int | None = 6,
    notice_names: Mapping[str, str] | None = None,
    staff_names: bool = False,
) -> list[StoryEvent]:
    """What is kept about a person, newest first.

    Consent in the words of its day, issues and what came back of them, other mails, changes, what staff did, and why
    they are not written to. Issues older than the `newest_issues` are one line with their count; None tells each.
    `among` are those of their subscriptions that the reader may know of, all of them where None. `notice_names` is how
    mails are called; without it they are left out. `staff_names` tells who acted, and not only that staff did.
    """
    known = subscriber.subscriptions if among is None else among
    whole = among is None or len(among) == len(subscriber.subscriptions)
    actors = _names(known) if staff_names else {}
    events = [_of_consent(consent, one, actors) for one in known for consent in _consents(one)]
    events += _of_issues(known, newest_issues)
    events += _of_what_came_back(known)
    events += _of_address_changes(subscriber)
    events += _of_notices(subscriber, known, notice_names or {}, whole=whole)
    events += _of_changes(subscriber, known, staff_names=staff_names)
    events += _of_suppressions(subscriber)
    return sorted(events, key=lambda event: event.at, reverse=True)


def _names(known: Sequence[Subscription]) -> dict[int, str]:
    """The names of the staff behind these subscriptions' consent events, by number."""
    acted = select(Consent.actor_id).where(Consent.subscription_id.in_([one.id for one in known]))
    return dict(db.session.execute(select(Account.id, Account.name).where(Account.id.in_(acted))).all())


def _of_notices(
    subscriber: Subscriber, known: Sequence[Subscription], names: Mapping[str, str], *, whole: bool
) -> list[StoryEvent]:
    """The mails to them alone; of lists that the reader may not know of, none."""
    fared = {
        NoticeState.ACCEPTED: _("Accepted by the mail server."),
        NoticeState.REFUSED: _("Refused by the mail server."),
        NoticeState.UNSURE: _("It left us and no answer came."),
        NoticeState.HELD: _("Held back: this installation sends nothing to them."),
        NoticeState.DROPPED: _("Not sent."),
    }
    chosen = select(Notice).where(Notice.address_key == subscriber.address_key, Notice.template.in_(list(names)))
    if not whole:
        chosen = chosen.where(Notice.list_id.in_([one.list_id for one in known]))
    return [
        StoryEvent(
            one.created_at,
            _("Was mailed: %(name)s") % {"name": names[one.template]},
            fared.get(one.state, _("Waits to be sent.")),
            one.reply,
        )
        for one in db.session.scalars(chosen)
    ]


def _of_changes(subscriber: Subscriber, known: Sequence[Subscription], *, staff_names: bool) -> list[StoryEvent]:
    """What changed beside consent, and who changed it."""
    words = {
        "subscription.paused": _("Paused"),
        "subscription.resumed": _("Ended the pause"),
        "subscriber.details_changed": _("Changed what they say about themselves"),
    }
    theirs = or_(
        and_(Activity.subject_type == "subscriber", Activity.subject_id == str(subscriber.id)),
        and_(Activity.subject_type == "subscription", Activity.subject_id.in_([str(one.id) for one in known])),
    )
    events = []
    for line in db.session.scalars(select(Activity).where(theirs, Activity.action.in_(list(words)))):
        more = [_("Until %(day)s.") % {"day": line.detail["until"]}] if line.detail.get("until") else []
        if line.actor_id is not None:
            more.append(_by(line.actor_name if staff_names else ""))
        events.append(StoryEvent(line.at, words[line.action], " ".join(more)))
    return events


def _of_suppressions(subscriber: Subscriber) -> list[StoryEvent]:
    """Since when the address gets no mail and why, and what ended that."""
    events = []
    for one in suppressing.all_of(subscriber.address):
        events.append(
            StoryEvent(one.at, _("Gets no mail from here on"), suppressing.REASON_WORDS[one.reason] + ".", one.note)
        )
        if one.lifted_at is not None:
            events.append(StoryEvent(one.lifted_at, _("May get mail again"), one.lift_reason))
    return events


def _by(name: str) -> str:
    return _("By %(name)s, of the team.") % {"name": name} if name else _("By the team.")


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


def _of_consent(consent: Consent, subscription: Subscription, actors: Mapping[int, str]) -> StoryEvent:
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
    if consent.actor_id is not None:
        more.append(_by(actors.get(consent.actor_id, "")))
    return StoryEvent(consent.at, words % {"list": name}, " ".join(more), consent.wording)


def _of_issues(known: Sequence[Subscription], newest: int | None) -> list[StoryEvent]:
    ids = [one.id for one in known]
    rows = db.session.execute(
        select(Delivery, Issue)
        .join(Issue, Issue.id == Delivery.issue_id)
        .where(Delivery.subscription_id.in_(ids))
        .order_by(Delivery.updated_at.desc(), Delivery.id.desc())
    ).all()
    events = [_of_delivery(delivery, issue) for delivery, issue in rows[:newest]]
    older = rows[newest:] if newest is not None else []
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


def count_deliveries(known: Sequence[Subscription]) -> int:
    """How many issues these subscriptions were to be sent."""
    return db.session.scalar(select(func.count()).where(Delivery.subscription_id.in_([one.id for one in known]))) or 0
