"""Part of a list, by saved conditions: what a condition may say, and how it is asked of the database.

A condition is {"field", "is", "value"}, one of the few in `_ASKED`; all of an audience must hold. Nobody writes SQL:
what is typed becomes a bound value and nothing else. Days are whole days in the list's zone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import aliased

from ... import addresses, dates
from ...db import db
from ...errors import Invalid, NotFound, Problem
from ...i18n import gettext as _
from ...models import Account, Audience, Delivery, Issue, MailingList, Subscriber, Subscription
from ...states import DeliveryState, SubscriptionState
from ..staff import activity
from . import sectors
from .words import LONGEST_ORGANISATION, one_line

Condition = Mapping[str, Any]
LONGEST_NAME, MOST_DOMAINS = 120, 50


@dataclass(frozen=True)
class Kind:
    """One thing that can be asked: how its value is read, asked of the database, and said in words."""

    read: Callable[[Any], Any]
    holds: Callable[[Any, MailingList], ColumnElement[bool]]
    words: Callable[[Any], str]


def members(mailing_list: MailingList, conditions: Sequence[Condition] = ()) -> Select[int]:
    """The ids of the active subscriptions of the list of which every condition holds. Raises Invalid for an odd one."""
    chosen = select(Subscription.id).where(
        Subscription.list_id == mailing_list.id,
        Subscription.state == SubscriptionState.ACTIVE,
        Subscription.subscriber_id.is_not(None),
    )
    if not conditions:
        return chosen
    asked = [_kind(one).holds(one["value"], mailing_list) for one in checked(conditions)]
    return chosen.join(Subscriber, Subscriber.id == Subscription.subscriber_id).where(*asked)


def count(mailing_list: MailingList, conditions: Sequence[Condition] = ()) -> int:
    """How many people that is now."""
    return db.session.scalar(select(func.count()).select_from(members(mailing_list, conditions).subquery())) or 0


def in_words(conditions: Sequence[Condition]) -> list[str]:
    """One sentence a condition."""
    return [_kind(one).words(one["value"]) for one in conditions]


def checked(conditions: Sequence[Condition]) -> list[dict[str, Any]]:
    """The conditions as they are stored: known kinds only, each value read and put in order. Raises Invalid."""
    read, problems = [], []
    for one in conditions:
        kind = _kind(one)
        try:
            read.append({"field": one["field"], "is": one["is"], "value": kind.read(one.get("value"))})
        except Invalid as error:
            problems += [Problem(f"{one['field']}_{one['is']}", each.sentence) for each in error.problems]
    if problems:
        raise Invalid(problems)
    return read


def _kind(condition: Condition) -> Kind:
    try:
        return _ASKED[condition["field"], condition["is"]]
    except (KeyError, TypeError):
        raise Invalid([Problem("conditions", _("There is no such condition."))]) from None


# --- saving one ---------------------------------------------------------------------------------------------------


def of_list(mailing_list: MailingList) -> list[Audience]:
    """The saved audiences of a list by name, without those that have ended."""
    chosen = select(Audience).where(Audience.list_id == mailing_list.id, Audience.ended_at.is_(None))
    return list(db.session.scalars(chosen.order_by(func.lower(Audience.name), Audience.id)))


def find(number: int) -> Audience:
    """Raises NotFound, also for one that has ended."""
    found = db.session.get(Audience, number)
    if found is None or found.ended_at is not None:
        raise NotFound(_("There is no such audience. It may have been ended."))
    return found


def save(
    audience: Audience | None,
    mailing_list: MailingList,
    name: str,
    conditions: Sequence[Condition],
    *,
    actor: Account | None,
    now: datetime,
) -> Audience:
    """A new audience, or other conditions for `audience`. Issues that chose it keep the copy they were approved with.

    Raises Invalid, with every problem: no name, a name that is taken, nothing asked, a value that cannot be read.
    """
    problems, read = [], []
    name = one_line(name)
    if not name:
        problems.append(Problem("name", _("Enter a name for the audience")))
    elif len(name) > LONGEST_NAME:
        problems.append(Problem("name", _("Enter a name of 120 characters or fewer")))
    elif any(one is not audience and one.name.casefold() == name.casefold() for one in of_list(mailing_list)):
        problems.append(Problem("name", _("There is an audience of that name already")))
    try:
        read = checked(conditions)
    except Invalid as error:
        problems += error.problems
    if not conditions:
        problems.append(Problem("sector_one_of", _("Say at least one thing about the people you mean")))
    if problems:
        raise Invalid(problems)
    before = audience.conditions if audience else None
    if audience is None:
        audience = Audience(list_id=mailing_list.id, created_at=now, created_by_id=actor.id if actor else None)
        db.session.add(audience)
    audience.name, audience.conditions = name, read
    db.session.flush()
    activity.record(
        "audience.saved", actor=actor, now=now, mailing_list=mailing_list, subject=("audience", audience.id),
        name=name, conditions=read, before=before,
    )  # fmt: skip
    return audience


def end(audience: Audience, *, actor: Account | None, now: datetime) -> None:
    """Offer it no more. Issues that chose it keep their copy."""
    audience.ended_at = now
    db.session.flush()
    activity.record(
        "audience.ended", actor=actor, now=now, mailing_list=audience.mailing_list,
        subject=("audience", audience.id), name=audience.name,
    )  # fmt: skip


# --- what can be asked --------------------------------------------------------------------------------------------


def _refuse(sentence: str) -> Invalid:
    return Invalid([Problem("value", sentence)])


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise _refuse(_("Choose at least one"))
    return value


def _read_sectors(value: Any) -> list[str]:
    names = {"", *sectors.names()}
    chosen = sorted(set(_texts(value)))
    if not names.issuperset(chosen):
        raise _refuse(_("Choose from the sectors that are there"))
    return chosen


def _read_words(value: Any) -> str:
    words = one_line(value) if isinstance(value, str) else ""
    if not words or len(words) > LONGEST_ORGANISATION:
        raise _refuse(_("Enter some words of the organisation’s name, 150 characters at most"))
    return words


def _read_domains(value: Any) -> list[str]:
    read = sorted({_domain(one) for one in _texts(value)})
    if len(read) > MOST_DOMAINS:
        raise _refuse(_("Enter %(most)d domains at most") % {"most": MOST_DOMAINS})
    return read


def _domain(typed: str) -> str:
    wanted = one_line(typed).removeprefix("*.").rpartition("@")[2].lstrip(".")
    try:
        return addresses.domain_of(addresses.clean(f"somebody@{wanted}"))
    except Invalid:
        raise _refuse(_("“%(typed)s” is no domain. Enter what stands after the @") % {"typed": typed[:60]}) from None


def _read_list(value: Any) -> int:
    if not isinstance(value, int) or db.session.get(MailingList, value) is None:
        raise _refuse(_("Choose a list"))
    return value


def _read_day(value: Any) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise _refuse(_("Enter a date, such as 15 January 2027")) from None


def _begins(day: str, mailing_list: MailingList) -> datetime:
    return dates.to_instant(date.fromisoformat(day), time(0), mailing_list.timezone)


def _at(domains: Sequence[str]) -> ColumnElement[bool]:
    """Addresses at one of the domains, or at one below it. The domain is what a key ends with."""
    ends = [f"{before}{domain}" for domain in domains for before in "@."]
    return or_(*(Subscriber.address_key.endswith(end, autoescape=True) for end in ends))


def _also_on(list_id: int) -> ColumnElement[bool]:
    other = aliased(Subscription)
    return (
        select(other.id)
        .where(
            other.subscriber_id == Subscription.subscriber_id,
            other.list_id == list_id,
            other.state == SubscriptionState.ACTIVE,
        )
        .exists()
    )


def _sent_since(day: str, mailing_list: MailingList) -> ColumnElement[bool]:
    """Asked by issue, as the deliveries are indexed: what was sent since is read once, not once a person."""
    of_list = select(Issue.id).where(Issue.list_id == mailing_list.id)
    return Subscription.id.in_(
        select(Delivery.subscription_id).where(
            Delivery.issue_id.in_(of_list),
            Delivery.state == DeliveryState.ACCEPTED,
            Delivery.updated_at >= _begins(day, mailing_list),
        )
    )


def _sector_names(slugs: Sequence[str]) -> str:
    names = {**sectors.names(), "": _("nothing said")}
    return _(" or ").join(names.get(slug, slug) for slug in slugs)


def _list_name(list_id: int) -> str:
    found = db.session.get(MailingList, list_id)
    return found.name if found else str(list_id)


def _day(value: str) -> str:
    return dates.day(date.fromisoformat(value))


_ASKED: Mapping[tuple[str, str], Kind] = {
    ("sector", "one_of"): Kind(
        _read_sectors, lambda value, _on: Subscriber.sector.in_(value),
        lambda value: _("Sector: {names}").format(names=_sector_names(value)),
    ),
    ("organisation", "has"): Kind(
        _read_words, lambda value, _on: Subscriber.organisation.icontains(value, autoescape=True),
        lambda value: _("Organisation has “{words}” in its name").format(words=value),
    ),
    ("domain", "one_of"): Kind(
        _read_domains, lambda value, _on: _at(value),
        lambda value: _("Address at {domains}").format(domains=_(" or ").join(value)),
    ),
    ("domain", "none_of"): Kind(
        _read_domains, lambda value, _on: ~_at(value),
        lambda value: _("No address at {domains}").format(domains=_(" or ").join(value)),
    ),
    ("list", "on"): Kind(
        _read_list, lambda value, _on: _also_on(value),
        lambda value: _("Also gets {name}").format(name=_list_name(value)),
    ),
    ("list", "off"): Kind(
        _read_list, lambda value, _on: ~_also_on(value),
        lambda value: _("Does not get {name}").format(name=_list_name(value)),
    ),
    ("joined", "since"): Kind(
        _read_day, lambda value, on: Subscription.joined_at >= _begins(value, on),
        lambda value: _("Joined on {day} or later").format(day=_day(value)),
    ),
    ("joined", "before"): Kind(
        _read_day, lambda value, on: Subscription.joined_at < _begins(value, on),
        lambda value: _("Joined before {day}").format(day=_day(value)),
    ),
    ("sent", "not_since"): Kind(
        _read_day, lambda value, on: ~_sent_since(value, on),
        lambda value: _("Was sent nothing of this list since {day}").format(day=_day(value)),
    ),
}  # fmt: skip
