"""The words by which staff find subscribers: an index of our own, since neither database has one that both have.

Whoever is written through the session has their words at once, in the same transaction. An import writes past the
session, and notes which numbers wait for their words (WordsWanted); a job puts them in.
"""

import re
import unicodedata
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Connection, ForeignKey, Index, delete, event, insert, inspect
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from ..db import Model
from ._columns import BigKey, String
from .lists import Subscriber

LONGEST_WORD = 40
#: In the order of its letters' numbers, whatever the database's language: a beginning is then a stretch of the index.
_BYTEWISE = String(LONGEST_WORD).with_variant(String(LONGEST_WORD, collation="C"), "postgresql")
_WORD = re.compile(r"[^\W_]+")
_INDEXED = ("address_key", "name", "organisation")


class SubscriberWord(Model):
    """One word of somebody's address, name or organisation, as `search_words` writes it."""

    __tablename__ = "subscriber_word"
    __table_args__ = (Index(None, "subscriber_id"), {"sqlite_with_rowid": False})

    word: Mapped[str] = mapped_column(_BYTEWISE, primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("subscriber.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )


class WordsWanted(Model):
    """Subscribers with these numbers may be without words: whoever searches looks through them one by one."""

    __tablename__ = "words_wanted"
    __table_args__ = (CheckConstraint("last_id >= first_id", name="in_order"),)

    id: Mapped[BigKey]
    first_id: Mapped[int] = mapped_column(BigInteger)
    last_id: Mapped[int] = mapped_column(BigInteger)


def search_words(*texts: str) -> set[str]:
    """The words of these texts: letters and digits in small letters, without accents, each 40 characters at most."""
    whole = " ".join(texts).casefold()
    if not whole.isascii():
        apart = unicodedata.normalize("NFKD", whole)
        whole = "".join(one for one in apart if not unicodedata.combining(one)).casefold()
    return {word[:LONGEST_WORD] for word in _WORD.findall(whole)}


def _put_words(connection: Connection, target: Subscriber) -> None:
    words = search_words(target.address_key, target.name or "", target.organisation or "")
    rows = [{"word": word, "subscriber_id": target.id} for word in sorted(words)]
    if rows:
        connection.execute(insert(SubscriberWord), rows)


@event.listens_for(Subscriber, "after_insert")
def _came(_mapper: Mapper[Any], connection: Connection, target: Subscriber) -> None:
    _put_words(connection, target)


@event.listens_for(Subscriber, "after_update")
def _changed(_mapper: Mapper[Any], connection: Connection, target: Subscriber) -> None:
    if any(inspect(target).attrs[name].history.has_changes() for name in _INDEXED):
        connection.execute(delete(SubscriberWord).where(SubscriberWord.subscriber_id == target.id))
        _put_words(connection, target)
