"""Going back: an act on structure undone, a version of the issue taken again. Nothing that is there is lost by it.

What is written is written as new revisions, and the issue as it stood before is kept as a version first: so going
back can itself be undone.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from ...db import db
from ...errors import Conflict, Refused
from ...i18n import gettext as _
from ...models import Account, Block, BlockRevision, Issue, IssueVersion
from ...rendering.blocks import kind as kind_of
from ...rendering.content import COMMON_DEFAULTS
from ...states import EDITABLE_STATES, Where
from ..staff import activity
from . import framing
from .block_rows import CHANGED, begin, issue_of, live_blocks, name_of, number, require_version, revise
from .comparing import SectionChange, Stood, compare, of_revision
from .editing import restore_revision
from .versions import (
    BEFORE,
    find_version,
    keep_before,
    latest,
    revisions,
    version_after,
    write_revision,
)
from .voiding import touch

_OFFERED = timedelta(minutes=10)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Step:
    """An act that can be undone: the number of the version kept before it, and what it was, in words."""

    number: int
    words: str


def restore_version(issue: Issue, wanted: int, *, actor: Account | None, now: datetime) -> IssueVersion:
    """Make the issue say again what it said in version `wanted`, in that order, under that subject.

    Sections that came since go to the bin. Returns the version kept just before: undoing goes back to it. Raises
    NotFound, Refused where the words are locked.
    """
    version = find_version(issue, wanted)
    begin(issue, now=now)
    kept = keep_before(issue, _("version {number} was taken again").format(number=wanted), actor=actor, now=now)
    framing.take_again(issue, version)
    _write(issue, version, None, actor, now)
    activity.record("issue.version_restored", actor=actor, now=now, issue=issue, version=wanted)
    _log.info("Issue %s went back to its version %s", issue.id, wanted)
    return kept


def restore_section(
    block: Block, version: int, *, expected_version: int, actor: Account | None, now: datetime
) -> IssueVersion:
    """Give one section the words of an older version again. Returns the version of the issue kept just before.

    Raises NotFound, Conflict when the section was changed meanwhile, Refused where the words are locked.
    """
    issue = issue_of(block)
    begin(issue, block, now=now)
    require_version(block, expected_version)
    act = _("“{name}” got its older words again").format(name=name_of(block))
    kept = keep_before(issue, act, actor=actor, now=now)
    restore_revision(block, version, expected_version=expected_version, actor=actor, now=now)
    return kept


def undo(issue: Issue, wanted: int, *, actor: Account | None, now: datetime) -> IssueVersion:
    """Take back the act before which version `wanted` was kept: its sections get their words and places back,
    subject and preview text what they said.

    What others did since in other sections stays. Returns the version kept just before: undoing it does the act
    again. Raises Conflict where a section of the act was changed since, NotFound, Refused.
    """
    version = find_version(issue, wanted)
    if not version.reason.startswith(BEFORE):
        raise Refused(_("There is nothing to undo here. Take the whole version again instead."))
    begin(issue, now=now)
    touched = _touched(issue, version)
    _require_untouched_since(version, touched)
    reframed = framing.changed_by_act(issue, version, version_after(version))
    kept = keep_before(issue, _act(version), actor=actor, now=now)
    if reframed:
        framing.take_again(issue, version)
    _write(issue, version, touched, actor, now)
    activity.record("issue.undone", actor=actor, now=now, issue=issue, version=wanted)
    _log.info("The act after version %s of issue %s was undone", wanted, issue.id)
    return kept


def step_of(issue: Issue, wanted: int) -> Step:
    """The act before which version `wanted` was kept. Raises NotFound."""
    version = find_version(issue, wanted)
    return Step(version.number, _act(version))


def offer(issue: Issue, actor: Account | None, now: datetime) -> Step | None:
    """The act to offer an undo for: the person's own, the newest of all, of the last ten minutes, and nothing
    written since."""
    newest, last = latest(issue), latest(issue, BEFORE)
    # An import keeps a version after itself too.
    if newest is None or last is None or last.at != newest.at or actor is None or last.actor_id != actor.id:
        return None
    if now - last.at > _OFFERED or issue.state not in EDITABLE_STATES:
        return None
    since = select(Block.id).where(Block.issue_id == issue.id, Block.updated_at > last.at).limit(1)
    return None if db.session.scalar(since) else Step(last.number, _act(last))


def section_history(block: Block) -> list[tuple[BlockRevision, list[SectionChange]]]:
    """How a section stood, newest first, each with what differs from the one before it."""
    kept = revisions(block)
    older: list[list[Stood]] = [[of_revision(each)] for each in kept[1:]] + [[]]
    return [(each, compare(before, [of_revision(each)])) for each, before in zip(kept, older, strict=False)]


def _act(version: IssueVersion) -> str:
    """What was done after it: "“Training” was moved"."""
    words = version.reason.removeprefix(BEFORE)
    return words[:1].upper() + words[1:]


def _touched(issue: Issue, version: IssueVersion) -> set[UUID]:
    """The sections that the act wrote: they have a revision of the very instant the version was kept at."""
    kept = {entry.block_id: entry.block_version for entry in version.entries}
    rows = db.session.execute(
        select(BlockRevision.block_id, BlockRevision.version)
        .join(Block, Block.id == BlockRevision.block_id)
        .where(Block.issue_id == issue.id, BlockRevision.at == version.at)
    )
    return {block_id for block_id, number_ in rows if number_ > kept.get(block_id, 0)}


def _require_untouched_since(version: IssueVersion, touched: set[UUID]) -> None:
    rows = db.session.scalars(select(BlockRevision).where(BlockRevision.block_id.in_(touched)))
    for each in sorted(rows, key=lambda row: row.version):
        if each.at > version.at:
            name = of_revision(each).name
            raise Conflict(
                _("“{name}” was changed since. Take version {number} again to go back all the way.").format(
                    name=name, number=version.number
                )
            )


def _write(issue: Issue, version: IssueVersion, only: set[UUID] | None, actor: Account | None, now: datetime) -> None:
    """Give the sections (those in `only`, or all) the words of the version, and all of them its order."""
    blocks = {
        block.id: block for block in db.session.scalars(select(Block).where(Block.issue_id == issue.id))
    }  # those in the bin too
    in_version = {entry.block_id: entry.block_version for entry in version.entries}
    for block in blocks.values():
        if only is not None and block.id not in only:
            continue
        if block.id in in_version:
            _take(block, in_version[block.id], actor, now)
        elif block.deleted_at is None:
            block.deleted_at = now
            _keep(block, actor, now)
    db.session.flush()
    number(_in_order(live_blocks(issue), [entry.block_id for entry in version.entries]))
    touch(issue, CHANGED, actor=actor, now=now)
    db.session.expire(issue, ["blocks"])


def _take(block: Block, version: int, actor: Account | None, now: datetime) -> None:
    kept = db.session.get(BlockRevision, (block.id, version))
    # Words that were taken down for good have no revision: what stands instead of them stays.
    values = _values(kept.data) if kept is not None else {}
    same = block.deleted_at is None and all(getattr(block, name) == value for name, value in values.items())
    if same:
        return
    block.deleted_at = None
    for name, value in values.items():
        setattr(block, name, value)
    _keep(block, actor, now)


def _values(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a block as a revision keeps them."""
    common = {name: kept[name] for name in COMMON_DEFAULTS}
    kind = kind_of(kept["kind"])
    data = kept["data"] if kind.fixed else kind.clean(kept["data"])
    return {"data": data, **common, "where": Where(common["where"]), "schema_version": kind.version}


def _keep(block: Block, actor: Account | None, now: datetime) -> None:
    revise(block, actor, now)
    write_revision(block, actor=actor, now=now)


def _in_order(live: Sequence[Block], wanted: Sequence[UUID]) -> list[Block]:
    """The sections in the wanted order; one that is not in it stays behind the one it follows now."""
    place = {block_id: at for at, block_id in enumerate(wanted)}
    ordered = sorted((block for block in live if block.id in place), key=lambda block: place[block.id])
    for at, block in enumerate(live):
        if block.id in place:
            continue
        above = live[at - 1] if at else None
        ordered.insert(ordered.index(above) + 1 if above is not None else 0, block)
    return ordered
