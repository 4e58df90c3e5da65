"""The bin of an issue: what was thrown away waits there for 30 days, and can be put back to its old place.

What a version holds stays as evidence, also when the bin is emptied: only revisions that nothing holds go. A
section that was emptied away while versions hold it keeps its row without words, and has no revision of its
deletion any more: that is how it is told from what lies in the bin.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, exists, select

from ...db import db
from ...errors import NotFound, Refused
from ...i18n import gettext as _
from ...models import Account, Block, BlockRevision, Issue, IssueVersionBlock
from ...rendering.blocks import kind as kind_of
from ..staff import activity
from .block_rows import issue_of, name_of
from .editing import undo_delete
from .transitions import lock, require_editable

_log = logging.getLogger(__name__)
KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True)
class Binned:
    """One section in the bin: by whom it was thrown away (None: the system, or a former account), when, and when it
    goes for good. `held`: versions of the issue hold its words, and keep them."""

    block: Block
    name: str
    by: Account | None
    at: datetime
    until: datetime
    held: bool


def _in_bin() -> object:
    revised = exists().where(BlockRevision.block_id == Block.id, BlockRevision.version == Block.version)
    return and_(Block.deleted_at.is_not(None), revised)


def bin_of(issue: Issue) -> list[Binned]:
    """What lies in the bin, thrown away last first."""
    chosen = select(Block).where(Block.issue_id == issue.id, _in_bin())  # type: ignore[arg-type]  # a condition
    blocks = db.session.scalars(chosen.order_by(Block.deleted_at.desc(), Block.position)).all()
    return [_binned(block) for block in blocks if block.deleted_at is not None]


def _binned(block: Block) -> Binned:
    assert block.deleted_at is not None
    by = db.session.get(Account, block.updated_by_id) if block.updated_by_id else None
    return Binned(block, name_of(block), by, block.deleted_at, block.deleted_at + KEPT_FOR, bool(_held(block)))


def put_back(block: Block, *, actor: Account | None, now: datetime) -> None:
    """Out of the bin, to its old place. Raises NotFound where it was emptied away, and what `undo_delete` raises."""
    if block.deleted_at is not None and not _lies_there(block):
        raise NotFound(_("It is no longer in the bin."))
    undo_delete(block, actor=actor, now=now)


def throw_away(block: Block, *, actor: Account | None, now: datetime) -> None:
    """Empty one section out of the bin, for good. Raises Refused for one that is not in it, or of a locked issue."""
    issue = issue_of(block)
    lock(issue)
    require_editable(issue)
    db.session.refresh(block)
    if block.deleted_at is None:
        raise Refused(_("It stands in the issue. Delete it first."))
    kind, block_id = block.kind, block.id
    _forget(block)
    activity.record("block.emptied", actor=actor, now=now, issue=issue, subject=("block", block_id), kind=kind)


def empty(now: datetime) -> int:
    """Empty out what has lain in a bin for 30 days. Returns how many sections went."""
    chosen = select(Block).where(_in_bin(), Block.deleted_at < now - KEPT_FOR)  # type: ignore[arg-type]  # a condition
    blocks = db.session.scalars(chosen).all()
    for block in blocks:
        _forget(block)
    if blocks:
        _log.info("%d sections went from the bins for good", len(blocks))
    return len(blocks)


def _lies_there(block: Block) -> bool:
    return db.session.get(BlockRevision, (block.id, block.version)) is not None


def _held(block: Block) -> Sequence[int]:
    """The revisions that versions of the issue hold."""
    chosen = select(IssueVersionBlock.block_version).where(IssueVersionBlock.block_id == block.id)
    return db.session.scalars(chosen.distinct()).all()


def _forget(block: Block) -> None:
    held = _held(block)
    db.session.execute(
        delete(BlockRevision).where(BlockRevision.block_id == block.id, BlockRevision.version.not_in(held))
    )
    if held:
        block.data, block.diary, block.audience_note = kind_of(block.kind).empty(), "", ""
    else:
        db.session.delete(block)
    db.session.flush()
