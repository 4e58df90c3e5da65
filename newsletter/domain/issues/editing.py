"""Writing an issue: its blocks are added, changed, moved, copied, thrown away and brought back.

Every verb locks the issue, refuses when its words are locked, keeps what it changes as a revision, raises the
issue's content version and ends an approval. Drafts are always saved: only data of the wrong shape is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from ...db import db
from ...errors import NotFound, Refused
from ...models import Account, Block, Issue
from ...rendering import characters
from ...rendering.blocks import kind as kind_of
from ...rendering.content import COMMON_DEFAULTS
from ...states import Where
from ..staff import activity
from .autosaving import make_way, mark_autosaved
from .block_rows import (
    CHANGED,
    begin,
    common_values,
    deleted_blocks,
    find_block,
    finish,
    issue_of,
    live_blocks,
    name_of,
    number,
    place,
    require_version,
    revise,
)
from .content import MASTHEAD_WORDS
from .rewritten_links import cleaned_links
from .versions import keep_before, revision, write_revision
from .voiding import touch

__all__ = [
    "BlockDraft",
    "add_block",
    "add_blocks",
    "delete_block",
    "deleted_blocks",
    "duplicate_block",
    "edit_block",
    "find_block",
    "live_blocks",
    "move_block",
    "restore_revision",
    "set_masthead_words",
    "undo_delete",
]


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
    cleaned = cleaned_links(kind, found.clean(data or {}))
    values = common_values(common or {})
    begin(issue, now=now)
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
    place(blocks, [block], len(blocks) if position is None else position)
    finish(issue, block, "block.added", actor, now)
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
    cleaned = [(draft, cleaned_links(draft.kind, kind_of(draft.kind).clean(draft.data))) for draft in drafts]
    begin(issue, now=now)
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
    place(blocks, made, position)
    for block in made:
        write_revision(block, actor=actor, now=now)
    touch(issue, CHANGED, actor=actor, now=now)
    db.session.expire(issue, ["blocks"])
    activity.record("blocks.added", actor=actor, now=now, issue=issue, number=len(made))
    return made


def edit_block(
    block: Block,
    data: Mapping[str, Any],
    *,
    expected_version: int,
    common: Mapping[str, Any] | None = None,
    autosave: bool = False,
    actor: Account | None,
    now: datetime,
) -> Block:
    """Write the block's data anew, and those common fields that are named.

    With `autosave` nobody asked for it to be saved: words that were saved so a moment ago by the same person make way
    in the history (`autosaving`); the version goes up all the same, so that a form opened meanwhile clashes.
    Raises Conflict when the block is no longer at `expected_version`: show both texts, lose neither. The very words
    that stand there already clash with nothing: they may be one's own, whose answer was lost on the way.
    """
    issue = issue_of(block)
    cleaned = cleaned_links(block.kind, kind_of(block.kind).clean(data))
    values = common_values(common or {})
    begin(issue, block, now=now)
    if block.kind == "masthead":
        cleaned = {**cleaned, **{name: block.data[name] for name in MASTHEAD_WORDS if name in block.data}}
    same = block.data == cleaned and all(getattr(block, name) == value for name, value in values.items())
    if same:
        return block
    require_version(block, expected_version)
    block.data = cleaned
    for name, value in values.items():
        setattr(block, name, value)
    going_on = autosave and make_way(block, actor, now)
    revise(block, actor, now)
    finish(issue, block, "block.edited", actor, now, quiet=bool(going_on))
    if autosave:
        mark_autosaved(block, going_on or now)
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
    revise(block, actor, now)
    finish(issue, block, "block.edited", actor, now)


def move_block(block: Block, to_position: int, *, actor: Account | None, now: datetime) -> int:
    """Put the block where `to_position` says (0 is the top), as near as fixed blocks allow. Returns its place.

    Order is the issue's: the block keeps its version, so that a form somebody has open can still be saved.
    """
    issue = issue_of(block)
    begin(issue, block, now=now)
    if kind_of(block.kind).fixed:
        raise Refused(f"“{kind_of(block.kind).name}” has its own place and cannot be moved.")
    blocks = live_blocks(issue)
    before = block.position
    kept = keep_before(issue, f"“{name_of(block)}” was moved", actor=actor, now=now)
    place([each for each in blocks if each is not block], [block], to_position)
    if block.position != before:
        finish(issue, block, "block.moved", actor, now)
    else:
        db.session.delete(kept)
    return block.position


def duplicate_block(block: Block, *, actor: Account | None, now: datetime) -> Block:
    """The same words again, right below. Raises Refused for a kind that may stand once only."""
    issue = issue_of(block)
    common = {name: getattr(block, name) for name in COMMON_DEFAULTS}
    if kind_of(block.kind).once:
        raise Refused(f"There can be only one “{kind_of(block.kind).name}” in an issue.")
    begin(issue, block, now=now)
    keep_before(issue, f"“{name_of(block)}” was copied", actor=actor, now=now)
    return add_block(issue, block.kind, block.data, position=block.position + 1, common=common, actor=actor, now=now)


def delete_block(block: Block, *, actor: Account | None, now: datetime) -> None:
    """Into the bin; `undo_delete` brings it back. Masthead and footer cannot be deleted."""
    issue = issue_of(block)
    begin(issue, block, now=now)
    if kind_of(block.kind).fixed:
        raise Refused(f"Every issue has a {kind_of(block.kind).name.lower()}: it cannot be deleted.")
    block.deleted_at = now
    revise(block, actor, now)
    number([each for each in live_blocks(issue) if each is not block])
    finish(issue, block, "block.deleted", actor, now)


def undo_delete(block: Block, *, actor: Account | None, now: datetime) -> None:
    """Out of the bin, back to its old place."""
    issue = issue_of(block)
    begin(issue, now=now)
    db.session.refresh(block)
    if block.deleted_at is None:
        return
    others = live_blocks(issue)
    if kind_of(block.kind).once and any(each.kind == block.kind for each in others):
        raise Refused(f"There is another “{kind_of(block.kind).name}” in the issue now. Delete that one first.")
    block.deleted_at = None
    revise(block, actor, now)
    place(others, [block], block.position)
    finish(issue, block, "block.restored", actor, now)


def restore_revision(
    block: Block, version: int, *, expected_version: int, actor: Account | None, now: datetime
) -> Block:
    """Write the words of an older version again, as a new version. Raises NotFound and what edit_block raises."""
    kept = revision(block.id, version).data
    common = {name: kept[name] for name in COMMON_DEFAULTS}
    data = kept["data"] if block.kind != "masthead" else {}
    return edit_block(block, data, expected_version=expected_version, common=common, actor=actor, now=now)
