"""What a document would become, before anything of it is in an issue."""

from dataclasses import dataclass
from datetime import date

from .decoding import text_of
from .outline import outline, require_sensible
from .proposing import KeyDate, ProposedBlock, key_dates, next_deadline, proposals, xhtml
from .units import Paragraph, units

_MOST_SECTIONS = 300


@dataclass(frozen=True)
class Document:
    """What was recognised.

    `label`, `strapline` and `publication` are the masthead's words; `proposals` the blocks; `dates` rows for Key
    dates; `next_deadline` the day on which the document says the next issue closes; `unplaced` the words that have
    no place in any of these.
    """

    proposals: tuple[ProposedBlock, ...]
    unplaced: tuple[str, ...] = ()
    label: str = ""
    strapline: str = ""
    publication: str = ""
    dates: tuple[KeyDate, ...] = ()
    next_deadline: date | None = None


def read_text(source: str | bytes) -> Document:
    """Read a plain-text document.

    Every word of it is in a proposal, in the masthead's words or in `unplaced`. Raises Invalid, in a sentence, for
    what is too large (2 MB), holds a NUL byte, cannot be decoded, has no words, or too many sections.
    """
    found = outline(units(text_of(source)))
    require_sensible(found.sections, _MOST_SECTIONS)
    blocks = tuple(proposals(found))
    if not blocks:
        # A masthead and nothing else is no masthead but all there is to say.
        words = tuple(filter(None, (found.publication, found.label, found.strapline)))
        body = xhtml(Paragraph(each) for each in words[1:])
        return Document((ProposedBlock("section", {"heading": words[0], "body": body}),))
    return Document(
        proposals=blocks,
        label=found.label,
        strapline=found.strapline,
        publication=found.publication,
        dates=tuple(key_dates(found)),
        next_deadline=next_deadline(found),
    )
