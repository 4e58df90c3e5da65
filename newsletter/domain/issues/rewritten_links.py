"""Links that a mail filter or a tracker rewrote, turned back into what their writer meant.

Mail filters wrap links before a person copies them out of a mail: Microsoft Safe Links, Proofpoint URL Defense,
Barracuda, Cisco and others carry the original inside, so it can be had again. Mimecast and most trackers do not: such
a link may say who was sent it, so it must not go to everybody. The forms are those that the services publish for
decoding, as of 2026.
"""

import base64
import binascii
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from html import escape, unescape
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from ...rendering.blocks import kind as kind_of
from ...rendering.fields import Field, FieldType
from ...rendering.rich_reading import safe_href

__all__ = ["Link", "Verdict", "cleaned_links", "original_link", "restored"]


class Verdict(StrEnum):
    """What became of a link."""

    KEPT = "kept"  #: it leads where it says
    RESTORED = "restored"  #: it was rewritten, and here is the original
    BLOCKED = "blocked"  #: it was rewritten and cannot be undone: it may carry its reader's address
    WARNED = "warned"  #: people outside the organisation may not be able to open it


@dataclass(frozen=True)
class Link:
    """A link looked at: `url` is what should be kept, `sentence` what to tell an editor ("" where nothing)."""

    url: str
    verdict: Verdict
    sentence: str = ""


_HIDDEN = (
    "A mail filter or tracker rewrote this link ({host}), and the original cannot be had from it. It may say who it "
    "was sent to. Open it, and copy the address of the page it leads to."
)
_SHARED = "This link leads to {host}: people in other agencies may not be able to open it."
_MOST_LAYERS = 5
_LONGEST = 8000
_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_HREF = re.compile(r'href="([^"]*)"')

#: Hosts (and their sub-domains), and where on them the links begin that hold no original: filters that keep it to
#: themselves, and trackers of mail.
_KEEPS_IT = (
    ("mimecastprotect.com", "/"), ("mimecast.com", "/s/"), ("lnks.gd", "/l/"), ("sendgrid.net", "/"),
    ("list-manage.com", "/track/"), ("click.pstmrk.it", "/"), ("protect.checkpoint.com", "/"),
    ("url.emailprotection.link", "/"), ("exct.net", "/"), ("klclick.com", "/"), ("mjt.lu", "/lnk/"),
    ("hubspotlinks.com", "/"), ("rs6.net", "/tn.jsp"),
)  # fmt: skip
#: Where organisations keep files for themselves.
_OWN_FILES = ("sharepoint.com", "sharepoint-df.com", "onedrive.live.com", "1drv.ms", "teams.microsoft.com")
_OWN_ENDINGS = ("local", "internal", "intranet", "lan", "corp", "home", "private", "localhost", "arpa")


def original_link(url: str) -> Link:
    """What an address leads to in truth, through up to five layers of rewriting."""
    now, rewritten = url.strip(), False
    for _layer in range(_MOST_LAYERS):
        inside = _inside(now)
        if inside is None:
            break
        if not safe_href(inside):
            return Link(now, Verdict.BLOCKED, _HIDDEN.format(host=_host(now)))
        now, rewritten = inside, True
    host = _host(now)
    if _inside(now) is not None or _keeps_it(now):
        return Link(now, Verdict.BLOCKED, _HIDDEN.format(host=host))
    if _is_own(host):
        return Link(now, Verdict.WARNED, _SHARED.format(host=host))
    return Link(now if rewritten else url, Verdict.RESTORED if rewritten else Verdict.KEPT)


def restored(text: str) -> str:
    """Plain words with each rewritten address in them turned back, where that can be done."""
    return _WEB_ADDRESS.sub(lambda found: _in_words(found[0]), text) if "://" in text else text


def cleaned_links(kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The cleaned data of a section of this kind, with its rewritten links turned back. Nothing else is changed;
    what cannot be undone stays, for the checks to name. Raises NotFound for an unknown kind."""
    return _group(kind_of(kind).fields, data)


def _group(fields: tuple[Field, ...], data: Mapping[str, Any]) -> dict[str, Any]:
    by_name = {field.name: field for field in fields}
    return {name: _value(by_name[name], value) if name in by_name else value for name, value in data.items()}


def _value(field: Field, value: Any) -> Any:
    if not value:
        return value
    match field.type:
        case FieldType.URL:
            return original_link(value).url
        case FieldType.RICH:
            return _rich(value)
        case FieldType.TEXT:
            return restored(value)
        case FieldType.STRINGS:
            return [restored(line) for line in value]
        case FieldType.GROUP:
            return _group(field.fields, value)
        case FieldType.ITEMS:
            return [_group(field.fields, entry) for entry in value]
    return value


def _rich(xhtml: str) -> str:
    """Stored rich text with its links and the addresses among its words turned back."""
    if "://" not in xhtml:
        return xhtml
    parts = re.split(r"(<[^>]*>)", xhtml)
    return "".join(_tag(part) if part.startswith("<") else _words(part) for part in parts)


def _tag(tag: str) -> str:
    def href(found: re.Match[str]) -> str:
        url = unescape(found[1])
        back = original_link(url)
        return f'href="{escape(safe_href(back.url))}"' if back.url != url else found[0]

    return _HREF.sub(href, tag)


def _words(escaped: str) -> str:
    if "://" not in escaped:
        return escaped
    plain = unescape(escaped)
    back = restored(plain)
    return escape(back, quote=False) if back != plain else escaped


def _in_words(address: str) -> str:
    """An address as it stands in a sentence, without the sentence's own full stop."""
    bare = address.rstrip(".,;:!?)]}")
    link = original_link(bare)
    return link.url + address[len(bare) :] if link.url != bare else address


# --- where a link leads ---------------------------------------------------------------------------------------


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url[:_LONGEST])
        return parts if parts.scheme.lower() in ("http", "https") and parts.hostname else None
    except ValueError:
        return None


