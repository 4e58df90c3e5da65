"""The seam between us and whatever takes our mail: an SMTP server, the built-in mailbox, a list in memory.

A relay gives connections, a connection takes envelopes one at a time. What goes wrong is an error whose type
says what to do next (`newsletter.errors.RelayError`), so no caller reads a reply code.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

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
