"""Between a contribution and its section: put in as a copy, taken out into the bin, carried to another issue."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from ....db import db
from ....models import Account, Block, Contribution, Issue
from ....rendering.blocks import kind as kind_of
from ....rendering.content import COMMON_DEFAULTS
from ...issues.block_rows import end_of_sections
from ...issues.editing import add_block, delete_block, live_blocks
from ..texts import sent_pictures
from ..texts.items import as_block
from ..texts.news import to_xhtml

#: What stands after the news in an issue.
_CLOSING_KINDS = ("call", "footer")
#: The kind of the sections that its pictures become.
_PICTURE = "image"
#: Kind, data and common fields of a section.
_Copy = tuple[str, dict[str, Any], dict[str, Any]]


def section_of(contribution: Contribution) -> Block | None:
    """The section that its words became, where it stands in its issue; its pictures stand below it."""
    return db.session.scalar(
        select(Block)
        .where(
            Block.contribution_id == contribution.id,
            Block.issue_id == contribution.issue_id,
            Block.deleted_at.is_(None),
        )
        .order_by(Block.kind == _PICTURE, Block.position)
        .limit(1)
    )


def pictures_of(contribution: Contribution) -> list[sent_pictures.Shown]:
    """The pictures of its sections, as they stand in the issue, from top to bottom."""
    chosen = select(Block).where(
        Block.contribution_id == contribution.id, Block.issue_id == contribution.issue_id, Block.deleted_at.is_(None)
    )
    return [
        shown
        for block in db.session.scalars(chosen.order_by(Block.position))
        for shown in sent_pictures.of_data(block.kind, block.data)
    ]


def put_in(contribution: Contribution, issue: Issue, *, actor: Account | None, now: datetime) -> Block:
    """A copy of its words as a section, before what closes the issue, and its pictures below it. Returns the first.

    Raises Refused where the issue's words are locked.
    """
    blocks = live_blocks(issue)
    before = next((block.position for block in blocks if block.kind in _CLOSING_KINDS), None)
    copies: list[_Copy] = [(*as_section(contribution), {})]
    copies += [(_PICTURE, data, {"continues": True}) for data in sent_pictures.sections(contribution)]
    return _add(contribution, issue, copies, before, actor, now)


def _add(
    contribution: Contribution,
    issue: Issue,
    copies: list[_Copy],
    position: int | None,
    actor: Account | None,
    now: datetime,
) -> Block:
    """Sections of these, in order from `position` on; returns the first."""
    made = [
        add_block(
            issue, kind, data, position=None if position is None else position + number, common=common,
            contribution_id=contribution.id, actor=actor, now=now,
        )
        for number, (kind, data, common) in enumerate(copies)
    ]  # fmt: skip
    return made[0]


def as_section(contribution: Contribution) -> tuple[str, dict[str, Any]]:
    """Kind and data of the section that it becomes.

    Of a kind that stands once in an issue there is one already: its words make a section of their own.
    """
    kind, data = as_block(contribution)
    if not kind_of(kind).once:
        return kind, data
    made = {"heading": contribution.title, "body": to_xhtml(contribution.body), "source_agency": contribution.agency}
    return "section", kind_of("section").clean(made)


def take_out(contribution: Contribution, *, leave: bool = False, actor: Account | None, now: datetime) -> Block | None:
    """Its sections go into the bin, or, with `leave`, stay as words of the editors'. Returns one as it stood.

    Raises Refused where the issue's words are locked.
    """
    first = section_of(contribution)
    # What lies in the bin lets go of it too: brought back, it would be a second one.
    for block in db.session.scalars(select(Block).where(Block.contribution_id == contribution.id)).all():
        if block.deleted_at is None and not leave:
            delete_block(block, actor=actor, now=now)
        block.contribution_id = None
    db.session.flush()
    return first


def carry_section(
    contribution: Contribution, to: Issue, *, leave: bool, actor: Account | None, now: datetime
) -> Block | None:
    """Its sections, with all that editors wrote into them, go to another issue. None where it stood in none."""
    stood = [block for block in live_blocks(contribution.issue) if block.contribution_id == contribution.id]
    copies = [(one.kind, one.data, {name: getattr(one, name) for name in COMMON_DEFAULTS}) for one in stood]
    take_out(contribution, leave=leave, actor=actor, now=now)
    if not copies:
        return None
    return _add(contribution, to, copies, end_of_sections(live_blocks(to)), actor, now)
