"""One connection: bytes out, replies in (see `smtp_lines`), and a limit to every wait. It knows nothing of mail.

A reply is matched to the command it answers by order alone (RFC 2920 §3.1), so anything that breaks the order
(garbage, a reply nobody waits for, an end of the stream) makes the connection useless: it is cut, and whoever
waits is told why. Nothing is guessed.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from .replies import Reply
from .smtp_lines import NotSmtp, ReplyReader

_BUFFER = 4096


class WireLost(Exception):
    """The connection is gone; `str()` is a clause that says how: "closed the connection"."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait at each step (RFC 5321 §4.5.3.2). `block` is for one write of the message's bytes."""

    connect: float = 30
    greeting: float = 300
    command: float = 300
    data: float = 120
    block: float = 180
    final: float = 600
    leave: float = 5

    def scaled(self, factor: float) -> "Timeouts":
        """The same, each multiplied by `factor`: tests of a silent server cannot wait ten minutes."""
        names = ("connect", "greeting", "command", "data", "block", "final", "leave")
        return Timeouts(**{name: getattr(self, name) * factor for name in names})


class Wire(asyncio.BufferedProtocol):
    """One connection. One task at a time may wait on it.

    It brings its own buffer: the event loop would else make one of 256 KB for each answer of 60 bytes.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._socket: asyncio.Transport | None = None
        self._buffer = memoryview(bytearray(_BUFFER))
        self._reader = ReplyReader()
        self._replies = self._reader.replies
        self._waiter: asyncio.Future[None] | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._full = False
        self._but = 0
        self._lost = ""
        self._gone: asyncio.Future[None] = self._loop.create_future()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast(asyncio.Transport, transport)
        self.adopt(self._socket)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._lost:
            return
        try:
            self._reader.feed(bytes(self._buffer[:nbytes]))
        except NotSmtp:
            self._lose("said something that is not SMTP")
        if self._replies:
            self._wake()

    def eof_received(self) -> None:
        self._lose("closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose("broke the connection" if exc else "closed the connection")
        if not self._gone.done():
            self._gone.set_result(None)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._wake()

    # What the layers above call.

    def adopt(self, transport: asyncio.Transport) -> None:
        """Speak over this transport from now on (the TLS one, which lies over the first)."""
        self._transport = transport
        self._full_beyond(0)

    @property
    def transport(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    @property
    def alive(self) -> bool:
        if self._lost or self._transport is None or self._socket is None:
            return False
        if self._transport is self._socket:
            return not self._socket.is_closing()
        # A TLS transport does not say that the one below it has failed.
        return not (self._transport.is_closing() or self._socket.is_closing())

    @property
    def unread(self) -> bool:
        """Whether the server has said something that no one asked for yet."""
        return self._reader.unread

    def write(self, *pieces: bytes | memoryview) -> None:
        """Hand bytes to the connection at once. Raises WireLost when it is known to be gone."""
        if not self.alive:
            raise WireLost(self._lost or "closed the connection")
        self._hand_over(pieces)
        if not self.alive:
            # The write itself failed, so nothing of these bytes went out.
            raise WireLost("broke the connection")

    async def drained(self, seconds: float, *, but: int = 0) -> bool:
        """Wait until what was written has left this process, all `but` so many bytes, or the server speaks meanwhile.

        Returns whether it has left. Raises WireLost if it has not, and never will.
        """
        if self.transport.get_write_buffer_size() <= but:
            return True
        self._full, self._but = True, but
        self._full_beyond(but)
        while self.full and not self.unread:
            if self._lost:
                raise WireLost(self._lost)
            await self._wait(seconds)
        left = not self.full
        self._full_beyond(0)
        return left

    @property
    def full(self) -> bool:
        """Whether some of what `drained` waits for, or waited for when it was broken off, is still in this process."""
        if not self._full or self._lost or self.transport.is_closing():
            return self._full
        return self.transport.get_write_buffer_size() > self._but

    async def reply(self, seconds: float) -> Reply:
        """The next reply, in order. Raises WireLost when none came in time, or none ever will."""
        while not self._replies:
            if self._lost:
                raise WireLost(self._lost)
            await self._wait(seconds)
        return self._replies.popleft()

    def peek(self) -> Reply | None:
        """A whole reply that nobody asked for, if there is one."""
        return self._replies[0] if self._replies else None

    def abort(self) -> None:
        """Cut the connection; what is not yet on its way is dropped."""
        self._lose("was cut off")

    async def closed(self, seconds: float) -> None:
        """Close in an orderly way, by force if that takes too long. Never raises WireLost."""
        self.transport.close()
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._gone)
        except TimeoutError:
            self.transport.abort()

    def _hand_over(self, pieces: Sequence[bytes | memoryview]) -> None:
        if len(pieces) == 1:
            self.transport.write(pieces[0])
        else:
            self.transport.writelines(pieces)

    def _full_beyond(self, size: int) -> None:
        """Let the transport call itself full while more than so many bytes have not left this process."""
        if not self.transport.is_closing():
            # A TLS transport that may hold nothing calls itself full when it is empty, and never says otherwise.
            high = size if self._transport is self._socket else max(size, 1)
            self.transport.set_write_buffer_limits(high=high, low=size)

    async def _wait(self, seconds: float) -> None:
        self._waiter = self._loop.create_future()
        self._deadline = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > self._deadline:
            self._set_timer()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _set_timer(self) -> None:
        """One timer, which is left alone when a wait is over and looks again when it fires: most waits are short."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if self._loop.time() < self._deadline:
            self._set_timer()
        else:
            self._lose("did not answer in time")

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _lose(self, how: str) -> None:
        if not self._lost:
            self._full = self.full and not self._might_have_left()
            self._lost = how
            if self._timer is not None:
                self._timer.cancel()
            if self._transport is not None:
                self._transport.abort()
        self._wake()

    def _might_have_left(self) -> bool:
        """Whether nobody can tell how much had left when the connection went by itself.

        asyncio's transports say at each partial write when the mark is passed; uvloop's only when all has left.
        """
        went = self._transport is not None and self._transport.is_closing()
        return went and self._but > 0 and not type(self._transport).__module__.startswith("asyncio.")
