"""What the verbs on blocks share: reading them in order, locking, numbering, and the last beats of each verb."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from ...db import db
from ...errors import Conflict, Invalid, NotFound, Problem
from ...models import Account, Block, Issue
from ...rendering import characters
from ...rendering.blocks import kind as kind_of
from ...states import Where
from ..staff import activity
from .content import block_content
from .transitions import lock, require_editable
from .versions import keep_as_left, write_revision
from .voiding import touch

_log = logging.getLogger(__name__)
_LONGEST_COMMON = 160
_AT_THE_END = ("key_dates", "call", "footer")
CHANGED = "The words were changed."


def live_blocks(issue: Issue) -> list[Block]:
    """The blocks that are not in the bin, in order, as the running transaction sees them."""
    db.session.flush()
    return list(
        db.session.scalars(
            select(Block).where(Block.issue_id == issue.id, Block.deleted_at.is_(None)).order_by(Block.position)
        )
    )


def deleted_blocks(issue: Issue) -> list[Block]:
    """The bin, what was thrown away last first."""
    return list(
        db.session.scalars(
            select(Block)
            .where(Block.issue_id == issue.id, Block.deleted_at.is_not(None))
            .order_by(Block.deleted_at.desc(), Block.position)
        )
    )


def find_block(issue: Issue, block_id: str) -> Block:
    """The block with this id, in the bin or not. Raises NotFound, also for another issue's block."""
    try:
        found = db.session.get(Block, UUID(block_id))
    except ValueError:
        found = None
    if found is None or found.issue_id != issue.id:
        raise NotFound("There is no such section in this issue.")
    return found


def begin(issue: Issue, block: Block | None = None, *, now: datetime | None = None) -> None:
    """Lock the issue; raise Refused where its words are locked, or where the block is in the bin.

    With `now`, the issue is kept as it was left when work goes on after a pause.
    """
    lock(issue)
    require_editable(issue)
    if now is not None:
        keep_as_left(issue, now)
    if block is not None:
        db.session.refresh(block)
        if block.deleted_at is not None:
            raise Conflict("This section was deleted meanwhile. Bring it back first: nothing of it is lost.")


def require_version(block: Block, expected: int) -> None:
    """Raise Conflict unless the block is still at the version that was read."""
    if block.version != expected:
        raise Conflict("Somebody else changed this section while you were writing. Both texts are kept: choose.")


def revise(block: Block, actor: Account | None, now: datetime) -> None:
    """A new version of the block, by `actor`; `finish` keeps it."""
    block.version += 1
    block.updated_at = now
    block.updated_by_id = actor.id if actor else None


def finish(
    issue: Issue, block: Block, action: str, actor: Account | None, now: datetime, *, quiet: bool = False
) -> None:
    """The last beats of every verb on one block: keep its revision, touch the issue, write it down.

    `quiet` where it only goes on with what is written down already.
    """
    db.session.flush()
    if action != "block.moved":
        write_revision(block, actor=actor, now=now)
    touch(issue, CHANGED, actor=actor, now=now)
    db.session.expire(issue, ["blocks"])
    if not quiet:
        activity.record(action, actor=actor, now=now, issue=issue, subject=("block", block.id), kind=block.kind)
    _log.info("%s %s of issue %s", action, block.id, issue.id)


def place(others: list[Block], new: list[Block], wanted: int) -> None:
    """Number all blocks with the `new` ones at `wanted`, between what is fixed first and last."""
    first = sum(1 for each in others if kind_of(each.kind).fixed == "first")
    last = len(others) - sum(1 for each in others if kind_of(each.kind).fixed == "last")
    fixed = kind_of(new[0].kind).fixed
    at = {"first": 0, "last": len(others)}.get(fixed or "", max(first, min(wanted, last)))
    number([*others[:at], *new, *others[at:]])


def end_of_sections(blocks: list[Block]) -> int:
    """The place before what stands at the end of every issue: key dates, the call, the footer."""
    end = len(blocks)
    while end and blocks[end - 1].kind in _AT_THE_END:
        end -= 1
    return end


def number(blocks: list[Block]) -> None:
    """Give the blocks the places they have in the list."""
    for position, block in enumerate(blocks):
        if block.position != position:
            block.position = position
    db.session.flush()


def name_of(block: Block) -> str:
    """The section in a few words: its heading, or what it is."""
    return kind_of(block.kind).summary(block_content(block))


def issue_of(block: Block) -> Issue:
    """The issue that the block stands in."""
    issue = db.session.get(Issue, block.issue_id)
    if issue is None:
        raise NotFound("There is no such issue.")
    return issue


def common_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The common fields that are named, each of its type. Raises Invalid."""
    problems: list[Problem] = []
    cleaned: dict[str, Any] = {}
    for name, value in values.items():
        match name, value:
            case "continues", bool():
                cleaned[name] = value
            case (("diary" | "audience_note"), str()) if len(characters.one_line(value)) <= _LONGEST_COMMON:
                cleaned[name] = characters.one_line(value)
            case "language", None | str():
                cleaned[name] = characters.one_line(value or "")[:35] or None
            case "where", str() if value in set(Where):
                cleaned[name] = Where(value)
            case (("diary" | "audience_note"), str()):
                problems.append(Problem(name, f"Use {_LONGEST_COMMON} characters or fewer."))
            case _:
                problems.append(Problem(name, f"“{name}” cannot be set to this."))
    if problems:
        raise Invalid(problems)
    return cleaned
