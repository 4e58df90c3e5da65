"""Two texts word by word: what is the same, what was added, what was taken out."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

#: Line breaks, spaces, addresses, words, signs: each is the same or differs as a whole.
_TOKEN = re.compile(r"\n+|[^\S\n]+|https?://[^\s)]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)*|[\w'’-]+|[^\w\s]")
#: Longer texts are compared paragraph by paragraph: word by word would take seconds.
_MOST_TOKENS = 6_000


class Mark(StrEnum):
    """What happened to some words."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class Piece:
    """Some words, and what happened to them."""

    mark: Mark
    text: str


def word_pieces(before: str, after: str) -> tuple[Piece, ...]:
    """The words of two texts, each marked as the same, added or removed."""
    old, new = _tokens(before), _tokens(after)
    pieces: list[Piece] = []
    gone, come = "", ""
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for place, (tag, first, last, start, end) in enumerate(steps):
        was, now = "".join(old[first:last]), "".join(new[start:end])
        # A space between two changed words changes with them: "old words", and not "old", "words".
        between = tag == "equal" and was.isspace() and 0 < place < len(steps) - 1 and "\n" not in was
        if tag != "equal" or between:
            gone, come = gone + was, come + now
            continue
        pieces += _changed(gone, come)
        pieces.append(Piece(Mark.SAME, was))
        gone, come = "", ""
    return (*pieces, *_changed(gone, come))


def _changed(gone: str, come: str) -> list[Piece]:
    return [Piece(mark, text) for mark, text in ((Mark.REMOVED, gone), (Mark.ADDED, come)) if text]


def _tokens(text: str) -> list[str]:
    tokens = _TOKEN.findall(text)
    return tokens if len(tokens) <= _MOST_TOKENS else text.splitlines(keepends=True)
