"""Addresses that lead elsewhere than they say, or spy on who follows them."""

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from .findings import Finding
from .passages import Address

_SHORTENERS = frozenset(
    ("bit.ly", "tinyurl.com", "goo.gl", "t.co", "ow.ly", "is.gd", "buff.ly", "rb.gy", "tiny.cc", "lnkd.in", "cutt.ly")
)
_SCANNERS = ("safelinks.protection.outlook.com", "urldefense.com", "urldefense.proofpoint.com", "mimecast.com")
_SPYING = re.compile(r"(?:utm_\w+|fbclid|gclid|msclkid|mc_[ce]id|_hs\w+|igshid)", re.IGNORECASE)
_INSIDE = (".local", ".internal", ".lan", ".intranet", ".localhost", ".home", ".corp")


def check_link(link: Address) -> Iterator[Finding]:
    """The findings of one address."""
    try:
        parts = urlsplit(link.url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return
    if parts.scheme not in ("http", "https"):
        return
    if host.removeprefix("www.") in _SHORTENERS:
        yield _finding(
            link, "short_link", "A shortened link hides where it leads.",
            "Careful readers do not follow it, and filters stop it. Use the address it stands for.",
        )  # fmt: skip
    if host.endswith(_SCANNERS):
        yield _finding(
            link, "scanned_link", "This link was copied from a received email, and leads through a mail filter.",
            "It may stop working, and it names whoever copied it. Use the address of the page itself.",
        )  # fmt: skip
    if _is_inside(host):
        yield _finding(
            link, "inside_link", "This link works inside your own network only.",
            "Readers elsewhere would get an error. Use an address that anybody can open.",
        )  # fmt: skip
    if any(_SPYING.fullmatch(name) for name, _value in parse_qsl(parts.query)):
        yield _finding(
            link, "tracking_link", "This link carries a tag that follows its readers about.",
            "We do not track what people read.", _without_tags(link.url),
        )  # fmt: skip


def _is_inside(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_INSIDE)


def _without_tags(url: str) -> str:
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    return urlunsplit(parts._replace(query=urlencode([pair for pair in pairs if not _SPYING.fullmatch(pair[0])])))


def _finding(link: Address, code: str, sentence: str, why: str, suggestion: str = "") -> Finding:
    return Finding(code, False, sentence, why, link.block.id, link.field, link.url[:200], suggestion)
