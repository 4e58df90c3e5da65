"""What a person decides about each proposed section before anything is written."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from html import escape

from ....errors import Refused
from ....i18n import gettext as _
from .changing import joined, offers
from .proposing import ProposedBlock
from .reading import Document


class Decision(StrEnum):
    KEEP = "keep"
    MERGE = "merge"
    DROP = "drop"


@dataclass(frozen=True)
class Choice:
    """About one proposal: what to do with it, and as which kind ("" for the one proposed)."""

    decision: Decision = Decision.KEEP
    kind: str = ""


def as_kind(block: ProposedBlock, kind: str) -> ProposedBlock:
    """The proposal as the kind that was chosen; as it is where it does not fit that one."""
    return next((each for each in offers(block) if each.kind == kind), block)


def groups(document: Document, choices: Sequence[Choice]) -> list[tuple[int, ProposedBlock]]:
    """What would be imported: each block with the number of the proposal it began as. A proposal that is merged is in
    the block above it; the first one has none above, and a picture goes into no other."""
    made: list[tuple[int, ProposedBlock]] = []
    for number, (block, choice) in enumerate(zip(document.proposals, _all(document, choices), strict=True)):
        if choice.decision is Decision.DROP:
            continue
        shown = as_kind(block, choice.kind)
        if choice.decision is Decision.MERGE and made and "image" not in (made[-1][1].kind, shown.kind):
            made[-1] = (made[-1][0], joined(made[-1][1], shown))
        else:
            made.append((number, shown))
    return made


def chosen(document: Document, choices: Sequence[Choice], *, with_unplaced: bool = False) -> Document:
    """The document as it was decided. `with_unplaced`: the words without a place become a last section. Raises Refused
    when nothing is left."""
    blocks = [block for _number, block in groups(document, choices)]
    if with_unplaced and document.unplaced:
        body = "".join(f"<p>{escape(line, quote=False)}</p>" for line in document.unplaced)
        blocks.append(ProposedBlock("section", {"heading": _("Words without a place"), "body": body}))
    if not blocks:
        raise Refused(_("Every section is left out, so there is nothing to bring in. Keep one at least."))
    unplaced = () if with_unplaced else document.unplaced
    return replace(document, proposals=tuple(blocks), unplaced=unplaced)


def _all(document: Document, choices: Sequence[Choice]) -> list[Choice]:
    given = list(choices[: len(document.proposals)])
    return given + [Choice()] * (len(document.proposals) - len(given))
