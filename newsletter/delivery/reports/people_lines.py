"""The people of an issue in one state as rows of a spreadsheet: addresses, so only for who may export subscribers."""

from collections.abc import Iterator

from sqlalchemy import select

from ... import dates
from ...db import db
from ...domain.subscribers.exporting import csv_lines
from ...models import Delivery, Issue, Subscriber, Subscription
from ...states import DeliveryState

COLUMNS = ("email", "state", "when", "code", "status", "reason", "reply")
_CHUNK = 2_000


def people_lines(issue: Issue, state: DeliveryState, mark: str) -> Iterator[tuple[int, str]]:
    """The lines of a CSV file (RFC 4180), in the order in which they were frozen, some thousand at a time and how many.

    Each ends with `mark`. Who was erased has an empty address. Times are ISO 8601 in the list's zone.
    """
    return _lines(issue.id, issue.mailing_list.timezone, state, mark)


def _lines(issue_id: int, zone: str, state: DeliveryState, mark: str) -> Iterator[tuple[int, str]]:
    after = 0
    while True:
        rows = db.session.execute(
            select(Delivery, Subscriber.address)
            .join(Subscription, Subscription.id == Delivery.subscription_id)
            .join(Subscriber, Subscriber.id == Subscription.subscriber_id, isouter=True)
            .where(Delivery.issue_id == issue_id, Delivery.state == state, Delivery.id > after)
            .order_by(Delivery.id)
            .limit(_CHUNK)
        ).all()
        lines = csv_lines([*_cells(delivery, address, zone), mark] for delivery, address in rows)
        after = rows[-1][0].id if rows else after
        # Nothing of the database is held while the reader takes it.
        db.session.rollback()
        if rows:
            yield len(rows), lines
        if len(rows) < _CHUNK:
            return


def _cells(delivery: Delivery, address: str | None, zone: str) -> list[str]:
    when = dates.local(delivery.updated_at, zone).isoformat(timespec="seconds")
    code = str(delivery.code) if delivery.code else ""
    reason = delivery.skip_reason.value if delivery.skip_reason else ""
    said = delivery.enhanced or "", reason, delivery.reply or ""
    return [address or "", delivery.state.value, when, code, *said]
