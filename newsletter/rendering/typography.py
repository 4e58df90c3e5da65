"""Small kindnesses to the line break, in HTML only: the text part gets none of them."""

import re

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"

_MONTH = (
    "(?:January|February|March|April|May|June|July|August|September|October|November|December"
    "|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)"
)
_UNIT = (
    "(?:minutes?|hours?|days?|weeks?|months?|years?|pages?|people|families|children|words|miles|per cent"
    "|am|pm|GB|MB|kB|km)"
)
_MONTH_YEAR = re.compile(rf"\b({_MONTH}) (\d{{4}})\b")
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}}) ({_MONTH})\b")
_NUMBER_UNIT = re.compile(rf"(\d) ({_UNIT})\b")
#: The space before a last word of at most three letters and its full stop, in text of some length.
_SHORT_END = re.compile(r"(?<=.{40}) (?=\S{1,4}$)")
_WIDOW = 14


def bind(text: str) -> str:
    """Keep a day, its month and its year together, a number with its unit, and a short last word with its line."""
    text = _MONTH_YEAR.sub(rf"\1{NO_BREAK_SPACE}\2", text)
    text = _NUMBER_UNIT.sub(rf"\1{NO_BREAK_SPACE}\2", tied(text))
    return _SHORT_END.sub(NO_BREAK_SPACE, text)


def tied(text: str) -> str:
    """Keep a day and its month together."""
    return _DAY_MONTH.sub(rf"\1{NO_BREAK_SPACE}\2", text)


def title(text: str) -> str:
    """Bound text for a heading: no short word is left alone on its last line."""
    words = bind(text).split(" ")
    lone = len(words) > 3 and NO_BREAK_SPACE not in words[-1]
    if lone and len(words[-1]) + len(words[-2]) < _WIDOW:
        words[-2:] = [NO_BREAK_SPACE.join(words[-2:])]
    return " ".join(words)


def unbroken(text: str) -> str:
    """Text that stays on one line, such as a figure: "17 of 24"."""
    return text.replace(" ", NO_BREAK_SPACE) if len(text) <= 20 else text
