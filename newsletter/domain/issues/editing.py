"""Writing an issue: its blocks are added, changed, moved, copied, thrown away and brought back.

Every verb locks the issue, refuses when its words are locked, keeps what it changes as a revision, raises the
issue's content version and ends an approval. Drafts are always saved: only data of the wrong shape is refused.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from ...db import db
from ...errors import Conflict, Invalid, NotFound, Problem, Refused
from ...models import Account, Block, Issue
from ...rendering import characters
from ...rendering.blocks import kind as kind_of
from ...rendering.content import COMMON_DEFAULTS
from ...states import Where
from ..staff import activity
from .content import MASTHEAD_WORDS
from .transitions import lock, require_editable
from .versions import revision, write_revision
from .voiding import touch

_log = logging.getLogger(__name__)
_LONGEST_COMMON = 160
_CHANGED = "The words were changed."


def add_block(
    issue: Issue,
    kind: str,
    data: Mapping[str, Any] | None = None,
    *,
    position: int | None = None,
    common: Mapping[str, Any] | None = None,
    contribution_id: int | None = None,
    actor: Account | None,
    now: datetime,
) -> Block:
    """A new block of `kind`, before the one that stands at `position` (at the end when None).

    `data` may be partial; `common` holds any of continues, diary, where, language, audience_note. Raises
    NotFound for an unknown kind, Invalid for data of the wrong shape, Refused where the kind stands already and
    may stand once only.
    """
    found = kind_of(kind)
    cleaned = found.clean(data or {})
    values = _common(common or {})
    begin(issue)
    blocks = live_blocks(issue)
    if found.once and any(block.kind == kind for block in blocks):
        raise Refused(f"“{found.name}” is in this issue already.")
    block = Block(
        issue_id=issue.id,
        position=len(blocks),
        kind=kind,
        data=cleaned,
        schema_version=found.version,
        contribution_id=contribution_id,
        updated_at=now,
        updated_by_id=actor.id if actor else None,
        **values,
    )
    db.session.add(block)
    db.session.flush()
    _place(blocks, block, len(blocks) if position is None else position)
    _finish(issue, block, "block.added", actor, now)
    return block


@dataclass(frozen=True)
class BlockDraft:
    """A block that is to be: its kind, its data (may be partial), and whether it goes on with the one above."""

    kind: str
    data: Mapping[str, Any]
    continues: bool = False


def add_blocks(
    issue: Issue, drafts: Sequence[BlockDraft], *, position: int, actor: Account | None, now: datetime
) -> list[Block]:
    """Many new blocks at once, in order, before the one that stands at `position`: one content version, one
    numbering. Raises NotFound and Invalid as `add_block` does."""
    cleaned = [(draft, kind_of(draft.kind).clean(draft.data)) for draft in drafts]
    begin(issue)
    blocks = live_blocks(issue)
    made = [
        Block(
            id=uuid4(), issue_id=issue.id, position=position, kind=draft.kind, data=data, continues=draft.continues,
            version=1, schema_version=kind_of(draft.kind).version, where=Where.BOTH, diary="", audience_note="",
            updated_at=now, updated_by_id=actor.id if actor else None,
        )
        for draft, data in cleaned
    ]  # fmt: skip
    if not made:
        return []
    db.session.add_all(made)
    first = sum(1 for each in blocks if kind_of(each.kind).fixed == "first")
    last = len(blocks) - sum(1 for each in blocks if kind_of(each.kind).fixed == "last")
    place = max(first, min(position, last))
    _number([*blocks[:place], *made, *blocks[place:]])
    for block in made:
        write_revision(block, actor=actor, now=now)
    touch(issue, _CHANGED, actor=actor, now=now)
    db.session.expire(issue, ["blocks"])
    activity.record("blocks.added", actor=actor, now=now, issue=issue, number=len(made))
    return made


def edit_block(
    block: Block,
    data: Mapping[str, Any],
    *,
    expected_version: int,
    common: Mapping[str, Any] | None = None,
    actor: Account | None,
    now: datetime,
) -> Block:
    """Write the block's data anew, and those common fields that are named.

    Raises Conflict when the block is no longer at `expected_version`: show both texts, lose neither.
    """
    issue = _issue_of(block)
    cleaned = kind_of(block.kind).clean(data)
    values = _common(common or {})
    begin(issue, block)
    require_version(block, expected_version)
    if block.kind == "masthead":
        cleaned = {**cleaned, **{name: block.data[name] for name in MASTHEAD_WORDS if name in block.data}}
    same = block.data == cleaned and all(getattr(block, name) == value for name, value in values.items())
    if same:
        return block
    block.data = cleaned
    for name, value in values.items():
        setattr(block, name, value)
    _revise(block, actor, now)
    _finish(issue, block, "block.edited", actor, now)
    return block


def set_masthead_words(issue: Issue, words: Mapping[str, str], *, actor: Account | None, now: datetime) -> None:
    """Give this issue's masthead a label or a strapline of its own; "" takes the usual one again."""
    block = next((each for each in live_blocks(issue) if each.kind == "masthead"), None)
    if block is None:
        raise NotFound("The issue has no masthead.")
    data = dict(block.data)
    for name in MASTHEAD_WORDS:
        if name in words:
            data[name] = characters.one_line(words[name])
    if data == block.data:
        return
    block.data = {name: value for name, value in data.items() if value}
    _revise(block, actor, now)
    _finish(issue, block, "block.edited", actor, now)


