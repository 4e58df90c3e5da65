"""A compiled message against one built the plain way by `email.message`: they must say the same, part by part."""

import html as html_escapes
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import SMTP
from email.utils import parseaddr

from . import header_text
from .message import (
    PREFERENCES_SLOT,
    SAMPLE_RECIPIENT,
    UNSUBSCRIBE_SLOT,
    CompiledMessage,
    Mailbox,
    Recipient,
    Source,
)

#: Folded at 78, `email` turns a long List-Unsubscribe into an encoded word, and providers see no button.
_POLICY = SMTP.clone(max_line_length=998)
_WORDS = ("From", "To", "Reply-To", "Subject")
_ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "List-Unsubscribe", "List-Unsubscribe-Post")


def verify(compiled: CompiledMessage, recipient: Recipient = SAMPLE_RECIPIENT) -> None:
    """Raise ValueError, naming the place, where the filled message and its plain twin differ."""
    octets = compiled.fill(recipient)
    _check_octets(octets, recipient)
    ours = BytesParser().parsebytes(octets)
    twin = BytesParser().parsebytes(plain_message(compiled.source, recipient).as_bytes())
    _check_headers(ours, twin)
    _check_words(ours, compiled.source, recipient)
    _check_parts(ours, twin)


def plain_message(source: Source, recipient: Recipient) -> EmailMessage:
    """The same mail for the same reader, by the standard library alone."""
    message = EmailMessage(policy=_POLICY)
    message["Date"] = source.date
    message["From"] = _address(source.sender.name, source.sender.address)
    if source.reply_to is not None:
        message["Reply-To"] = _address(source.reply_to.name, source.reply_to.address)
    message["Subject"] = header_text.checked(source.subject, "subject")
    message["To"] = _address(header_text.shown(recipient.name), recipient.address)
    message["Message-ID"] = f"<{recipient.message_id.strip('<>')}>"
    message["List-Unsubscribe"] = f"<{recipient.unsubscribe_url}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    for label, value in source.headers.items():
        message[label] = value
    message.set_content(_filled(source.text, recipient, in_html=False), cte="quoted-printable")
    html = _filled(source.html, recipient, in_html=True)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message["Content-Language"] = source.language  # after the parts: a Content-… header would move into the first
    return message


def _address(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    return Address(header_text.checked(name, "name"), local, domain)


def _filled(body: str, recipient: Recipient, *, in_html: bool) -> str:
    escape = html_escapes.escape if in_html else str
    body = body.replace(UNSUBSCRIBE_SLOT, escape(recipient.unsubscribe_url))
    return body.replace(PREFERENCES_SLOT, escape(recipient.preferences_url))


def _check_octets(octets: bytes, recipient: Recipient) -> None:
    """What the wire asks for, whatever the words are (RFC 5321 §2.3.8, RFC 5322 §2.1.1, RFC 8058 §3.1)."""
    lines = octets.split(b"\r\n")
    if any(b"\r" in line or b"\n" in line for line in lines):
        raise ValueError("The mail holds a bare line break")
    if any(line.startswith(b".") for line in lines):
        raise ValueError("A line of the mail begins with a dot")
    body = octets.partition(b"\r\n\r\n")[2].split(b"\r\n")
    if max(map(len, body)) > 76 or max(map(len, lines)) > 998:
        raise ValueError("A line of the mail is too long")
    if f"List-Unsubscribe: <{recipient.unsubscribe_url}>".encode() not in lines:
        raise ValueError("List-Unsubscribe does not stand on one line as it is")


def _check_headers(ours: Message, twin: Message) -> None:
    for label in _ONCE:
        if len(ours.get_all(label, [])) != 1:
            raise ValueError(f"The mail must have one header {label}")
    labels = [label for label in twin if label.lower() != "content-type"]
    if sorted(label.lower() for label in ours) != sorted([*(label.lower() for label in labels), "content-type"]):
        raise ValueError("The mail has other headers than its plain twin")
    for label in set(labels).difference(_WORDS):
        if _meaning(ours, label) != _meaning(twin, label):
            raise ValueError(f"The header {label} differs from the plain twin's")


def _check_words(ours: Message, source: Source, recipient: Recipient) -> None:
    """Names and subject against what was asked for: the twin reads "=?utf-8?q?x?=" as an encoded word."""
    if _shown(_unfolded(ours, "Subject")) != header_text.checked(source.subject, "subject"):
        raise ValueError("The header Subject differs from what was asked for")
    mailboxes = {"From": source.sender, "To": Mailbox(header_text.shown(recipient.name), recipient.address)}
    if source.reply_to is not None:
        mailboxes["Reply-To"] = source.reply_to
    for label, mailbox in mailboxes.items():
        name, address = parseaddr(_unfolded(ours, label))
        if (_shown(name), address) != (header_text.checked(mailbox.name, "name"), mailbox.address):
            raise ValueError(f"The header {label} differs from what was asked for")


def _meaning(message: Message, label: str) -> str:
    return _shown(_unfolded(message, label).replace('"', ""))


def _unfolded(message: Message, label: str) -> str:
    return "".join(str(message[label]).splitlines())


def _shown(text: str) -> str:
    """By the legacy decoder: the newer one shows a space between two encoded words (RFC 2047 §6.2 has none)."""
    return " ".join(str(make_header(decode_header(text))).split())


def _check_parts(ours: Message, twin: Message) -> None:
    our_parts, twin_parts = list(ours.walk()), list(twin.walk())
    if len(our_parts) != len(twin_parts):
        raise ValueError("The mail has not as many parts as its plain twin")
    for our_part, twin_part in zip(our_parts, twin_parts, strict=True):
        if our_part.defects or our_part.get_content_type() != twin_part.get_content_type():
            raise ValueError(f"The part {our_part.get_content_type()} is not well formed")
        if our_part.is_multipart():
            continue
        if _decoded(our_part) != _decoded(twin_part):
            raise ValueError(f"The part {our_part.get_content_type()} differs from the plain twin's")


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode("utf-8").replace("\r\n", "\n")
