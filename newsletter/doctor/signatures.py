"""DKIM signatures on a received mail (RFC 6376): what they cover, and whether they hold.

The one door to dkimpy, which the extra `doctor` brings. Without it signatures are read and not verified.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..mail.names import NamesUnavailable
from .mail_source import MailSource

#: The TXT records at a name. Raises NamesUnavailable.
KeyLookup = Callable[[str], list[str]]

_LOG = logging.getLogger(f"{__name__}.library")
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False


class Verdict(StrEnum):
    """Whether a signature holds. UNCHECKED says nothing about it."""

    VALID = "valid"
    INVALID = "invalid"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Signature:
    """One DKIM-Signature header.

    `signed` are the names in h=, in lower case; `bits` the length of the RSA key, 0 where it is not known; `partial`
    whether only the beginning of the body is signed (l=); `why` a clause that explains the verdict, or "".
    """

    domain: str
    selector: str
    algorithm: str
    signed: frozenset[str]
    partial: bool
    verdict: Verdict
    why: str = ""
    bits: int = 0

    def covers(self, *headers: str) -> bool:
        """Whether all these headers are signed."""
        return all(header.lower() in self.signed for header in headers)


def read_signatures(source: MailSource, lookup: KeyLookup) -> list[Signature]:
    """Every signature of the mail, the topmost first, verified as far as that can be done here."""
    return [_signature(source, index, tags(value), lookup) for index, value in enumerate(source.raw("DKIM-Signature"))]


def tags(value: bytes) -> dict[str, str]:
    """A tag list (RFC 6376 §3.2), white space taken out; the first of two tags of one name."""
    found: dict[str, str] = {}
    for part in value.decode("ascii", "replace").split(";"):
        name, equals, text = part.partition("=")
        if equals:
            found.setdefault(name.strip(), re.sub(r"\s+", "", text))
    return found


def _signature(source: MailSource, index: int, found: dict[str, str], lookup: KeyLookup) -> Signature:
    domain, selector = found.get("d", "").lower(), found.get("s", "")
    verdict, why, bits = _verify(source, index, f"{selector}._domainkey.{domain}", lookup)
    return Signature(
        domain,
        selector,
        found.get("a", "").lower(),
        frozenset(name.lower() for name in found.get("h", "").split(":") if name),
        "l" in found,
        verdict,
        why,
        bits,
    )


def _verify(source: MailSource, index: int, key_name: str, lookup: KeyLookup) -> tuple[Verdict, str, int]:
    try:
        import dkim  # type: ignore[import-untyped]  # it comes without types
    except ImportError:
        return Verdict.UNCHECKED, 'that takes the extra “doctor”: pip install "newsletter[doctor]"', 0
    if not source.body:
        return Verdict.UNCHECKED, "only the headers are here, and it covers the body too", 0
    try:
        keys = [text for text in lookup(key_name) if "p=" in text]
    except NamesUnavailable as error:
        return Verdict.UNCHECKED, str(error), 0
    if not keys:
        return Verdict.INVALID, f"there is no key at {key_name}", 0
    if not tags(keys[0].encode()).get("p"):
        return Verdict.INVALID, f"the key at {key_name} has been withdrawn", 0
    # A key that is too short is for us to judge, so any length is verified.
    verifier: Any = dkim.DKIM(source.octets, logger=_LOG, minkey=1)
    try:
        holds = verifier.verify(idx=index, dnsfunc=lambda _name, **_wait: keys[0].encode())
    except dkim.NaClNotFoundError:
        return Verdict.UNCHECKED, "keys of this kind (ed25519) cannot be verified here", 0
    except dkim.DKIMException as error:
        return Verdict.INVALID, _why(str(error)), 0
    except Exception as error:  # the library has assertions and index errors for headers that are nonsense
        return Verdict.INVALID, f"it cannot be read ({type(error).__name__})", 0
    if not holds:
        return Verdict.INVALID, "a signed header was changed after it was signed, or the key is another", 0
    return Verdict.VALID, "", verifier.keysize if verifier.ktag == b"rsa" else 0


def _why(said: str) -> str:
    if "body hash mismatch" in said:
        return "the body was changed after it was signed"
    if "t= value is in the future" in said:
        return "it is dated in the future: compare the clocks"
    if "x= value is past" in said:
        return "its time is over (x=)"
    return f"it breaks the standard ({said[:120]})"
