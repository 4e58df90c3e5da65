"""Whether our own mail server vouches for the sender of a letter: anybody can write anything into From.

Source: RFC 8601 (Authentication-Results), RFC 7489 §3.1 (which name has to be that of From).
"""

import re

from newsletter import addresses

from .mime_parts import Headers

#: What a method names, when it passes: that must be the domain of From.
_NAMED = {"dkim": ("header.d", "header.i"), "spf": ("smtp.mailfrom",)}


def vouched_for(headers: Headers, sender: str, host: str) -> bool | None:
    """Whether our own mail server found that the letter comes from the domain in its From; None if it says nothing.

    `host` is the name under which that server writes Authentication-Results (RFC 8601). Only the outermost of them
    counts: those below may be the sender's own. False: it found that the letter does not come from there.
    """
    said = _plain_words(headers.get("authentication-results"))
    server, _semicolon, results = said.partition(";")
    if "=" in server:
        # Exchange Online does not say its name.
        server, results = "protection.outlook.com", said
    if not host or server.split(maxsplit=1)[:1] != [host.lower()] or not sender:
        return None
    domain = addresses.domain_of(sender)
    found: bool | None = None
    for result in results.split(";"):
        method, passed, about = _result(result)
        if method == "dmarc" and about.get("header.from", domain) == domain:
            if passed in ("pass", "fail"):
                return passed == "pass"
        elif passed == "pass" and any(_aligned(about.get(name), domain) for name in _NAMED.get(method, ())):
            found = True
    return found


def _result(text: str) -> tuple[str, str, dict[str, str]]:
    """Method, result and properties of one part of Authentication-Results, in lower case."""
    pairs: list[tuple[str, str]] = re.findall(r"([\w.-]+)\s*=\s*(\S+)", text)[:20]
    if not pairs:
        return "", "", {}
    (method, passed), *about = pairs
    return method, passed, dict(reversed(about))


def _aligned(named: str | None, domain: str) -> bool:
    """Whether what was verified is the domain of From, or the one that it lies under."""
    verified = (named or "").rpartition("@")[2]
    return "." in verified and (domain == verified or domain.endswith(f".{verified}"))


def _plain_words(value: str) -> str:
    """The field without comments (RFC 5322 §3.2.2) and without what stands in quotes; "" where one does not end.

    A sender's own address may stand in quotes there, and may look like a result.
    """
    kept: list[str] = []
    depth, quoted, skipped = 0, False, False
    for sign in value:
        if skipped:
            skipped = False
        elif sign == "\\":
            skipped = True
        elif quoted:
            quoted = sign != '"'
        elif depth:
            depth += {"(": 1, ")": -1}.get(sign, 0)
        elif sign == '"':
            quoted = True
        elif sign == "(":
            depth = 1
            kept.append(" ")
        else:
            kept.append(sign)
    return "" if quoted or depth else "".join(kept).lower().strip()
