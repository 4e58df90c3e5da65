"""The people of an issue in one state as rows of a spreadsheet: addresses, so only for who may export subscribers."""

from collections.abc import Iterator

from sqlalchemy import select

from ... import dates
from ...db import db
from ...domain.subscribers.exporting import csv_line
from ...models import Delivery, Issue, Subscriber, Subscription
from ...states import DeliveryState

_COLUMNS = ("email", "state", "when", "code", "status", "reason", "reply")
_CHUNK = 2_000


def people_lines(issue: Issue, state: DeliveryState) -> Iterator[str]:
    """The lines of a CSV file (RFC 4180), header first, in the order in which they were frozen.

    Who was erased has an empty address. Times are ISO 8601 in the list's zone.
    """
    issue_id, zone = issue.id, issue.mailing_list.timezone
    yield csv_line(_COLUMNS)
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
        for delivery, address in rows:
            when = dates.local(delivery.updated_at, zone).isoformat(timespec="seconds")
            code = str(delivery.code) if delivery.code else ""
            reason = delivery.skip_reason.value if delivery.skip_reason else ""
            cells = (address or "", state.value, when, code, delivery.enhanced or "", reason, delivery.reply or "")
            yield csv_line(cells)
            after = delivery.id
        db.session.expunge_all()
        if len(rows) < _CHUNK:
            return
