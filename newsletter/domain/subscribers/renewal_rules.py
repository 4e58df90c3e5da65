"""After how long people are asked whether they still want a list: decided list by list, and seen before it begins.

Opening a mail tells nobody anything here, so whoever was not heard from is whoever did nothing themselves for so long:
no sign-up, no confirmation, no change of what they get. Staff who bring somebody in begin that time, and no more.
Nothing begins by itself: a list of which no administrator has decided asks nobody.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select

from ... import addresses
from ...db import db
from ...errors import Invalid, Problem
from ...i18n import gettext as _
from ...models import Account, MailingList, Renewal, RenewalRule, Subscription
from ...states import LawfulBasis, RenewalState, SubscriptionState
from ..staff import activity, wording
from ..staff.permissions import Permission, require
from . import heard

#: What is proposed, and the limits of what can be chosen, in months.
USUAL, SHORTEST, LONGEST = 24, 6, 60
LONGEST_REASON = 200
#: One in so many of a list is asked on one day, so that no mail server sees a flood; of a small list more.
SHARE, AT_LEAST = 30, 50
#: At each run, which is every hour.
MOST_A_RUN = 500
MONTH = timedelta(days=30)


@dataclass(frozen=True)
class Outlook:
    """How it stands on one list, and what would happen. Nothing was changed to know it."""

    mailing_list: MailingList
    rule: RenewalRule | None
    active: int
    #: Not heard from for so long, and not asked yet.
    due: int
    #: Of these and those who come to it, how many are asked in the next 30 days.
    soon: int
    #: Asked, without an answer so far: they leave within 30 days if they give none.
    waiting: int
    kept: int
    lapsed: int
    unanswered: int

    @property
    def asks(self) -> bool:
        return self.rule is not None and self.rule.months > 0


def silence_ends(mailing_list: MailingList) -> bool:
    """Whether whoever gives no answer leaves.

    Not where people get it for a public task: it was not theirs to agree to, so saying nothing takes nothing back.
    """
    return mailing_list.lawful_basis is not LawfulBasis.PUBLIC_TASK


def rule_of(mailing_list: MailingList) -> RenewalRule | None:
    """What was decided; None while nobody has."""
    return db.session.get(RenewalRule, mailing_list.id)


def decide(mailing_list: MailingList, months: int, off_reason: str, *, actor: Account, now: datetime) -> RenewalRule:
    """Have people asked after so many months; 0 for never, with the reason. Raises Invalid, NotAllowed.

    Who was asked already and gave no answer stays, where it is never now.
    """
    require(actor, Permission.MANAGE_INSTALLATION)
    if months and not SHORTEST <= months <= LONGEST:
        sentence = _("Enter a number of months from {shortest} to {longest}")
        raise Invalid([Problem("months", sentence.format(shortest=SHORTEST, longest=LONGEST))])
    reason = ""
    if not months:
        missing = _("Say why people are kept on this list without ever being asked")
        said = wording.line(off_reason, field="reason", longest=LONGEST_REASON, missing=missing)
        reason = addresses.mask_within(said)[:LONGEST_REASON]
    rule = rule_of(mailing_list) or RenewalRule(list_id=mailing_list.id)
    rule.months, rule.off_reason, rule.decided_at, rule.decided_by_id = months, reason, now, actor.id
    db.session.add(rule)
    if not months:
        heard.settle(select(Subscription.id).where(Subscription.list_id == mailing_list.id), RenewalState.ENDED, now)
    db.session.flush()
    activity.record("renewals.decided", actor=actor, now=now, mailing_list=mailing_list, months=months, reason=reason)
    return rule


def months_before(now: datetime, months: int) -> datetime:
    """The same day so many months ago, or the last of a shorter month."""
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    return now.replace(year=year, month=month + 1, day=min(now.day, monthrange(year, month + 1)[1]))


def due(mailing_list: MailingList, months: int, now: datetime) -> list[ColumnElement[bool]]:
    """What holds of a subscription whose person was not heard from for so long, and is to be asked."""
    since = months_before(now, months)
    asked = select(1).where(
        Renewal.subscription_id == Subscription.id,
        or_(Renewal.asked_at > since, Renewal.state == RenewalState.ASKED),
    )
    return [
        Subscription.list_id == mailing_list.id,
        Subscription.state == SubscriptionState.ACTIVE,
        Subscription.subscriber_id.is_not(None),
        Subscription.joined_at <= since,
        or_(Subscription.renewed_at.is_(None), Subscription.renewed_at <= since),
        or_(Subscription.paused_until.is_(None), Subscription.paused_until <= now),
        ~asked.correlate(Subscription).exists(),
    ]


def count_due(mailing_list: MailingList, months: int, now: datetime) -> int:
    """How many these are."""
    return db.session.scalar(select(func.count(Subscription.id)).where(*due(mailing_list, months, now))) or 0


def a_day(active: int) -> int:
    """How many people of a list of this size are asked on one day."""
    return max(AT_LEAST, -(-active // SHARE))


def count_active(mailing_list: MailingList) -> int:
    """How many are on the list."""
    on = Subscription.list_id == mailing_list.id, Subscription.state == SubscriptionState.ACTIVE
    return db.session.scalar(select(func.count(Subscription.id)).where(*on)) or 0


def outlook(mailing_list: MailingList, now: datetime, months: int | None = None) -> Outlook:
    """How it stands, by the rule that there is; by `months`, or what is proposed, where there is none."""
    rule, active = rule_of(mailing_list), count_active(mailing_list)
    after = months or (rule.months if rule and rule.months else USUAL)
    states = dict(
        db.session.execute(
            select(Renewal.state, func.count(Renewal.id))
            .join(Subscription, Subscription.id == Renewal.subscription_id)
            .where(Subscription.list_id == mailing_list.id)
            .group_by(Renewal.state)
        ).all()
    )
    by_then = count_due(mailing_list, after, now + MONTH)
    return Outlook(
        mailing_list=mailing_list, rule=rule, active=active,
        due=count_due(mailing_list, after, now),
        soon=min(by_then, 30 * min(a_day(active), 24 * MOST_A_RUN)),
        waiting=states.get(RenewalState.ASKED, 0),
        kept=states.get(RenewalState.KEPT, 0),
        lapsed=states.get(RenewalState.LAPSED, 0),
        unanswered=states.get(RenewalState.UNANSWERED, 0),
    )  # fmt: skip
