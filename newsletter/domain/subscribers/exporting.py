"""Subscribers as rows of a spreadsheet, with nothing in them that a spreadsheet would run."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from io import StringIO
from typing import Any

from sqlalchemy import Row, Select, select

from ... import addresses
from ...db import db
from ...i18n import gettext as _
from ...models import MailingList, Subscriber, Subscription

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
_CHUNK = 2_000
_Read = Callable[[Row[Any]], str]


def _instant(name: str) -> _Read:
    def read(row: Row[Any]) -> str:
        value: datetime | None = getattr(row, name)
        return value.isoformat(timespec="seconds") if value else ""

    return read


#: What each column holds, by its name: our own import knows those that it takes.
_CELLS: Mapping[str, _Read] = {
    "email": lambda row: row.address,
    "name": lambda row: row.name,
    "organisation": lambda row: row.organisation,
    "sector": lambda row: row.sector,
    "list": lambda row: row.slug,
    "state": lambda row: row.state.value,
    "since": _instant("joined_at"),
    "left": _instant("left_at"),
    "paused until": _instant("paused_until"),
    "source": lambda row: row.source,
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
    """The lines of a CSV file (RFC 4180), header first: one for each subscription of the list, or of all lists."""
    yield csv_line(COLUMNS)
    for lines in chunks(on(mailing_list), COLUMNS):
        yield from lines


def on(mailing_list: MailingList | None) -> Select[int]:
    """The numbers of the subscriptions of people on the list, or on any."""
    chosen = select(Subscription.id).where(Subscription.subscriber_id.is_not(None))
    return chosen.where(Subscription.list_id == mailing_list.id) if mailing_list else chosen


def chunks(
    chosen: Select[int], columns: Sequence[str], *, mark: str = "", whole_addresses: bool = True
) -> Iterator[list[str]]:
    """Lines for the subscriptions that `chosen` finds, some thousand at a time, by number; each ends with `mark`.

    A cell that begins like a formula gets an apostrophe before it (ASVS 1.2.10); our import takes it off again. Between
    two chunks nothing of the database is held, however slow the reader is: somebody who leaves meanwhile may be in it.
    """
    after = 0
    while numbers := db.session.scalars(
        chosen.where(Subscription.id > after).order_by(Subscription.id).limit(_CHUNK)
    ).all():
        rows = db.session.execute(_details(numbers)).all()
        db.session.rollback()
        after = numbers[-1]
        yield [_line(row, columns, mark, whole_addresses) for row in rows]
    db.session.rollback()


def _details(numbers: Sequence[int]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Subscriber.address, Subscriber.name, Subscriber.organisation, Subscriber.sector, MailingList.slug,
            Subscription.state, Subscription.joined_at, Subscription.left_at, Subscription.paused_until,
            Subscription.source,
        )
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .join(MailingList, MailingList.id == Subscription.list_id)
        .where(Subscription.id.in_(numbers))
        .order_by(Subscription.id)
    )  # fmt: skip


def _line(row: Row[Any], columns: Sequence[str], mark: str, whole_addresses: bool) -> str:
    cells = [_CELLS[name](row) for name in columns]
    if not whole_addresses and "email" in columns:
        cells[columns.index("email")] = addresses.mask(row.address)
    return csv_line([*cells, mark] if mark else cells)


def guarded(cell: str) -> str:
    """The cell, unable to be a formula."""
    return f"'{cell}" if cell.startswith(_DANGEROUS) else cell


def csv_line(cells: Iterable[str]) -> str:
    """One line of a CSV file, its end included; every cell quoted and guarded."""
    line = StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow([guarded(cell) for cell in cells])
    return line.getvalue()
