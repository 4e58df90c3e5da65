"""What a document would become, before anything of it is in an issue."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from ....models import Account
from ....rendering.pictures import Picture
from .completeness import without_place
from .decoding import html_of, text_of
from .formats import Format, format_of
from .leaving_out import Behind, LeftOut
from .markdown import html_of_markdown
from .outline import outline, require_sensible
from .page_cleaning import lines_of_html
from .picturing import Marks, WordPicture, stored
from .proposing import KeyDate, ProposedBlock, key_dates, next_deadline, proposals, xhtml
from .units import Paragraph, Unit, units
from .web_page import units_of_html
from .word import read_word
from .word_package import refused

_MOST_SECTIONS = 300
_LARGEST_TEXT = 2 * 1024 * 1024


@dataclass(frozen=True)
class Document:
    """What was recognised.

    `label`, `strapline` and `publication` are the masthead's words; `proposals` the blocks; `dates` rows for Key
    dates; `next_deadline` the day on which the document says the next issue closes; `left_out` what was not taken
    over; `unplaced` the words that have no place in any of these. `pictures` wait to be made fit for mail.
    """

    proposals: tuple[ProposedBlock, ...]
    unplaced: tuple[str, ...] = ()
    label: str = ""
    strapline: str = ""
    publication: str = ""
    dates: tuple[KeyDate, ...] = ()
    next_deadline: date | None = None
    left_out: tuple[LeftOut, ...] = ()
    format: Format = Format.TEXT
    pictures: tuple[WordPicture, ...] = ()


def read_document(source: str | bytes, name: str = "", *, with_pictures: bool = False) -> Document:
    """Read a document in any format we know: Word (.docx), HTML, Markdown or plain text, by what is in it.

    `name` is the file's, and decides only where the content does not. Every word of it is in a proposal, in the
    masthead's words, in `left_out` or in `unplaced`. `with_pictures`: those of a Word document are in `pictures`, and
    have blocks that name them by their numbers, for `with_stored_pictures`; else they stay behind. Raises Invalid, in a
    sentence, for what cannot be read.
    """
    match format_of(source, name):
        case Format.WORD:
            assert isinstance(source, bytes)
            behind = Behind()
            word = read_word(source, behind, with_pictures=with_pictures)
            marks = Marks()
            html = marks.put(word.html) if word.pictures else word.html
            return _pictured(_structured(html, word.lines, behind, Format.WORD), marks, word.pictures)
        case Format.HTML:
            html = html_of(source)
            return _structured(html, lines_of_html(html), Behind(), Format.HTML)
        case Format.MARKDOWN:
            html = html_of_markdown(text_of(source))
            return _structured(html, lines_of_html(html), Behind(), Format.MARKDOWN)
    return read_text(source)


def _pictured(document: Document, marks: Marks, pictures: tuple[WordPicture, ...]) -> Document:
    if not pictures:
        return document
    return replace(
        document,
        proposals=marks.placed(document.proposals, pictures),
        pictures=pictures,
        label=marks.without(document.label),
        strapline=marks.without(document.strapline),
        publication=marks.without(document.publication),
        dates=marks.without_dates(document.dates),
    )


def with_stored_pictures(
    document: Document, made: Mapping[int, Picture], *, actor: Account | None, now: datetime
) -> Document:
    """The document with its pictures kept, of which `picturing.remade` made `made` before the transaction."""
    blocks, left_out = stored(document.proposals, document.left_out, made, actor=actor, now=now)
    return replace(document, proposals=blocks, left_out=left_out, pictures=())


def read_text(source: str | bytes) -> Document:
    """Read a plain-text document.

    Every word of it is in a proposal, in the masthead's words or in `unplaced`. Raises Invalid, in a sentence, for
    what is too large (2 MB), holds a NUL byte, cannot be decoded, has no words, or too many sections.
    """
    return _proposed(units(text_of(source)))


def _structured(html: str, lines: Iterable[str], behind: Behind, found: Format) -> Document:
    """A document that says itself what is a heading; what its words had no place in is told."""
    kept = list(lines)
    if sum(map(len, kept)) > _LARGEST_TEXT:
        raise refused("The document has more than 2 MB of text, which is the most we read at once.")
    taken = units_of_html(html, behind)
    left_out = behind.all()
    if not taken:
        if not any(any(sign.isalnum() for sign in line) for line in kept):
            raise refused("There are no words in the document.")
        return Document((), unplaced=tuple(kept), left_out=left_out, format=found)
    made = replace(_proposed(taken), left_out=left_out, format=found)
    head = (made.label, made.strapline, made.publication)
    return replace(made, unplaced=without_place(kept, made.proposals, head, left_out))


def _proposed(found: list[Unit]) -> Document:
    shape = outline(found)
    require_sensible(shape.sections, _MOST_SECTIONS)
    # First: a table or a contact that becomes a block of its own is taken out of its section.
    dates, deadline = tuple(key_dates(shape)), next_deadline(shape)
    blocks = tuple(proposals(shape))
    if not blocks:
        # A masthead and nothing else is no masthead but all there is to say.
        words = tuple(filter(None, (shape.publication, shape.label, shape.strapline)))
        body = xhtml(Paragraph(each) for each in words[1:])
        return Document((ProposedBlock("section", {"heading": words[0], "body": body}),))
    return Document(
        proposals=blocks,
        label=shape.label,
        strapline=shape.strapline,
        publication=shape.publication,
        dates=dates,
        next_deadline=deadline,
    )
