"""How the text part is set: lines of 65, headings with an underline, lists with a bullet.

A web address, a mail address or a merge field is never broken, however long it is: a broken one leads nowhere.
"""

import re
import textwrap
from collections.abc import Iterable

WIDTH = 65

_WHOLE = re.compile(r"://|@|^[<(]?\{\w+\}|^(?:tel|mailto):")


def wrap(text: str, first: str = "", rest: str | None = None) -> str:
    """`text` in lines of at most WIDTH; `first` stands before the first line, `rest` before the others."""
    rest = first if rest is None else rest
    room = WIDTH - max(len(first), len(rest))
    words = [piece for word in text.split() for piece in _pieces(word, room)]
    return textwrap.fill(
        " ".join(words), WIDTH, initial_indent=first, subsequent_indent=rest,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _pieces(word: str, room: int) -> list[str]:
    if len(word) <= room or _WHOLE.search(word):
        return [word]
    return [word[at : at + room] for at in range(0, len(word), room)]


def underlined(text: str, *, whole: bool, indent: str = "") -> str:
    """A heading: with a rule as wide as the page (`whole`: a new subject), or as wide as itself."""
    lines = wrap(text, indent)
    longest = min(WIDTH, max(map(len, lines.splitlines()), default=0))
    return f"{lines}\n{indent}{'-' * ((WIDTH if whole else longest) - len(indent))}"


def bullets(items: Iterable[str]) -> str:
    """A list, a bullet before each item."""
    return "\n".join(wrap(item, "• ", "  ") for item in items)


def at(title: str, url: str) -> str:
    """A link: its words, and the address on a line of its own."""
    if not url:
        return wrap(title)
    return f"{wrap(title + ':')}\n{address(url)}" if title else address(url)


def address(url: str) -> str:
    """The address as people type it: no scheme before a mail address or a phone number."""
    return re.sub(r"^(?:mailto|tel):", "", url)


def sentence(text: str) -> str:
    """`text` with a full stop, unless it ends as a sentence does."""
    return text if not text or text[-1] in ".!?…" else f"{text}."


def lines(*parts: str) -> str:
    """The parts that say something, one below the other."""
    return "\n".join(part for part in parts if part)


def spaced(*parts: str) -> str:
    """The parts that say something, with an empty line between two."""
    return "\n\n".join(part for part in parts if part)
