"""A letter that a person wrote to us: who says to have written it, its words, and what came with it.

Taken apart by bounded work, whatever the bytes are. Nothing in it is believed; `vouched` says what our own mail
server found out about its sender.

Sources: RFC 5322 §3.6.2 (From), RFC 2183 and RFC 2231 (attachments), RFC 3676 (quoted lines).
"""

import hashlib
import re
from dataclasses import dataclass, field
from email.errors import MessageError
from email.header import decode_header, make_header
from email.utils import getaddresses
from urllib.parse import unquote

from newsletter import addresses
from newsletter.errors import Invalid

from .mime_parts import LONGEST_HEAD, MOST_HEADERS, Headers, Part
from .replies import one_line

#: Bytes of a letter that are taken: more is refused, and its sender told.
LARGEST = 10 * 1024 * 1024
LONGEST_TEXT = 400_000
_MOST_PARTS, _DEEPEST = 100, 8
_ANSWERED = re.compile(r"\s*(re|aw|sv|vs|antw|fwd?|wg|tr)\s*(\[\d+\])?\s*:\s*", re.IGNORECASE)
_WROTE = re.compile(r".{0,200}\b(wrote|writes|schrieb|a écrit|escribió|ha scritto)\s*:\s*", re.IGNORECASE)
_ON = re.compile(r"(On|Am|Le|El|Il)\b")
_WORD_FILE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_ENCRYPTED = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")
#: They vouch for a letter, or say how it looks; nobody attached them.
_NO_ATTACHMENTS = ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature")


class LetterRefused(Exception):
    """It is built in a way that no mail program builds letters; `str()` says how, for staff. It is not answered."""


@dataclass(frozen=True)
class Attachment:
    """A file that came with a letter. `name` is one line and cut."""

    name: str
    content_type: str
    body: bytes = field(repr=False)

    @property
    def is_word(self) -> bool:
        return self.content_type == _WORD_FILE or self.name.lower().endswith((".docx", ".docm"))

    @property
    def is_picture(self) -> bool:
        return self.content_type.startswith("image/")

    @property
    def is_packed(self) -> bool:
        """Whether it is Outlook's own packet, which holds the letter's files and looks (TNEF)."""
        return self.content_type in ("application/ms-tnef", "application/vnd.ms-tnef") or self.name == "winmail.dat"


@dataclass(frozen=True)
class Letter:
    """`sender` is the one address in From, "" where there is not exactly one that can be used.

    `text` are its plain words, all of them; `html` is there where it has no plain ones. `encrypted`: its words are
    for a key that we do not have.
    """

    sender: str
    name: str
    subject: str
    message_id: str
    digest: bytes
    headers: Headers = field(repr=False)
    text: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    attachments: tuple[Attachment, ...] = ()
    encrypted: bool = False


def read_letter(raw: bytes) -> Letter:
    """Take a letter apart. Raises LetterRefused for what no mail program makes."""
    mail = Part.of(raw)
    if not mail.headers.fields or len(mail.head) >= LONGEST_HEAD or len(mail.headers.fields) >= MOST_HEADERS:
        raise LetterRefused("Its headers are longer than those of any letter, or there are none.")
    parts = _parts(mail)
    text, html = _words(parts)
    if not text and not html:
        parts = _forwarded(parts) or parts
        text, html = _words(parts)
    name, sender = _sender(mail.headers)
    message_id = one_line([mail.headers.get("message-id").strip("<> ")], 250)
    return Letter(
        sender=sender,
        name=name,
        subject=_subject(mail.headers),
        message_id=message_id,
        digest=_digest(mail, message_id, raw),
        headers=mail.headers,
        text=text,
        html=html,
        attachments=tuple(filter(None, map(_attachment, parts))),
        encrypted=any(part.content_type in _ENCRYPTED for part in parts),
    )


def recipients(raw: bytes) -> list[str]:
    """The addresses that a mail was sent to, in lower case: what our server wrote first, then To and Cc."""
    headers = Part.of(raw[:LONGEST_HEAD]).headers
    named = ("x-original-to", "delivered-to", "envelope-to", "x-envelope-to", "to", "cc", "resent-to")
    values = [value for name in named for value in headers.all(name)]
    return list(dict.fromkeys(address.lower() for _name, address in getaddresses(values[:50]) if "@" in address))


