"""What can be added: the kinds of section, those of the last issue first."""

from dataclasses import dataclass

from sqlalchemy import select

from newsletter.db import db
from newsletter.i18n import gettext as _
from newsletter.models import Block, Issue
from newsletter.rendering.blocks import KINDS
from newsletter.rendering.blocks.base import BlockKind


@dataclass(frozen=True)
class Offer:
    """One kind in the palette; `used` where it may stand once and stands already."""

    kind: str
    name: str
    purpose: str
    icon: str
    used: bool


@dataclass(frozen=True)
class Group:
    name: str
    kinds: tuple[Offer, ...]


def groups(issue: Issue) -> list[Group]:
    """The palette for this issue: what the last one of its list used, then the others by what they are for."""
    present = {block.kind for block in issue.blocks}
    offered = [each for each in KINDS.values() if not each.fixed]
    before = _kinds_before(issue)
    usual = [each for each in offered if each.kind in before and not (each.once and each.kind in present)]
    others = [each for each in offered if each not in usual]
    found = [Group(_("As in the last issue"), tuple(_offer(each, present) for each in usual))] if usual else []
    for name in dict.fromkeys(each.group for each in others):
        found.append(Group(name, tuple(_offer(each, present) for each in others if each.group == name)))
    return found


def _kinds_before(issue: Issue) -> set[str]:
    """The kinds that the last issue is made of: the last that was sent, or else the last that was begun."""
    before = db.session.scalar(
        select(Issue.id)
        .where(Issue.list_id == issue.list_id, Issue.id != issue.id, Issue.created_at <= issue.created_at)
        .order_by(Issue.started_at.is_(None), Issue.created_at.desc(), Issue.id.desc())
        .limit(1)
    )
    if before is None:
        return set()
    return set(db.session.scalars(select(Block.kind).where(Block.issue_id == before, Block.deleted_at.is_(None))))


def _offer(kind: BlockKind, present: set[str]) -> Offer:
    return Offer(kind.kind, kind.name, kind.purpose, kind.icon, kind.once and kind.kind in present)
