"""DMARC records: what a domain asks of whoever receives mail in its name (RFC 9989, May 2026).

Beside RFC 7489 of 2015: `p` need not be there, `pct`, `rf` and `ri` are gone, `np`, `psd` and `t` are new, unknown
tags are passed over, and the organisational domain is found by walking up the tree instead of by a list.
"""

import re
from dataclasses import dataclass, field

from ..mail.names import Names

_POLICIES = ("none", "quarantine", "reject")
#: Tag to its values; None where any text will do.
_TAGS: dict[str, tuple[str, ...] | None] = {
    **dict.fromkeys(("p", "sp", "np"), _POLICIES),
    **dict.fromkeys(("adkim", "aspf"), ("r", "s")),
    "t": ("y", "n"),
    "psd": ("y", "n", "u"),
    **dict.fromkeys(("rua", "ruf", "fo")),
}
_REMOVED = frozenset({"pct", "rf", "ri"})
#: RFC 9989 §4.10: eight queries at most; from a longer name the walk leaps to its last seven labels.
_MOST_QUERIES = 8


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """The tags that count; those removed from the standard; and what is unknown to it or has no such value."""

    tags: dict[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def policy(self) -> str:
        """For the domain itself; "none" where the record does not say."""
        return self.tags.get("p", "none")

    @property
    def policy_below(self) -> str:
        """For the domains below it."""
        return self.tags.get("sp", self.policy)

    @property
    def testing(self) -> bool:
        """Whether receivers are asked to be one step milder than the policy says (`t=y`)."""
        return self.tags.get("t") == "y"

    def strict(self, tag: str) -> bool:
        """Whether `adkim` or `aspf` wants the very same domain."""
        return self.tags.get(tag) == "s"


@dataclass(frozen=True, slots=True)
class Discovery:
    """What holds for a domain: the record, the name it stands at, and the organisational domain.

    `several` names a place with more than one record: receivers pass all of them over.
    """

    record: DmarcRecord | None
    at: str
    organisation: str
    several: str = ""


def parse(text: str) -> DmarcRecord | None:
    """The record in a TXT text; None for what is none: `v=DMARC1` comes first, in capitals (RFC 9989 §4.7)."""
    first, *rest = (part.strip() for part in text.split(";"))
    if not re.fullmatch(r"v[ \t]*=[ \t]*DMARC1", first):
        return None
    tags: dict[str, str] = {}
    removed: list[str] = []
    ignored: list[str] = []
    for part in filter(None, rest):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        name = name.lower()
        allowed = _TAGS.get(name)
        if name in _REMOVED:
            removed.append(name)
        elif not equals or name not in _TAGS or name in tags or (allowed and value.lower() not in allowed):
            ignored.append(part)
        else:
            tags[name] = value.lower() if allowed else value
    return DmarcRecord(tags, tuple(removed), tuple(ignored))


def discover(domain: str, names: Names) -> Discovery:
    """The record that holds for `domain`, by the tree walk of RFC 9989 §4.10. Raises NamesUnavailable."""
    found, several = _walk(domain, names)
    organisation = _organisation(domain, found)
    at = next((place for place in (domain, organisation) if place in found), "")
    if not at:
        at = next((place for place, record in found.items() if record.tags.get("psd") == "y"), "")
    return Discovery(found.get(at), at, organisation, several)


def _walk(domain: str, names: Names) -> tuple[dict[str, DmarcRecord], str]:
    """The records from the domain up, nearest first; and a place that has several."""
    found: dict[str, DmarcRecord] = {}
    several = ""
    for place in _places(domain):
        records = [record for text in names.texts(f"_dmarc.{place}") if (record := parse(text)) is not None]
        if len(records) > 1:
            several = several or place
        elif records:
            found[place] = records[0]
            if records[0].tags.get("psd") in ("y", "n"):
                break
    return found, several


def _places(domain: str) -> list[str]:
    labels = domain.split(".")
    above = labels[1:] if len(labels) < _MOST_QUERIES else labels[-(_MOST_QUERIES - 1) :]
    return [domain, *(".".join(above[start:]) for start in range(len(above)))]


def _organisation(domain: str, found: dict[str, DmarcRecord]) -> str:
    for place, record in found.items():
        if record.tags.get("psd") == "n":
            return place
        if record.tags.get("psd") == "y" and place != domain:
            below = domain.removesuffix(f".{place}").rpartition(".")[2]
            return f"{below}.{place}"
    return min(found, key=lambda place: place.count("."), default=domain)
