"""Asking whoever was not heard from for long whether they still want a list: once, and once more after two weeks.

Who gives no answer within 30 days leaves, if mail has really reached their mail server; the same link takes that back.
A run does a little at a time, so that neither our mail server nor theirs sees a flood, and none where a mail would not
leave: while this installation does not send to everyone, or the list has an issue on its way.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select

from ...config import current_settings
from ...db import db, take_turn, transaction
from ...models import Issue, MailingList, Notice, Organisation, Renewal, RenewalRule, Subscriber, Subscription
from ...states import IssueState, NoticeState, RenewalState, SendingMode, SubscriptionState
from .. import notices
from ..staff import activity
from . import leaving, renewal_rules, suppressing

_log = logging.getLogger(__name__)
ASKED, REMINDER = "renewal_asked", "renewal_reminder"
#: From the question to the reminder, and from there to the end: 30 days in all.
REMIND_AFTER, END_AFTER = timedelta(days=14), timedelta(days=16)
#: How the evidence names the end of a subscription whose person did not answer.
ROUTE = "not renewed"
_BATCH = 100
_DAY = timedelta(days=1)
_ON_ITS_WAY = (IssueState.SENDING, IssueState.PAUSED)
#: What became of a mail that cannot have been answered, or of which nobody knows.
_DID_NOT_ARRIVE = (NoticeState.REFUSED, NoticeState.UNSURE, NoticeState.DROPPED)


def lists_to_ask() -> list[int]:
    """The numbers of the lists on which people are asked."""
    chosen = select(RenewalRule.list_id).where(RenewalRule.months > 0).order_by(RenewalRule.list_id)
    return list(db.session.scalars(chosen))


def run(list_id: int, now: datetime) -> Counter[str]:
    """What is due on one list now, in small transactions; returns how many of what. A second run at once finds nothing.

    Opens its own transactions.
    """
    done: Counter[str] = Counter()
    while done.total() < renewal_rules.MOST_A_RUN:
        with transaction():
            take_turn(f"renewals:{list_id}")
            some = _batch(list_id, min(_BATCH, renewal_rules.MOST_A_RUN - done.total()), now)
        if not some:
            break
        done += some
    if done:
        with transaction() as session:
            activity.record(
                "renewals.run", actor=None, now=now, mailing_list=session.get(MailingList, list_id), counts=_said(done)
            )
        _log.info("Renewals of list %d: %s", list_id, dict(done))
    return done


def _said(done: Counter[str]) -> list[str]:
    """Such as "asked 24"."""
    return [f"{what.replace('_', ' ')} {number}" for what, number in sorted(done.items())]


def _batch(list_id: int, most: int, now: datetime) -> Counter[str]:
    rule, mailing_list = db.session.get(RenewalRule, list_id), db.session.get_one(MailingList, list_id)
    if rule is None or not rule.months or not _may_write(mailing_list):
        return Counter()
    return _end(mailing_list, most, now) or _remind(mailing_list, most, now) or _ask(mailing_list, rule, most, now)


def _may_write(mailing_list: MailingList) -> bool:
    """Whether a mail would leave now, and not in the way of an issue."""
    publisher = db.session.get(Organisation, 1)
    if publisher is None or publisher.sending_mode is not SendingMode.EVERYONE:
        return False
    if current_settings().relay_url is None and not publisher.demo:
        # The built-in mailbox takes everything, and nobody reads it.
        return False
    going = select(Issue.id).where(Issue.list_id == mailing_list.id, Issue.state.in_(_ON_ITS_WAY)).limit(1)
    return db.session.scalar(going) is None


def _open(mailing_list: MailingList, most: int, *conditions: ColumnElement[bool]) -> Sequence[Renewal]:
    """Open questions on the list, oldest first, with the mail that went last."""
    chosen = (
        select(Renewal)
        .join(Subscription, Subscription.id == Renewal.subscription_id)
        .join(Notice, Notice.id == Renewal.notice_id, isouter=True)
        .where(Renewal.state == RenewalState.ASKED, Subscription.list_id == mailing_list.id, *conditions)
        .order_by(Renewal.id)
        .limit(most)
    )
    return db.session.scalars(chosen).all()


def _not_paused(now: datetime) -> ColumnElement[bool]:
    return or_(Subscription.paused_until.is_(None), Subscription.paused_until <= now)


def _end(mailing_list: MailingList, most: int, now: datetime) -> Counter[str]:
    """Those who have left otherwise, whose mail did not arrive, or who gave no answer in time."""
    gone = Subscription.state != SubscriptionState.ACTIVE
    lost = or_(Notice.id.is_(None), Notice.state.in_(_DID_NOT_ARRIVE))
    late = Renewal.reminded_at.is_not(None) & (Notice.accepted_at <= now - END_AFTER) & _not_paused(now)
    done: Counter[str] = Counter()
    for one in _open(mailing_list, most, or_(gone, lost, late)):
        subscription, person = one.subscription, one.subscription.subscriber
        arrived = one.notice is not None and one.notice.state is NoticeState.ACCEPTED
        if subscription.state is not SubscriptionState.ACTIVE or person is None:
            one.state, what = RenewalState.ENDED, "left_otherwise"
        elif not arrived or suppressing.is_suppressed(person.address):
            one.state, what = RenewalState.ENDED, "not_reached"
        elif renewal_rules.silence_ends(mailing_list):
            one.state, what = RenewalState.LAPSED, "left"
        else:
            one.state, what = RenewalState.UNANSWERED, "unanswered"
        one.ended_at = now
        db.session.flush()
        if one.state is RenewalState.LAPSED:
            leaving.unsubscribe(subscription, route=ROUTE, now=now, by=activity.SYSTEM)
        done[what] += 1
    return done


def _remind(mailing_list: MailingList, most: int, now: datetime) -> Counter[str]:
    waited = Notice.accepted_at <= now - REMIND_AFTER
    done: Counter[str] = Counter()
    for one in _open(mailing_list, most, Renewal.reminded_at.is_(None), waited, _not_paused(now)):
        person = one.subscription.subscriber
        if person is None or suppressing.is_suppressed(person.address):
            one.state, one.ended_at = RenewalState.ENDED, now
            done["not_reached"] += 1
            continue
        one.reminded_at, one.notice = now, _write(REMINDER, one, person, mailing_list, now)
        done["reminded"] += 1
    db.session.flush()
    return done


def _ask(mailing_list: MailingList, rule: RenewalRule, most: int, now: datetime) -> Counter[str]:
    today = select(func.count(Renewal.id)).join(Subscription, Subscription.id == Renewal.subscription_id)
    asked = today.where(Subscription.list_id == mailing_list.id, Renewal.asked_at > now - _DAY)
    left = renewal_rules.a_day(renewal_rules.count_active(mailing_list)) - (db.session.scalar(asked) or 0)
    if left <= 0:
        return Counter()
    chosen = select(Subscription).where(*renewal_rules.due(mailing_list, rule.months, now)).order_by(Subscription.id)
    done: Counter[str] = Counter()
    for subscription in db.session.scalars(chosen.limit(min(most, left))).all():
        person = db.session.get_one(Subscriber, subscription.subscriber_id)
        one = Renewal(subscription_id=subscription.id, state=RenewalState.ASKED, asked_at=now)
        db.session.add(one)
        if suppressing.is_suppressed(person.address):
            # Nobody who must not be written to is asked; noted, so that the next run looks further.
            one.state, one.ended_at = RenewalState.ENDED, now
            done["not_reached"] += 1
            continue
        db.session.flush()
        one.notice = _write(ASKED, one, person, mailing_list, now)
        done["asked"] += 1
    db.session.flush()
    return done


def _write(template: str, one: Renewal, person: Subscriber, mailing_list: MailingList, now: datetime) -> Notice:
    """Behind everything that somebody waits for."""
    return notices.send_notice(
        template, person.address, now=now, values={"renewal": str(one.public_id)}, mailing_list=mailing_list,
        priority=notices.DIGEST,
    )  # fmt: skip
