"""Addresses that lead elsewhere than they say, or nowhere, or spy on who follows them."""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ....i18n import gettext as _
from ..rewritten_links import Link, Verdict, original_link
from .excerpts import shortened
from .findings import Change, Finding, Fix
from .passages import Address
from .surroundings import Surroundings

_SHORTENERS = frozenset(
    ("bit.ly", "tinyurl.com", "goo.gl", "t.co", "ow.ly", "is.gd", "buff.ly", "rb.gy", "tiny.cc", "lnkd.in", "cutt.ly")
)
_SPYING = re.compile(r"(?:utm_\w+|fbclid|gclid|msclkid|mc_[ce]id|_hs\w+|igshid)", re.IGNORECASE)
_INSIDE = (".local", ".internal", ".lan", ".intranet", ".localhost", ".home", ".corp")


def check_link(link: Address, around_it: Surroundings) -> Iterator[Finding]:
    """The findings of one address."""
    meant = original_link(link.url)
    if meant.verdict in (Verdict.BLOCKED, Verdict.RESTORED):
        yield _hidden(link, meant)
        return
    if meant.verdict is Verdict.WARNED and not _is_inside((urlsplit(link.url).hostname or "").lower()):
        yield _finding(link, "inside_link", meant.sentence, "Readers elsewhere would be asked to sign in.")
    if why := around_it.dead.get(link.url):
        yield _finding(link, "dead_link", "This link leads nowhere.", why)
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
            "Careful readers do not follow it, and filters stop it.",
        )  # fmt: skip
    if _is_inside(host):
        yield _finding(
            link, "inside_link", "This link works inside your own network only.",
            "Readers elsewhere would get an error.",
        )  # fmt: skip
    if any(_SPYING.fullmatch(name) for name, _value in parse_qsl(parts.query)):
        yield _finding(
            link, "tracking_link", "This link carries a tag that follows its readers about.",
            "We do not track what people read.", _without_tags(link.url), safe=True,
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


def _hidden(link: Address, meant: Link) -> Finding:
    why = meant.sentence or "A mail filter rewrote it when it was received, and may have put its reader's name in."
    better = meant.url if meant.verdict is Verdict.RESTORED else ""
    found = _finding(
        link, "hidden_link", "This link was rewritten by a mail filter or tracker.", why, better, safe=True
    )
    return replace(found, blocking=True)


def _finding(link: Address, code: str, sentence: str, why: str, suggestion: str = "", *, safe: bool = False) -> Finding:
    change = Change(link.field, link.url, suggestion, rich=link.rich, link=True)
    return Finding(
        code, False, sentence, why, link.block.id, link.field, link.url[:200], suggestion, exact=link.url,
        fix=Fix(_("Use {url}").format(url=shortened(suggestion, 80)), (change,), safe=safe) if suggestion else None,
    )  # fmt: skip
