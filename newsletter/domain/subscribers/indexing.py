"""Giving their words to those who were written past the session: a job, a few thousand in a transaction."""

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, String, bindparam, func, select

from ...db import conflict_aware_insert, db, take_turn, transaction
from ...models import Subscriber, SubscriberWord, WordsWanted
from ...models.finding import search_words
from ...work.queue import ring

_JOB = "index_subscribers"
_AT_ONCE = 2_000


def want_words_between(first: int, last: int) -> None:
    """Note that whoever has one of these numbers may wait for their words."""
    db.session.add(WordsWanted(first_id=first, last_id=last))


def ring_for_words() -> None:
    """Have the job run once the running transaction is committed. After an import, not beside it: both write."""
    ring(_JOB)


def index_wanted() -> None:
    """Give their words to all who wait for them. Opens a transaction for each few thousand, and rests as long after it.

    Nobody waits for it, and on SQLite one who writes without a pause lets nobody else come to it: without the rest,
    sign-ups beside it fell to a third.
    """
    began = time.monotonic()
    while _index_some():
        time.sleep(time.monotonic() - began)
        began = time.monotonic()


def _index_some() -> bool:
    """Whether there was anything to do."""
    with transaction() as session:
        take_turn("words of subscribers")
        wanted = session.scalar(select(WordsWanted).order_by(WordsWanted.id).limit(1))
        if wanted is None:
            return False
        columns = (Subscriber.id, Subscriber.address_key, Subscriber.name, Subscriber.organisation)
        theirs = select(*columns).where(Subscriber.id.between(wanted.first_id, wanted.last_id)).order_by(Subscriber.id)
        # Locked, so that nobody's name is changed between the reading and the writing.
        rows = session.execute(theirs.limit(_AT_ONCE).with_for_update(read=True)).all()
        _put(sorted((word, number) for number, *texts in rows for word in search_words(*texts)))
        if len(rows) < _AT_ONCE:
            session.delete(wanted)
        else:
            wanted.first_id = max(rows[-1].id + 1, wanted.first_id)
            if wanted.first_id > wanted.last_id:
                session.delete(wanted)
    return True


def _put(words: Sequence[tuple[str, int]]) -> None:
    """Sorted, because neighbours go to one page of the index. Whoever has a word already keeps it."""
    putting: Any = conflict_aware_insert(SubscriberWord)
    if db.engine.dialect.name == "sqlite":
        rows = [{"word": word, "subscriber_id": number} for word, number in words]
        if rows:
            db.session.connection().execute(putting.on_conflict_do_nothing(), rows)
        return
    some = bindparam("words", [word for word, _number in words], ARRAY(String()))
    whose = bindparam("whose", [number for _word, number in words], ARRAY(BigInteger()))
    columns = select(func.unnest(some), func.unnest(whose))
    db.session.connection().execute(putting.from_select(["word", "subscriber_id"], columns).on_conflict_do_nothing())
