"""What is said on the wire for one envelope: MAIL, RCPT and DATA, and the message as SMTP carries it.

Sources: RFC 5321 §4.1.1.2-4 and §4.5.2 (dots), RFC 1870 (SIZE), RFC 3461 (DSN).
"""

import re

from newsletter.errors import RelayRefused, RelayRejectsUs

from .relay import Envelope
from .smtp_opening import Extensions

FINAL_DOT = b".\r\n"
#: Printable ASCII around an "@", without what would need quoting or could end the path.
_ADDRESS = re.compile(r"[!#-'*+\--9=?-Z^-~]+@[!#-'*+\--9=?-Z^-~]+")


class Offer:
    """One envelope on its way. `commands` are MAIL, RCPT and DATA with their line ends; `message` ends with CRLF.

    `said` is set when the commands have been written, `handed_over` when the final dot may have left this process.
    """

    __slots__ = ("commands", "envelope", "handed_over", "message", "said")

    def __init__(self, envelope: Envelope, commands: bytes, message: bytes) -> None:
        self.envelope = envelope
        self.commands = commands
        self.message = message
        self.said = False
        self.handed_over = False


class Terms:
    """What may be said to a server, by what it offered after EHLO. An extension is used only if offered."""

    def __init__(self, extensions: Extensions) -> None:
        self.pipelining = "PIPELINING" in extensions
        self._says_size = "SIZE" in extensions
        limit = extensions.get("SIZE", "")
        self._largest = int(limit) if limit.isdecimal() else 0
        self._ret, self._notify = (" RET=HDRS", " NOTIFY=FAILURE") if "DSN" in extensions else ("", "")

    def offer(self, envelope: Envelope) -> Offer:
        """The envelope in words. Raises RelayRejectsUs or RelayRefused where it cannot be said or would be in vain."""
        message = envelope.message if envelope.wire_ready else _for_the_wire(envelope.message)
        sender, recipient, size = envelope.sender, envelope.recipient, len(envelope.message)
        if sender and not _ADDRESS.fullmatch(sender):
            raise RelayRejectsUs("The return path of this mail is not an address that SMTP can carry", code=553)
        if not _ADDRESS.fullmatch(recipient):
            raise RelayRefused("This is not an address that SMTP can carry", code=553, enhanced="5.1.3")
        if 0 < self._largest < size:
            raise RelayRejectsUs(
                f"The mail is too large for the mail server: {size} bytes, and it takes {self._largest}",
                code=552,
                enhanced="5.3.4",
            )
        said_size = f" SIZE={size}" if self._says_size else ""
        mail = f"MAIL FROM:<{sender}>{said_size}{self._ret}\r\n"
        return Offer(envelope, f"{mail}RCPT TO:<{recipient}>{self._notify}\r\nDATA\r\n".encode("ascii"), message)


def _for_the_wire(message: bytes) -> bytes:
    """With a line end, dots doubled. A bare CR or LF would let one mail pose as two (SMTP smuggling)."""
    line_ends = message.count(b"\r\n")
    if message.count(b"\n") != line_ends or message.count(b"\r") != line_ends:
        raise RelayRejectsUs("This mail holds a bare line break and was not sent", code=554, enhanced="5.6.0")
    if b"\r\n." in message or message.startswith(b"."):
        message = (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:]
    return message if message.endswith(b"\r\n") else message + b"\r\n"
