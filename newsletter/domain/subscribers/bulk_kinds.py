"""What can be done to many subscribers at once: to one of them, and how it is taken back. One table of kinds.

Taking back touches only what still stands as the act left it: what a person has changed since is theirs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from ... import dates
from ...db import db
from ...i18n import gettext as _
from ...models import Account, Consent, MailingList, Subscriber, Subscription, Suppression
from ...states import ConsentEvent, SubscriptionState, SuppressionReason
from ..staff import activity
from . import forgetting, leaving, offering, suppressing

_ROUTE = "staff"
#: How the record names a joining that staff ended because it was their mistake.
_TAKEN_BACK = "taken back"


class Kind(StrEnum):
    """What is done."""

    ADD = "add"
    REMOVE = "remove"
    PAUSE = "pause"
    SUPPRESS = "suppress"
    FORGET = "forget"


class Outcome(StrEnum):
    """What came of one person; "" in the row while they wait."""

    DONE = "done"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    UNDONE = "undone"
    KEPT = "kept"


@dataclass(frozen=True)
class Doing:
    """The act as each person meets it: who does it, to which list, with what was chosen, when."""

    actor: Account | None
    mailing_list: MailingList | None
    asked: Mapping[str, Any]
    now: datetime


#: What came of it, and what is needed to take it back.
Done = tuple[Outcome, dict[str, Any] | None]
_UNCHANGED: Done = (Outcome.UNCHANGED, None)
_REFUSED: Done = (Outcome.REFUSED, None)


@dataclass(frozen=True)
class Act:
    """One kind: how it is done and taken back, and whether it is about one list or about the person."""

    do: Callable[[Subscriber, Doing], Done]
    undo: Callable[[Subscriber, dict[str, Any], Doing], bool] | None
    of_list: bool
    #: How many people make a transaction.
    batch: int = 200


def _on(person: Subscriber, mailing_list: MailingList | None) -> Subscription | None:
    return next((one for one in person.subscriptions if mailing_list and one.list_id == mailing_list.id), None)


def _add(person: Subscriber, doing: Doing) -> Done:
    """As an import: nobody comes back who left, nor whoever must not be written to."""
    found = _on(person, doing.mailing_list)
    if found is not None and found.state is SubscriptionState.ACTIVE:
        return _UNCHANGED
    left = found is not None and not _was_taken_back(found)
    if left or doing.mailing_list is None or suppressing.is_suppressed(person.address):
        return _REFUSED
    source = str(doing.asked["source"])
    made = found or Subscription(subscriber_id=person.id, list_id=doing.mailing_list.id)
    made.state, made.joined_at, made.left_at, made.source = SubscriptionState.ACTIVE, doing.now, None, source
    db.session.add(made)
    db.session.flush()
    _note_consent(made, doing, source=source, note="")
    return Outcome.DONE, {"subscription": made.id, "at": _stamp(doing.now)}


def _was_taken_back(subscription: Subscription) -> bool:
    """Whether nobody left: staff took back an act of their own."""
    newest = select(Consent.route).where(Consent.subscription_id == subscription.id).order_by(Consent.id.desc())
    return db.session.scalar(newest.limit(1)) == _TAKEN_BACK


def _take_off_again(_person: Subscriber, before: dict[str, Any], doing: Doing) -> bool:
    subscription = db.session.get(Subscription, before["subscription"])
    if subscription is None or _stamp(subscription.joined_at) != before["at"]:
        return False
    return leaving.unsubscribe(subscription, route=_TAKEN_BACK, now=doing.now, actor=doing.actor)


def _remove(person: Subscriber, doing: Doing) -> Done:
    found = _on(person, doing.mailing_list)
    if found is None or found.state is not SubscriptionState.ACTIVE:
        return _UNCHANGED
    return Outcome.DONE, {"left": [_leave(found, doing)]}


def _leave(subscription: Subscription, doing: Doing) -> dict[str, Any]:
    """End a subscription. What it was, to be put back."""
    paused = subscription.paused_until
    was = {
        "subscription": subscription.id,
        "at": _stamp(doing.now),
        "joined": _stamp(subscription.joined_at),
        "paused": _stamp(paused) if paused else "",
    }
    leaving.unsubscribe(subscription, route=_ROUTE, now=doing.now, actor=doing.actor)
    return was


def _put_back(person: Subscriber, before: dict[str, Any], doing: Doing) -> bool:
    """Everything that the act ended and nobody changed since, with the consent that was there before."""
    if suppressing.is_suppressed(person.address):
        return False
    put_back = 0
    for was in before["left"]:
        subscription = db.session.get(Subscription, was["subscription"])
        if subscription is None or subscription.left_at is None or _stamp(subscription.left_at) != was["at"]:
            continue
        subscription.state, subscription.left_at = SubscriptionState.ACTIVE, None
        subscription.joined_at = _read(was["joined"])
        subscription.paused_until = _read(was["paused"]) if was["paused"] else None
        db.session.flush()
        note = _("Staff took back a removal of their own: what was agreed to before holds.")
        _note_consent(subscription, doing, source="", note=note)
        put_back += 1
    return put_back > 0


def _pause(person: Subscriber, doing: Doing) -> Done:
    found = _on(person, doing.mailing_list)
    if found is None or found.state is not SubscriptionState.ACTIVE or doing.mailing_list is None:
        return _UNCHANGED
    until = dates.to_instant(date.fromisoformat(str(doing.asked["until"])), time(0), doing.mailing_list.timezone)
    if found.paused_until == until:
        return _UNCHANGED
    was, found.paused_until = found.paused_until, until
    db.session.flush()
    _record("subscription.paused", found, doing, until=str(doing.asked["until"]))
    before = {"subscription": found.id, "until": _stamp(until), "was": _stamp(was) if was else ""}
    return Outcome.DONE, before


def _unpause(_person: Subscriber, before: dict[str, Any], doing: Doing) -> bool:
    subscription = db.session.get(Subscription, before["subscription"])
    if subscription is None or not subscription.paused_until or _stamp(subscription.paused_until) != before["until"]:
        return False
    subscription.paused_until = _read(before["was"]) if before["was"] else None
    db.session.flush()
    _record("subscription.resumed", subscription, doing, until=None)
    return True


def _suppress(person: Subscriber, doing: Doing) -> Done:
    known = [one for one in suppressing.suppressions_of(person.address) if one.reason is SuppressionReason.STAFF]
    active = [one for one in person.subscriptions if one.state is SubscriptionState.ACTIVE]
    if known and not active:
        return _UNCHANGED
    left = [_leave(one, doing) for one in active]
    made = suppressing.suppress(
        person.address, SuppressionReason.STAFF, now=doing.now, actor=doing.actor, note=str(doing.asked["note"])
    )
    return Outcome.DONE, {"left": left, "suppression": 0 if known else made.id}


def _write_again(person: Subscriber, before: dict[str, Any], doing: Doing) -> bool:
    suppression = db.session.get(Suppression, before["suppression"]) if before["suppression"] else None
    lifted = suppression is not None and suppressing.lift(
        suppression, _("Staff took back what they had done to many at once"), actor=doing.actor, now=doing.now
    )
    return _put_back(person, before, doing) or lifted


def _forget(person: Subscriber, doing: Doing) -> Done:
    forgetting.erase_subscriber(person, route=_ROUTE, now=doing.now, actor=doing.actor)
    return Outcome.DONE, None


ACTS: Mapping[Kind, Act] = {
    Kind.ADD: Act(_add, _take_off_again, of_list=True),
    Kind.REMOVE: Act(_remove, _put_back, of_list=True),
    Kind.PAUSE: Act(_pause, _unpause, of_list=True),
    Kind.SUPPRESS: Act(_suppress, _write_again, of_list=False),
    # Each looks through what was set aside, so few of them make a transaction.
    Kind.FORGET: Act(_forget, None, of_list=False, batch=20),
}


def _note_consent(subscription: Subscription, doing: Doing, *, source: str, note: str) -> None:
    db.session.add(
        Consent(
            subscription_id=subscription.id,
            event=ConsentEvent.IMPORTED,
            at=doing.now,
            privacy_version=offering.privacy_version(),
            route=_ROUTE,
            source=source,
            note=note,
            actor_id=doing.actor.id if doing.actor else None,
        )
    )
    db.session.flush()
    _record("subscription.joined", subscription, doing, route=_ROUTE)


def _record(action: str, subscription: Subscription, doing: Doing, **detail: Any) -> None:
    activity.record(
        action,
        actor=doing.actor,
        now=doing.now,
        mailing_list=doing.mailing_list or db.session.get(MailingList, subscription.list_id),
        subject=("subscription", subscription.id),
        **detail,
    )


def _stamp(instant: datetime) -> str:
    return instant.isoformat()


def _read(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)
