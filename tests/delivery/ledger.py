"""Deliveries put where a story needs them, and the totals that belong to them, as the engine keeps both."""

from datetime import datetime

from sqlalchemy import delete, func, select

from newsletter.db import transaction
from newsletter.models import Delivery, DeliveryProgress, DeliveryTally, Issue
from newsletter.states import DeliveryState


def tally(issue: Issue) -> None:
    """Make the issue's totals anew from its deliveries, whatever a test has done to them by hand."""
    with transaction() as session:
        session.execute(delete(DeliveryTally).where(DeliveryTally.issue_id == issue.id))
        rows = session.execute(
            select(Delivery.state, func.count()).where(Delivery.issue_id == issue.id).group_by(Delivery.state)
        ).all()
        session.add_all(DeliveryTally(issue_id=issue.id, state=state, number=number) for state, number in rows)


def untally(issue: Issue) -> None:
    """The issue as one that was sent before there were totals."""
    with transaction() as session:
        for table in (DeliveryTally, DeliveryProgress):
            session.execute(delete(table).where(table.issue_id == issue.id))


def accepted_in(issue: Issue, slots: dict[datetime, int]) -> None:
    """So many were accepted in each slot of ten seconds."""
    with transaction() as session:
        session.execute(delete(DeliveryProgress).where(DeliveryProgress.issue_id == issue.id))
        session.add_all(
            DeliveryProgress(issue_id=issue.id, slot=slot, state=DeliveryState.ACCEPTED, number=number)
            for slot, number in slots.items()
        )
