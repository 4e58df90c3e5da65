"""A contributor takes something back: at once while nobody has decided; else they ask, and an editor settles it."""

import logging
from datetime import datetime

from sqlalchemy import exists, select, update

from ....db import db
from ....errors import Refused
from ....i18n import gettext as _
from ....models import Block, Contribution
from ....states import ContributionState, IssueState
from ...issues.people import tell, who_may
from ...issues.transitions import lock
from ...staff import activity
from ...staff.permissions import Permission
from ...staff.wording import text
from .contributing import CONTRIBUTOR
from .drafting import CHANGEABLE

_log = logging.getLogger(__name__)

ASKED = "sender_withdraws"
_LONGEST_REASON = 2_000
_OUT = frozenset({IssueState.SENDING, IssueState.PAUSED, IssueState.SENT})


def can_withdraw(contribution: Contribution) -> bool:
    """Whether it can be taken back at once: while nobody has decided, or where it was accepted and stands nowhere."""
    if contribution.state is ContributionState.ACCEPTED:
        return contribution.issue.state not in _OUT and not _stands(contribution)
    return contribution.state in CHANGEABLE


def can_ask(contribution: Contribution) -> bool:
    """Whether its writer may ask the editors to take it out, and has not yet."""
    return (
        contribution.state is ContributionState.ACCEPTED
        and contribution.withdrawal_asked_at is None
        and contribution.issue.state not in _OUT
        and _stands(contribution)
    )


def _stands(contribution: Contribution) -> bool:
    """Whether anything of it is a section of its issue; what lies in the bin is not."""
    chosen = exists().where(
        Block.contribution_id == contribution.id, Block.issue_id == contribution.issue_id, Block.deleted_at.is_(None)
    )
    return bool(db.session.scalar(select(chosen)))


def withdraw(contribution: Contribution, *, now: datetime) -> None:
    """Take back a draft, or what waits for a decision. A second click does nothing. Raises Refused otherwise."""
    lock(contribution.issue)
    db.session.refresh(contribution, with_for_update=True)
    if contribution.state is ContributionState.WITHDRAWN:
        return
    if not can_withdraw(contribution):
        raise Refused(_("The editors have decided on it. Ask them to take it out."))
    # What lies in the bin lets go of it: brought back, it would be news that was taken back.
    db.session.execute(update(Block).where(Block.contribution_id == contribution.id).values(contribution_id=None))
    contribution.state, contribution.withdrawn_at = ContributionState.WITHDRAWN, now
    contribution.withdrawal_asked_at = None
    if contribution.submitted_at is None:
        # A draft that was never sent stays its writer's alone: see `reading.is_private`.
        contribution.submitted_at = contribution.created_at if contribution.late else now
    db.session.flush()
    _record("contribution.withdrawn", contribution, now)


def ask(contribution: Contribution, words: str, *, now: datetime) -> None:
    """Ask the editors to take out what they accepted; they hear at once, and the issue waits for their answer.

    Asked twice, it is asked once. Raises Invalid without a reason, Refused once the issue is on its way.
    """
    words = text(words, field="words", longest=_LONGEST_REASON, missing=_("Say why. The editors read these words."))
    lock(contribution.issue)
    db.session.refresh(contribution, with_for_update=True)
    if contribution.withdrawal_asked_at is not None and contribution.state is ContributionState.ACCEPTED:
        return
    if contribution.issue.state in _OUT:
        raise Refused(
            _("The issue is out. Ask the editors for a correction: their address is at the foot of the page.")
        )
    if not can_ask(contribution):
        raise Refused(_("It is in no issue, so there is nothing to take out."))
    contribution.withdrawal_asked_at, contribution.withdrawal_words = now, words
    db.session.flush()
    issue = contribution.issue
    tell(
        ASKED, who_may(Permission.TRIAGE_CONTRIBUTIONS, issue.mailing_list), issue, now=now,
        by=contribution.contact_name, about=contribution.title, comment=words, contribution=contribution.id,
    )  # fmt: skip
    _record("contribution.withdrawal_asked", contribution, now)


def _record(action: str, contribution: Contribution, now: datetime) -> None:
    activity.record(
        action, actor=None, actor_name=CONTRIBUTOR, now=now, issue=contribution.issue,
        subject=("contribution", contribution.id), reference=contribution.reference,
    )  # fmt: skip
    _log.info("%s %s of issue %s", action, contribution.reference, contribution.issue_id)
