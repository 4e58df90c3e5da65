"""What a writer left to fill in later, and forgot."""

import re
from collections.abc import Iterator

from ....i18n import gettext as _
from .excerpts import around
from .findings import Finding
from .passages import Passage

_LEFT = re.compile(
    r"\b(?:TK)+\b|\bTODO\b|\bFIXME\b|(?<!\w)(?:X{3,}|x{3,})(?!\w)|(?i:\blorem ipsum\b)|\?{3,}|_{4,}"
    r"|(?i:\[\s*(?:…|\.{3,}|\?+|tbc|to (?:be )?(?:confirm|add|follow|come)\w*"
    r"|(?:insert|add|fill in|enter|your|name of|link to)\b[^\]]*"
    r"|(?:date|time|name|link|number|place|venue|url|address)(?: here)?)\s*\])"
)
#: "[…]" between quotation marks says that the speaker said more.
_QUOTED = re.compile(r"[“\"‘][^“”\"]*\[(?:…|\.{3})\][^“”\"]*[”\"’]")


def check_unfinished(passage: Passage) -> Iterator[Finding]:
    """The findings of one passage."""
    quoted = [found.span() for found in _QUOTED.finditer(passage.text)]
    for found in _LEFT.finditer(passage.text):
        if not _is_meant(passage, found, quoted):
            yield Finding(
                "unfinished", True, _("“{words}” was left to be filled in.").format(words=found[0]),
                why=_("It would go out as it stands."),
                block_id=passage.block_id, field=passage.field, excerpt=around(passage.text, found),
            )  # fmt: skip


def _is_meant(passage: Passage, found: re.Match[str], quoted: list[tuple[int, int]]) -> bool:
    """Whether it stands there on purpose: words left out of a quotation, the thirtieth chapter."""
    if found[0] in ("[…]", "[...]"):
        return passage.block.kind == "quote" or any(start < found.start() < end for start, end in quoted)
    return found[0] == "XXX" and passage.text[: found.start()].rstrip().endswith(("hapter", "art", "olume", "rticle"))
