"""Promises to come back to something: "in our next newsletter" is written down, and waits at the top of the next.

A promise keeps the words it was made in. It waits for the issue after the one it was made in until somebody keeps
it (the old words become a section to edit), carries it on to the one after, or lets it go.
"""

import logging
import re
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from ...db import db
from ...errors import Conflict, NotFound, Refused
from ...i18n import gettext as _
from ...models import Account, Block, FollowUp, Issue
from ...rendering import characters
from ...rendering.blocks import kind as kind_of
from ...states import EDITABLE_STATES, FollowUpState
from ..staff import activity
from .block_rows import begin, end_of_sections, issue_of, live_blocks, name_of
from .comparing import stood
from .editing import add_block, delete_block

_log = logging.getLogger(__name__)
_LONGEST_NOTE, _LONGEST_HEADING = 300, 200
#: Kinds that speak of the next issue by their nature, or are made of the others.
_NEVER = frozenset({"masthead", "footer", "call", "in_this_issue", "key_dates", "ask_views"})
_PAPER = r"(?:newsletter|issue|edition|bulletin)"
_WHEN = (
    r"(?:spring|summer|autumn|winter|january|february|march|april|may|june|july|august|september|october|november"
    r"|december)"
)
_PROMISES = re.compile(
    rf"\b(?:our|the|in) next {_PAPER}\b|\bnext (?:newsletter|edition|bulletin)\b"
    rf"|\bin (?:the|our) {_WHEN}(?: \d{{4}})? {_PAPER}\b"
    r"|\bwe (?:will|shall|hope to|plan to) (?:report|come back|feed back|update you|let you know|tell you more)\b"
    r"|\bwatch this space\b|\bmore (?:news|details?|information) (?:will follow|to follow)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]?")


def promise_in(block: Block) -> str:
    """The sentence in which the section promises news, or ""."""
    if block.kind in _NEVER:
        return ""
    for _label, words in stood(block).lines().values():
        for sentence in _SENTENCE.findall(words):
            if _PROMISES.search(sentence):
                return str(sentence).strip(" •\u00a0")
    return ""


def can_be_followed(block: Block) -> bool:
    """Whether one can promise to come back to the section at all."""
    return not kind_of(block.kind).fixed and block.kind not in ("call", "in_this_issue", "key_dates")


def promised(block: Block) -> FollowUp | None:
    """The promise that waits for this section, if somebody made one."""
    return db.session.scalar(
        select(FollowUp)
        .where(FollowUp.block_id == block.id, FollowUp.state == FollowUpState.WAITING)
        .order_by(FollowUp.id.desc())
        .limit(1)
    )


def promise(block: Block, note: str = "", *, actor: Account | None, now: datetime) -> FollowUp:
    """Write down that the section is to be followed up next time. `note` is for whoever does it.

    Asking twice changes the note. Also in an issue that is on its way: what was promised there waits all the same.
    """
    issue = issue_of(block)
    if not can_be_followed(block):
        raise Refused(_("This section is made anew in every issue: there is nothing to follow up."))
    note = characters.one_line(note)[:_LONGEST_NOTE]
    known = promised(block)
    if known is not None:
        known.note = note or known.note
        db.session.flush()
        return known
    made = FollowUp(
        list_id=issue.list_id,
        issue_id=issue.id,
        block_id=block.id,
        kind=block.kind,
        heading=name_of(block)[:_LONGEST_HEADING],
        data=block.data,
        note=note,
        at=now,
        created_by_id=actor.id if actor else None,
    )
    db.session.add(made)
    db.session.flush()
    _record("follow_up.made", made, issue, actor, now)
    return made


def find_follow_up(number: int) -> FollowUp:
    """The promise of this number. Raises NotFound."""
    found = db.session.get(FollowUp, number)
    if found is None:
        raise NotFound(_("There is no such promise."))
    return found


def words_of(follow_up: FollowUp) -> dict[str, Any]:
    """The words it was made in: as the section says them now, while it stands; else as it did then."""
    block = db.session.get(Block, follow_up.block_id) if follow_up.block_id else None
    return block.data if block is not None and block.deleted_at is None else follow_up.data


