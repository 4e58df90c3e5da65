"""The seam between us and whatever takes our mail: an SMTP server, the built-in mailbox, a list in memory.

A relay gives connections, a connection takes envelopes one at a time. What goes wrong is an error whose type
says what to do next (`newsletter.errors.RelayError`), so no caller reads a reply code.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from newsletter.errors import RelayDown, RelayError, RelayUnsure

#: Called once, just before the bytes that hold the final dot are written. If it raises, the dot does not go.
BeforeFinalDot = Callable[[], None]


class WireReady(bytes):
    """A message made so that SMTP need not look at it again: CRLF line ends alone, no line that begins with a dot.

    Looking costs more than all else that is done for one message; `CompiledMessage.fill` has no need of it.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message for one person, as it is handed over (RFC 5321 §2.3.1).

    `sender` is the return path ("" is the null one, for what must not bounce), `recipient` the stored address
    byte for byte, `message` complete with CRLF line ends, `delivery` the key of the row it belongs to.
    """

    sender: str
    recipient: str
    message: bytes = field(repr=False)
    delivery: int | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The relay took the message: its three-digit code (2xx), and what it said in one line."""

    code: int
    reply: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard a relay may be driven: `connections` at one time from one process."""

    connections: int


class Connection(Protocol):
    """A way open to the relay. Takes one envelope at a time; not to be shared between tasks."""

    @property
    def usable(self) -> bool:
        """Whether another envelope may be sent here. False after any doubt: close it and connect anew."""
        ...

    async def send(self, envelope: Envelope, *, before_final_dot: BeforeFinalDot | None = None) -> Receipt:
        """Hand the envelope over and return the relay's acceptance.

        Raises RelayBusy, RelayDown, RelayRefused, RelayRejectsUs or RelayUnsure. Only RelayUnsure leaves open
        whether the reader gets the message; after each of the others it was not taken.
        """
        ...

    async def close(self) -> None:
        """Take leave, politely if the connection is usable. Never raises."""
        ...


class Relay(Protocol):
    """Something that takes mail. `name` is what people are shown; it holds no credentials."""

    @property
    def name(self) -> str: ...

    @property
    def limits(self) -> Limits: ...

    async def connect(self) -> Connection:
        """A usable connection. Raises RelayDown (try later) or RelayRejectsUs (a person must act)."""
        ...


def send_one(relay: Relay, envelope: Envelope) -> Receipt:
    """Connect, hand over one envelope, take leave. Blocks; runs an event loop of its own.

    Raises what `Connection.send` raises. Not for use inside a running event loop.
    """
    return asyncio.run(_send_one(relay, envelope))


async def _send_one(relay: Relay, envelope: Envelope) -> Receipt:
    connection = await relay.connect()
    try:
        return await connection.send(envelope)
    finally:
        await connection.close()


def relay_from_url(url: str, ca_file: Path | None = None, connections: int = 16) -> Relay:
    """The relay that `NEWSLETTER_RELAY_URL` names (checked by config).

    `ca_file` holds the certificates to trust in place of the system's; `connections` is the most to keep open.
    Raises SettingError when the file holds no certificates.
    """
    from .smtp import SmtpRelay

    return SmtpRelay.from_url(url, ca_file=ca_file, connections=connections)


class MemoryRelay:
    """A relay that keeps what it is given: the quiet twin for tests. Failures are scripted by recipient."""

    def __init__(self, *, connections: int = 4, name: str = "memory") -> None:
        self.name = name
        self.limits = Limits(connections)
        self.accepted: list[Envelope] = []
        self.connects = 0
        self._failures: defaultdict[str, deque[RelayError]] = defaultdict(deque)
        self._refuse_connections: deque[RelayError] = deque()

    def fail(self, recipient: str, *errors: RelayError) -> None:
        """The next tries for this recipient raise these, one a try; then it is accepted."""
        self._failures[recipient].extend(errors)

    def fail_to_connect(self, *errors: RelayError) -> None:
        """The next connects raise these, one each."""
        self._refuse_connections.extend(errors)

    def accepted_for(self, recipient: str) -> list[Envelope]:
        """What was taken for one recipient, in order."""
        return [envelope for envelope in self.accepted if envelope.recipient == recipient]

    @property
    def recipients(self) -> list[str]:
        """Whom something was taken for, in order."""
        return [envelope.recipient for envelope in self.accepted]

    async def connect(self) -> "MemoryConnection":
        self.connects += 1
        if self._refuse_connections:
            raise self._refuse_connections.popleft()
        return MemoryConnection(self.accepted, self._failures)


class MemoryConnection:
    """One connection to a MemoryRelay. Unusable after RelayDown and RelayUnsure, as a real one is."""

    def __init__(self, accepted: list[Envelope], failures: defaultdict[str, deque[RelayError]]) -> None:
        self._accepted = accepted
        self._failures = failures
        self._open = True

    @property
    def usable(self) -> bool:
        return self._open

    async def send(self, envelope: Envelope, *, before_final_dot: BeforeFinalDot | None = None) -> Receipt:
        if not self._open:
            raise RelayDown("The connection to the mail server is closed.")
        await asyncio.sleep(0)
        scripted = self._failures[envelope.recipient]
        error = scripted.popleft() if scripted else None
        if error is not None and not isinstance(error, RelayUnsure):
            self._open = not isinstance(error, RelayDown)
            raise error
        if before_final_dot is not None:
            before_final_dot()
        if error is not None:
            self._open = False
            raise error
        self._accepted.append(envelope)
        return Receipt(250, f"250 2.0.0 kept as {len(self._accepted)}")

    async def close(self) -> None:
        self._open = False


def one_line(words: Iterable[str], longest: int = 400) -> str:
    """What a server said, fit for a log, a page or a database column: one line, printable, cut."""
    text = " ".join(" ".join(words).split())
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return text if len(text) <= longest else text[: longest - 1] + "…"
