"""The figures of a report: each by one SELECT that leaves the counting to the database.

Half a million deliveries are a second's work for it and a minute's for us, so no row of them comes here.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    case,
    cast,
    extract,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute

from ...db import db
from ...models import Consent, Delivery, DeliveryProgress, Feedback, Issue, Subscriber, Subscription
from ...states import ConsentEvent, DeliveryState, FeedbackKind
from .accounts import Counts, reasons

#: A domain with fewer recipients is not named: it could be one person's.
FEWEST = 5
_MOST_DOMAINS = 40
_MOST_BARS = 60
#: How wide a bar of the chart may be, in seconds: ten seconds to a day.
_STEPS = (10, 30, 60, 300, 900, 3_600, 14_400, 86_400)
_HOUR = 3_600
UNSUBSCRIBED_FOR = timedelta(days=7)
_LOCAL_PART = re.compile(r"[^\s<>@,;:\"'()\[\]]+@")


@dataclass(frozen=True)
class Series:
    """Numbers over time: the first counts from `start` for `seconds`, the next follows it, and so on."""

    start: datetime
    seconds: int
    numbers: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.numbers)


@dataclass(frozen=True)
class Cause:
    """Why people did not get it: one reply of a mail server, without whom it was about, and how many got it."""

    code: int | None
    enhanced: str
    reply: str
    people: int


@dataclass(frozen=True)
class Domain:
    """The recipients of one domain, and what became of them. Without a name: all the others together."""

    name: str
    people: int
    accepted: int
    refused: int
    bounced: int
    complained: int


def causes(issue: Issue, state: DeliveryState) -> tuple[Cause, ...]:
    """The replies behind a state, the most frequent first.

    Servers quote whom they refuse. The report outlives the people in it, so it keeps what stands after the @ only.
    """
    return tuple(
        Cause(reason.code, reason.enhanced, _LOCAL_PART.sub("…@", reason.words), reason.people)
        for reason in reasons(issue, state)
    )


def came_back(issue: Issue) -> Mapping[str, int]:
    """How many reports of each kind came, and how many people bounced in one way or another ("bounced")."""
    rows = db.session.execute(
        select(Feedback.kind, func.count()).where(Feedback.issue_id == issue.id).group_by(Feedback.kind)
    )
    found = {kind.value: number for kind, number in rows}
    person = func.coalesce(Feedback.subscription_id, -Feedback.id)
    bounced = select(func.count(person.distinct())).where(Feedback.issue_id == issue.id, _BOUNCED)
    return {kind.value: found.get(kind.value, 0) for kind in FeedbackKind} | {
        "bounced": db.session.scalar(bounced) or 0
    }


def domains(issue: Issue, counts: Counts, back: Mapping[str, int]) -> tuple[tuple[Domain, ...], Domain]:
    """Recipients by domain, the largest first, and those of all other domains together, with people since erased.

    The two add up to `counts`, and what came back adds up to `back`.
    """
    name = _domain()
    people = func.count()
    rows = db.session.execute(
        _recipients(select(name, people, _number_in(DeliveryState.ACCEPTED), _number_in(DeliveryState.REFUSED)))
        .where(Delivery.issue_id == issue.id, Subscriber.address.is_not(None))
        .group_by(name)
        .having(people >= FEWEST)
        .order_by(people.desc(), name)
        .limit(_MOST_DOMAINS)
    ).all()
    bounced, complained = _came_back_by_domain(issue)
    named = tuple(
        Domain(each, number, accepted, refused, bounced[each], complained[each])
        for each, number, accepted, refused in rows
    )
    others = Domain(
        "",
        people=_rest(counts.recipients, (each.people for each in named)),
        accepted=_rest(counts.accepted, (each.accepted for each in named)),
        refused=_rest(counts.refused, (each.refused for each in named)),
        bounced=_rest(back["bounced"], (each.bounced for each in named)),
        complained=_rest(back[FeedbackKind.COMPLAINT], (each.complained for each in named)),
    )
    return named, others


def accepted_over_time(issue: Issue, until: datetime) -> Series:
    """How many were accepted from the start to `until`, by as fine a step as gives sixty numbers at most.

    From the kept slots; of an issue that has none, from the moments that stand in its deliveries.
    """
    assert issue.started_at is not None
    step = _step(issue.started_at, until)
    start = datetime.fromtimestamp(issue.started_at.timestamp() // step * step, UTC)
    kept = db.session.scalar(select(func.count()).where(DeliveryProgress.issue_id == issue.id))
    if kept:
        bucket = _bucket(DeliveryProgress.slot, start, step)
        chosen = select(bucket, func.sum(DeliveryProgress.number)).where(
            DeliveryProgress.issue_id == issue.id,
            DeliveryProgress.state == DeliveryState.ACCEPTED,
            DeliveryProgress.slot <= until,
        )
    else:
        bucket = _bucket(Delivery.updated_at, start, step)
        chosen = select(bucket, func.count()).where(
            Delivery.issue_id == issue.id, Delivery.state == DeliveryState.ACCEPTED, Delivery.updated_at <= until
        )
    return _series(chosen.group_by(bucket), start, step, int((until - start).total_seconds()) // step + 1)


def unsubscribed_by_hour(issue: Issue, now: datetime) -> Series:
    """How many left the issue's list in each hour since it began to go out, for seven days or until `now`."""
    assert issue.started_at is not None
    start = issue.started_at.replace(second=0, microsecond=0)
    end = min(start + UNSUBSCRIBED_FOR, now)
    bucket = _bucket(Consent.at, start, _HOUR)
    chosen = (
        select(bucket, func.count())
        .join(Subscription, Subscription.id == Consent.subscription_id)
        .where(
            Subscription.list_id == issue.list_id,
            Consent.event == ConsentEvent.WITHDRAWN,
            Consent.at >= start,
            Consent.at < start + UNSUBSCRIBED_FOR,
        )
        .group_by(bucket)
    )
    hours = max(1, -int(-(end - start).total_seconds() // _HOUR))
    return _series(chosen, start, _HOUR, hours)


# --- how ---------------------------------------------------------------------------------------------------------

_BOUNCED = Feedback.kind != FeedbackKind.COMPLAINT


def _domain() -> ColumnElement[str]:
    """What stands after the @. Our addresses have one @, and a domain in lower case (`addresses.clean`)."""
    if db.engine.dialect.name == "sqlite":
        return func.substr(Subscriber.address, func.instr(Subscriber.address, "@") + 1)
    return func.split_part(Subscriber.address, "@", 2)


def _number_in(state: DeliveryState) -> ColumnElement[int]:
    return func.count(case((Delivery.state == state, 1)))


def _recipients(chosen: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        chosen.select_from(Delivery)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
    )


def _came_back_by_domain(issue: Issue) -> tuple[Counter[str], Counter[str]]:
    name = _domain()
    rows = db.session.execute(
        select(
            name,
            func.count(case((_BOUNCED, Feedback.subscription_id)).distinct()),
            func.count(case((Feedback.kind == FeedbackKind.COMPLAINT, 1))),
        )
        .join(Subscription, Subscription.id == Feedback.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Feedback.issue_id == issue.id)
        .group_by(name)
    ).all()
    return Counter({row[0]: row[1] for row in rows}), Counter({row[0]: row[2] for row in rows})


def _rest(total: int, parts: Iterable[int]) -> int:
    # A row may move between two SELECTs; a number of people is never below none.
    return max(0, total - sum(parts))


def _step(start: datetime, until: datetime) -> int:
    seconds = (until - start).total_seconds()
    return next((step for step in _STEPS if seconds / step < _MOST_BARS - 1), _STEPS[-1])


def _bucket(column: InstrumentedAttribute[datetime], start: datetime, seconds: int) -> ColumnElement[int]:
    """Which stretch of `seconds` since `start` an instant lies in, from 0; `start` is a whole second."""
    if db.engine.dialect.name == "sqlite":
        micro = 1_000_000  # what UTCDateTime counts in there
        since = type_coerce(column, BigInteger) - int(start.timestamp()) * micro
        return since // literal(seconds * micro, BigInteger)
    return cast(func.floor((extract("epoch", column) - int(start.timestamp())) / seconds), Integer)


def _series(chosen: Select[int, int], start: datetime, seconds: int, length: int) -> Series:
    found = {int(place): int(number) for place, number in db.session.execute(chosen)}
    return Series(start, seconds, tuple(found.get(place, 0) for place in range(length)))
