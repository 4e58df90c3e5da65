"""What a line of a document looks like: whether it could be a heading."""

import re

from .units import Paragraph, Unit

LONGEST_HEADING, _MOST_WORDS = 90, 16


def may_head(unit: Unit, following: Unit | None) -> bool:
    """Whether a unit looks like a heading: a short single line, without a sentence's end, above something."""
    if not isinstance(unit, Paragraph) or following is None:
        return False
    if unit.level:
        return True
    text = unit.text
    if not unit.alone or len(text) > LONGEST_HEADING or len(text.split()) > _MOST_WORDS:
        return False
    if text[-1] in ".:;,!?…" or text[0].islower() or not re.search(r"[^\W\d_]", text):
        return False
    if "@" in text or "://" in text or re.search(r"[.!?] ", text) or len(re.findall(r"\d", text)) > 5:
        return False
    return not _is_contact(following)


def _is_contact(unit: Unit) -> bool:
    return (
        isinstance(unit, Paragraph)
        and len(unit.text) < 80
        and bool(
            re.match(r"(?:e-?mail|tel|phone|mobile)\b", unit.text, re.IGNORECASE) or re.fullmatch(r"\S+@\S+", unit.text)
        )
    )
