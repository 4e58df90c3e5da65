""" "Nothing this time": an agency, or somebody who speaks for none, has no news for an issue; nobody asks again."""

import logging
from datetime import datetime
from typing import Any

from ....db import conflict_aware_insert, db
from ....errors import NotAllowed, Refused
from ....i18n import gettext as _
from ....models import Account, Agency, AgencyAnswer, Contributor, ContributorAnswer, Issue
from ...issues.transitions import lock
from ...staff import activity
from ...staff.permissions import Permission, require
from ..deadline.reading import CLOSED

_log = logging.getLogger(__name__)
#: How the record names somebody who has no account.
CONTRIBUTOR = "A contributor"
#: Who answers, and the answer.
Answerer = Agency | Contributor
Answer = AgencyAnswer | ContributorAnswer


def answerer_of(issue: Issue, person: Contributor) -> Answerer:
    """For whom somebody answers: their agency where the list uses agencies, else themselves."""
    agency = person.agency
    spoken_for = agency is not None and agency.ended_at is None and agency.list_id in (None, issue.list_id)
    return agency if agency is not None and spoken_for and issue.mailing_list.uses_agencies else person


def name_of(who: Answerer) -> str:
    """What the agency or the person is called."""
    return who.name if isinstance(who, Agency) else who.name or who.address


def answer_of(issue: Issue, who: Answerer) -> Answer | None:
    """What they have said about the issue; None for nothing said."""
    if isinstance(who, Agency):
        return db.session.get(AgencyAnswer, (who.id, issue.id))
    return db.session.get(ContributorAnswer, (who.id, issue.id))


def say_nothing(
    issue: Issue,
    who: Answerer,
    *,
    contributor: Contributor | None = None,
    actor: Account | None = None,
    now: datetime,
) -> None:
    """They have nothing this time, as their `contributor` says, or `actor` in their place. Twice is once.

    What they send in all the same counts as ever. Raises NotAllowed, Refused.
    """
    _begin(issue, who, contributor, actor)
    said = {"issue_id": issue.id, "nothing_at": now, "account_id": actor.id if actor else None}
    if isinstance(who, Agency):
        said |= {"agency_id": who.id, "contributor_id": contributor.id if contributor else None}
        made = conflict_aware_insert(AgencyAnswer)
    else:
        said |= {"contributor_id": who.id}
        made = conflict_aware_insert(ContributorAnswer)
    answered = made.values(**said).on_conflict_do_nothing().returning(made.table.c.issue_id)
    if db.session.execute(answered).first() is not None:
        _record("nothing", issue, who, actor, now)


def take_back(
    issue: Issue,
    who: Answerer,
    *,
    contributor: Contributor | None = None,
    actor: Account | None = None,
    now: datetime,
) -> None:
    """They may have something after all. Raises as `say_nothing` does."""
    _begin(issue, who, contributor, actor)
    answer = answer_of(issue, who)
    if answer is None:
        return
    db.session.delete(answer)
    db.session.flush()
    _record("nothing_taken_back", issue, who, actor, now)


def _begin(issue: Issue, who: Answerer, contributor: Contributor | None, actor: Account | None) -> None:
    lock(issue)
    if actor is not None:
        require(actor, Permission.TRIAGE_CONTRIBUTIONS, issue.mailing_list)
    elif contributor is not None and (contributor.ended_at is not None or not _speaks_for(contributor, who)):
        raise NotAllowed(_("You no longer send in news for {agency}.").format(agency=name_of(who)))
    if issue.state in CLOSED:
        raise Refused(_("{issue} takes nothing more.").format(issue=issue.title))
    elsewhere = isinstance(who, Agency) and who.list_id not in (None, issue.list_id)
    if who.ended_at is not None or elsewhere:
        raise Refused(_("{agency} does not send in news here.").format(agency=name_of(who)))


def _speaks_for(contributor: Contributor, who: Answerer) -> bool:
    return contributor.agency_id == who.id if isinstance(who, Agency) else contributor.id == who.id


def _record(action: str, issue: Issue, who: Answerer, actor: Account | None, now: datetime) -> None:
    subject = "agency" if isinstance(who, Agency) else "contributor"
    # No name of a person: the record stays when they are forgotten.
    named: dict[str, Any] = {"agency": who.name} if isinstance(who, Agency) else {}
    activity.record(
        f"{subject}.{action}", actor=actor, actor_name=None if actor else CONTRIBUTOR, now=now, issue=issue,
        subject=(subject, who.id), **named,
    )  # fmt: skip
    _log.info("%s of issue %s by %s %s", action, issue.id, subject, who.id)
