"""A mail about a call is sent once: its row is written with it, and whoever comes second finds the row there."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from .... import addresses, dates
from ....db import conflict_aware_insert, db
from ....models import Chase, Issue
from ....states import ChaseKind
from ... import notices

#: What asks people for news: nobody gets two of these on one day.
ASKING = frozenset({ChaseKind.INVITATION, ChaseKind.REMINDER, ChaseKind.LAST_CALL, ChaseKind.MOVED})


def send_once(
    issue: Issue,
    kind: ChaseKind,
    address: str,
    *,
    template: str,
    values: dict[str, Any],
    now: datetime,
    occasion: int = 0,
    leaves_at: datetime | None = None,
) -> bool:
    """Send the notice unless the address had this kind, on this occasion, for the deadline as it is now.

    Returns whether it is sent. Row and notice stand in one transaction, so no restart and no second scheduler
    sends another.
    """
    made = conflict_aware_insert(Chase).values(
        issue_id=issue.id, kind=kind, occasion=occasion, deadline_version=issue.deadline_version,
        address_key=addresses.key(address), at=now,
    )  # fmt: skip
    if db.session.execute(made.on_conflict_do_nothing().returning(Chase.id)).first() is None:
        return False
    notices.send_notice(template, address, now=now, values=values, issue=issue, leaves_at=leaves_at)
    return True


def rows_of(issue: Issue) -> list[Chase]:
    """All that was sent about the issue's call, oldest first, but for editors' digests."""
    chosen = select(Chase).where(Chase.issue_id == issue.id, Chase.kind != ChaseKind.DIGEST)
    return list(db.session.scalars(chosen.order_by(Chase.at, Chase.id)))


def last_asked(issue: Issue) -> dict[str, date]:
    """By key of the address, the local day on which its owner was last asked for news."""
    zone = issue.mailing_list.timezone
    return {row.address_key: dates.local(row.at, zone).date() for row in rows_of(issue) if row.kind in ASKING}
