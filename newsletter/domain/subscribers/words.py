"""A person's name as typed, made fit for one line of a page or a header."""

import unicodedata

LONGEST_NAME, LONGEST_ORGANISATION = 100, 150


def one_line(text: str | None) -> str:
    """The words, single spaces between them, without control and other characters that cannot be seen."""
    if text is None or (text.isascii() and text.isprintable()):
        return " ".join((text or "").split())
    visible = "".join(one for one in text if unicodedata.category(one)[0] != "C" or one in "\t\n")
    return " ".join(visible.split())
