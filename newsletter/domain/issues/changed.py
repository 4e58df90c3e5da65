"""What can differ between two versions of an issue: a section, or the words around the sections, field by field."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from .word_pieces import Piece


class What(StrEnum):
    """What happened to a section between two versions."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True)
class FieldChange:
    """A field that differs, as its words from first to last."""

    label: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class SectionChange:
    """A section that differs. `before` and `after` are its versions, None where it does not stand; one that moved
    and changed is `changed`, with `moved`. Subject and preview text count as one, of the kind `framing.KIND`."""

    block_id: UUID
    kind: str
    name: str
    what: What
    fields: tuple[FieldChange, ...]
    before: int | None
    after: int | None
    moved: bool = False
