"""From the bytes of a file to text, or a sentence that says why not."""

import codecs
import re

from ....errors import Invalid, Problem

LARGEST = 2 * 1024 * 1024
LARGEST_HTML = 10 * 1024 * 1024
_NO_TEXT = re.compile(r"[\x01-\x08\x0e-\x1a\x1c-\x1f]")
_SAVE_AS_TEXT = "Save it as plain text (.txt, UTF-8) and try again."
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_-]{2,40})", re.IGNORECASE)


def text_of(source: str | bytes) -> str:
    """The text of a plain-text document: UTF-8, UTF-16 with its mark, or Windows-1252 as old exports have it.

    Raises Invalid (field "document") for what is too large, empty, or no text.
    """
    if _size(source) > LARGEST:
        raise _refused("The document has more than 2 MB of text, which is the most we read at once.")
    text = source if isinstance(source, str) else _decoded(source)
    if "\x00" in text:
        raise _refused(f"The document holds a NUL byte, so it is not plain text. {_SAVE_AS_TEXT}")
    if _NO_TEXT.search(text):
        raise _refused(f"The document holds control characters, so it is not plain text. {_SAVE_AS_TEXT}")
    if not re.search(r"\w", text):
        raise _refused("There are no words in the document.")
    return text


def html_of(source: str | bytes) -> str:
    """The text of an HTML document, by the encoding that it names where it names one. Raises Invalid as `text_of`
    does; with the pictures that are written into it, it may have up to 10 MB."""
    if _size(source) > LARGEST_HTML:
        raise _refused("The page has more than 10 MB. Save it without its pictures and try again.")
    if isinstance(source, str):
        return source.replace("\x00", "")
    named = _CHARSET.search(source[:4096])
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return source.decode(codecs.lookup(named[1].decode()).name) if named else _decoded(source)
    except (LookupError, UnicodeDecodeError):
        return _decoded(source)


def _size(source: str | bytes) -> int:
    return len(source.encode("utf-8", "replace") if isinstance(source, str) else source)


def _decoded(source: bytes) -> str:
    try:
        if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return source.decode("utf-16")
        if b"\x00" in source:
            raise _refused(f"The document holds a NUL byte, so it is not plain text. {_SAVE_AS_TEXT}")
        return _utf8_or_windows(source)
    except UnicodeDecodeError:
        raise _refused(f"The letters of the document cannot be read. {_SAVE_AS_TEXT}") from None


def _utf8_or_windows(source: bytes) -> str:
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError:
        return source.decode("cp1252")


def _refused(sentence: str) -> Invalid:
    return Invalid([Problem("document", sentence)])
