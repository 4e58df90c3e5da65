"""From when a contribution counts: from its POST where its sender's address is proved in time, else from the proof."""

import logging
from datetime import datetime, timedelta

from ....db import db
from ....models import Contribution
from ....states import ContributionState
from .rights import Right, right, spend

_log = logging.getLogger(__name__)

#: How long after it was sent an address may be proved for it to count from then.
TO_PROVE = timedelta(hours=24)


def settle(contribution: Contribution, given: Right, now: datetime) -> None:
    """Hand the contribution in by this right; without one that counts, keep it as a late draft.

    What was handed in once keeps the hour of that.
    """
    contribution.late = not given.counts
    contribution.in_grace = given.arrival.value == "in grace"
    if given.counts:
        contribution.state = ContributionState.SUBMITTED
        contribution.submitted_at = contribution.submitted_at or now
    db.session.add(contribution)
    db.session.flush()
    spend(given, contribution, now)
    db.session.flush()
    db.session.refresh(contribution)


def count_from_proof(contribution: Contribution, now: datetime) -> None:
    """The address has been proved: what it says counts from its POST, or, 24 hours later than that, from now on."""
    db.session.flush()
    # An editor may take it in at the same moment.
    db.session.refresh(contribution, with_for_update=True)
    overdue = contribution.proved_at is None and contribution.prove_by is not None and now >= contribution.prove_by
    contribution.proved_at = contribution.proved_at or now
    if overdue and contribution.state is ContributionState.SUBMITTED:
        # Judged anew as if it came now: nothing of what was promised for the first hour holds.
        contribution.edit_until = None
        given = right(contribution.issue, now, now, contribution=contribution)
        if not given.counts:
            contribution.state, contribution.late, contribution.in_grace = ContributionState.DRAFT, True, False
        contribution.submitted_at = now if given.counts else None
        _log.info("Contribution %s was proved after its time: it came %s", contribution.id, given.arrival.value)
        if given.counts:
            spend(given, contribution, now)
    db.session.flush()
