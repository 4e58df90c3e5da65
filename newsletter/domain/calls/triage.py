"""Editors decide on what was sent in: it goes into an issue, waits for the next one, or does not go in.

The contribution stays as it was sent; what goes into the issue is a section of its own, which editors may shorten.
Each verb tells the sender by mail unless `tell` is False.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...db import db
from ...errors import Invalid, Problem, Refused
from ...i18n import gettext as _
from ...models import Account, Block, Contribution, Issue
from ...rendering.blocks import kind
from ...states import ContributionState
from .. import notices
from ..issues.editing import add_block, live_blocks
from ..issues.transitions import lock
from ..staff import activity
from ..staff.permissions import Permission, require
from ..staff.wording import text
from .news import to_xhtml
from .reading import CLOSED

_log = logging.getLogger(__name__)
_LONGEST_NOTE = 2_000
_ACCEPTED, _DECLINED = "contribution_accepted", "contribution_declined"
#: What stands after the news in an issue.
_CLOSING_KINDS = ("call", "footer")

_STATE_WORDS: Mapping[ContributionState, str] = {
    ContributionState.DRAFT: _("not sent in"),
    ContributionState.SUBMITTED: _("waiting for a decision"),
    ContributionState.CHANGES_REQUESTED: _("waiting for its sender"),
    ContributionState.ACCEPTED: _("in an issue already"),
    ContributionState.DECLINED: _("declined"),
    ContributionState.WITHDRAWN: _("withdrawn"),
    ContributionState.MERGED: _("part of another one"),
}


def place(
    contribution: Contribution,
    *,
    issue: Issue | None = None,
    note: str = "",
    tell: bool = True,
    actor: Account | None,
    now: datetime,
) -> Block:
    """Put it into an issue of its list (the one it was sent in for, unless `issue` is another) as a section.

    The section says which agency it is from and stands before the call for news. `note` goes to the sender. A
    late one is taken in by this. Raises NotAllowed, Invalid for a note that is too long, Refused in a sentence.
    """
    note = _note(note)
    target = issue or contribution.issue
    _begin(contribution, actor)
    _require_open(contribution)
    _require_same_list(contribution, target)
    blocks = live_blocks(target)
    before = next((block.position for block in blocks if block.kind in _CLOSING_KINDS), None)
    data = {
        **kind("section").empty(),
        "heading": contribution.title,
        "source_agency": contribution.agency,
        "body": to_xhtml(contribution.body),
    }
    block = add_block(target, "section", data, position=before, contribution_id=contribution.id, actor=actor, now=now)
    contribution.issue_id = target.id
    _decide(contribution, ContributionState.ACCEPTED, note, actor, now)
    if tell:
        _tell(_ACCEPTED, contribution, note, now)
    _record("contribution.accepted", contribution, actor, now, block=str(block.id), told=tell)
    return block


def decline(
    contribution: Contribution, reason: str, *, tell: bool = True, actor: Account | None, now: datetime
) -> None:
    """Do not use it. The sender reads the reason as it is written. Raises Invalid without one, Refused."""
    reason = _note(reason, field="reason")
    if not reason:
        raise Invalid([Problem("reason", _("Say why. The sender reads these words."))])
    _begin(contribution, actor)
    _require_open(contribution)
    _decide(contribution, ContributionState.DECLINED, reason, actor, now)
    if tell:
        _tell(_DECLINED, contribution, reason, now)
    _record("contribution.declined", contribution, actor, now, told=tell)


def carry(contribution: Contribution, to: Issue, *, actor: Account | None, now: datetime) -> None:
    """Keep it for another issue of the list, where it waits for a decision. A late one is in time for that issue.

    Raises NotAllowed, Refused in a sentence.
    """
    _begin(contribution, actor)
    _require_open(contribution)
    _require_same_list(contribution, to)
    if to.id == contribution.issue_id:
        raise Refused(_("It is waiting in this issue already."))
    if to.state in CLOSED:
        raise Refused(_("{issue} takes nothing more. Choose another issue.").format(issue=to.title))
    carry_over(contribution, to, actor=actor, now=now)


def carry_over(contribution: Contribution, to: Issue, *, actor: Account | None, now: datetime) -> None:
    """`carry`, of what was looked at already."""
    came_from = contribution.issue_id
    contribution.issue_id = to.id
    contribution.state = ContributionState.SUBMITTED
    contribution.submitted_at = contribution.submitted_at or now
    contribution.late = False
    db.session.flush()
    db.session.refresh(contribution)
    _record("contribution.carried", contribution, actor, now, came_from=came_from)


def reopen(contribution: Contribution, *, actor: Account | None, now: datetime) -> None:
    """Take back that it was declined: it waits for a decision again. Raises Refused for any other."""
    _begin(contribution, actor)
    if contribution.state is not ContributionState.DECLINED:
        raise Refused(_("It is {state}, so there is nothing to take back.").format(state=_words(contribution)))
    contribution.state = ContributionState.SUBMITTED
    contribution.decided_at, contribution.decided_by_id, contribution.decision_note = None, None, ""
    db.session.flush()
    _record("contribution.reopened", contribution, actor, now)


def is_open(contribution: Contribution) -> bool:
    """Whether somebody may still decide on it."""
    return contribution.state is ContributionState.SUBMITTED or (
        contribution.state is ContributionState.DRAFT and contribution.late
    )


def _begin(contribution: Contribution, actor: Account | None) -> None:
    lock(contribution.issue)
    db.session.refresh(contribution, with_for_update=True)
    if actor is not None:
        require(actor, Permission.TRIAGE_CONTRIBUTIONS, contribution.issue.mailing_list)


def _require_open(contribution: Contribution) -> None:
    if not is_open(contribution):
        raise Refused(_("It is {state}. Somebody was quicker.").format(state=_words(contribution)))


def _require_same_list(contribution: Contribution, target: Issue) -> None:
    if target.list_id != contribution.issue.list_id:
        raise Refused(_("It was sent in for {name}.").format(name=contribution.issue.mailing_list.name))


def _decide(
    contribution: Contribution, state: ContributionState, note: str, actor: Account | None, now: datetime
) -> None:
    contribution.state = state
    contribution.submitted_at = contribution.submitted_at or now
    contribution.decided_at = now
    contribution.decided_by_id = actor.id if actor else None
    contribution.decision_note = note
    db.session.flush()
    db.session.refresh(contribution)


def _tell(template: str, contribution: Contribution, note: str, now: datetime) -> None:
    values = {"contribution": contribution.id, "note": note}
    notices.send_notice(template, contribution.contact_address, now=now, values=values, issue=contribution.issue)


def _record(action: str, contribution: Contribution, actor: Account | None, now: datetime, **detail: Any) -> None:
    activity.record(
        action, actor=actor, now=now, issue=contribution.issue, subject=("contribution", contribution.id),
        reference=contribution.reference, **detail,
    )  # fmt: skip
    _log.info("%s %s of issue %s", action, contribution.reference, contribution.issue_id)


def _note(typed: str, field: str = "note") -> str:
    return text(typed, field=field, longest=_LONGEST_NOTE)


def _words(contribution: Contribution) -> str:
    return _STATE_WORDS[contribution.state]
