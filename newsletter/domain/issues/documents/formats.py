"""Which format a document has: by what is in it, and only in doubt by its name."""

import codecs
import re
from enum import StrEnum

from .markdown import looks_like_markdown
from .word_package import refused


class Format(StrEnum):
    TEXT = "text"
    HTML = "html"
    MARKDOWN = "markdown"
    WORD = "word"


_HTML_START = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).){0,5000}-->\s*)*"
    r"<(?:!doctype\s+html|html|head|body|meta|title|table|div|h[1-6]|ul|ol|p|article|section|main|header)\b[^<>]*>",
    re.IGNORECASE | re.DOTALL,
)
_HTML_END = re.compile(r"</(?:html|body|p|div|h[1-6]|ul|ol|table|article|section|main|header)\s*>", re.IGNORECASE)
_OTHERS = (
    (b"%PDF-", "A PDF has lost its paragraphs. Bring in the document that it was made from."),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "This is an old Word document (.doc), or one with a password. Save it as .docx without a password.",
    ),
    (b"{\\rtf", "This is a rich text file (.rtf). Save it as a Word document (.docx) or as plain text."),
    (b"\x1f\x8b", "This is a packed file. Unpack it and bring in the document that is in it."),
)
_ODT = "This is an OpenDocument text. Save it as a Word document (.docx), HTML or plain text."
_ENDINGS = {".md": Format.MARKDOWN, ".markdown": Format.MARKDOWN, ".html": Format.HTML, ".htm": Format.HTML}


def format_of(source: str | bytes, name: str = "") -> Format:
    """The format of a document. Raises Invalid, in a sentence with what to do, for one that is not read."""
    if isinstance(source, bytes):
        for start, sentence in _OTHERS:
            if source.startswith(start):
                raise refused(sentence)
        if source.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            if b"mimetypeapplication/vnd.oasis.opendocument" in source[:200]:
                raise refused(_ODT)
            return Format.WORD
    beginning = source[:20_000] if isinstance(source, str) else _readable(source[:20_000])
    named = next((found for ending, found in _ENDINGS.items() if name.lower().endswith(ending)), None)
    if _HTML_START.match(beginning) and (named is Format.HTML or _HTML_END.search(_rest(source))):
        return Format.HTML
    if named is Format.HTML and re.search(r"<(?:p|br|div|h[1-6]|li|a)\b", beginning, re.IGNORECASE):
        return Format.HTML
    if named is Format.MARKDOWN or looks_like_markdown(beginning):
        return Format.MARKDOWN
    return Format.TEXT


def _rest(source: str | bytes) -> str:
    return source if isinstance(source, str) else _readable(source)


def _readable(source: bytes) -> str:
    utf16 = source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return source.decode("utf-16" if utf16 else "utf-8", "replace")
