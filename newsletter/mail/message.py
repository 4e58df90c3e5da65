"""A mail is compiled once and filled for each recipient: filling is a join of bytes.

    compiled = compile_message(html=…, text=…, subject=…, sender=…, …)  # then: plain_twin.verify(compiled)
    octets = compiled.fill(Recipient(…))

Both bodies hold the places `{unsubscribe_url}` and `{preferences_url}`; these, To, Message-ID and the
List-Unsubscribe pair are all that differs between two recipients. What comes out is complete for SMTP: CRLF line
ends, no line that begins with a dot, none longer than 76 characters (998 in a header that must not be folded).

Sources: RFC 5322, RFC 2045-2047, RFC 2046 §5.1.4 (plain text first), RFC 8058 (one-click), RFC 3834 (automatic mail).
"""

import hashlib
import html as html_escapes
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from types import MappingProxyType
from typing import NamedTuple

from . import header_text, quoted_printable

UNSUBSCRIBE_SLOT = "{unsubscribe_url}"
PREFERENCES_SLOT = "{preferences_url}"
ONE_CLICK = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"

_SLOT = re.compile(r"(\{unsubscribe_url\}|\{preferences_url\})")
_URL = re.compile(r"https?://[!#-;=?-z~]{1,900}")
#: One that neither HTML nor quoted-printable writes in another way.
_PLAIN_URL = re.compile(r"https?://[!#-%(-;?-z~]{1,900}")
_VALUE_LINE = 75
_MESSAGE_ID = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.:\[\]-]+")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_OURS = frozenset(
    (
        *("from", "to", "cc", "bcc", "sender", "reply-to", "return-path", "subject", "date", "message-id"),
        *("list-unsubscribe", "list-unsubscribe-post", "mime-version"),
        *("content-type", "content-transfer-encoding", "content-language"),
    )
)
_WITH_PHRASE = re.compile(r"(.*?)\s*(<[!-;=?-~]+>)")
_LONGEST_HEADER = 998


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name ("" for none) and an address."""

    name: str
    address: str


class Recipient(NamedTuple):
    """What differs from one reader to the next. `message_id` without angle brackets; URLs absolute, in ASCII."""

    address: str
    name: str
    message_id: str
    unsubscribe_url: str
    preferences_url: str


#: A reader for previews and for `verify`, with a name and URLs that are not the easy ones.
SAMPLE_RECIPIENT = Recipient(
    address="asha.o'brien+news@example.org",
    name="Zoë “Asha” Ó Briain-Patel, Early Help",
    message_id="sample.1@example.org",
    unsubscribe_url="https://news.example.org/u/AQEx-_sample0123456789abcdefghijklmnopqrstuvwxyz?a=1&b=2",
    preferences_url="https://news.example.org/p/AQEx-_sample0123456789abcdefghijklmnopqrstuvwxyz",
)


@dataclass(frozen=True, slots=True)
class Source:
    """What a message was compiled from, kept so that it can be compared with one built the plain way."""

    html: str
    text: str
    subject: str
    sender: Mailbox
    reply_to: Mailbox | None
    headers: Mapping[str, str]
    language: str
    date: datetime


@dataclass(frozen=True, slots=True)
class CompiledMessage:
    """A message in pieces. Immutable, and the same for the same input, so its bytes can be approved and repeated."""

    source: Source = field(repr=False)
    head: bytes = field(repr=False)
    neck: bytes = field(repr=False)
    body: tuple[bytes, ...] = field(repr=False)
    slots: tuple[int, ...] = field(repr=False)

    def fill(self, recipient: Recipient) -> bytes:
        """The whole message for one reader. Raises Invalid for an address, name or URL that cannot be written."""
        unsubscribe, unsubscribe_in_text, unsubscribe_in_html = _url_forms(recipient.unsubscribe_url)
        _, preferences_in_text, preferences_in_html = _url_forms(recipient.preferences_url)
        values = (unsubscribe_in_text, preferences_in_text, unsubscribe_in_html, preferences_in_html)
        first, *others = self.body
        parts = [
            self.head,
            header_text.mailbox("To", recipient.name, recipient.address, longest_name=header_text.LONGEST_NAME),
            _message_id(recipient.message_id),
            b"List-Unsubscribe: <%b>\r\n" % unsubscribe,
            self.neck,
            first,
        ]
        for slot, piece in zip(self.slots, others, strict=True):
            parts += (values[slot], piece)
        return b"".join(parts)

    def as_eml(self, recipient: Recipient = SAMPLE_RECIPIENT) -> bytes:
        """The message as a file that mail programs open (.eml)."""
        return self.fill(recipient)

    def digest(self) -> str:
        """SHA-256 (hex) over everything but the slots: equal digests, equal mails."""
        whole = hashlib.sha256()
        for piece in (self.head, self.neck, *self.body, bytes(self.slots)):
            whole.update(b"%d:" % len(piece))
            whole.update(piece)
        return whole.hexdigest()


def compile_message(
    *,
    html: str,
    text: str,
    subject: str,
    sender: Mailbox,
    reply_to: Mailbox | None,
    headers: Mapping[str, str],
    language: str,
    date: datetime,
) -> CompiledMessage:
    """Compile an issue's mail.

    `headers` are the fixed ones beside the common (List-Id, List-Help, Precedence, Feedback-ID …); `language` is a
    BCP 47 tag; `date` is aware and becomes the Date header as it stands. Raises ValueError where a place is missing
    from a body or a header is ours to write, Invalid for control characters in a name or the subject.
    """
    html, text = (_unix_lines(body) for body in (html, text))
    for part, body in (("HTML", html), ("plain text", text)):
        for slot in (UNSUBSCRIBE_SLOT, PREFERENCES_SLOT):
            if slot not in body:
                raise ValueError(f"The {part} of the mail does not hold {slot}")
    source = Source(html, text, subject, sender, reply_to, MappingProxyType(dict(headers)), language, date)
    text_pieces, text_slots = _pieces(text)
    html_pieces, html_slots = _pieces(html)
    boundary = _boundary(text_pieces, html_pieces)
    pieces = [
        b"\r\n--" + boundary + b"\r\n" + _part_head("plain") + b"\r\n" + text_pieces[0],
        *text_pieces[1:-1],
        text_pieces[-1] + b"\r\n--" + boundary + b"\r\n" + _part_head("html") + b"\r\n" + html_pieces[0],
        *html_pieces[1:-1],
        html_pieces[-1] + b"\r\n--" + boundary + b"--\r\n",
    ]
    return CompiledMessage(
        source=source,
        head=_common_head(subject, sender, reply_to, date),
        neck=ONE_CLICK + _fixed_headers(headers) + _mime_head(language, _multipart(boundary)),
        body=tuple(pieces),
        slots=(*text_slots, *(slot + 2 for slot in html_slots)),
    )


def build_single(
    *,
    to: Mailbox,
    sender: Mailbox,
    subject: str,
    text: str,
    message_id: str,
    date: datetime,
    html: str | None = None,
    reply_to: Mailbox | None = None,
    language: str = "en-GB",
    headers: Mapping[str, str] = MappingProxyType({}),
    unsubscribe_url: str = "",
) -> bytes:
    """A notice: one mail to one person, marked as automatic and without List-Unsubscribe (RFC 3834).

    `unsubscribe_url` is for a test copy of what goes to many: it carries the pair of headers of those (RFC 8058).
    The same input gives the same bytes. Raises Invalid as `compile_message` does.
    """
    automatic = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", **headers}
    head = [
        _common_head(subject, sender, reply_to, date),
        header_text.mailbox("To", to.name, to.address, longest_name=header_text.LONGEST_NAME),
        _message_id(message_id),
        _fixed_headers(automatic),
    ]
    if unsubscribe_url:
        head += [b"List-Unsubscribe: <%b>\r\n" % _url_forms(unsubscribe_url)[0], ONE_CLICK]
    text_body, html_body = quoted_printable.encode(text), quoted_printable.encode(html or "")
    if html is None:
        return b"".join([*head, _mime_head(language, _part_head("plain")), b"\r\n", text_body])
    boundary = _boundary([text_body], [html_body])
    opening = b"\r\n--" + boundary + b"\r\n"
    body = [opening, _part_head("plain"), b"\r\n", text_body, opening, _part_head("html"), b"\r\n", html_body]
    return b"".join([*head, _mime_head(language, _multipart(boundary)), *body, b"\r\n--", boundary, b"--\r\n"])


def bare_message_id(message_id: str) -> str:
    """The identifier without angle brackets. Raises ValueError for what is none (RFC 5322 §3.6.4)."""
    bare = message_id.removeprefix("<").removesuffix(">")
    if not _MESSAGE_ID.fullmatch(bare) or len(bare) > 250:
        raise ValueError("A Message-ID has the form unique@domain")
    return bare


def _message_id(message_id: str) -> bytes:
    return b"Message-ID: <%b>\r\n" % bare_message_id(message_id).encode("ascii")


def _url_forms(url: str) -> tuple[bytes, bytes, bytes]:
    """A URL as it stands in a header, in quoted-printable text and in quoted-printable HTML."""
    if not _PLAIN_URL.fullmatch(url):
        if not _URL.fullmatch(url):
            raise ValueError("A link in the mail must be an absolute http or https URL in ASCII")
        in_html = html_escapes.escape(url)
        return url.encode("ascii"), quoted_printable.encode_value(url), quoted_printable.encode_value(in_html)
    plain = url.encode("ascii")
    in_lines = plain if len(plain) <= _VALUE_LINE else _broken(plain)
    return plain, in_lines, in_lines


def _broken(url: bytes) -> bytes:
    """A long URL in lines, by soft line breaks, none of which begins with a dot."""
    if len(url) <= 2 * _VALUE_LINE and not url.startswith(b".", _VALUE_LINE):
        return url[:_VALUE_LINE] + quoted_printable.SOFT_BREAK + url[_VALUE_LINE:]
    rows = [url[start : start + _VALUE_LINE] for start in range(0, len(url), _VALUE_LINE)]
    if any(row.startswith(b".") for row in rows):
        return quoted_printable.encode_value(url.decode("ascii"))
    return quoted_printable.SOFT_BREAK.join(rows)


def _pieces(body: str) -> tuple[list[bytes], list[int]]:
    """The encoded pieces between the slots, and which slot follows each (0 unsubscribe, 1 preferences)."""
    found = _SLOT.split(body)
    slots = [0 if slot == UNSUBSCRIBE_SLOT else 1 for slot in found[1::2]]
    return quoted_printable.encode_around(found[0::2]), slots


def _boundary(*parts: Sequence[bytes]) -> bytes:
    """One that no quoted-printable body can hold ("=_"), and the same for the same bodies."""
    return b"=_" + hashlib.sha256(b"\0".join(piece for part in parts for piece in part)).hexdigest()[:32].encode()


def _common_head(subject: str, sender: Mailbox, reply_to: Mailbox | None, date: datetime) -> bytes:
    if date.tzinfo is None:
        raise ValueError("The date of a mail must be aware")
    lines = [b"Date: %b\r\n" % format_datetime(date).encode("ascii")]
    lines.append(header_text.mailbox("From", sender.name, sender.address))
    if reply_to is not None:
        lines.append(header_text.mailbox("Reply-To", reply_to.name, reply_to.address))
    return b"".join([*lines, header_text.unstructured("Subject", subject)])


def _fixed_headers(headers: Mapping[str, str]) -> bytes:
    return b"".join(_fixed_header(label, value) for label, value in headers.items())


def _fixed_header(label: str, value: str) -> bytes:
    """One line, never folded; only the name before an `<…>` may be other than ASCII (RFC 2919 §3)."""
    if not _HEADER_NAME.fullmatch(label) or label.lower() in _OURS:
        raise ValueError(f"The header {label!r} cannot be set here")
    value = header_text.checked(value, label.lower())
    named = _WITH_PHRASE.fullmatch(value)
    if label == "List-Id" and named and not value.startswith('"'):
        value = " ".join([*header_text.phrase(named[1]), named[2]]) if named[1] else named[2]
    if not value.isascii():
        raise ValueError(f"The header {label} can hold ASCII only")
    if len(label) + 2 + len(value) > _LONGEST_HEADER:
        raise ValueError(f"The header {label} is too long")
    return f"{label}: {value}\r\n".encode("ascii")


def _mime_head(language: str, content_type: bytes) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,35}", language):
        raise ValueError(f"{language!r} is not a language tag")
    return b"MIME-Version: 1.0\r\nContent-Language: %b\r\n%b" % (language.encode("ascii"), content_type)


def _multipart(boundary: bytes) -> bytes:
    return b'Content-Type: multipart/alternative;\r\n boundary="%b"\r\n' % boundary


def _part_head(subtype: str) -> bytes:
    kind = b"Content-Type: text/%b; charset=utf-8\r\n" % subtype.encode("ascii")
    return kind + b"Content-Transfer-Encoding: quoted-printable\r\n"


def _unix_lines(text: str) -> str:
    return "\n".join([*quoted_printable.lines_of(text), ""])
