"""A Word document (.docx) to HTML by mammoth, after what must not be brought in was taken out and noted.

Tracked insertions are text; tracked deletions, comments, hidden text, page headers and footers, drawings, embedded
files and the authors' names stay behind and are told of.
"""

import io
import re
import zipfile
from dataclasses import dataclass
from html import escape
from typing import Any
from xml.etree import ElementTree

from ....i18n import gettext as _
from .leaving_out import Behind, Left
from .picturing import WordPicture
from .word_package import Package, open_package, refused
from .word_parts import Element, heading_styles, lines_of, said, tidy, without_outside

_PARTS = ("document", "footnotes", "endnotes")
_KEPT = ("styles", "numbering")
_TITLE = "p[style-name='Title'] => h1.document-title:fresh\np[style-name='Subtitle'] => p:fresh\n"
#: The way back from a note, which no mail has.
_BACK = re.compile(r'<a href="#(?:foot|end)note-ref-[^"]*">↑</a>')


@dataclass(frozen=True)
class WordText:
    """What a Word document holds: HTML without looks, and each line of it as it was written."""

    html: str
    lines: tuple[str, ...]
    #: Where they were asked for; the HTML has `src="word-picture:0"` for the first of them.
    pictures: tuple[WordPicture, ...] = ()


def read_word(source: bytes, behind: Behind, *, with_pictures: bool = False) -> WordText:
    """Read the bytes of a .docx. Raises Invalid, in a sentence, for what is damaged, too large, or acts."""
    package = open_package(source)
    if "word/document.xml" not in package.names:
        raise refused("The file is no Word document. Save it as .docx, HTML or plain text and try again.")
    styles = _parsed(package.xml("word/styles.xml"))
    parts: dict[str, Element] = {}
    for name in _PARTS:
        if content := package.xml(f"word/{name}.xml"):
            parts[name] = _parsed(content)
            tidy(parts[name], styles, behind)
    _note_the_rest(package, behind)
    lines = [line for part in parts.values() for line in lines_of(part)]
    repacked = _repacked(package, parts, with_pictures=with_pictures)
    pictures: list[WordPicture] | None = [] if with_pictures else None
    html = _html(repacked, heading_styles(styles), pictures)
    return WordText(html, tuple(lines), tuple(pictures or ()))


def _parsed(xml: bytes) -> Element:
    return ElementTree.fromstring(xml or b"<none/>")  # noqa: S314 - checked before: no document type, no entities


def _html(package: io.BytesIO, style_map: str, pictures: list[WordPicture] | None) -> str:
    # Here, not above: the mailer's process knows this room and reads no documents.
    import mammoth  # type: ignore[import-untyped]  # it has no types

    def picture(image: Any) -> dict[str, str]:
        if pictures is None:
            return {"src": "word-picture:"}
        with image.open() as file:
            pictures.append(WordPicture(file.read(), image.alt_text or ""))
        return {"src": f"word-picture:{len(pictures) - 1}"}

    try:
        made = mammoth.convert_to_html(
            package, style_map=_TITLE + style_map, include_embedded_style_map=False,
            convert_image=mammoth.images.img_element(picture),
        )  # fmt: skip
    except (Exception, RecursionError) as error:
        # Whatever a part that is not as the standard says makes mammoth stumble over: it promises no error of its own.
        raise refused("The Word document is damaged. Open it in Word, save it again, and try that.") from error
    return _notes_headed(_BACK.sub("", str(made.value)))


def _notes_headed(html: str) -> str:
    """The notes, which stand last, under a heading of their own, as high as the highest of the text."""
    highest = min(re.findall(r"<h([1-6])>", html), default="1")
    heading = f"<h{highest}>{escape(_('Notes'))}</h{highest}>"
    return re.sub(r'<ol><li id="(?:foot|end)note-', lambda found: heading + found[0], html, count=1)


def _repacked(package: Package, parts: dict[str, Element], *, with_pictures: bool) -> io.BytesIO:
    """A package of only what is read, in which nothing leads out of the file but links."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name in ("[Content_Types].xml", "_rels/.rels"):
            if content := package.xml(name):
                archive.writestr(name, without_outside(content))
        for name, part in parts.items():
            archive.writestr(f"word/{name}.xml", ElementTree.tostring(part, encoding="utf-8", xml_declaration=True))
            if content := package.xml(f"word/_rels/{name}.xml.rels"):
                archive.writestr(f"word/_rels/{name}.xml.rels", without_outside(content))
        for name in _KEPT:
            if content := package.xml(f"word/{name}.xml"):
                archive.writestr(f"word/{name}.xml", content)
        for name in package.under("word/media/"):
            archive.writestr(name, package.picture(name) if with_pictures else b"")
    made.seek(0)
    return made


def _note_the_rest(package: Package, behind: Behind) -> None:
    """What stands in parts of its own and is not brought in."""
    for comment in _parsed(package.xml("word/comments.xml")).iter():
        if comment.tag.endswith("}comment"):
            behind.add(Left.COMMENTS, said(comment))
    margins = [
        line
        for name in package.under("word/header", "word/footer")
        if name.endswith(".xml")
        for line in lines_of(_parsed(package.xml(name)))
    ]
    for line in dict.fromkeys(margins):
        behind.add(Left.MARGINS, line)
    for name in package.under("word/diagrams/data", "word/charts/chart"):
        behind.add(Left.DRAWINGS, " ".join(each.text or "" for each in _parsed(package.xml(name)).iter() if each.text))
    for name in package.under("word/embeddings/"):
        behind.add(Left.FILES, name.rpartition("/")[2])
    names = _parsed(package.xml("docProps/core.xml"))
    if any(each.text for each in names.iter() if each.tag.endswith(("}creator", "}lastModifiedBy"))):
        behind.add(Left.AUTHOR)
