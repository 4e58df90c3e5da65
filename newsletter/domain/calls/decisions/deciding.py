"""What every decision on a contribution shares: how it stands, who may decide, undoing the one before, the record."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ....db import db
from ....errors import Refused
from ....i18n import gettext as _
from ....models import Account, Contribution, Issue
from ....states import ContributionState
from ...issues.transitions import lock
from ...staff import activity
from ...staff.permissions import Permission, require
from ..deadline.reading import CLOSED
from . import outcomes
from .placing import take_out
from .replying import end_reply_time

_log = logging.getLogger(__name__)

STATE_WORDS: Mapping[ContributionState, str] = {
    ContributionState.DRAFT: _("not sent in"),
    ContributionState.SUBMITTED: _("waiting for a decision"),
    ContributionState.CHANGES_REQUESTED: _("waiting for its sender"),
    ContributionState.ACCEPTED: _("in an issue already"),
    ContributionState.DECLINED: _("declined"),
    ContributionState.WITHDRAWN: _("withdrawn"),
    ContributionState.MERGED: _("part of another one"),
}
_UNDECIDED = frozenset({ContributionState.SUBMITTED, ContributionState.CHANGES_REQUESTED})
DECIDED = frozenset({ContributionState.ACCEPTED, ContributionState.DECLINED, ContributionState.MERGED})


def is_open(contribution: Contribution) -> bool:
    """Whether it waits: for an editor or for its sender, or as one that came late and is kept."""
    return contribution.state in _UNDECIDED or (contribution.state is ContributionState.DRAFT and contribution.late)


def is_decided(contribution: Contribution) -> bool:
    """Whether an editor decided on it, and may change their mind."""
    return contribution.state in DECIDED


def token(contribution: Contribution) -> str:
    """How it stands, for `seen`: another text, or another decision, has another one."""
    at = contribution.decided_at.isoformat() if contribution.decided_at else ""
    return f"{contribution.state.value}.{contribution.revision}.{contribution.issue_id}.{at}"


def begin(contribution: Contribution, actor: Account | None, seen: str | None, *, need_open: bool = True) -> None:
    """Hold its issue and its row. Raises NotAllowed; Refused where it is not open, or not as it was `seen`."""
    lock(contribution.issue)
    db.session.refresh(contribution, with_for_update=True)
    if actor is not None:
        require(actor, Permission.TRIAGE_CONTRIBUTIONS, contribution.issue.mailing_list)
    if seen is not None and seen != token(contribution):
        if seen.split(".")[:1] == [contribution.state.value] and is_open(contribution):
            raise Refused(_("Its sender changed it while you were reading. Read it again, then decide."))
        raise Refused(_("It is {state}. Somebody was quicker.").format(state=state_words(contribution)))
    if need_open and not (is_open(contribution) or (seen is not None and is_decided(contribution))):
        raise Refused(_("It is {state}. Somebody was quicker.").format(state=state_words(contribution)))
    if contribution.state is ContributionState.ACCEPTED and contribution.issue.state in CLOSED:
        raise Refused(_("{issue} is out, or on its way.").format(issue=contribution.issue.title))


def require_same_list(contribution: Contribution, target: Issue) -> None:
    if target.list_id != contribution.issue.list_id:
        raise Refused(_("It was sent in for {name}.").format(name=contribution.issue.mailing_list.name))


def undo(contribution: Contribution, *, actor: Account | None, now: datetime) -> None:
    """Nothing of the decision before stands: no section, no time to reply, no mail that has not left."""
    outcomes.call_back(contribution)
    if contribution.state is ContributionState.ACCEPTED:
        take_out(contribution, actor=actor, now=now)
    end_reply_time(contribution, actor=actor, now=now)
    contribution.merged_into_id = None
    contribution.confirm_by = contribution.confirm_version = contribution.confirmed_at = None
    if contribution.state is ContributionState.MERGED:
        contribution.state = ContributionState.SUBMITTED
    db.session.flush()


def decide(
    contribution: Contribution, state: ContributionState, note: str, actor: Account | None, now: datetime
) -> None:
    """Write who decided what, when."""
    contribution.state = state
    contribution.submitted_at = contribution.submitted_at or now
    contribution.decided_at = now
    contribution.decided_by_id = actor.id if actor else None
    contribution.decision_note = note
    db.session.flush()
    db.session.refresh(contribution)


def wait_again(contribution: Contribution, now: datetime) -> None:
    """It waits for a decision, as if none had been made."""
    contribution.state = ContributionState.SUBMITTED
    contribution.submitted_at = contribution.submitted_at or now
    contribution.decided_at, contribution.decided_by_id, contribution.decision_note = None, None, ""
    db.session.flush()
    db.session.refresh(contribution)


def record(
    action: str,
    contribution: Contribution,
    actor: Account | None,
    now: datetime,
    *,
    actor_name: str | None = None,
    **detail: Any,
) -> None:
    """The last two beats: the record of activity, and the log."""
    activity.record(
        action, actor=actor, actor_name=actor_name, now=now, issue=contribution.issue,
        subject=("contribution", contribution.id), reference=contribution.reference, **detail,
    )  # fmt: skip
    _log.info("%s %s of issue %s", action, contribution.reference, contribution.issue_id)


def state_words(contribution: Contribution) -> str:
    """How people say its state, in "It is …"."""
    return _(STATE_WORDS[contribution.state])
