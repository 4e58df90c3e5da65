"""Finding subscribers for staff, page by page: as quick among a million as among a thousand.

What is asked for is words that an address, a name or an organisation begin with, a list, a way to stand. Where one of
them holds for few, these few are looked at, all of them. Where each holds for many, the addresses are gone through in
order, and a page is full soon. No request looks at more than some ten thousand people: a page may come out short then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, distinct, false, func, or_, select, true, union_all
from sqlalchemy.orm import aliased, selectinload

from ...db import db
from ...models import MailingList, Subscriber, SubscriberWord, Subscription, WordsWanted
from ...models.finding import search_words
from ...states import SubscriptionState

#: So many are looked at, all of them, in a few hundredths of a second.
FEW = 5_000
#: Of more than so many who match some words, no more are counted.
_SOME = 2_000
#: How many addresses are gone through at once, and how many times for one page.
_STRIDE, _STRIDES = 10_000, 4
#: More people than this on several lists are not counted one by one.
_COUNTED = 100_000
_LAST = chr(0x10FFFF)
#: Numbers of people, as an index finds them.
_End = Select[Any]


class Standing(StrEnum):
    """How a person stands with a list, as staff ask for it."""

    ACTIVE = "active"
    PAUSED = "paused"
    LEFT = "left"


_STATES: Mapping[Standing | None, tuple[SubscriptionState, ...]] = {
    Standing.ACTIVE: (SubscriptionState.ACTIVE,),
    Standing.PAUSED: (SubscriptionState.ACTIVE,),
    Standing.LEFT: (SubscriptionState.LEFT, SubscriptionState.REMOVED),
    None: tuple(SubscriptionState),
}


@dataclass(frozen=True)
class Page:
    """Some subscribers by address, with their subscriptions loaded; `after_key` asks for the next page.

    With an `after_key` it may be short, even empty: further on there may be more.
    """

    subscribers: list[Subscriber]
    after_key: str | None


@dataclass(frozen=True)
class Count:
    """How many there are; at least so many, if there are `more`."""

    number: int
    more: bool = False


@dataclass(frozen=True)
class _Asked:
    """What somebody asks for. `hopeless` is a query without a letter or digit in it."""

    words: tuple[str, ...]
    hopeless: bool
    list_id: int | None
    standing: Standing | None
    now: datetime


def find_subscribers(
    query: str = "",
    mailing_list: MailingList | None = None,
    state: Standing | str | None = None,
    after_key: str | None = None,
    limit: int = 50,
    *,
    now: datetime,
) -> Page:
    """Subscribers with words that begin like those of `query`, on the list and in the state asked for.

    Ordered by address; a page begins after `after_key`, so that it costs the same wherever it is.
    """
    asked = _asked(query, mailing_list, state, now)
    if asked.hopeless:
        return Page([], None)
    waiting = _waiting(asked)
    conditions = _conditions(asked, waiting)
    few = _few(asked, waiting)
    if few is not None:
        chosen = select(Subscriber.id).where(Subscriber.id.in_(few), *conditions)
        return _page(_read(chosen, after_key or "", None, limit + 1), limit, None)
    found: list[Subscriber] = []
    reached: str | None = after_key or ""
    for _stride in range(_STRIDES):
        begun, reached = reached or "", _stride_end(reached or "")
        found += _read(select(Subscriber.id).where(*conditions), begun, reached, limit + 1 - len(found))
        if len(found) > limit or reached is None:
            break
    return _page(found, limit, reached)


def asked_for(
    query: str, mailing_list: MailingList | None, state: Standing | str | None, now: datetime
) -> list[ColumnElement[bool]]:
    """What a subscriber must fulfil to be found by this search."""
    asked = _asked(query, mailing_list, state, now)
    return [false()] if asked.hopeless else _conditions(asked, _waiting(asked))


def counts(query: str = "", mailing_list: MailingList | None = None, *, now: datetime) -> dict[Standing | None, Count]:
    """How many `find_subscribers` would find, by how they stand; None is everybody."""
    asked = _asked(query, mailing_list, None, now)
    if asked.hopeless:
        return {each: Count(0) for each in (*Standing, None)}
    if asked.words:
        return _counted_among(asked)
    only = db.session.scalars(select(MailingList.id).limit(2)).all() if asked.list_id is None else [asked.list_id]
    return _counted_on(only[0], now) if len(only) == 1 else _counted_everywhere(now)


def _asked(query: str, mailing_list: MailingList | None, state: Standing | str | None, now: datetime) -> _Asked:
    words = tuple(sorted(search_words(query)))
    standing = Standing(state) if state is not None else None
    return _Asked(words, bool(query.strip()) and not words, mailing_list.id if mailing_list else None, standing, now)


# --- which of them -----------------------------------------------------------------------------------------------


def _beginning(word: str) -> ColumnElement[bool]:
    return and_(SubscriberWord.word >= word, SubscriberWord.word < word + _LAST)


def _waiting(asked: _Asked) -> ColumnElement[bool] | None:
    """Whoever waits for their words; None if nobody does, or no words are asked for."""
    ranges = db.session.execute(select(WordsWanted.first_id, WordsWanted.last_id)).all() if asked.words else []
    return or_(*(Subscriber.id.between(first, last) for first, last in ranges)) if ranges else None


def _holds(word: str) -> ColumnElement[bool]:
    """Looked up in the words themselves, for those who wait: within them, too."""
    columns = (Subscriber.address_key, Subscriber.name, Subscriber.organisation)
    return or_(*(column.icontains(word, autoescape=True) for column in columns))


def _conditions(asked: _Asked, waiting: ColumnElement[bool] | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for word in asked.words:
        theirs = select(1).where(SubscriberWord.subscriber_id == Subscriber.id, _beginning(word))
        indexed = theirs.correlate(Subscriber).exists()
        conditions.append(indexed if waiting is None else or_(indexed, and_(waiting, _holds(word))))
    if asked.list_id is not None or asked.standing is not None:
        standing = select(1).where(stands(asked.list_id, asked.standing, asked.now)).correlate(Subscriber)
        conditions.append(standing.where(Subscription.subscriber_id == Subscriber.id).exists())
    return conditions


def stands(list_id: int | None, standing: Standing | None, now: datetime) -> ColumnElement[bool]:
    """Whether a subscription is on this list, and stands so."""
    on_list = Subscription.list_id == list_id if list_id is not None else true()
    paused = and_(Subscription.paused_until.is_not(None), Subscription.paused_until > now)
    pausing: dict[Standing | None, ColumnElement[bool]] = {Standing.PAUSED: paused, Standing.ACTIVE: ~paused}
    return and_(on_list, Subscription.state.in_(_STATES[standing]), pausing.get(standing, true()))


# --- where to begin ----------------------------------------------------------------------------------------------


def _ends(asked: _Asked, waiting: ColumnElement[bool] | None) -> list[_End]:
    """Each condition as the people for whom it holds, found by an index: those of the words first."""
    ends = [_of_word(word, waiting) for word in asked.words]
    if asked.standing is Standing.PAUSED:
        ends.append(select(Subscription.subscriber_id).where(stands(asked.list_id, asked.standing, asked.now)))
    elif asked.list_id is not None or asked.standing is not None:
        ends.append(_on_lists(asked))
    return ends


def _on_lists(asked: _Asked) -> _End:
    """By the index of lists and states alone, and then by number: SQLite would sooner read the whole table."""
    indexed = aliased(Subscription)
    lists = [asked.list_id] if asked.list_id is not None else list(db.session.scalars(select(MailingList.id)))
    numbers = select(indexed.id).where(indexed.list_id.in_(lists), indexed.state.in_(_STATES[asked.standing]))
    few = select(numbers.limit(FEW + 1).subquery().c.id)
    return select(Subscription.subscriber_id).where(Subscription.id.in_(few))


def _of_word(word: str, waiting: ColumnElement[bool] | None) -> _End:
    theirs = select(SubscriberWord.subscriber_id).where(_beginning(word))
    if waiting is None:
        return theirs
    both = union_all(theirs, select(Subscriber.id).where(waiting, _holds(word))).subquery()
    return select(both.c.subscriber_id)


def _size(end: _End) -> int:
    return db.session.scalar(select(func.count()).select_from(end.limit(FEW + 1).subquery())) or 0


def _few(asked: _Asked, waiting: ColumnElement[bool] | None) -> _End | None:
    """The smallest end, if it is small."""
    for end in _ends(asked, waiting):
        if _size(end) <= FEW:
            return end
    return None


# --- reading -----------------------------------------------------------------------------------------------------


def _stride_end(after: str) -> str | None:
    """The address at which one stride after this one ends; None if there are no more addresses."""
    onward = select(Subscriber.address_key).where(Subscriber.address_key > after).order_by(Subscriber.address_key)
    return db.session.scalar(onward.offset(_STRIDE - 1).limit(1))


def _read(chosen: Select[int], after: str, through: str | None, limit: int) -> list[Subscriber]:
    chosen = chosen.where(Subscriber.address_key > after)
    if through is not None:
        chosen = chosen.where(Subscriber.address_key <= through)
    ids = db.session.scalars(chosen.order_by(Subscriber.address_key).limit(limit)).all()
    loaded = selectinload(Subscriber.subscriptions).joinedload(Subscription.mailing_list)
    people = select(Subscriber).where(Subscriber.id.in_(ids)).order_by(Subscriber.address_key).options(loaded)
    return list(db.session.scalars(people)) if ids else []


def _page(found: list[Subscriber], limit: int, reached: str | None) -> Page:
    return Page(found[:limit], found[limit - 1].address_key if len(found) > limit else reached)


# --- counting ----------------------------------------------------------------------------------------------------


def _by_standing(now: datetime) -> list[ColumnElement[int]]:
    """Everybody, and those who stand in each way, of subscriptions that are joined to people."""
    ways: list[ColumnElement[int]] = [func.count(distinct(Subscriber.id))]
    for each in Standing:
        holds = stands(None, each, now)
        ways.append(func.count(distinct(case((holds, Subscriber.id)))))
    return ways


def _counted_among(asked: _Asked) -> dict[Standing | None, Count]:
    """Of those for whom the rarest word holds: all if they are few, else some of them."""
    waiting = _waiting(asked)
    size, word = min((_size(_of_word(word, waiting)), word) for word in asked.words)
    among = _of_word(word, waiting).limit(_SOME).subquery()
    others = replace(asked, words=tuple(one for one in asked.words if one != word), list_id=None)
    counted = (
        select(*_by_standing(asked.now))
        .select_from(Subscriber)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .where(Subscriber.id.in_(select(among.c.subscriber_id)), *_conditions(others, waiting))
    )
    if asked.list_id is not None:
        counted = counted.where(Subscription.list_id == asked.list_id)
    everybody, *numbers = db.session.execute(counted).one()
    by_way = dict(zip(Standing, numbers, strict=True))
    return {each: Count(number, size > _SOME) for each, number in [*by_way.items(), (None, everybody)]}


def _counted_on(list_id: int, now: datetime) -> dict[Standing | None, Count]:
    """Everybody on one list, each number by an index: there may be a million."""

    def number(*conditions: ColumnElement[bool]) -> int:
        return db.session.scalar(select(func.count()).where(Subscription.list_id == list_id, *conditions)) or 0

    active = number(Subscription.state == SubscriptionState.ACTIVE)
    paused = number(stands(None, Standing.PAUSED, now))
    forgotten = number(Subscription.subscriber_id.is_(None))
    left = number(Subscription.state.in_(_STATES[Standing.LEFT])) - forgotten
    numbers = {Standing.ACTIVE: active - paused, Standing.PAUSED: paused, Standing.LEFT: left, None: active + left}
    return {each: Count(many) for each, many in numbers.items()}


def _counted_everywhere(now: datetime) -> dict[Standing | None, Count]:
    """People on several lists: each counts once, so beyond a number they are not counted out."""
    first = select(Subscriber.id).order_by(Subscriber.id).limit(_COUNTED).subquery()
    counted = (
        select(*_by_standing(now))
        .select_from(Subscriber)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .where(Subscriber.id.in_(select(first.c.id)))
    )
    everybody, *numbers = db.session.execute(counted).one()
    total = db.session.scalar(select(func.count(Subscriber.id))) or 0
    more = total > _COUNTED
    by_way = dict(zip(Standing, numbers, strict=True))
    return {**{each: Count(number, more) for each, number in by_way.items()}, None: Count(total if more else everybody)}
