"""A Word file becomes words in the form, to be looked at before they are sent: never an attachment."""

from dataclasses import dataclass
from html import escape
from typing import Any

from flask import request

from ...domain.calls.texts.items import Item, Piece
from ...domain.issues.documents import ProposedBlock, read_document
from ...domain.issues.documents.changing import as_section
from ...errors import Invalid, Problem
from ...i18n import gettext as _
from ...rendering.fields import FieldType

#: The file's control.
DOCUMENT = "document"


@dataclass(frozen=True)
class ReadFile:
    """What a file held: a heading, its text, and what was not taken over, in words."""

    name: str
    heading: str
    text: str
    left_out: tuple[str, ...]


def read_upload() -> ReadFile:
    """The file in the posted form. Raises Invalid, in a sentence at the file's control, for what cannot be read."""
    upload = request.files.get(DOCUMENT)
    if upload is None or not upload.filename:
        raise Invalid([Problem(DOCUMENT, _("Choose a file."))])
    with upload.stream as stream:
        source = stream.read()
    try:
        document = read_document(source, upload.filename)
    except Invalid as error:
        raise Invalid([Problem(DOCUMENT, each.sentence) for each in error.problems]) from None
    head = [words for words in (document.publication, document.label, document.strapline) if words]
    blocks = [as_section(each) for each in document.proposals]
    headings = [*head, *(str(each.data.get("heading", "")) for each in blocks[:1])]
    heading = next((words for words in reversed(headings) if words), "")
    text = "".join(f"<p>{escape(words)}</p>" for words in head if words != heading)
    text += "".join(_part(each, heading) for each in blocks)
    text += "".join(f"<p>{escape(words)}</p>" for words in document.unplaced)
    return ReadFile(upload.filename, heading, text, tuple(each.sentence for each in document.left_out))


def _part(block: ProposedBlock, heading: str) -> str:
    own = str(block.data.get("heading", ""))
    return (f"<h3>{escape(own)}</h3>" if own and own != heading else "") + str(block.data.get("body", ""))


def filled(item: Item, piece: Piece, read: ReadFile) -> Piece:
    """The piece with the file's words in its first text, behind those that are there; its heading where none is."""
    data: dict[str, Any] = dict(piece.data)
    title = next((each for each in item.fields if each.name in ("heading", "title")), None)
    text = next((each for each in item.fields if each.type is FieldType.RICH), None)
    before = "" if title is None or data.get(title.name) else read.heading
    if title is not None and before:
        data[title.name] = before
    if text is not None:
        above = "" if before or not read.heading else f"<h3>{escape(read.heading)}</h3>"
        data[text.name] = str(data.get(text.name) or "") + above + read.text
    return Piece(piece.kind, data)


def takes_documents(item: Item) -> bool:
    """Whether a kind of item has room for the text of a file."""
    return any(each.type is FieldType.RICH for each in item.fields)
