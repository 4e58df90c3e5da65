"""Which characters of people's text are kept.

Dropped: control characters, private use, surrogates, unassigned, invisible marks that word processors leave, and
marks that reorder a line (bidi embeddings and overrides; the plain left-to-right and right-to-left marks stay, as
do the joiners that some scripts and emoji need). Every space of another width becomes a plain one.
"""

import re
import unicodedata

_INVISIBLE = frozenset("\u00ad\u180e\u200b\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DROPPED = frozenset({"Cc", "Co", "Cs", "Cn"})
#: Whatever is not kept as it is without a question.
_ODD = re.compile(r"[^\n -~]")
_LINE_ENDS = {"\r": "\n", "\v": "\n", "\f": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n\n"}


def kept(text: str) -> str:
    """`text` in NFC, with only characters that print, spaces and line feeds."""
    # What is dropped may stand between a letter and its accent: composed last, so that doing it twice changes nothing.
    return unicodedata.normalize("NFC", _ODD.sub(_keep, text.replace("\r\n", "\n")))


def one_line(text: str) -> str:
    """`text` as one line: each run of spaces and line ends is one space, none at the ends."""
    return " ".join(kept(text).split())


def paragraphs(text: str) -> list[str]:
    """The paragraphs of plain text, each as one line; a blank line stands between two."""
    return [line for part in re.split(r"\n[ \n]*\n", kept(text)) if (line := " ".join(part.split()))]


def shortened(text: str, most: int) -> str:
    """`text`, ended after a whole word where it is longer than `most`; one endless word is cut."""
    if len(text) <= most:
        return text
    words = text[: most - 1]
    return f"{(words.rpartition(' ')[0] or words[:-1]).rstrip()} …"


def _keep(found: re.Match[str]) -> str:
    character = found[0]
    if character == "\t":
        return " "
    if character in _LINE_ENDS:
        return _LINE_ENDS[character]
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    return "" if category in _DROPPED or character in _INVISIBLE else character
