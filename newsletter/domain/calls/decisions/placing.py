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
from ..texts.items import as_block
from ..texts.news import to_xhtml

#: What stands after the news in an issue.
_CLOSING_KINDS = ("call", "footer")


def section_of(contribution: Contribution) -> Block | None:
    """The section that it became, where it stands in its issue."""
    return db.session.scalar(
        select(Block)
        .where(
            Block.contribution_id == contribution.id,
            Block.issue_id == contribution.issue_id,
            Block.deleted_at.is_(None),
        )
        .order_by(Block.position)
        .limit(1)
    )


def put_in(contribution: Contribution, issue: Issue, *, actor: Account | None, now: datetime) -> Block:
    """A copy of its words as a section, before what closes the issue. Raises Refused where its words are locked."""
    blocks = live_blocks(issue)
    before = next((block.position for block in blocks if block.kind in _CLOSING_KINDS), None)
    kind, data = as_section(contribution)
    return add_block(issue, kind, data, position=before, contribution_id=contribution.id, actor=actor, now=now)


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
    """Its section, with all that editors wrote into it, goes to another issue. None where it stood in none."""
    section = take_out(contribution, leave=leave, actor=actor, now=now)
    if section is None:
        return None
    return add_block(
        to,
        section.kind,
        section.data,
        position=end_of_sections(live_blocks(to)),
        common={name: getattr(section, name) for name in COMMON_DEFAULTS},
        contribution_id=contribution.id,
        actor=actor,
        now=now,
    )
