"""What staff type into a form about names and texts, checked in words: one place for one-line and longer texts.

A line goes into mail headers, so a control character in it is refused, not dropped.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from ...errors import Invalid, Problem
from ...mail import header_text
from ...rendering import characters

_T = TypeVar("_T")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_SLUG = 80


def line(typed: str, *, field: str, longest: int, missing: str = "") -> str:
    """One line of text, its white space made single spaces.

    Raises Invalid, naming `field`: for control characters, for more than `longest` characters, and, where
    `missing` is a sentence, for nothing at all.
    """
    text = header_text.checked(typed.strip(), field)
    if not text and missing:
        raise Invalid([Problem(field, missing)])
    if len(text) > longest:
        raise Invalid([Problem(field, f"Use {longest} characters or fewer: there are {len(text)}")])
    return text


def text(typed: str, *, field: str, longest: int, missing: str = "") -> str:
    """Text of several lines: line ends as line feeds, characters that do not print dropped. Raises Invalid."""
    kept = characters.kept(typed).strip()
    if not kept and missing:
        raise Invalid([Problem(field, missing)])
    if len(kept) > longest:
        raise Invalid([Problem(field, f"Use {longest:,} characters or fewer: there are {len(kept):,}")])
    return kept


def slug(typed: str, *, field: str = "slug") -> str:
    """A name for addresses: lower-case letters, digits and hyphens, at least one letter. Raises Invalid."""
    value = typed.strip().lower()
    if not value:
        raise Invalid([Problem(field, "Enter a short name for web addresses, such as safeguarding-news")])
    if not _SLUG.fullmatch(value) or len(value) > _LONGEST_SLUG or not re.search("[a-z]", value):
        sentence = "A short name has small letters, digits and single hyphens only, such as safeguarding-news"
        raise Invalid([Problem(field, sentence)])
    return value


def slug_of(name: str) -> str:
    """A short name made from a name: "Policy changes" gives "policy-changes"; "" where nothing is left of it."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_SLUG].strip("-")


class Problems:
    """Gathers every problem of a form, so that a person mends all of them at once.

    with_each: `name = problems.of(lambda: line(…), "")`; at the end `problems.raise_any()`.
    """

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def of(self, read: Callable[[], _T], otherwise: _T) -> _T:
        """What `read` gives, or `otherwise`, its problems kept."""
        try:
            return read()
        except Invalid as error:
            self._found += error.problems
            return otherwise

    def add(self, field: str, sentence: str) -> None:
        """One more problem."""
        self._found.append(Problem(field, sentence))

    def raise_any(self) -> None:
        """Raise Invalid with all of them, if there are any."""
        if self._found:
            raise Invalid(self._found)
