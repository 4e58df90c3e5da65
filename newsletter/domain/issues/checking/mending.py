"""What one click mends: better words in the sections of an issue, as one act that can be undone."""

import copy
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from html import escape, unescape
from typing import Any
from uuid import UUID

from ....errors import Conflict
from ....models import Account, Block, Issue
from ..block_rows import begin, live_blocks, name_of
from ..editing import edit_block
from ..versions import keep_before
from .findings import Change, Finding, Fix

_TAG = re.compile(r"(<[^>]*>)")


def can_mend(block: Block, finding: Finding) -> bool:
    """Whether its button can do what it says: the words stand where they were found, in one stretch."""
    return finding.fix is not None and mended(block.data, finding.fix) is not None


def mend(issue: Issue, findings: Sequence[Finding], *, actor: Account | None, now: datetime) -> int:
    """Do what each finding's fix says, in one act that `history.undo` takes back. Returns how many were mended.

    Raises Conflict where none of the words stand there any more, Refused where the words are locked.
    """
    begin(issue, now=now)
    blocks = {block.id: block for block in live_blocks(issue)}
    data: dict[UUID, dict[str, Any]] = {}
    done = 0
    for finding in findings:
        block = blocks.get(UUID(finding.block_id)) if finding.block_id and finding.fix else None
        if block is None or finding.fix is None:
            continue
        better = mended(data.get(block.id, block.data), finding.fix)
        if better is not None:
            data[block.id], done = better, done + 1
    if not done:
        raise Conflict("These words have changed since: look at the checks again.")
    first = blocks[next(iter(data))]
    act = f"“{name_of(first)}” was mended" if len(data) == 1 else f"{len(data)} sections were mended"
    keep_before(issue, act, actor=actor, now=now)
    for block_id, better in data.items():
        block = blocks[block_id]
        edit_block(block, better, expected_version=block.version, actor=actor, now=now)
    return done


def mended(data: Mapping[str, Any], fix: Fix) -> dict[str, Any] | None:
    """A section's data after a fix; None where the words of one of its changes are not there."""
    better: Any = copy.deepcopy(dict(data))
    for change in fix.changes:
        try:
            better = _at(better, change.path.split("."), partial(_changed, change=change))
        except (LookupError, TypeError, ValueError):
            return None
    return dict(better)


def _at(value: Any, path: Iterable[str], change: Callable[[str], str]) -> Any:
    first, *rest = path
    key: Any = int(first) if isinstance(value, list) else first
    inner = value[key]
    value[key] = _at(inner, rest, change) if rest else change(inner)
    return value


def _changed(text: str, change: Change) -> str:
    """The text with the change made at its first place. Raises LookupError where the words are not there."""
    if change.link:
        return _in_link(text, change)
    if not change.rich:
        return _in_words(text, change)
    parts = _TAG.split(text)
    for number, part in enumerate(parts):
        if part and not part.startswith("<"):
            try:
                parts[number] = escape(_in_words(unescape(part), change), quote=False)
            except LookupError:
                continue
            return "".join(parts)
    raise LookupError(change.path)


def _in_words(text: str, change: Change) -> str:
    if change.whole:
        if text.strip() != change.old.strip():
            raise LookupError(change.path)
        return text.replace(change.old.strip(), change.new.strip())
    better, times = re.subn(rf"(?<!\w){re.escape(change.old)}(?!\w)", lambda _found: change.new, text, count=1)
    if not times:
        raise LookupError(change.path)
    return better


def _in_link(text: str, change: Change) -> str:
    old, new = (
        (f'href="{escape(url)}"' for url in (change.old, change.new)) if change.rich else (change.old, change.new)
    )
    if old not in text:
        raise LookupError(change.path)
    return text.replace(old, new, 1)
