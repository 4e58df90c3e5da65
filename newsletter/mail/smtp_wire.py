"""Bytes to replies and back: what stands directly on a connection, and knows nothing of mail.

A reply is matched to the command it answers by order alone (RFC 2920 §3.1), so anything that breaks the order
(garbage, a reply nobody waits for, an end of the stream) makes the connection useless: it is cut, and whoever
waits is told why. Nothing is guessed.
"""

import asyncio
import re
from collections import deque
from dataclasses import dataclass
from typing import cast

from .replies import Reply

_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?", re.DOTALL)
_LONGEST_LINE = 4096
_MOST_LINES = 128
_MOST_REPLIES = 64


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


class Wire(asyncio.Protocol):
    """One connection. One task at a time may wait on it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._socket: asyncio.Transport | None = None
        self._tail = bytearray()
        self._lines: list[str] = []
        self._code = 0
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._full = False
        self._lost = ""
        self._gone: asyncio.Future[None] = self._loop.create_future()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast(asyncio.Transport, transport)
        self.adopt(self._socket)

    def data_received(self, data: bytes) -> None:
        self._tail += data
        start = 0
        while not self._lost and (end := self._tail.find(b"\n", start)) >= 0:
            self._line_received(bytes(self._tail[start:end]).removesuffix(b"\r"))
            start = end + 1
        del self._tail[:start]
        if len(self._tail) > _LONGEST_LINE:
            self._lose("said something that is not SMTP")

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
        # As low as can be: "full" then means that the last bytes written have not left this process. Not zero,
        # for a TLS transport with that limit calls itself full when it is empty, and never says otherwise.
        transport.set_write_buffer_limits(high=1, low=0)

    @property
    def transport(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    @property
    def alive(self) -> bool:
        # A TLS transport does not say that the one below it has failed.
        assert self._socket is not None
        return not self._lost and not self.transport.is_closing() and not self._socket.is_closing()

    @property
    def unread(self) -> bool:
        """Whether the server has said something that no one asked for yet."""
        return bool(self._replies or self._lines or self._tail)

    @property
    def full(self) -> bool:
        """Whether some of what was written is still in this process."""
        return self._full

    def write(self, data: bytes) -> None:
        """Hand bytes to the connection. Raises WireLost when it is known to be gone."""
        if not self.alive:
            raise WireLost(self._lost or "closed the connection")
        self.transport.write(data)
        if not self.alive:
            # The write itself failed, so nothing of these bytes went out.
            raise WireLost("broke the connection")

    async def drained(self, seconds: float) -> None:
        """Wait until all that was written has left this process, or the server speaks meanwhile (see `full`).

        Raises WireLost if it has not left, and never will.
        """
        while self._full and not self.unread:
            if self._lost:
                raise WireLost(self._lost)
            await self._wait(seconds)

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

    def _line_received(self, line: bytes) -> None:
        match = _LINE.fullmatch(line)
        if match is None or len(line) > _LONGEST_LINE or len(self._lines) >= _MOST_LINES:
            self._lose("said something that is not SMTP")
            return
        code = int(match[1])
        if self._lines and code != self._code:
            self._lose("said something that is not SMTP")
            return
        self._code = code
        self._lines.append((match[3] or b"").decode("utf-8", "replace"))
        if match[2] == b"-":
            return
        self._replies.append(Reply(code, tuple(self._lines)))
        self._lines = []
        if len(self._replies) > _MOST_REPLIES:
            self._lose("said something that is not SMTP")
        self._wake()

    async def _wait(self, seconds: float) -> None:
        self._waiter = self._loop.create_future()
        timer = self._loop.call_later(seconds, self._lose, "did not answer in time")
        try:
            await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _lose(self, how: str) -> None:
        if not self._lost:
            self._lost = how
            if self._transport is not None:
                self._transport.abort()
        self._wake()