def move_block(block: Block, to_position: int, *, actor: Account | None, now: datetime) -> int:
    """Put the block where `to_position` says (0 is the top), as near as fixed blocks allow. Returns its place.

    Order is the issue's: the block keeps its version, so that a form somebody has open can still be saved.
    """
    issue = _issue_of(block)
    begin(issue, block)
    if kind_of(block.kind).fixed:
        raise Refused(f"“{kind_of(block.kind).name}” has its own place and cannot be moved.")
    blocks = live_blocks(issue)
    before = block.position
    _place([each for each in blocks if each is not block], block, to_position)
    if block.position != before:
        _finish(issue, block, "block.moved", actor, now)
    return block.position


def duplicate_block(block: Block, *, actor: Account | None, now: datetime) -> Block:
    """The same words again, right below. Raises Refused for a kind that may stand once only."""
    issue = _issue_of(block)
    common = {name: getattr(block, name) for name in COMMON_DEFAULTS}
    if kind_of(block.kind).once:
        raise Refused(f"There can be only one “{kind_of(block.kind).name}” in an issue.")
    return add_block(
        issue, block.kind, block.data, position=block.position + 1, common=common, actor=actor, now=now
    )


def delete_block(block: Block, *, actor: Account | None, now: datetime) -> None:
    """Into the bin; `undo_delete` brings it back. Masthead and footer cannot be deleted."""
    issue = _issue_of(block)
    begin(issue, block)
    if kind_of(block.kind).fixed:
        raise Refused(f"Every issue has a {kind_of(block.kind).name.lower()}: it cannot be deleted.")
    block.deleted_at = now
    _revise(block, actor, now)
    _number([each for each in live_blocks(issue) if each is not block])
    _finish(issue, block, "block.deleted", actor, now)


def undo_delete(block: Block, *, actor: Account | None, now: datetime) -> None:
    """Out of the bin, back to its old place."""
    issue = _issue_of(block)
    begin(issue)
    db.session.refresh(block)
    if block.deleted_at is None:
        return
    others = live_blocks(issue)
    if kind_of(block.kind).once and any(each.kind == block.kind for each in others):
        raise Refused(f"There is another “{kind_of(block.kind).name}” in the issue now. Delete that one first.")
    block.deleted_at = None
    _revise(block, actor, now)
    _place(others, block, block.position)
    _finish(issue, block, "block.restored", actor, now)


def restore_revision(
    block: Block, version: int, *, expected_version: int, actor: Account | None, now: datetime
) -> Block:
    """Write the words of an older version again, as a new version. Raises NotFound and what edit_block raises."""
    kept = revision(block.id, version).data
    common = {name: kept[name] for name in COMMON_DEFAULTS}
    data = kept["data"] if block.kind != "masthead" else {}
    return edit_block(block, data, expected_version=expected_version, common=common, actor=actor, now=now)


# --- shared by the verbs of this room -----------------------------------------------------------------------


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
            select(Block).where(Block.issue_id == issue.id, Block.deleted_at.is_not(None)).order_by(
                Block.deleted_at.desc(), Block.position
            )
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


def begin(issue: Issue, block: Block | None = None) -> None:
    """Lock the issue; raise Refused where its words are locked, or where the block is in the bin."""
    lock(issue)
    require_editable(issue)
    if block is not None:
        db.session.refresh(block)
        if block.deleted_at is not None:
            raise Conflict("This section was deleted meanwhile. Bring it back first: nothing of it is lost.")


def require_version(block: Block, expected: int) -> None:
    """Raise Conflict unless the block is still at the version that was read."""
    if block.version != expected:
        raise Conflict("Somebody else changed this section while you were writing. Both texts are kept: choose.")


def _revise(block: Block, actor: Account | None, now: datetime) -> None:
    block.version += 1
    block.updated_at = now
    block.updated_by_id = actor.id if actor else None


def _finish(issue: Issue, block: Block, action: str, actor: Account | None, now: datetime) -> None:
    db.session.flush()
    if action != "block.moved":
        write_revision(block, actor=actor, now=now)
    touch(issue, _CHANGED, actor=actor, now=now)
    db.session.expire(issue, ["blocks"])
    activity.record(action, actor=actor, now=now, issue=issue, subject=("block", block.id), kind=block.kind)
    _log.info("%s %s of issue %s", action, block.id, issue.id)


def _place(others: list[Block], block: Block, wanted: int) -> None:
    """Number all blocks with `block` at `wanted`, between what is fixed first and last."""
    fixed = kind_of(block.kind).fixed
    first = sum(1 for each in others if kind_of(each.kind).fixed == "first")
    last = len(others) - sum(1 for each in others if kind_of(each.kind).fixed == "last")
    place = {"first": 0, "last": len(others)}.get(fixed or "", max(first, min(wanted, last)))
    _number([*others[:place], block, *others[place:]])


def _number(blocks: list[Block]) -> None:
    for position, block in enumerate(blocks):
        if block.position != position:
            block.position = position
    db.session.flush()


def _issue_of(block: Block) -> Issue:
    issue = db.session.get(Issue, block.issue_id)
    if issue is None:
        raise NotFound("There is no such issue.")
    return issue


def _common(values: Mapping[str, Any]) -> dict[str, Any]:
    """The common fields that are named, each of its type. Raises Invalid."""
    problems: list[Problem] = []
    cleaned: dict[str, Any] = {}
    for name, value in values.items():
        match name, value:
            case "continues", bool():
                cleaned[name] = value
            case ("diary" | "audience_note"), str() if len(characters.one_line(value)) <= _LONGEST_COMMON:
                cleaned[name] = characters.one_line(value)
            case "language", None | str():
                cleaned[name] = characters.one_line(value or "")[:35] or None
            case "where", str() if value in set(Where):
                cleaned[name] = Where(value)
            case ("diary" | "audience_note"), str():
                problems.append(Problem(name, f"Use {_LONGEST_COMMON} characters or fewer."))
            case _:
                problems.append(Problem(name, f"“{name}” cannot be set to this."))
    if problems:
        raise Invalid(problems)
    return cleaned