def without_quoted(text: str) -> tuple[str, bool]:
    """The words above the letter that is answered, and whether something was cut off.

    Cut are only lines marked as quoted (">") at the very end, with the line above them that says who wrote them.
    What is above them may be empty: then nothing is cut.
    """
    lines = text.split("\n")
    end = len(lines)
    while end and (not lines[end - 1].strip() or lines[end - 1].startswith(">")):
        end -= 1
    if not any(line.startswith(">") for line in lines[end:]):
        return text, False
    # The line may be broken in two: "On Monday … at 10:00," and "Ruth Adeyemi wrote:".
    if end > 1 and _ON.match(lines[end - 2]) and _WROTE.fullmatch(" ".join(lines[end - 2 : end])):
        end -= 2
    elif end and _WROTE.fullmatch(lines[end - 1]):
        end -= 1
    kept = "\n".join(lines[:end]).strip()
    return (kept, True) if kept else (text, False)


def _parts(mail: Part) -> list[Part]:
    parts = mail.parts(_MOST_PARTS + 1, _DEEPEST)
    if len(parts) > _MOST_PARTS:
        raise LetterRefused("It is made of more parts than any letter is.")
    return parts


def _forwarded(parts: list[Part]) -> list[Part]:
    """What a letter is made of that came within this one, where this one says nothing itself."""
    inner = next((part for part in parts if part.content_type == "message/rfc822"), None)
    return _parts(Part.of(inner.octets(LARGEST))) if inner else []


def _words(parts: list[Part]) -> tuple[str, str]:
    """The plain words of all parts that hold some, or else their HTML."""
    own = [part for part in parts if not _file_name(part) and not _disposition(part).startswith("attachment")]
    plain = [_tidy(part.text(LONGEST_TEXT)) for part in own if part.content_type == "text/plain" and part.body]
    words = [text for text in plain if text]
    if words:
        return "\n\n".join(words)[:LONGEST_TEXT], ""
    html = [part.text(LONGEST_TEXT) for part in own if part.content_type == "text/html"]
    return "", "\n".join(one for one in html if one.strip())[:LONGEST_TEXT]


def _tidy(text: str) -> str:
    """Lines end in one way, without spaces behind them; a no-break space is a space."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


def _attachment(part: Part) -> Attachment | None:
    kind, name = part.content_type, _file_name(part)
    if kind.startswith(("multipart/", "message/rfc822")) or kind in _NO_ATTACHMENTS:
        return None
    if not name and kind.startswith("text/") and not _disposition(part).startswith("attachment"):
        return None
    if not name and not part.body.strip():
        return None
    return Attachment(name or kind, kind, part.octets(LARGEST))


def _disposition(part: Part) -> str:
    return part.headers.get("content-disposition").strip().lower()


def _file_name(part: Part) -> str:
    """The name of the file, as one line without a path; "" for a part that has none (RFC 2183, RFC 2231)."""
    disposition = part.headers.get("content-disposition")
    found = re.search(r"""filename\*0?\*?\s*=\s*"?(?:[\w-]+'[\w-]*')?([^;"]+)""", disposition, re.IGNORECASE)
    if found:
        name = unquote(found[1])
    else:
        plain = re.search(r'filename\s*=\s*(?:"([^"]*)"|([^\s;]+))', disposition, re.IGNORECASE)
        name = (plain[1] or plain[2] or "") if plain else part.parameter("name")
    return one_line([_decoded_words(name).replace("\\", "/").rpartition("/")[2]], 100)


def _sender(headers: Headers) -> tuple[str, str]:
    """Name and address of the one person in From; no address where there are several, or none that can be used."""
    fields = headers.all("from")
    people = [(name, address) for name, address in getaddresses(fields[:2]) if address]
    if len(fields) != 1 or len(people) != 1:
        return "", ""
    name, address = people[0]
    try:
        return one_line([_decoded_words(name)], 100), addresses.clean(address)
    except Invalid:
        return "", ""


def _subject(headers: Headers) -> str:
    """The subject without "Re:" and "Fwd:" before it."""
    words = one_line([headers.words("subject")], 300)
    while found := _ANSWERED.match(words):
        words = words[found.end() :]
    return words.strip()


def _decoded_words(value: str) -> str:
    try:
        return str(make_header(decode_header(value[:1_000])))
    except (MessageError, LookupError, ValueError):
        return value


def _digest(mail: Part, message_id: str, raw: bytes) -> bytes:
    """What tells this letter from all others: on its way servers add headers, and leave the rest as it is."""
    if not message_id:
        return hashlib.sha256(raw).digest()
    kept = "\n".join((message_id, mail.headers.get("from"), mail.headers.get("date")))
    return hashlib.sha256(b"letter\n" + kept.encode() + b"\n" + mail.body.strip()).digest()