def _host(url: str) -> str:
    parts = _parts(url)
    return (parts.hostname or "").rstrip(".") if parts else ""


def _is_under(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _keeps_it(url: str) -> bool:
    parts = _parts(url)
    return parts is not None and any(
        _is_under(_host(url), (domain,)) and parts.path.startswith(path) for domain, path in _KEEPS_IT
    )


def _is_own(host: str) -> bool:
    if not host:
        return False
    if _is_under(host, _OWN_FILES):
        return True
    try:
        return not ip_address(host).is_global
    except ValueError:
        labels = host.split(".")
        return len(labels) == 1 or labels[-1] in _OWN_ENDINGS or "intranet" in labels


def _inside(url: str) -> str | None:
    """The address inside a rewritten one; "" where it should hold one and does not; None where it is no such link."""
    parts = _parts(url)
    if parts is None:
        return None
    host = (parts.hostname or "").rstrip(".")
    for domain, applies, undo in _FORMS:
        if (host == domain or host.endswith(f".{domain}")) and applies(parts):
            return undo(parts, url)
    return None


def _always(_parts: SplitResult) -> bool:
    return True


def _at(*paths: str) -> Callable[[SplitResult], bool]:
    return lambda parts: any(parts.path.rstrip("/") == path.rstrip("/") for path in paths)


def _under(path: str) -> Callable[[SplitResult], bool]:
    return lambda parts: parts.path.startswith(path)


def _query(*names: str) -> Callable[[SplitResult, str], str]:
    """The first of these parameters that holds an address."""

    def undo(parts: SplitResult, _url: str) -> str:
        values = parse_qs(parts.query, max_num_fields=100)
        return next((values[name][0].strip() for name in names if name in values), "")

    return undo


def _proofpoint_2(parts: SplitResult, url: str) -> str:
    """`u` is percent-encoded with "-" for "%" and "_" for "/"."""
    return unquote(_query("u")(parts, url).replace("-", "%").replace("_", "/"))


_RUN_LENGTHS = {
    sign: length
    for length, sign in enumerate(string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_", 2)
}


def _proofpoint_3(_parts: SplitResult, url: str) -> str:
    """`/v3/__<address>__;<signs>!…`: each "*" stands for one of the signs that follow in base64, "**B" for a run."""
    found = re.search(r"/v3/__(?P<address>.+?)__;(?P<signs>[A-Za-z0-9_-]*=*)!", url)
    if not found:
        return ""
    try:
        signs = base64.urlsafe_b64decode(found["signs"].rstrip("=") + "=" * (-len(found["signs"].rstrip("=")) % 4))
        left = iter(signs.decode())
    except (binascii.Error, UnicodeDecodeError):
        return ""

    def replaced(mark: re.Match[str]) -> str:
        length = _RUN_LENGTHS[mark[1]] if mark[1] else 1
        return "".join(sign for _number, sign in zip(range(length), left, strict=False))

    # A way through the filter may have made one slash of two.
    address = re.sub(r"^(https?):/(?!/)", r"\1://", found["address"], flags=re.IGNORECASE)
    return re.sub(r"\*(?:\*([A-Za-z0-9_-]))?", replaced, address)


def _last_of_path(parts: SplitResult, _url: str) -> str:
    """The address that stands, percent-encoded, as one part of the path; a number may follow it."""
    start = parts.path.lower().find("/http", 1)
    return unquote(re.sub(r"/\d{1,9}/.*", "", parts.path[start + 1 :], count=1)) if start >= 0 else ""


def _in_base64(parts: SplitResult, url: str) -> str:
    typed = _query("u")(parts, url)
    try:
        return base64.urlsafe_b64decode(typed + "=" * (-len(typed) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""


_FORMS: tuple[tuple[str, Callable[[SplitResult], bool], Callable[[SplitResult, str], str]], ...] = (
    ("safelinks.protection.outlook.com", _always, _query("url")),
    ("safelinks.protection.office365.us", _always, _query("url")),
    ("statics.teams.cdn.office.net", _under("/evergreen-assets/safelinks"), _query("url")),
    ("urldefense.proofpoint.com", _under("/v1/"), _query("u")),
    ("urldefense.proofpoint.com", _under("/v2/"), _proofpoint_2),
    ("urldefense.proofpoint.com", _under("/v3/"), _proofpoint_3),
    ("urldefense.com", _under("/v1/"), _query("u")),
    ("urldefense.com", _under("/v2/"), _proofpoint_2),
    ("urldefense.com", _under("/v3/"), _proofpoint_3),
    ("urldefense.us", _under("/v3/"), _proofpoint_3),
    ("linkprotect.cudasvc.com", _always, _query("a")),
    ("secure-web.cisco.com", _always, _last_of_path),
    ("trendmicro.com", _under("/wis/clicktime/"), _query("url")),
    ("clicktime.symantec.com", _always, _query("u")),
    ("protection.sophos.com", _always, _in_base64),
    ("govdelivery.com", _under("/CL0/"), _last_of_path),
    ("google.com", _at("/url"), _query("q", "url")),
    ("google.co.uk", _at("/url"), _query("q", "url")),
    ("facebook.com", _at("/l.php"), _query("u")),
    ("linkedin.com", _at("/redir/redirect", "/safety/go"), _query("url")),
    ("youtube.com", _at("/redirect"), _query("q")),
    ("bing.com", _at("/alink/link"), _query("url")),
)
