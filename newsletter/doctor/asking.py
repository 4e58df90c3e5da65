"""One HTTP request as a stranger makes it: no cookie, no redirect followed, no proxy, and an end in sight."""

import asyncio
import errno
import http.client
import io
import os
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from ..errors import NewsletterError

_MOST_BYTES = 262_144


class NoAnswer(NewsletterError):
    """Nothing that is HTTP came back; the message is one sentence that says what came of it."""


class NoNetwork(NoAnswer):
    """Nothing could be asked from this machine, which says nothing about the other side."""


#: What `connect` says on a machine that is cut off.
_CUT_OFF = frozenset({errno.ENETUNREACH, errno.ENETDOWN})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `ends` is the day the verified certificate ends (aware UTC), None without TLS."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    ends: datetime | None

    def header(self, name: str) -> str:
        """The first value of a header, or ""."""
        return str(self.headers.get(name, ""))

    @property
    def title(self) -> str:
        """The title of an HTML page, or ""."""
        return title_of(self.body)


def title_of(page: bytes) -> str:
    """The title of an HTML page in one line, or ""."""
    small = page.lower()
    start = small.find(b">", small.find(b"<title")) + 1
    end = small.find(b"</title", start)
    if b"<title" not in small or not 0 < start <= end:
        return ""
    return " ".join(page[start:end].decode("utf-8", "replace").split())[:200]


def ask(
    method: str,
    url: str,
    *,
    body: bytes = b"",
    content_type: str = "",
    context: ssl.SSLContext | None = None,
    seconds: float = 10.0,
) -> Answer:
    """Send one request and read the answer. `seconds` bounds the whole, however slowly the other side speaks.

    `context` replaces the machine's own trust. Raises NoAnswer, or NoNetwork. Not for a thread with an event loop.
    """
    parts = urlsplit(url)
    host, secured = parts.hostname or "", parts.scheme == "https"
    head = [
        f"{method} {parts.path or '/'} HTTP/1.1",
        f"Host: {parts.netloc}",
        "User-Agent: newsletter-doctor",
        "Accept: */*",
        "Connection: close",
    ]
    if body:
        head += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    request = "\r\n".join([*head, "", ""]).encode("ascii") + body
    trust = (context or ssl.create_default_context()) if secured else None
    try:
        return asyncio.run(_converse(method, host, parts.port or (443 if secured else 80), trust, request, seconds))
    except TimeoutError:
        raise NoAnswer(f"{parts.netloc} did not answer within {seconds:g} seconds") from None
    except OSError as error:
        raise _in_words(error, host, parts.netloc) from None
    except (http.client.HTTPException, ValueError):
        raise NoAnswer(f"{parts.netloc} answered with something that is not HTTP") from None


def _in_words(error: OSError, host: str, where: str) -> NoAnswer:
    """What went wrong below HTTP, as the error to raise."""
    match error:
        case ssl.SSLCertVerificationError():
            return NoAnswer(f"The certificate of {where} is not accepted: {error.verify_message}")
        case ssl.SSLError():
            return NoAnswer(f"TLS could not be agreed with {where} ({error.reason})")
        case http.client.RemoteDisconnected():
            return NoAnswer(f"{where} closed the connection without a word")
        case socket.gaierror(errno=socket.EAI_NONAME):
            return NoAnswer(f"The name {host} is not known on this machine")
        case socket.gaierror():
            return NoNetwork(f"The name {host} could not be looked up from this machine")
    if error.errno in _CUT_OFF:
        return NoNetwork("This machine has no way to the network")
    why = os.strerror(error.errno) if error.errno else "the connection broke"
    return NoAnswer(f"{where} could not be reached ({why})")


async def _converse(
    method: str, host: str, port: int, trust: ssl.SSLContext | None, request: bytes, seconds: float
) -> Answer:
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(host, port, ssl=trust)
        try:
            certificate = writer.get_extra_info("peercert") or {}
            writer.write(request)
            await writer.drain()
            octets = await _read(reader)
        finally:
            # Waiting for a polite end would let the other side hold us.
            writer.transport.abort()
    ends = certificate.get("notAfter")
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if ends else None
    return _parsed(method, octets, until)


async def _read(reader: asyncio.StreamReader) -> bytes:
    """All that is said, or as much as we care for. A broken end after the first bytes is an end."""
    octets = bytearray()
    try:
        while len(octets) < _MOST_BYTES and (piece := await reader.read(65536)):
            octets += piece
    except OSError:
        if not octets:
            raise
    return bytes(octets)


class _Said:
    """What `http.client` reads an answer from, in place of a socket."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._octets)


def _parsed(method: str, octets: bytes, ends: datetime | None) -> Answer:
    response = http.client.HTTPResponse(_Said(octets), method=method)  # type: ignore[arg-type]  # asks only makefile
    response.begin()
    try:
        body = response.read()
    except http.client.IncompleteRead as cut:
        body = cut.partial
    return Answer(response.status, response.headers, body, ends)
