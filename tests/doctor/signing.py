"""A mail server that signs, and one that receives: what they do to a message, with keys made for the tests."""

import base64
from collections.abc import Sequence
from functools import cache

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.name_server import Zone

EVERY_HEADER = (
    *("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "List-Id", "Reply-To"),
    *("Feedback-ID", "List-Unsubscribe", "List-Unsubscribe-Post"),
)


@cache
def _key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def key_record(bits: int = 2048) -> str:
    """The TXT record of the key, in presentation form: strings of 255 characters at most."""
    public = _key(bits).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"
    return " ".join(f'"{text[start : start + 250]}"' for start in range(0, len(text), 250))


def key_zone(domain: str = "example.org", selector: str = "s2026", bits: int = 2048) -> Zone:
    return {(f"{selector}._domainkey.{domain}", "TXT"): [key_record(bits)]}


def signed(
    message: bytes,
    headers: Sequence[str] = EVERY_HEADER,
    *,
    domain: str = "example.org",
    selector: str = "s2026",
    bits: int = 2048,
    length: bool = False,
) -> bytes:
    """The message with a DKIM-Signature on top that covers these headers."""
    private = _key(bits).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    signature: bytes = dkim.sign(
        message,
        selector.encode(),
        domain.encode(),
        private,
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=[header.lower().encode() for header in headers],
        length=length,
    )
    return signature + message


def received(message: bytes, *, return_path: str, results: str = "spf=pass; dkim=pass; dmarc=pass") -> bytes:
    """The message as its reader's mail server files it."""
    head = [f"Return-Path: <{return_path}>", f"Authentication-Results: mx.reader.example; {results}"] if results else []
    head.append("Received: from mail.example.org by mx.reader.example with ESMTPS; Mon, 7 Dec 2026 10:00:02 +0000")
    return "".join(f"{line}\r\n" for line in head).encode() + message
