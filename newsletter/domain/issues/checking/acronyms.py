"""Letters that stand for words which the issue has not said yet."""

import re
from collections.abc import Iterable, Iterator

from ....i18n import gettext as _
from .excerpts import around
from .findings import Finding
from .passages import Passage

_LETTERS = re.compile(r"(?<![\w@/.-])[A-Z][A-Z&]{1,5}(?=s?(?![\w@/-]|\.\w))")
#: What everybody in the country reads without being told, units, and numerals.
_KNOWN = frozenset(
    (
        "NHS", "UK", "GB", "EU", "US", "USA", "UN", "MP", "BBC", "ITV", "TV", "DVD", "CD", "PC", "IT", "PDF", "FAQ",
        "URL", "ID", "PIN", "AM", "PM", "GMT", "BST", "OK", "HQ", "GP", "CV", "HR", "PR", "PE", "RE", "VAT", "GDP",
        "GCSE", "HMRC", "DVLA", "SMS", "USB", "WC", "AGM", "CEO", "QR", "AI", "VIP", "DIY", "ATM", "NB", "PS",
        "II", "III", "IV", "VI", "VII", "VIII", "IX", "XI", "XII", "XX",
    )
)  # fmt: skip


def check_acronyms(passages: Iterable[Passage], known: frozenset[str]) -> Iterator[Finding]:
    """A finding for the first place of each that is never spelled out there: "Early Help Assessment (EHA)" and
    "EHA (Early Help Assessment)" spell it out. Headings may shorten what the text below spells out, and spell
    out what it shortens."""
    seen = set(_KNOWN | known)
    for passage in passages:
        if passage.text.isupper():
            continue
        for found in _LETTERS.finditer(passage.text):
            letters = found[0]
            if letters in seen:
                continue
            spelled_out = _spelled_out(passage.text, found)
            if passage.heading and not spelled_out:
                continue
            seen.add(letters)
            if not spelled_out:
                yield Finding(
                    "acronym", False, _("“{letters}” is not spelled out.").format(letters=letters),
                    why=_("People new to this do not know what it stands for."),
                    block_id=passage.block_id, field=passage.field, excerpt=around(passage.text, found), exact=letters,
                )  # fmt: skip


def _spelled_out(text: str, found: re.Match[str]) -> bool:
    before, after = text[: found.start()], text[found.end() :].removeprefix("s")
    if before.endswith("(") and len(before.split()) >= 2:
        return True
    return re.match(r"\s*(?:\(|, or |: |– |, the )\w+ \w+", after) is not None