def waiting(issue: Issue) -> list[FollowUp]:
    """The promises that wait for this issue, oldest first."""
    if issue.state not in EDITABLE_STATES or issue.archive_only:
        return []
    chosen = select(FollowUp).where(FollowUp.list_id == issue.list_id, FollowUp.state == FollowUpState.WAITING)
    return [each for each in db.session.scalars(chosen.order_by(FollowUp.id)) if _waits_for(each, issue)]


def made_in(issue: Issue) -> list[FollowUp]:
    """The promises that sections of this issue made and that still wait."""
    chosen = select(FollowUp).where(FollowUp.issue_id == issue.id, FollowUp.state == FollowUpState.WAITING)
    return list(db.session.scalars(chosen.order_by(FollowUp.id)))


def _waits_for(follow_up: FollowUp, issue: Issue) -> bool:
    """Whether the issue is the first after the one it was made in, or carried on from, that can still be written."""
    start_id = follow_up.not_before_issue_id or follow_up.issue_id
    start = db.session.get(Issue, start_id) if start_id else None
    if start is None:
        return True
    following, seen = start.next_issue, {start.id}
    while following is not None and following.id not in seen:
        if following.state in EDITABLE_STATES:
            return following.id == issue.id
        seen.add(following.id)
        following = following.next_issue
    # No issue was said to come next: the next that is begun will do.
    return issue.id > start.id


def keep(follow_up: FollowUp, issue: Issue, *, actor: Account | None, now: datetime) -> Block:
    """Keep the promise in this issue: its old words become a section, to be edited. Returns the section.

    Raises Conflict where somebody was quicker, Refused where the words are locked.
    """
    begin(issue, now=now)
    _require_waiting(follow_up)
    data = words_of(follow_up)
    block = add_block(
        issue, follow_up.kind, data, position=end_of_sections(live_blocks(issue)), actor=actor, now=now
    )  # fmt: skip
    _decide(follow_up, FollowUpState.KEPT, now)
    _record("follow_up.kept", follow_up, issue, actor, now)
    return block


def carry_on(follow_up: FollowUp, issue: Issue, *, actor: Account | None, now: datetime) -> None:
    """Not in this issue: it waits for the one after. Raises Conflict where somebody was quicker."""
    _require_waiting(follow_up)
    follow_up.not_before_issue_id = issue.id
    db.session.flush()
    _record("follow_up.carried", follow_up, issue, actor, now)


def let_go(follow_up: FollowUp, issue: Issue, *, actor: Account | None, now: datetime) -> None:
    """It will not be kept. `take_back` undoes it. Raises Conflict where somebody was quicker."""
    _require_waiting(follow_up)
    _decide(follow_up, FollowUpState.DROPPED, now)
    _record("follow_up.let_go", follow_up, issue, actor, now)


def take_back(
    follow_up: FollowUp, issue: Issue, block_id: UUID | None = None, *, actor: Account | None, now: datetime
) -> None:
    """Undo what was decided: it waits again, for this issue. The section it became (`block_id`) goes to the bin."""
    db.session.refresh(follow_up, with_for_update=True)
    block = db.session.get(Block, block_id) if block_id else None
    in_issue = block is not None and block.issue_id == issue.id and block.deleted_at is None
    if follow_up.state is FollowUpState.KEPT and block is not None and in_issue:
        delete_block(block, actor=actor, now=now)
    if follow_up.not_before_issue_id == issue.id:
        follow_up.not_before_issue_id = None
    follow_up.state, follow_up.decided_at = FollowUpState.WAITING, None
    db.session.flush()
    _record("follow_up.waits_again", follow_up, issue, actor, now)


def _require_waiting(follow_up: FollowUp) -> None:
    db.session.refresh(follow_up, with_for_update=True)
    if follow_up.state is not FollowUpState.WAITING:
        raise Conflict(_("Somebody was quicker: “{name}” was decided on.").format(name=follow_up.heading))


def _decide(follow_up: FollowUp, state: FollowUpState, now: datetime) -> None:
    follow_up.state, follow_up.decided_at = state, now
    db.session.flush()


def _record(action: str, follow_up: FollowUp, issue: Issue, actor: Account | None, now: datetime) -> None:
    activity.record(action, actor=actor, now=now, issue=issue, subject=("follow_up", follow_up.id))
    _log.info("%s %s for issue %s", action, follow_up.id, issue.id)
