"""Who may hand in now, and by which right: the call's deadline, its grace, or more time of their own. Reads only.

The server's clock decides, and the longest right wins. A right that was promised is kept: a deadline that is brought
forward, or more time that is taken back, ends no right to change what was handed in under it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import ColumnElement, or_, select

from .... import dates
from ....db import db
from ....deadlines import Deadline
from ....models import Agency, Contribution, Contributor, Extension, Issue
from ....states import ExtensionState
from .reading import CLOSED


class Arrival(Enum):
    """When something came: in time, on a form opened in time, in time of its own, or after all of these."""

    IN_TIME = "in time"
    IN_GRACE = "in grace"
    EXTENSION = "extension"
    LATE = "late"


@dataclass(frozen=True)
class Right:
    """What somebody may do now.

    `until` is the longest time they have, or, when it is too late, had; None where the issue takes nothing at all.
    `extension` is the one that is needed now (or that ran out); None while the call's own deadline is enough.
    """

    arrival: Arrival
    extension: Extension | None = None
    until: Deadline | None = None

    @property
    def counts(self) -> bool:
        """Whether what is handed in now is handed in, and not only kept."""
        return self.arrival is not Arrival.LATE


def right(
    issue: Issue,
    now: datetime,
    opened_at: datetime,
    *,
    contributor: Contributor | None = None,
    agency: Agency | None = None,
    contribution: Contribution | None = None,
) -> Right:
    """By which right something posted now, on a form opened at `opened_at`, counts for the issue.

    `contributor` and `agency` must be proved (signed in); whoever sent `contribution` by proof is added. With a
    `contribution` that was handed in, the right to change it until it was said to be changeable counts too.
    """
    call = issue.deadline
    if issue.state in CLOSED or not issue.has_call or issue.archive_only or call is None:
        return Right(Arrival.LATE)
    # A token from a clock that ran ahead proves nothing about the past.
    opened_at = min(opened_at, now)
    if contributor is None and contribution is not None:
        contributor = contribution.contributor
    extensions = _extensions(issue, contributor, agency, contribution)
    promised = _promised(contribution, call.zone)
    until = _longest([call, promised, *(one.deadline for one in extensions)])
    own = next((one for one in extensions if one.deadline and one.deadline.accepts(now, opened_at)), None)
    # The call's own time comes first: nobody uses up more time while they need none.
    if call.accepts(now, opened_at):
        return Right(Arrival.IN_TIME if call.is_open(now) else Arrival.IN_GRACE, until=until)
    if own is not None:
        return Right(Arrival.EXTENSION, own, until)
    if promised is not None and promised.accepts(now, opened_at):
        return Right(Arrival.IN_TIME if promised.is_open(now) else Arrival.IN_GRACE, until=until)
    return Right(Arrival.LATE, next(iter(extensions), None), until)


def spend(given: Right, contribution: Contribution, now: datetime) -> None:
    """`contribution` is handed in by this right: more time for one person is used up, an agency's stays until its end.

    Called with each handing in, never for a draft. Writes `edit_until`, which may only grow.
    """
    if given.until is not None and given.counts:
        contribution.edit_until = max(given.until.instant, contribution.edit_until or given.until.instant)
    extension = given.extension
    if extension is None or not given.counts or extension.state is not ExtensionState.GRANTED:
        return
    if extension.contributor_id is None and extension.contribution_id is None:
        return
    extension.state, extension.used_at, extension.contribution_id = ExtensionState.USED, now, contribution.id
    db.session.flush()


def extension_of(contribution: Contribution) -> Extension | None:
    """The extension that a contribution was handed in by, after the call's deadline; None for any other.

    For a badge: "Late, extension until 12 noon, Monday 27 November 2017".
    """
    handed_in, call = contribution.submitted_at, contribution.issue.deadline
    if handed_in is None or call is None or call.is_open(handed_in) or contribution.in_grace:
        return None
    found = _extensions(contribution.issue, contribution.contributor, None, contribution)
    return next((one for one in found if one.deadline and handed_in < one.deadline.grace_ends_at), None)


def _extensions(
    issue: Issue, contributor: Contributor | None, agency: Agency | None, contribution: Contribution | None
) -> list[Extension]:
    """Those that hold for any of them, the longest first. One that was used holds for what it was used for."""
    granted, used = Extension.state == ExtensionState.GRANTED, Extension.state == ExtensionState.USED
    holds: list[ColumnElement[bool]] = []
    if contributor is not None and contributor.ended_at is None:
        # One that names a contribution holds for that alone.
        mine = (Extension.contributor_id == contributor.id) & Extension.contribution_id.is_(None)
        holds.append(granted & mine)
        agency = agency or contributor.agency
    if agency is not None and agency.ended_at is None:
        holds.append(granted & (Extension.agency_id == agency.id))
    if contribution is not None and contribution.id is not None:
        holds.append((granted | used) & (Extension.contribution_id == contribution.id))
    if not holds:
        return []
    found = db.session.scalars(
        select(Extension)
        .where(Extension.issue_id == issue.id, or_(*holds))
        .order_by(Extension.deadline_at.desc(), Extension.id)
    )
    return list(found)


def _promised(contribution: Contribution | None, zone: str) -> Deadline | None:
    """Until when the sender of what was handed in was told that it may be changed."""
    if contribution is None or contribution.submitted_at is None or contribution.edit_until is None:
        return None
    here = dates.local(contribution.edit_until, zone)
    return Deadline(here.date(), here.time(), zone, contribution.edit_until)


def promise_is_over(contribution: Contribution, now: datetime) -> bool:
    """Whether the time is over until which its sender was told that it may be changed."""
    promised = _promised(contribution, contribution.issue.mailing_list.timezone)
    return promised is not None and not promised.is_open(now)


def _longest(deadlines: Iterable[Deadline | None]) -> Deadline | None:
    return max((one for one in deadlines if one), key=lambda one: one.instant, default=None)
