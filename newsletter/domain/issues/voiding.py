"""An approval ends: the words changed, or somebody took it back."""

import logging
from datetime import datetime

from sqlalchemy import select

from ...db import db
from ...models import Account, Approval, Issue
from ...states import IssueState
from ..staff import activity
from .people import tell
from .transitions import move

_log = logging.getLogger(__name__)


def void(issue: Issue, reason: str, *, actor: Account | None, now: datetime) -> bool:
    """Take back the approval, or the wait for one: the issue is a draft again, and whoever approved it is told.

    Returns whether there was anything to take back. Nothing happens to an issue in any other state.
    """
    if issue.state not in (IssueState.APPROVED, IssueState.IN_REVIEW):
        return False
    standing = db.session.scalars(
        select(Approval).where(Approval.issue_id == issue.id, Approval.voided_at.is_(None))
    ).all()
    for approval in standing:
        approval.voided_at = now
        approval.void_reason = reason[:200]
    was = issue.state
    move(issue, IssueState.DRAFT)
    approvers = [db.session.get(Account, approval.approver_id) for approval in standing if approval.approver_id]
    told = [person for person in approvers if person and person.active and person is not actor]
    tell("approval_ended", told, issue, now=now, by=actor.name if actor else "", reason=reason[:200])
    activity.record("issue.approval_voided", actor=actor, now=now, issue=issue, reason=reason[:200], was=was.value)
    _log.info("The approval of issue %s ended: %s", issue.id, reason)
    return True


def touch(issue: Issue, reason: str, *, actor: Account | None, now: datetime) -> None:
    """The words, their order or what they are bound to changed: a new content version, and no approval."""
    issue.content_version += 1
    db.session.flush()
    void(issue, reason, actor=actor, now=now)
