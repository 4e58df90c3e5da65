"""Subscribers as rows of a spreadsheet, with nothing in them that a spreadsheet would run."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO

from sqlalchemy import select

from ...db import db
from ...models import MailingList, Subscriber, Subscription

COLUMNS = ("email", "name", "organisation", "list", "state", "since", "left", "paused until", "source")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
_CHUNK = 2_000


def export_lines(mailing_list: MailingList | None = None) -> Iterator[str]:
    """The lines of a CSV file (RFC 4180), header first: one for each subscription, by person's key.

    A cell that begins like a formula gets an apostrophe before it (ASVS 1.2.10); our import takes it off again.
    """
    yield csv_line(COLUMNS)
    after = 0
    while True:
        chosen = (
            select(Subscription, Subscriber, MailingList.slug)
            .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
            .join(MailingList, MailingList.id == Subscription.list_id)
            .where(Subscription.id > after)
            .order_by(Subscription.id)
            .limit(_CHUNK)
        )
        if mailing_list is not None:
            chosen = chosen.where(Subscription.list_id == mailing_list.id)
        rows = db.session.execute(chosen).all()
        for subscription, subscriber, slug in rows:
            dates = (subscription.joined_at, subscription.left_at, subscription.paused_until)
            since, left, paused = (one.isoformat(timespec="seconds") if one else "" for one in dates)
            cells = (subscriber.address, subscriber.name, subscriber.organisation, slug, subscription.state.value)
            yield csv_line((*cells, since, left, paused, subscription.source))
            after = subscription.id
        db.session.expunge_all()
        if len(rows) < _CHUNK:
            return


def guarded(cell: str) -> str:
    """The cell, unable to be a formula."""
    return f"'{cell}" if cell.startswith(_DANGEROUS) else cell


def csv_line(cells: Iterable[str]) -> str:
    """One line of a CSV file, its end included; every cell quoted and guarded."""
    line = StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow([guarded(cell) for cell in cells])
    return line.getvalue()
