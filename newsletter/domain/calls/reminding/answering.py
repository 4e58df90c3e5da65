""" "Nothing this time": an agency says that it has no news for an issue, and nobody asks it again."""

import logging
from datetime import datetime

from ....db import conflict_aware_insert, db
from ....errors import NotAllowed, Refused
from ....i18n import gettext as _
from ....models import Account, Agency, AgencyAnswer, Contributor, Issue
from ...issues.transitions import lock
from ...staff import activity
from ...staff.permissions import Permission, require
from ..deadline.reading import CLOSED

_log = logging.getLogger(__name__)
#: How the record names somebody who has no account.
CONTRIBUTOR = "A contributor"


def answer_of(issue: Issue, agency: Agency) -> AgencyAnswer | None:
    """What the agency has said about the issue; None for nothing said."""
    return db.session.get(AgencyAnswer, (agency.id, issue.id))


def say_nothing(
    issue: Issue,
    agency: Agency,
    *,
    contributor: Contributor | None = None,
    actor: Account | None = None,
    now: datetime,
) -> None:
    """The agency has nothing this time, as its `contributor` says, or `actor` in its place. Twice is once.

    What it sends in all the same counts as ever. Raises NotAllowed, Refused.
    """
    _begin(issue, agency, contributor, actor)
    made = conflict_aware_insert(AgencyAnswer).values(
        agency_id=agency.id, issue_id=issue.id, nothing_at=now,
        contributor_id=contributor.id if contributor else None, account_id=actor.id if actor else None,
    )  # fmt: skip
    done = db.session.execute(made.on_conflict_do_nothing().returning(AgencyAnswer.agency_id)).first()
    if done is None:
        return
    _record("agency.nothing", issue, agency, actor, now)


def take_back(
    issue: Issue,
    agency: Agency,
    *,
    contributor: Contributor | None = None,
    actor: Account | None = None,
    now: datetime,
) -> None:
    """It may have something after all. Raises as `say_nothing` does."""
    _begin(issue, agency, contributor, actor)
    answer = answer_of(issue, agency)
    if answer is None:
        return
    db.session.delete(answer)
    db.session.flush()
    _record("agency.nothing_taken_back", issue, agency, actor, now)


def _begin(issue: Issue, agency: Agency, contributor: Contributor | None, actor: Account | None) -> None:
    lock(issue)
    if actor is not None:
        require(actor, Permission.TRIAGE_CONTRIBUTIONS, issue.mailing_list)
    elif contributor is not None and (contributor.ended_at is not None or contributor.agency_id != agency.id):
        raise NotAllowed(_("You no longer send in news for {agency}.").format(agency=agency.name))
    if issue.state in CLOSED:
        raise Refused(_("{issue} takes nothing more.").format(issue=issue.title))
    if agency.ended_at is not None or agency.list_id not in (None, issue.list_id):
        raise Refused(_("{agency} does not send in news here.").format(agency=agency.name))


def _record(action: str, issue: Issue, agency: Agency, actor: Account | None, now: datetime) -> None:
    activity.record(
        action, actor=actor, actor_name=None if actor else CONTRIBUTOR, now=now, issue=issue,
        subject=("agency", agency.id), agency=agency.name,
    )  # fmt: skip
    _log.info("%s of issue %s by agency %s", action, issue.id, agency.id)
