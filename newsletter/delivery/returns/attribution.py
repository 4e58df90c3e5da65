"""Whose message a report is about: by what we signed, and by nothing else.

Anybody can send us a report that names a reader's address. So an address proves nothing here; what does is the
envelope tag that the report was sent to, the sealed Message-ID, or the unsubscribe link in what came back.
"""

import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select

from ...config import current_settings
from ...db import LARGEST_ID, db
from ...errors import TokenInvalid
from ...mail.reports import Traces
from ...models import Delivery, Issue, Notice, Subscription
from ...states import DeliveryState
from ...tokens import read_envelope_tag, read_message_name, read_unsubscribe_token

_Read = TypeVar("_Read")
#: What the part of a Message-ID before the @ looks like in an issue's mail.
_SEALED = re.compile(r"\d{1,18}\.\d{1,18}\.[0-9a-f]{18}", re.ASCII)
#: A report comes within days. Older issues are looked at because a holiday may lie between two looks.
NEWEST_ISSUES = 12
_LEFT_US = (DeliveryState.ACCEPTED, DeliveryState.UNSURE)


@dataclass(frozen=True)
class About:
    """A reader's message. `issue_id` and `delivery` are None where it cannot be said which issue it was."""

    subscription: Subscription
    issue_id: int | None
    delivery: Delivery | None


@dataclass(frozen=True)
class AboutNotice:
    """A mail to one person: a confirmation, a receipt."""

    notice: Notice


@dataclass(frozen=True)
class Nobody:
    """Nothing in it is ours. `forged`: something was made to look so."""

    forged: bool
    why: str


def whose(traces: Traces, received_at: datetime) -> About | AboutNotice | Nobody:
    """The message that these traces lead to, if their signatures are good. Reads the database."""
    keys = current_settings().secret_keys
    names = [one.rpartition("@")[0] for one in traces.message_ids]
    people, bad_people = _verified(traces.tags, lambda tag: read_envelope_tag(keys, tag))
    leavers, bad_tokens = _verified(traces.unsubscribe_tokens, lambda token: read_unsubscribe_token(keys, token))
    sealed, bad_seals = _verified(filter(_SEALED.fullmatch, names), lambda name: read_message_name(keys, name))
    deliveries = _deliveries(sealed)
    subscriptions = _subscriptions(people | leavers, [one.subscription_id for one in deliveries])
    if len(subscriptions) > 1:
        return Nobody(True, "It names two different readers.")
    if subscriptions:
        delivery = deliveries[0] if deliveries else _newest_delivery(subscriptions[0], received_at)
        issue_id = delivery.issue_id if delivery else next((issue for issue, _delivery in sealed), None)
        return About(subscriptions[0], issue_id, delivery)
    if sealed or people or leavers:
        return Nobody(False, "It is about a message that we no longer keep anything of.")
    notice = db.session.scalar(select(Notice).where(Notice.message_id.in_(traces.message_ids)).limit(1))
    if notice is not None:
        return AboutNotice(notice)
    if bad_people or bad_tokens or bad_seals:
        return Nobody(True, "It looks like ours, and was not made by us.")
    return Nobody(False, "Nothing in it says which of our messages it is about.")


def _verified(marks: Iterable[str], read: Callable[[str], _Read]) -> tuple[set[_Read], int]:
    """What the good ones say, and how many were bad."""
    good: set[_Read] = set()
    bad = 0
    for mark in marks:
        try:
            good.add(read(mark))
        except TokenInvalid:
            bad += 1
    return good, bad


def _deliveries(sealed: set[tuple[int, int]]) -> list[Delivery]:
    """The rows behind sealed names, as far as they are still kept, newest first."""
    numbers = [number for _issue, number in sealed if number <= LARGEST_ID]
    rows = db.session.scalars(select(Delivery).where(Delivery.id.in_(numbers)).order_by(Delivery.id.desc()))
    return [row for row in rows if (row.issue_id, row.id) in sealed]


def _subscriptions(public_ids: set[uuid.UUID], ids: list[int]) -> list[Subscription]:
    return list(
        db.session.scalars(
            select(Subscription).where(Subscription.public_id.in_(public_ids) | Subscription.id.in_(ids)).limit(2)
        )
    )


def _newest_delivery(subscription: Subscription, received_at: datetime) -> Delivery | None:
    """The last message that had left for the reader when the report came."""
    issues = (
        select(Issue.id)
        .where(Issue.list_id == subscription.list_id, Issue.started_at <= received_at)
        .order_by(Issue.started_at.desc())
        .limit(NEWEST_ISSUES)
    )
    return db.session.scalar(
        select(Delivery)
        .join(Issue, Issue.id == Delivery.issue_id)
        .where(
            Delivery.issue_id.in_(list(db.session.scalars(issues))),
            Delivery.subscription_id == subscription.id,
            Delivery.state.in_(_LEFT_US),
            Delivery.first_tried_at <= received_at,
        )
        .order_by(Issue.started_at.desc())
        .limit(1)
    )
