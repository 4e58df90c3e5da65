"""The issue at one moment: its subject and preview text, which blocks, at which version, in which order. Written,
never changed.

A version is kept before every act on structure and every change of subject or preview text (what its undo goes back
to), before and after what is large (an import, a version taken back), when approval is asked for and given, and when
work goes on after a pause of half an hour: then it is the issue as it was left. Those before small acts are given up
after a week.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.orm import selectinload

from ...db import db
from ...errors import NotFound
from ...models import Account, Block, BlockRevision, Issue, IssueVersion, IssueVersionBlock
from ...rendering.content import COMMON_DEFAULTS
from . import framing

#: How reasons begin. A small act names its section in “ ”.
BEFORE = "Before "
_BEFORE_ONE = "Before “"
AS_LEFT = "As it was left"
SENT_FOR_APPROVAL = "Sent for approval"
APPROVED = "Approved"
_PAUSE = timedelta(minutes=30)
SMALL_ACTS_KEPT = timedelta(days=7)


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


def is_held(block_id: UUID, version: int) -> bool:
    """Whether a version of the issue holds this revision: then it must stay as it is."""
    held = exists().where(IssueVersionBlock.block_id == block_id, IssueVersionBlock.block_version == version)
    return bool(db.session.scalar(select(held)))


def keep_version(issue: Issue, reason: str, *, actor: Account | None, now: datetime) -> IssueVersion:
    """Keep the issue as it stands, with the reason in a few words."""
    last = db.session.scalar(select(func.max(IssueVersion.number)).where(IssueVersion.issue_id == issue.id)) or 0
    version = IssueVersion(
        issue_id=issue.id,
        number=last + 1,
        reason=reason[:200],
        subject=issue.subject,
        preheader=issue.preheader,
        at=now,
        actor_id=actor.id if actor else None,
        entries=[
            IssueVersionBlock(position=position, block_id=block_id, block_version=block_version)
            for position, (block_id, block_version) in enumerate(_standing(issue))
        ],
    )
    db.session.add(version)
    db.session.flush()
    return version


def keep_before(issue: Issue, act: str, *, actor: Account | None, now: datetime) -> IssueVersion:
    """Keep the issue before something is done to it, which `history.undo` can then take back.

    `act` says what, in the past ("“Training” was moved", "a document was imported"). What the act writes must
    carry the same `now`: that is how its undo knows it.
    """
    return keep_version(issue, BEFORE + act, actor=actor, now=now)


def keep_as_left(issue: Issue, now: datetime) -> IssueVersion | None:
    """Keep the issue as its last writer left it, where half an hour or more has passed since; None otherwise."""
    newest = db.session.execute(
        select(Block.updated_at, Block.updated_by_id)
        .where(Block.issue_id == issue.id)
        .order_by(Block.updated_at.desc())
        .limit(1)
    ).first()
    if newest is None:
        return None
    last = latest(issue)
    left_at, writer_id = newest.updated_at, newest.updated_by_id
    if last is not None and last.at > left_at:
        # Where only the order or the subject changed, no section says so: but a version was kept before it.
        left_at, writer_id = last.at, last.actor_id
    if now - left_at < _PAUSE:
        return None
    if last is not None and _holds(last, issue):
        return None
    writer = db.session.get(Account, writer_id) if writer_id else None
    return keep_version(issue, AS_LEFT, actor=writer, now=left_at)


def _holds(version: IssueVersion, issue: Issue) -> bool:
    """Whether the issue stands as the version has it."""
    same_frame = not framing.are_kept(version) or framing.words_of(version) == framing.words_of(issue)
    return same_frame and [(each.block_id, each.block_version) for each in version.entries] == _standing(issue)


def _standing(issue: Issue) -> list[tuple[UUID, int]]:
    db.session.flush()
    rows = db.session.execute(
        select(Block.id, Block.version)
        .where(Block.issue_id == issue.id, Block.deleted_at.is_(None))
        .order_by(Block.position)
    )
    return [(block_id, version) for block_id, version in rows]


def kept_versions(issue: Issue) -> list[IssueVersion]:
    """The versions of the issue, newest first."""
    chosen = select(IssueVersion).where(IssueVersion.issue_id == issue.id).options(selectinload(IssueVersion.entries))
    return list(db.session.scalars(chosen.order_by(IssueVersion.number.desc())))


def latest(issue: Issue, *reasons: str) -> IssueVersion | None:
    """The newest version, of those whose reason begins with one of `reasons` where any are given."""
    chosen = select(IssueVersion).where(IssueVersion.issue_id == issue.id)
    if reasons:
        chosen = chosen.where(or_(*(IssueVersion.reason.startswith(each) for each in reasons)))
    return db.session.scalar(chosen.order_by(IssueVersion.number.desc()).limit(1))


def find_version(issue: Issue, number: int) -> IssueVersion:
    """The version of this number. Raises NotFound."""
    found = db.session.scalar(
        select(IssueVersion).where(IssueVersion.issue_id == issue.id, IssueVersion.number == number)
    )
    if found is None:
        raise NotFound("There is no such version of this issue. Those of small steps are given up after a week.")
    return found


def version_after(version: IssueVersion) -> IssueVersion | None:
    """The version that was kept next; None for the newest."""
    chosen = select(IssueVersion).where(IssueVersion.issue_id == version.issue_id, IssueVersion.number > version.number)
    return db.session.scalar(chosen.order_by(IssueVersion.number).limit(1))


def is_small(version: IssueVersion) -> bool:
    """Whether it was kept before an act on one section: of use for undoing it, of none a week later."""
    return version.reason.startswith(_BEFORE_ONE)


def thin(now: datetime) -> int:
    """Give up the versions before small acts that are older than a week. Returns how many."""
    old = delete(IssueVersion).where(
        IssueVersion.reason.startswith(_BEFORE_ONE), IssueVersion.at < now - SMALL_ACTS_KEPT
    )
    return int(db.session.execute(old).rowcount)  # type: ignore[attr-defined]  # a DELETE answers with a CursorResult
