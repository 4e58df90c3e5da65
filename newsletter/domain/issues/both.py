"""Two texts of one section, written at once: set side by side, and kept both."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import escape

from ...models import Account, Block
from ...rendering.blocks import kind as kind_of
from . import commenting
from .block_rows import begin, issue_of, live_blocks, name_of
from .comparing import Mark, Piece, Stood, word_pieces
from .editing import add_block
from .versions import keep_before


@dataclass(frozen=True)
class Side:
    """One field in both texts. The pieces of each make up its words; those marked `added` stand only there."""

    label: str
    mine: tuple[Piece, ...]
    theirs: tuple[Piece, ...]


def sides(mine: Stood, theirs: Stood) -> list[Side]:
    """Every field that says something in either text, with what differs marked in each."""
    ours, others = mine.lines(), theirs.lines()
    found = []
    for path in dict.fromkeys([*ours, *others]):
        label = (ours.get(path) or others[path])[0]
        my_words, their_words = ours.get(path, ("", ""))[1], others.get(path, ("", ""))[1]
        found.append(Side(label, _only(their_words, my_words), _only(my_words, their_words)))
    return found


def _only(other: str, words: str) -> tuple[Piece, ...]:
    """`words`, with what `other` has not marked as added."""
    return tuple(piece for piece in word_pieces(other, words) if piece.mark is not Mark.REMOVED)


def keep_both(
    block: Block, data: Mapping[str, Any], common: Mapping[str, Any], *, actor: Account, now: datetime
) -> Block:
    """What stands in the section stays; `data` becomes a new section right below, which a comment explains.

    Also where the section was deleted meanwhile. A kind that may stand once only leaves its words in an ordinary
    section. Returns the new section. Raises Invalid for data of the wrong shape, Refused where the words are locked.
    """
    issue = issue_of(block)
    name, gone = name_of(block), block.deleted_at is not None
    kind = kind_of(block.kind)
    data = kind.clean(data)
    begin(issue, now=now)
    keep_before(issue, f"“{name}” was kept in two versions", actor=actor, now=now)
    taken = bool(kind.fixed) or (kind.once and any(each.kind == block.kind for each in live_blocks(issue)))
    position = block.position + (0 if gone else 1)
    if taken:
        words = {"heading": name, "body": _paragraphs(Stood(block.id, 0, block.kind, data, {}))}
        made = add_block(issue, "section", words, position=position, actor=actor, now=now)
    else:
        made = add_block(issue, block.kind, data, position=position, common=common, actor=actor, now=now)
    said = "deleted" if gone else "changed"
    commenting.comment(
        issue,
        f"These words were written while somebody else {said} “{name}”. Take over what is needed, and delete the rest.",
        block=made, actor=actor, now=now,
    )  # fmt: skip
    return made


def _paragraphs(stood: Stood) -> str:
    lines = [line for _label, words in stood.lines().values() for line in words.splitlines() if line.strip()]
    return "".join(f"<p>{escape(line)}</p>" for line in lines)
