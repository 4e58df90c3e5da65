"""Subscribers as rows of a spreadsheet, with nothing in them that a spreadsheet would run."""

import csv
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute

from ... import addresses
from ...db import db
from ...i18n import gettext as _
from ...models import MailingList, Subscriber, Subscription

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
_CHUNK = 2_000


@dataclass(frozen=True)
class _Column:
    """Where a cell stands in the database, and how it is written."""

    column: InstrumentedAttribute[Any]
    read: Callable[[Any], str] = str


def _moment(value: datetime | None) -> str:
    return value.isoformat(timespec="seconds") if value else ""


#: What each column holds, by its name: our own import knows those that it takes.
_COLUMNS: Mapping[str, _Column] = {
    "email": _Column(Subscriber.address),
    "name": _Column(Subscriber.name),
    "organisation": _Column(Subscriber.organisation),
    "sector": _Column(Subscriber.sector),
    "list": _Column(MailingList.slug),
    "state": _Column(Subscription.state, lambda state: str(state.value)),
    "since": _Column(Subscription.joined_at, _moment),
    "left": _Column(Subscription.left_at, _moment),
    "paused until": _Column(Subscription.paused_until, _moment),
    "source": _Column(Subscription.source),
}
#: As they are called for a person who chooses.
COLUMN_WORDS: Mapping[str, str] = {
    "email": _("Email address"),
    "name": _("Name"),
    "organisation": _("Organisation"),
    "sector": _("Sector"),
    "list": _("List"),
    "state": _("Subscribed or not"),
    "since": _("Since when"),
    "left": _("When they left"),
    "paused until": _("Until when it is paused"),
    "source": _("Where they agreed"),
}
#: Those of the command, whose readers count on them.
COLUMNS = ("email", "name", "organisation", "list", "state", "since", "left", "paused until", "source")


def export_lines(mailing_list: MailingList | None = None) -> Iterator[str]:
    """A CSV file (RFC 4180) in pieces, header first: a line for each subscription of the list, or of all lists."""
    yield csv_line(COLUMNS)
    for _number, lines in chunks(on(mailing_list), COLUMNS):
        yield lines


def on(mailing_list: MailingList | None) -> Select[int]:
    """The numbers of the subscriptions of people on the list, or on any."""
    chosen = select(Subscription.id).where(Subscription.subscriber_id.is_not(None))
    return chosen.where(Subscription.list_id == mailing_list.id) if mailing_list else chosen


def chunks(
    chosen: Select[int], columns: Sequence[str], *, mark: str = "", whole_addresses: bool = True
) -> Iterator[tuple[int, str]]:
    """Lines for the subscriptions that `chosen` finds, some thousand at a time and how many they are; `mark` ends each.

    A cell that begins like a formula gets an apostrophe before it (ASVS 1.2.10); our import takes it off again. Between
    two chunks nothing of the database is held, however slow the reader is. Who it is about is read before the first:
    somebody who leaves meanwhile is in it as having left, somebody who is erased is not, nobody comes to it.
    """
    read = [(_COLUMNS[name].read, place) for place, name in enumerate(columns)]
    if not whole_addresses:
        read = [(addresses.mask if columns[place] == "email" else by, place) for by, place in read]
    end = [mark] if mark else []
    # Eight bytes for each of them: asking for every chunk anew would sort all those to come each time.
    whom = array("q", db.session.scalars(chosen.order_by(Subscription.id).execution_options(yield_per=10_000)))
    db.session.rollback()
    for first in range(0, len(whom), _CHUNK):
        rows = db.session.execute(_details(whom[first : first + _CHUNK], columns)).all()
        db.session.rollback()
        yield len(rows), csv_lines([*(by(row[place]) for by, place in read), *end] for row in rows)


def _details(numbers: Sequence[int], columns: Sequence[str]) -> Select[*tuple[Any, ...]]:
    return (
        select(*(_COLUMNS[name].column for name in columns))
        .select_from(Subscription)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .join(MailingList, MailingList.id == Subscription.list_id)
        .where(Subscription.id.in_(numbers))
        .order_by(Subscription.id)
    )


def guarded(cell: str) -> str:
    """The cell, unable to be a formula."""
    return f"'{cell}" if cell.startswith(_DANGEROUS) else cell


def csv_line(cells: Iterable[str]) -> str:
    """One line of a CSV file, its end included; every cell quoted and guarded."""
    return csv_lines([cells])


def csv_lines(rows: Iterable[Iterable[str]]) -> str:
    """Such lines, one for each row."""
    lines = StringIO()
    csv.writer(lines, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(
        [guarded(cell) for cell in row] for row in rows
    )
    return lines.getvalue()
