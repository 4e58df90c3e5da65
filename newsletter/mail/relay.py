"""The seam between us and whatever takes our mail: an SMTP server, the built-in mailbox, a list in memory.

A relay gives connections, a connection takes envelopes one at a time. What goes wrong is an error whose type
says what to do next (`newsletter.errors.RelayError`), so no caller reads a reply code.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from newsletter.errors import RelayBusy, RelayDown, RelayError, RelayRefused, RelayRejectsUs, RelayUnsure
from newsletter.work import counting

_COUNTED_AS: Mapping[type[RelayError], str] = {
    RelayBusy: "busy",
    RelayDown: "down",
    RelayRefused: "refused",
    RelayRejectsUs: "rejects_us",
    RelayUnsure: "unsure",
    RelayError: "other",
}
#: Called once, just before the bytes that hold the final dot are written. If it raises, the dot does not go.
BeforeFinalDot = Callable[[], None]


class Envelope(NamedTuple):
    """One message for one person, as it is handed over (RFC 5321 §2.3.1).

    `sender` is the return path ("" is the null one, for what must not bounce), `recipient` the stored address
    byte for byte, `message` complete with CRLF line ends, `delivery` the key of the row it belongs to.

    `wire_ready` says of a message that SMTP need not look at it again: CRLF line ends alone, no line that begins with a
    dot, as `CompiledMessage.fill` makes it. Looking would cost more than all else that is done for one.
    """

    sender: str
    recipient: str
    message: bytes
    delivery: int | None = None
    wire_ready: bool = False

    def __repr__(self) -> str:
        """Without the message: it would fill a log."""
        return f"Envelope({self.sender!r}, {self.recipient!r}, <{len(self.message)} bytes>, {self.delivery!r})"


class Receipt(NamedTuple):
    """The relay took the message: its three-digit code (2xx), and what it said in one line."""

    code: int
    reply: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard a relay may be driven: `connections` at one time from one process."""

    connections: int


class Mailing(Protocol):
    """What a connection works through. Asked and told from the event loop's thread; never waits, never awaits."""

    def next_ready(self) -> Envelope | None:
        """The next message that may leave at this moment; None when there is none right now.

        Whatever is given out is settled exactly once. A connection that pipelines asks for the next message before
        the last one has its answer (RFC 2920), so two may be out at a time on one connection.
        """
        ...

    def before_final_dot(self, envelope: Envelope) -> None:
        """Called just before the bytes that hold its final dot are written. If it raises, the dot does not go."""
        ...

    def settled(self, envelope: Envelope, outcome: Receipt | RelayError) -> None:
        """What came of it. After every error but RelayUnsure the message was not taken."""
        ...


class Connection(Protocol):
    """A way open to the relay. Not to be shared between tasks."""

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

    async def work(self, mailing: Mailing) -> None:
        """Send what `mailing` gives, one after the other, until it has nothing ready or the connection is spent.

        Afterwards ask `usable`. Everything taken has been settled when this returns, and also when it raises: what
        `before_final_dot` raised (its message settled as RelayDown, the connection cut), or CancelledError (what
        awaits its answer settled as RelayUnsure, what was not handed over as RelayDown).
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


async def work_one_by_one(connection: Connection, mailing: Mailing) -> None:
    """`Connection.work` for a connection that takes one message at a time, by its `send`."""
    while connection.usable and (envelope := mailing.next_ready()) is not None:
        announced = False

        def announce(envelope: Envelope = envelope) -> None:
            nonlocal announced
            mailing.before_final_dot(envelope)
            announced = True

        try:
            outcome: Receipt | RelayError = await connection.send(envelope, before_final_dot=announce)
        except RelayError as error:
            outcome = error
        except BaseException:
            ended = RelayUnsure if announced else RelayDown
            mailing.settled(envelope, ended("The sending of this message was broken off"))
            await connection.close()
            raise
        mailing.settled(envelope, outcome)


def note(error: RelayError) -> None:
    """Count what kind of answer it was, for whoever watches the relay. Its words are kept where they are about us."""
    kind = next(word for kind, word in _COUNTED_AS.items() if isinstance(error, kind))
    counting.note("relay", kind, said=str(error) if isinstance(error, RelayDown | RelayRejectsUs) else "")


def send_one(relay: Relay, envelope: Envelope) -> Receipt:
    """Connect, hand over one envelope, take leave. Blocks; runs an event loop of its own.

    Raises what `Connection.send` raises. Not for use inside a running event loop.
    """
    try:
        receipt = asyncio.run(_send_one(relay, envelope))
    except RelayError as error:
        note(error)
        raise
    counting.note("relay", "accepted")
    return receipt


async def _send_one(relay: Relay, envelope: Envelope) -> Receipt:
    connection = await relay.connect()
    try:
        return await connection.send(envelope)
    finally:
        await connection.close()
