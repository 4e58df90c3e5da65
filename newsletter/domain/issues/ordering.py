"""The order of sections: a section put elsewhere with what continues it, or all of them by number."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from ...db import db
from ...errors import Conflict, Invalid, Problem, Refused
from ...models import Account, Block, Issue
from ...rendering.blocks import kind as kind_of
from ..staff import activity
from .block_rows import CHANGED, begin, issue_of, live_blocks, name_of, number, place
from .versions import keep_before
from .voiding import touch


def group_of(block: Block, blocks: Sequence[Block]) -> list[Block]:
    """The block and, where it begins a section, the blocks right below that go on with it. `blocks` are in order.

    A block that itself goes on with the one above is a group of its own, and so is one with a place of its own.
    """
    group = [block]
    if block.continues or kind_of(block.kind).fixed:
        return group
    at = next(number for number, each in enumerate(blocks) if each.id == block.id)
    for each in blocks[at + 1 :]:
        if not each.continues or kind_of(each.kind).fixed:
            break
        group.append(each)
    return group


def place_group(block: Block, to_position: int, *, actor: Account | None, now: datetime) -> int:
    """Put the block at `to_position` (0 is the top), what continues it right below, as near as fixed blocks allow.

    `to_position` counts as the issue shows it: it is the place the block has once it alone is taken out and put back;
    a place among the blocks that go with it is the one they have. Returns the block's place. Raises Refused for a
    block with a place of its own, and Conflict for one in the bin.
    """
    issue = issue_of(block)
    begin(issue, block, now=now)
    if kind_of(block.kind).fixed:
        raise Refused(f"“{kind_of(block.kind).name}” has its own place and cannot be moved.")
    blocks = live_blocks(issue)
    group = group_of(block, blocks)
    alone = [each for each in blocks if each is not block]
    at = sum(1 for each in alone[: max(0, to_position)] if each not in group)
    before = [each.id for each in blocks]
    kept = keep_before(issue, f"“{name_of(block)}” was moved", actor=actor, now=now)
    place([each for each in blocks if each not in group], group, at)
    if [each.id for each in live_blocks(issue)] == before:
        db.session.delete(kept)
    else:
        _tell(issue, len(group), actor, now)
    return block.position


def set_order(
    issue: Issue, seen: Sequence[UUID], places: Mapping[UUID, int], *, actor: Account | None, now: datetime
) -> int:
    """Put each block of `places` at its place (1 is the top); the others close up in the order they have.

    `seen` is the order that the person had before them: Conflict where it is no longer so. Returns how many blocks
    were given another place by name. Raises Invalid for a place that is none, or that two blocks are to have.
    """
    begin(issue, now=now)
    blocks = live_blocks(issue)
    if [each.id for each in blocks] != list(seen):
        raise Conflict("Somebody else changed the order meanwhile. It is shown as it is now: nothing was moved.")
    moved = [each for each in blocks if places.get(each.id, each.position + 1) != each.position + 1]
    _require_places(blocks, {each.id: places[each.id] for each in moved})
    if not moved:
        return 0
    keep_before(issue, "The order was changed", actor=actor, now=now)
    order = [each for each in blocks if each not in moved]
    for each in sorted(moved, key=lambda block: places[block.id]):
        order.insert(places[each.id] - 1, each)
    number(order)
    _tell(issue, len(moved), actor, now)
    return len(moved)


def bounds(blocks: Sequence[Block]) -> tuple[int, int]:
    """The first and the last place (1 is the top) that a block which can be moved may have."""
    fixed = [kind_of(each.kind).fixed for each in blocks]
    return fixed.count("first") + 1, len(blocks) - fixed.count("last")


def _require_places(blocks: Sequence[Block], places: Mapping[UUID, int]) -> None:
    lowest, highest = bounds(blocks)
    taken: dict[int, Block] = {}
    problems = []
    for each in blocks:
        wanted = places.get(each.id)
        if wanted is None:
            continue
        if kind_of(each.kind).fixed or not lowest <= wanted <= highest:
            problems.append(
                Problem(str(each.id), f"Give “{name_of(each)}” a number from {lowest} to {highest}.")
            )  # fmt: skip
        elif wanted in taken:
            problems.append(
                Problem(str(each.id), f"“{name_of(each)}” and “{name_of(taken[wanted])}” cannot both be {wanted}.")
            )
        taken.setdefault(wanted, each)
    if problems:
        raise Invalid(problems)


def _tell(issue: Issue, moved: int, actor: Account | None, now: datetime) -> None:
    touch(issue, CHANGED, actor=actor, now=now)
    db.session.expire(issue, ["blocks"])
    activity.record("blocks.moved", actor=actor, now=now, issue=issue, number=moved)
