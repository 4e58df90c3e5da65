"""What somebody says who was asked whether they still want a list: yes, in time or after they had left for silence."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from ...db import db
from ...errors import NotFound, Refused, TokenExpired
from ...i18n import gettext as _
from ...models import Consent, MailingList, Renewal, Subscriber, Subscription
from ...states import ConsentEvent, RenewalState, SubscriptionState
from ..staff import activity
from . import heard, joining, leaving, offering, suppressing

#: As long as the link in the mail takes the leaving back.
WORKS_FOR = timedelta(days=180)
ROUTE = "renewal"


@dataclass(frozen=True)
class Question:
    """What a link leads to."""

    renewal: Renewal
    subscription: Subscription
    subscriber: Subscriber
    mailing_list: MailingList

    @property
    def active(self) -> bool:
        """Whether they get the list now."""
        return self.subscription.state is SubscriptionState.ACTIVE

    @property
    def answered(self) -> bool:
        """Whether they have said yes, here or by something else that they did."""
        return self.renewal.state is RenewalState.KEPT

    @property
    def comes_back(self) -> bool:
        """Whether they left for silence alone: then the same link brings them back."""
        return not self.active and self.renewal.state is RenewalState.LAPSED


def find(public_id: uuid.UUID, now: datetime) -> Question:
    """The question of a link. Raises NotFound for one that is none or was forgotten, TokenExpired after half a year."""
    renewal = db.session.scalar(select(Renewal).where(Renewal.public_id == public_id))
    subscriber = renewal.subscription.subscriber if renewal is not None else None
    if renewal is None or subscriber is None:
        raise NotFound(_("This link is not known here, or we hold nothing about you any more."))
    if now >= renewal.asked_at + WORKS_FOR:
        raise TokenExpired(_("This link worked for half a year. You can sign up again."))
    subscription = renewal.subscription
    return Question(renewal, subscription, subscriber, subscription.mailing_list)


def wording_of(question: Question, now: datetime) -> str:
    """The words that stand beside the button, and in the evidence; "" for a list that has none."""
    wording = offering.wording_of(question.mailing_list, now)
    return wording.text if wording else ""


def keep(question: Question, *, now: datetime, network: str = "") -> bool:
    """They want it still, or again. True if this said so first.

    Raises Refused for whoever left by themselves since, or must not be written to: a link that travels with a forwarded
    mail brings nobody back who said no.
    """
    if question.active:
        return _keep_active(question, network, now)
    if not question.comes_back:
        raise Refused(_("You left this list yourself. You can sign up again."))
    if suppressing.blocks_sign_up(question.subscriber.address):
        raise Refused(_("We were told not to write to this address. The contact below can change that."))
    wording = offering.wording_of(question.mailing_list, now)
    if wording is None:
        raise Refused(_("Nobody can join this list at the moment. Write to us."))
    evidence = joining.Evidence(
        wording=wording, privacy_version=offering.privacy_version(), route=ROUTE, network=network,
        asked_at=question.renewal.asked_at,
    )  # fmt: skip
    joining.join(question.subscriber, question.mailing_list, evidence, now=now)
    suppressing.end_by_sign_up(question.subscriber.address, now=now)
    question.subscription.left_reason = question.subscription.left_words = ""
    question.renewal.state = RenewalState.KEPT
    db.session.flush()
    _record("subscription.rejoined", question, now)
    return True


def _keep_active(question: Question, network: str, now: datetime) -> bool:
    answered = update(Renewal).where(Renewal.id == question.renewal.id, Renewal.state != RenewalState.KEPT)
    done = db.session.execute(answered.values(state=RenewalState.KEPT, ended_at=now))
    if done.rowcount == 0:  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
        return False
    wording = offering.wording_of(question.mailing_list, now)
    db.session.add(
        Consent(
            subscription_id=question.subscription.id, event=ConsentEvent.GIVEN, at=now,
            asked_at=question.renewal.asked_at, wording_id=wording.id if wording else None,
            wording=wording.text if wording else "", privacy_version=offering.privacy_version(), route=ROUTE,
            network=network,
        )
    )  # fmt: skip
    heard.heard_from(question.subscriber, now)
    _record("subscription.renewed", question, now)
    return True


def _record(action: str, question: Question, now: datetime) -> None:
    activity.record(
        action, actor=None, actor_name=leaving.SUBSCRIBER, now=now, mailing_list=question.mailing_list,
        subject=("subscription", question.subscription.id),
    )  # fmt: skip
