"""The evidence of an import: one consent event for each who comes, digested as it is written.

The events of a batch differ in two numbers and a salt; what else is digested is the same and is put into words once.
So the database writes them by one statement, and sealing them later is a walk over their digests (see `sealing`).
"""

from dataclasses import dataclass
from datetime import datetime

from ...states import ConsentEvent
from . import sealing

ROUTE = "import"


@dataclass(frozen=True)
class Evidence:
    """What is kept with each who comes: where and when they agreed, what they were told, who brought them."""

    source: str
    note: str
    actor_id: int | None
    privacy_version: int | None


def facts_of_all(evidence: Evidence, now: datetime) -> str:
    """What is digested of each event of an import after its two numbers."""
    return sealing.facts_after_numbers(
        event=ConsentEvent.IMPORTED,
        at=now,
        wording="",
        privacy_version=evidence.privacy_version,
        route=ROUTE,
        source=evidence.source,
        note=evidence.note,
    )
