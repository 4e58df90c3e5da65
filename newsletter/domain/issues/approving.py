"""Somebody says that exactly this may go out. What "this" is, to the byte, is in `renditions`."""

import logging
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from ...db import db
from ...errors import Conflict, Invalid, NotAllowed, Problem, Refused
from ...models import Account, Activity, Approval, Block, BlockRevision, Issue, Rendition
from ...states import IssueState
from ..staff import activity
from ..staff.permissions import Permission, may, require
from . import protocols, reviewing
from .people import SYSTEM_ADMINISTRATOR, tell, who_may
from .renditions import Prepared, is_current, keep, prepare
from .transitions import lock, move
from .versions import SENT_FOR_APPROVAL, keep_version
from .voiding import void

__all__ = [
    "Prepared",
    "approve",
    "approve_by_scheduling",
    "current_approval",
    "is_current",
    "may_approve",
    "prepare",
    "return_to_draft",
    "submit_for_review",
    "void",
]

_log = logging.getLogger(__name__)


def submit_for_review(
    issue: Issue,
    prepared: Prepared,
    *,
    asked: Sequence[int] | None = None,
    note: str = "",
    actor: Account | None,
    now: datetime,
) -> None:
    """A draft asks for approval; those who are asked get a mail with the issue in it.

    `asked` are the ids of the approvers chosen, None for all; `note` goes with the mail. Raises Invalid for nobody,
    Refused when something must be mended first, Conflict when the words changed since `prepared`.
    """
    lock(issue)
    _require_same(issue, prepared)
    _require_ready(prepared)
    move(issue, IssueState.IN_REVIEW)
    keep_version(issue, SENT_FOR_APPROVAL, actor=actor, now=now)
    people = reviewing.chosen(issue, asked, actor)
    reviewing.ask(issue, keep(prepared, now), people, by=_name(actor), note=note.strip()[:2000], now=now)
    activity.record(
        "issue.submitted", actor=actor, now=now, issue=issue, told=len(people), asked=[person.id for person in people]
    )
    _log.info("Issue %s waits for approval", issue.id)


def approve(
    issue: Issue,
    prepared: Prepared,
    *,
    actor: Account | None,
    now: datetime,
    comment: str = "",
    override_reason: str = "",
) -> Approval:
    """Approve exactly what was prepared, and keep its bytes.

    `actor` None is the system's administrator at the command line. `comment` goes to those who wrote it.
    `override_reason` lets an administrator approve past blocking checks and past the rule of four eyes; it is
    recorded. Raises NotAllowed, Refused, or Conflict when the words changed since `prepared`.
    """
    lock(issue)
    override_reason = override_reason.strip()
    if override_reason:
        require_override(actor, issue)
    else:
        require(actor, Permission.APPROVE_ISSUES, issue.mailing_list)
        _require_ready(prepared)
    _require_same(issue, prepared)
    if not prepared.subject.strip():
        raise Refused("The issue has no subject yet: no mail can be made of it.")
    own_work = worked_on(issue, actor)
    if own_work and not override_reason:
        _require_own_allowed(issue, actor)
    approval = _approved(
        issue, prepared, actor=actor, now=now, own_work=own_work, override_reason=override_reason,
        comment=comment.strip()[:5000],
    )  # fmt: skip
    editors = [person for person in who_may(Permission.EDIT_ISSUES, issue.mailing_list) if person is not actor]
    tell("issue_approved", editors, issue, now=now, by=_name(actor), comment=approval.comment)
    return approval


def approve_by_scheduling(issue: Issue, prepared: Prepared, *, actor: Account | None, now: datetime) -> Approval:
    """On a list that asks for no approval, whoever schedules approves; the record says that nobody else did.

    Part of scheduling, which has asked whether `actor` may. Raises Refused and Conflict as `approve` does.
    """
    if issue.mailing_list.needs_approval:
        raise Refused("On this list somebody has to approve the issue first.")
    _require_ready(prepared)
    _require_same(issue, prepared)
    comment = "This list asks for no approval: it was approved by being scheduled."
    return _approved(issue, prepared, actor=actor, now=now, own_work=worked_on(issue, actor), comment=comment)


def _approved(
    issue: Issue,
    prepared: Prepared,
    *,
    actor: Account | None,
    now: datetime,
    own_work: bool,
    override_reason: str = "",
    comment: str = "",
) -> Approval:
    """The approval as a row, with the bytes it is of."""
    rendition = keep(prepared, now)
    approval = Approval(
        issue_id=issue.id,
        rendition_id=rendition.id,
        approver_id=actor.id if actor else None,
        approver_name=_name(actor),
        own_work=own_work,
        override_reason=override_reason,
        comment=comment,
        at=now,
    )
    db.session.add(approval)
    move(issue, IssueState.APPROVED)
    keep_version(issue, f"Approved by {_name(actor)}", actor=actor, now=now)
    activity.record(
        "issue.approved", actor=actor, actor_name=_name(actor), now=now, issue=issue, own_work=own_work,
        override_reason=override_reason, content_hash=rendition.content_hash.hex(),
    )  # fmt: skip
    protocols.tell(protocols.Happening.APPROVED, issue, now)
    _log.info("Issue %s was approved, hash %s", issue.id, rendition.content_hash.hex())
    return approval


