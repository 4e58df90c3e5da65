"""Words shown around a fault, so that it can be found."""

import re

from ....rendering import characters

_SENTENCES = re.compile(r"(?<=[.!?])\s+")


def sentences(text: str) -> list[str]:
    """`text` in sentences, roughly: an abbreviation ends one too."""
    return _SENTENCES.split(text)


def around(text: str, found: re.Match[str], reach: int = 30) -> str:
    """The found words with a few before and after, whole words only."""
    start, end = max(0, found.start() - reach), min(len(text), found.end() + reach)
    head = "… " if start else ""
    tail = " …" if end < len(text) else ""
    before, after = text[start : found.start()], text[found.end() : end]
    before = before.split(" ", 1)[-1] if head else before
    after = after.rsplit(" ", 1)[0] if tail else after
    return f"{head}{before}{found[0]}{after}{tail}".strip()


def shortened(text: str, most: int = 60) -> str:
    """A sentence without its full stop, ended after a whole word where it is longer than `most`."""
    return characters.shortened(text.strip().rstrip("."), most)
