"""What differs: a contribution and the section that editors made of it, its revisions, two contributions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ....models import Block, Contribution, ContributionRevision
from ....rendering.blocks import kind as kind_of
from ...issues.comparing import FieldChange, Mark, Piece, Stood, compare, stood, word_pieces
from ...issues.pictures import PICTURE_FIELDS
from ..texts import revisions
from ..texts.items import as_block
from .placing import as_section

_SAME = UUID(int=0)
#: Two texts that share less than this part of the shorter one say different things: marks would only be noise.
_LITTLE = 3


@dataclass(frozen=True)
class Step:
    """A text as it was saved, and how it differs from the one before; the first differs from nothing."""

    number: int
    at: datetime
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True)
class Row:
    """The words of two texts in one field. Each side's pieces are marked ADDED where only that side says so."""

    label: str
    left: tuple[Piece, ...]
    right: tuple[Piece, ...]


def edited(contribution: Contribution, section: Block) -> tuple[FieldChange, ...]:
    """What editors changed between what was sent in and the section; empty where they changed no word."""
    kind, data = as_section(contribution)
    return _between(_text(kind, data), stood(section))


def whole(contribution: Contribution, section: Block) -> list[FieldChange]:
    """Every field of the section as it stands, the words that differ from what was sent marked; then what is gone.

    Pictures stand in `placing.pictures_of`: they are looked at, not read.
    """
    changed = {each.label: each for each in edited(contribution, section)}
    now = _without_pictures(Stood(_SAME, section.version, section.kind, section.data, {}))
    stays = [changed.get(label) or FieldChange(label, (Piece(Mark.SAME, words),)) for label, words in now.values()]
    labels = {label for label, _words in now.values()} | _picture_labels(section.kind)
    return [*stays, *(each for label, each in changed.items() if label not in labels)]


def history(contribution: Contribution) -> list[Step]:
    """Its revisions, oldest first. Those that were saved and say the same as the one before are left out."""
    steps: list[Step] = []
    before: Stood | None = None
    for each in revisions.of(contribution):
        now = _of_revision(contribution, each)
        changed = _between(before, now) if before else ()
        if before is None or changed:
            steps.append(Step(each.revision, each.at, changed))
        before = now
    return steps


def side_by_side(left: Contribution, right: Contribution) -> list[Row]:
    """Two contributions, field by field; pictures are looked at, not read."""
    one, other = (_without_pictures(_text(*as_block(each))) for each in (left, right))
    return [_row(path, one, other) for path in dict.fromkeys([*one, *other])]


def _row(path: str, one: Mapping[str, tuple[str, str]], other: Mapping[str, tuple[str, str]]) -> Row:
    label = (one.get(path) or other[path])[0]
    was, now = one.get(path, ("", ""))[1], other.get(path, ("", ""))[1]
    pieces = word_pieces(was, now)
    if _in_common(pieces) * _LITTLE < min(len(was), len(now)):
        return Row(label, (Piece(Mark.SAME, was),) if was else (), (Piece(Mark.SAME, now),) if now else ())
    left = tuple(Piece(Mark.ADDED, each.text) if each.mark is Mark.REMOVED else each for each in pieces)
    return Row(label, _but(left, pieces, Mark.ADDED), _but(pieces, pieces, Mark.REMOVED))


def _in_common(pieces: Sequence[Piece]) -> int:
    return sum(len(piece.text.strip()) for piece in pieces if piece.mark is Mark.SAME)


def _but(shown: Sequence[Piece], pieces: Sequence[Piece], gone: Mark) -> tuple[Piece, ...]:
    return tuple(piece for piece, was in zip(shown, pieces, strict=True) if was.mark is not gone)


def _between(before: Stood, after: Stood) -> tuple[FieldChange, ...]:
    same = Stood(_SAME, after.version, after.kind, after.data, {})
    found = compare([before], [same])
    return found[0].fields if found else ()


def _without_pictures(text: Stood) -> dict[str, tuple[str, str]]:
    shown = PICTURE_FIELDS.get(text.kind, ())
    return {path: words for path, words in text.lines().items() if path not in shown}


def _picture_labels(kind: str) -> set[str]:
    return {field.label for field in kind_of(kind).fields if field.name in PICTURE_FIELDS.get(kind, ())}


def _text(kind: str, data: Mapping[str, Any]) -> Stood:
    return Stood(_SAME, 0, kind, data, {})


def _of_revision(contribution: Contribution, revision: ContributionRevision) -> Stood:
    as_it_was = Contribution(
        title=revision.title,
        kind=revision.kind,
        data=revision.data,
        body=revision.body,
        agency=contribution.agency,
    )
    return _text(*as_block(as_it_was))
