"""The issue at one moment: which blocks, at which version, in which order. Written, never changed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from ...db import db
from ...errors import NotFound
from ...models import Account, Block, BlockRevision, Issue, IssueVersion, IssueVersionBlock
from ...rendering.content import COMMON_DEFAULTS


def write_revision(block: Block, *, actor: Account | None, now: datetime) -> None:
    """Keep the block as it stands under its present version."""
    common = {name: getattr(block, name) for name in COMMON_DEFAULTS}
    db.session.add(
        BlockRevision(
            block_id=block.id,
            version=block.version,
            data={
                "kind": block.kind,
                "data": block.data,
                "position": block.position,
                "deleted": block.deleted_at is not None,
                **{name: str(value) if name == "where" else value for name, value in common.items()},
            },
            at=now,
            actor_id=actor.id if actor else None,
        )
    )


def revisions(block: Block) -> list[BlockRevision]:
    """How the block stood, newest first."""
    return list(
        db.session.scalars(
            select(BlockRevision).where(BlockRevision.block_id == block.id).order_by(BlockRevision.version.desc())
        )
    )


def revision(block_id: UUID, version: int) -> BlockRevision:
    """The block at one version. Raises NotFound."""
    found = db.session.get(BlockRevision, (block_id, version))
    if found is None:
        raise NotFound("There is no such version of this section.")
    return found


def keep_version(issue: Issue, reason: str, *, actor: Account | None, now: datetime) -> IssueVersion:
    """Keep the issue as it stands: before something large is done to it, and whenever it is approved."""
    last = db.session.scalar(select(func.max(IssueVersion.number)).where(IssueVersion.issue_id == issue.id)) or 0
    version = IssueVersion(
        issue_id=issue.id,
        number=last + 1,
        reason=reason,
        at=now,
        actor_id=actor.id if actor else None,
        entries=[
            IssueVersionBlock(position=position, block_id=block.id, block_version=block.version)
            for position, block in enumerate(issue.blocks)
        ],
    )
    db.session.add(version)
    db.session.flush()
    return version
