"""The last examination, written down for the page on which somebody decides to send."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete

from ..db import transaction
from ..models import Examination
from .findings import Finding, worst


def remember(findings: Collection[Finding], now: datetime) -> None:
    """Keep these in place of what was found before. Opens its own transaction."""
    with transaction() as session:
        session.execute(delete(Examination))
        session.add(Examination(at=now, worst=worst(findings).value, findings=[each.as_dict() for each in findings]))