def return_to_draft(issue: Issue, comment: str, *, actor: Account | None, now: datetime) -> None:
    """Send the issue back with a comment; those who write it get the comment in full. Raises Invalid without one."""
    comment = comment.strip()
    if not comment:
        raise Invalid([Problem("comment", "Say what should change.")])
    lock(issue)
    require(actor, Permission.APPROVE_ISSUES, issue.mailing_list)
    if not void(issue, "It was returned with a comment.", actor=actor, now=now):
        raise Refused(f"{issue.title} is not waiting for approval.")
    editors = [person for person in who_may(Permission.EDIT_ISSUES, issue.mailing_list) if person is not actor]
    tell("approval_returned", editors, issue, now=now, by=_name(actor), comment=comment)
    activity.record("issue.returned", actor=actor, now=now, issue=issue, comment=comment[:2000])
    _log.info("Issue %s was returned to its editors", issue.id)


def current_approval(issue: Issue) -> Approval | None:
    """The approval in force: not voided, and of the words as they are numbered now."""
    approval = db.session.scalar(
        select(Approval)
        .where(Approval.issue_id == issue.id, Approval.voided_at.is_(None))
        .order_by(Approval.id.desc())
        .limit(1)
    )
    if approval is None or rendition_of(approval).content_version != issue.content_version:
        return None
    return approval


def rendition_of(approval: Approval) -> Rendition:
    """What was approved."""
    return db.session.get_one(Rendition, approval.rendition_id)


def last_comment(issue: Issue) -> Activity | None:
    """The comment that the issue was last returned with, unless it was approved since."""
    latest = db.session.scalar(
        select(Activity)
        .where(Activity.issue_id == issue.id, Activity.action.in_(("issue.returned", "issue.approved")))
        .order_by(Activity.id.desc())
        .limit(1)
    )
    return latest if latest is not None and latest.action == "issue.returned" else None


def may_approve(issue: Issue, actor: Account | None) -> str:
    """ "" when `actor` may approve the issue as it stands; else the sentence that says why not."""
    try:
        require(actor, Permission.APPROVE_ISSUES, issue.mailing_list)
        if worked_on(issue, actor):
            _require_own_allowed(issue, actor)
    except (NotAllowed, Refused) as refusal:
        return str(refusal)
    return ""


def worked_on(issue: Issue, actor: Account | None) -> bool:
    """Whether `actor` wrote any of the words since somebody else last approved them, or ever."""
    if actor is None:
        return False
    since = db.session.scalar(
        select(Approval.at)
        .where(Approval.issue_id == issue.id, Approval.own_work.is_(False))
        .order_by(Approval.id.desc())
        .limit(1)
    )
    written = (
        select(BlockRevision.version)
        .join(Block, Block.id == BlockRevision.block_id)
        .where(Block.issue_id == issue.id, BlockRevision.actor_id == actor.id)
        .limit(1)
    )
    if since is not None:
        written = written.where(BlockRevision.at > since)
    return db.session.scalar(written) is not None


def require_override(actor: Account | None, issue: Issue) -> None:
    """Raise NotAllowed unless `actor` is an administrator; None is the system's own."""
    if actor is not None and not may(actor, Permission.OVERRIDE_GATES, issue.mailing_list):
        raise NotAllowed("Only an administrator may send past the checks.")


def _require_same(issue: Issue, prepared: Prepared) -> None:
    if prepared.issue_id != issue.id or prepared.content_version != issue.content_version:
        raise Conflict("The words changed while you were reading. Read them again before you go on.")


def _require_ready(prepared: Prepared) -> None:
    number = len(prepared.blocking)
    if number:
        things = "1 thing stops" if number == 1 else f"{number} things stop"
        raise Refused(f"{things} this issue: {prepared.blocking[0].sentence} Mend what the checks name first.")


def _require_own_allowed(issue: Issue, actor: Account | None) -> None:
    if issue.mailing_list.four_eyes:
        raise Refused("On this list nobody approves their own work. Ask somebody else to approve it.")
    others = [person for person in who_may(Permission.APPROVE_ISSUES, issue.mailing_list) if person is not actor]
    if others:
        names = " or ".join(person.name for person in others[:2])
        raise Refused(f"You wrote some of these words. Ask {names} to approve them.")


def _name(actor: Account | None) -> str:
    return actor.name if actor else SYSTEM_ADMINISTRATOR
