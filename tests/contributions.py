"""What people sent in, as rows: for tests of what editors make of it."""

from datetime import datetime
from typing import Any

from newsletter.db import db, transaction
from newsletter.models import Contribution, Issue
from newsletter.states import ContributionState


def sent_in(issue: Issue, now: datetime, title: str = "Peer mentors", **columns: Any) -> Contribution:
    """A piece of news by Helen Price of Oakfield School, handed in and proved, unless `columns` say otherwise."""
    values: dict[str, Any] = {
        "reference": f"TEST-{db.session.query(Contribution).count() + 2:04}",
        "issue_id": issue.id,
        "state": ContributionState.SUBMITTED,
        "title": title,
        "body": "Oakfield has trained twelve mentors.\n\n- two for each year\n- one for staff",
        "agency": "Oakfield School",
        "contact_name": "Helen Price",
        "contact_address": "helen@example.org",
        "opened_at": now,
        "created_at": now,
        "submitted_at": now,
        "proved_at": now,
        "declared_at": now,
        **columns,
    }
    with transaction() as session:
        made = Contribution(**values)
        session.add(made)
    return made


def late(issue: Issue, now: datetime, title: str = "Helpline hours", **columns: Any) -> Contribution:
    """One that came after the deadline, and is kept."""
    return sent_in(
        issue, now, title, **{"state": ContributionState.DRAFT, "late": True, "submitted_at": None, **columns}
    )
