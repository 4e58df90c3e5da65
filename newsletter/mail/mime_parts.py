"""A mail from outside, taken apart without trust: headers and parts, by bounded work on bytes, whatever they hold.

The standard library's parser follows nesting as deep as it goes and reads everything there is. Here depth, number and
size are capped, nothing raises, and a part is decoded only when somebody asks for its text.

Sources: RFC 5322 §2.2 (headers, folding), RFC 2045 and RFC 2046 §5.1 (parts), RFC 2047 (words in headers).
"""

import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import MessageError
from email.header import decode_header, make_header
from functools import cached_property
from itertools import islice

#: Bytes of a header section that are read, and lines of it.
LONGEST_HEAD = 65_536
MOST_HEADERS = 500
#: Parts of a mail that are looked at in all, and how deep one may lie.
MOST_PARTS = 20
DEEPEST = 3
LONGEST_TEXT = 65_536
_LONGEST_VALUE = 4_000

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_NAME = re.compile(r"[!-9;-~]{1,200}")
#: Charsets of people's mail. Python knows others under such names, some of which are no charsets at all.
_CHARSETS = re.compile(
    r"utf-?8|us-ascii|iso-?8859-\d{1,2}|(windows|cp)-?125\d|koi8-[ru]|gb(2312|k|18030)|big5|shift_jis|euc-(jp|kr)"
    r"|iso-2022-jp",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Headers:
    """The headers of a mail or part in their order, unfolded; names in lower case."""

    fields: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, head: bytes) -> "Headers":
        """Those in a header section, or in the body of a part that has the same form."""
        fields: list[tuple[str, str]] = []
        for line in islice(_lines(head), MOST_HEADERS):
            if line[:1] in (" ", "\t") and fields:
                name, value = fields[-1]
                if len(value) < _LONGEST_VALUE:
                    fields[-1] = name, f"{value} {line.strip()}"
                continue
            name, colon, value = line.partition(":")
            if colon and _NAME.fullmatch(name.rstrip()):
                fields.append((name.rstrip().lower(), value.strip()[:_LONGEST_VALUE]))
        return cls(tuple(fields))

    def get(self, name: str) -> str:
        """The first header of this name, or ""."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> list[str]:
        """Every header of this name, the outermost first."""
        wanted = name.lower()
        return [value for its_name, value in self.fields if its_name == wanted]

    def words(self, name: str) -> str:
        """The header as people read it: encoded words decoded where they can be."""
        value = self.get(name)[:1_000]
        try:
            return str(make_header(decode_header(value)))
        except (MessageError, LookupError, ValueError):
            return value


@dataclass(frozen=True)
class Part:
    """A mail, or a part of one. `body` is as it was transferred; `text` decodes it."""

    headers: Headers
    body: bytes = field(repr=False)
    #: The header section as text, for whoever searches it whole.
    head: str = field(repr=False, default="")

    @classmethod
    def of(cls, raw: bytes) -> "Part":
        """Head and body of what has the form of a mail; whatever has none is all body, or all head."""
        if raw[:1] == b"\n" or raw[:2] == b"\r\n":
            return cls(Headers(()), raw.lstrip(b"\r\n"))
        found = _HEAD_END.search(raw, 0, LONGEST_HEAD)
        head, body = (raw[: found.start()], raw[found.end() :]) if found else (raw[:LONGEST_HEAD], b"")
        return cls(Headers.of(head), body, head.decode("utf-8", "replace"))

    @cached_property
    def content_type(self) -> str:
        """Such as "text/plain", which is also what a part without a type is."""
        value = self.headers.get("content-type").partition(";")[0].strip().lower()
        return value if value.count("/") == 1 else "text/plain"

    def parameter(self, name: str) -> str:
        """A parameter of the content type, or ""."""
        pattern = rf';\s*{re.escape(name)}\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))'
        found = re.search(pattern, self.headers.get("content-type"), re.IGNORECASE)
        return (found[1] or found[2] or "").strip() if found else ""

    def parts(self, most: int = MOST_PARTS, deepest: int = DEEPEST) -> list["Part"]:
        """The mail itself and the parts in it, in their order, as far as they are looked at.

        A mail within the mail is one part: what it is made of is nobody's business here.
        """
        found: list[Part] = []
        waiting = [(self, 0)]
        while waiting and len(found) < most:
            part, depth = waiting.pop()
            found.append(part)
            if depth < deepest:
                waiting += [(child, depth + 1) for child in reversed(list(part._children(most)))]
        return found

    def text(self, longest: int = LONGEST_TEXT) -> str:
        """The first of the part as text, its transfer encoding undone; what cannot be read is replaced."""
        raw = self.octets(longest)
        charset = self.parameter("charset")
        if _CHARSETS.fullmatch(charset):
            try:
                return raw.decode(charset, "replace")
            except (LookupError, ValueError):
                pass
        return raw.decode("utf-8", "replace")

    def inner(self) -> "Part":
        """The mail that this part carries (message/rfc822), or the headers alone (text/rfc822-headers)."""
        return Part.of(self.octets(LONGEST_HEAD))

    def octets(self, longest: int) -> bytes:
        """The first of the part, its transfer encoding undone; b"" for base64 that is none."""
        encoding = self.headers.get("content-transfer-encoding").lower()
        if encoding == "quoted-printable":
            return quopri.decodestring(self.body[: 3 * longest])[:longest]
        if encoding == "base64":
            try:
                return binascii.a2b_base64(_whole_quads(self.body[: 2 * longest]))[:longest]
            except binascii.Error:
                return b""
        return self.body[:longest]

    def _children(self, most: int) -> Iterator["Part"]:
        boundary = self.parameter("boundary")
        if not self.content_type.startswith("multipart/") or not 0 < len(boundary) <= 200:
            return
        line = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?:\r?\n|\Z)")
        start: int | None = None
        place = 0
        for _turn in range(most + 1):
            found = line.search(self.body, place)
            if start is not None:
                # A part that was cut off is still a part.
                yield Part.of(self.body[start : found.start() if found else None])
            if found is None or found[1]:
                return
            start = found.end()
            # The line break before the next delimiter may be the one that ends this line.
            place = max(start - 1, 0)


def _lines(head: bytes) -> Iterator[str]:
    for line in head[:LONGEST_HEAD].split(b"\n"):
        yield line.rstrip(b"\r").decode("utf-8", "replace")


def _whole_quads(text: bytes) -> bytes:
    """Base64 without line breaks, cut where it can be decoded."""
    packed = b"".join(text.split())
    return packed[: len(packed) - len(packed) % 4]
