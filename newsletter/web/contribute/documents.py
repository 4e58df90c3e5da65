"""A Word file becomes words in the form, to be looked at before they are sent: never an attachment."""

from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from flask import request

from ...domain.calls.texts.items import Item, Piece
from ...domain.calls.texts.sent_pictures import Came
from ...domain.issues.documents import ProposedBlock, read_document
from ...domain.issues.documents.changing import as_section
from ...errors import Invalid, Problem
from ...i18n import gettext as _
from ...models import Contributor
from ...rendering.fields import FieldType
from . import pictures

#: The file's control.
DOCUMENT = "document"
#: The kind of section as which a picture in it is read.
_PICTURE = "image"


@dataclass(frozen=True)
class ReadFile:
    """What a file held: a heading, its text, its pictures made fit for mail, and what was not taken over, in words.

    `pictures_left` is how many pictures were not taken over.
    """

    name: str
    heading: str
    text: str
    left_out: tuple[str, ...]
    came: tuple[Came, ...] = ()
    pictures_left: int = 0


def read_upload(contributor: Contributor | None, now: datetime) -> ReadFile:
    """The file in the posted form; its pictures are kept nowhere yet. Not for inside a transaction.

    Raises Invalid, in a sentence at the file's control, for what cannot be read.
    """
    upload = request.files.get(DOCUMENT)
    if upload is None or not upload.filename:
        raise Invalid([Problem(DOCUMENT, _("Choose a file."))])
    with upload.stream as stream:
        source = stream.read()
    try:
        document = read_document(source, upload.filename, with_pictures=True)
    except Invalid as error:
        raise Invalid([Problem(DOCUMENT, each.sentence) for each in error.problems]) from None
    head = [words for words in (document.publication, document.label, document.strapline) if words]
    blocks = [as_section(each) for each in document.proposals if each.kind != _PICTURE]
    headings = [*head, *(str(each.data.get("heading", "")) for each in blocks[:1])]
    heading = next((words for words in reversed(headings) if words), "")
    text = "".join(f"<p>{escape(words)}</p>" for words in head if words != heading)
    text += "".join(_part(each, heading) for each in blocks)
    text += "".join(f"<p>{escape(words)}</p>" for words in document.unplaced)
    shown = pictures.of_document(upload.filename, document.pictures, contributor, now)
    left_out = tuple(each.sentence for each in document.left_out)
    return ReadFile(upload.filename, heading, text, left_out, tuple(shown.came), len(shown.left))


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
