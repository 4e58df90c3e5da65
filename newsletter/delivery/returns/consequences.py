"""What follows from a bounce or a complaint, each once: for the address, for the reader, for who runs the sending.

* hard: the address is suppressed at once.
* soft: it is suppressed when three issues in a row came back, without one between them that did not.
* policy: the address is not touched; administrators are told, once an issue.
* complaint: the reader leaves the list and is written to no more. Nobody writes to them about it.

Verbs: they run inside their door's `transaction()` and never commit.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from ...db import conflict_aware_insert, db, take_turn
from ...domain.issues.people import tell, who_may
from ...domain.staff import activity
from ...domain.staff.permissions import Permission
from ...domain.subscribers import leaving, suppressing
from ...models import Activity, Delivery, Feedback, InboundMessage, Issue, Subscriber, Subscription
from ...states import DeliveryState, FeedbackKind, SuppressionReason
from .attribution import NEWEST_ISSUES, About

_log = logging.getLogger(__name__)

#: So many issues in a row must come back before a mailbox that is only full is given up.
SOFT_IN_A_ROW = 3
_TURNED_AWAY = "issue.turned_away"
_BOUNCES = (FeedbackKind.HARD, FeedbackKind.SOFT)


@dataclass(frozen=True)
class Said:
    """What the other side said, as text from outside in one line: its status, its words, who reported it."""

    enhanced: str = ""
    reply: str = ""
    reporter: str = ""


def note_feedback(kind: FeedbackKind, about: About, said: Said, inbound: InboundMessage, now: datetime) -> bool:
    """Record it and do what follows. False if the same was known of this reader and issue: then nothing is done."""
    if about.subscription.subscriber is None:
        # Whoever was erased is not named again by what another server quotes.
        said = Said(said.enhanced)
    feedback = _add(kind, about, said, inbound, now)
    if feedback is None:
        return False
    _log.info("Subscription %d: %s feedback %s", about.subscription.id, kind.value, said.enhanced)
    match kind:
        case FeedbackKind.HARD:
            feedback.suppressed = _give_up(about.subscription, said, now)
        case FeedbackKind.SOFT if _came_back_often(about.subscription):
            feedback.suppressed = _give_up(about.subscription, said, now)
        case FeedbackKind.POLICY:
            _alarm_once(about.issue_id, said, now)
        case FeedbackKind.COMPLAINT:
            leaving.complain(about.subscription, reporter=said.reporter, now=now)
            feedback.suppressed = about.subscription.subscriber is not None
        case _:
            pass
    db.session.flush()
    return True


def note_unsure_taken(delivery: Delivery | None, now: datetime) -> bool:
    """A report on a message that we are unsure of shows that the mail server had it: say so on record, change nothing.

    Whether to send it again stays for a person to decide. True if that is new.
    """
    if delivery is None or delivery.state is not DeliveryState.UNSURE:
        return False
    action, subject = "delivery.evidently_taken", str(delivery.id)
    known = select(Activity.id).where(
        Activity.issue_id == delivery.issue_id, Activity.action == action, Activity.subject_id == subject
    )
    if db.session.scalar(known.limit(1)) is not None:
        return False
    issue = db.session.get_one(Issue, delivery.issue_id)
    activity.record(action, actor=None, now=now, issue=issue, subject=("delivery", subject))
    return True


def _add(kind: FeedbackKind, about: About, said: Said, inbound: InboundMessage, now: datetime) -> Feedback | None:
    """The new row, or None where there is one of this kind for the reader and issue."""
    same = select(Feedback.id).where(
        Feedback.subscription_id == about.subscription.id,
        Feedback.issue_id.is_(about.issue_id) if about.issue_id is None else Feedback.issue_id == about.issue_id,
        Feedback.kind == kind,
    )
    if db.session.scalar(same.limit(1)) is not None:
        return None
    # Two readers of two mailboxes may have the same report in hand at the same moment.
    number = db.session.scalar(
        conflict_aware_insert(Feedback)
        .values(
            kind=kind,
            subscription_id=about.subscription.id,
            issue_id=about.issue_id,
            delivery_id=about.delivery.id if about.delivery else None,
            inbound_id=inbound.id,
            at=now,
            enhanced=said.enhanced[:12],
            reply=said.reply[:500],
            reporter=said.reporter[:255],
            suppressed=False,
        )
        .on_conflict_do_nothing()
        .returning(Feedback.id)
    )
    return db.session.get(Feedback, number) if number is not None else None


def _give_up(subscription: Subscription, said: Said, now: datetime) -> bool:
    """Write to the address no more. False where the person is erased already."""
    if subscription.subscriber is None:
        return False
    # The note outlives the person: a status and no words, for those may quote the address.
    suppressing.suppress(subscription.subscriber.address, SuppressionReason.BOUNCED, now=now, note=said.enhanced)
    return True


def _came_back_often(subscription: Subscription) -> bool:
    """Whether the person's newest issues, of whatever list, came back without an exception."""
    person: Subscriber | None = subscription.subscriber
    theirs = person.subscriptions if person else [subscription]
    ids = [one.id for one in theirs]
    bounces = select(Feedback.subscription_id, Feedback.issue_id).where(
        Feedback.subscription_id.in_(ids), Feedback.kind.in_(_BOUNCES)
    )
    bounced = {(row[0], row[1]) for row in db.session.execute(bounces)}
    in_a_row = 0
    for delivery in _newest_deliveries(ids, [one.list_id for one in theirs]):
        if (delivery.subscription_id, delivery.issue_id) in bounced:
            in_a_row += 1
        elif delivery.state is DeliveryState.ACCEPTED:
            break
    return in_a_row >= SOFT_IN_A_ROW


def _newest_deliveries(subscriptions: list[int], lists: list[int]) -> list[Delivery]:
    """The newest messages to a person, the newest first, as far as they are kept."""
    newest = (
        select(Issue.id)
        .where(Issue.list_id.in_(lists), Issue.started_at.is_not(None))
        .order_by(Issue.started_at.desc())
        .limit(NEWEST_ISSUES)
    )
    chosen = (
        select(Delivery)
        .join(Issue, Issue.id == Delivery.issue_id)
        .where(
            # By number, so that the unique index serves: there is none by subscription alone.
            Delivery.issue_id.in_(list(db.session.scalars(newest))),
            Delivery.subscription_id.in_(subscriptions),
        )
        .order_by(Issue.started_at.desc(), Delivery.id.desc())
    )
    return list(db.session.scalars(chosen))


def _alarm_once(issue_id: int | None, said: Said, now: datetime) -> None:
    """Tell the administrators that a mail system turns us away; the first time for the issue, and no more."""
    issue = db.session.get(Issue, issue_id) if issue_id is not None else None
    if issue is None:
        return
    take_turn(f"turned-away:{issue.id}")
    told = select(Activity.id).where(Activity.issue_id == issue.id, Activity.action == _TURNED_AWAY)
    if db.session.scalar(told.limit(1)) is not None:
        return
    people = who_may(Permission.MANAGE_INSTALLATION, issue.mailing_list)
    tell("sending_turned_away", people, issue, now=now, reply=said.reply, reporter=said.reporter)
    activity.record(_TURNED_AWAY, actor=None, now=now, issue=issue, status=said.enhanced)
    _log.warning("A mail system turns issue %d away: %s", issue.id, said.reply)
