"""The source of a mail as it was received or sent: headers as they stand, in order, before anybody decodes them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import EmailMessage

from ..errors import Invalid, Problem

_MOST_BYTES = 5_000_000
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_NOT_A_MAIL = (
    "This is not the source of a mail. In the mail program choose “Show original”, “View source” or “Save as .eml”, "
    "and give the whole of that."
)


@dataclass(frozen=True, slots=True)
class MailSource:
    """A whole mail with CRLF line ends. `headers`: name as written, and the value with its folding.

    `bare_ends`: some of its lines ended in CR or LF alone while others did not.
    """

    octets: bytes
    headers: tuple[tuple[str, bytes], ...]
    body: bytes
    bare_ends: bool

    def raw(self, name: str) -> list[bytes]:
        """The values of a header as they stand, top first."""
        return [value for written, value in self.headers if written.lower() == name.lower()]

    def values(self, name: str) -> list[str]:
        """The values of a header in one line each, encoded words decoded, top first."""
        return [_decoded(value) for value in self.raw(name)]

    def value(self, name: str) -> str:
        """The first of them, or ""."""
        return next(iter(self.values(name)), "")

    @property
    def names(self) -> list[str]:
        """The headers' names as first written, each once, in order."""
        return list({written.lower(): written for written, _ in reversed(self.headers)}.values())[::-1]

    def parsed(self) -> EmailMessage:
        """The mail as the standard library reads it."""
        message = message_from_bytes(self.octets, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message


def read_source(octets: bytes) -> MailSource:
    """The mail in a file; one saved with LF line ends is taken as it was before. Raises Invalid for what is no mail."""
    if len(octets) > _MOST_BYTES:
        raise _invalid(f"This is longer than any mail of ours ({_MOST_BYTES // 1_000_000} MB at most).")
    octets = octets.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if octets.startswith(b"From "):  # the line between two mails of an mbox file
        octets = octets.partition(b"\n")[2]
    with_crlf = octets.count(b"\r\n")
    bare_ends = bool(with_crlf) and (octets.count(b"\n") > with_crlf or octets.count(b"\r") > with_crlf)
    if not with_crlf:
        octets = octets.replace(b"\n", b"\r\n")
    head, _, body = octets.partition(b"\r\n\r\n")
    headers = tuple(_fields(re.split(rb"\r\n(?![ \t])", head.removesuffix(b"\r\n"))))
    if not {"from", "received", "subject", "message-id"} & {name.lower() for name, _ in headers}:
        raise _invalid(_NOT_A_MAIL)
    return MailSource(octets, headers, body, bare_ends)


def _fields(lines: Iterable[bytes]) -> Iterable[tuple[str, bytes]]:
    for line in lines:
        match = _FIELD.fullmatch(line)
        if match is None:
            raise _invalid(_NOT_A_MAIL)
        yield match[1].decode("ascii"), match[2].strip(b" \t")


def _decoded(value: bytes) -> str:
    text = " ".join(value.decode("utf-8", "replace").split())
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return text


def _invalid(sentence: str) -> Invalid:
    return Invalid([Problem("received", sentence)])
