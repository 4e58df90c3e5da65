"""A mail server that misbehaves in one chosen way at one chosen point of the conversation, and writes down the truth.

    with FaultyServer(Fault(Point.RCPT, Kind.DROP, frozenset({2, 5}))) as server: …

The fault happens at the occurrences named (the first is 1, counted over all connections), or each time. `mend()` makes
it a good server. What it has taken stands in `taken`, and only there is it decided who has a message: one that was read
whole, to its final dot, and not refused.
"""

import asyncio
import contextlib
import random
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

HOST = "127.0.0.1"


class Point(StrEnum):
    """Where it happens. BODY is while the message arrives; BEFORE in place of its answer; AFTER right behind it."""

    CONNECT = "connect"
    BANNER = "banner"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    BODY = "body"
    BEFORE = "before the final answer"
    AFTER = "after the final answer"
    QUIT = "QUIT"


class Kind(StrEnum):
    """What happens. LATE is the right answer, when nobody waits for it any more."""

    LATER = "refuses for now"
    NEVER = "refuses for good"
    STALL = "stalls"
    DROP = "drops"
    GARBAGE = "sends garbage"
    TWICE = "sends two lines for one"
    LATE = "answers late"


@dataclass(frozen=True)
class Fault:
    """`when` counts occurrences of the point from 1; None is each time."""

    point: Point
    kind: Kind
    when: frozenset[int] | None = None


class Chaos:
    """At each occurrence of each point something may happen, or not: the dice decide."""

    def __init__(self, dice: random.Random, probability: float) -> None:
        self._dice, self._probability = dice, probability

    def happens(self, point: Point) -> Kind | None:
        if self._dice.random() >= self._probability:
            return None
        # Who says that he has a message before he has it, and then does not take it, lies; nobody could tell.
        return self._dice.choice([kind for kind in Kind if (point, kind) != (Point.BODY, Kind.TWICE)])


@dataclass(frozen=True)
class Taken:
    """A message that the server has. `code` is what it answered, 0 for nothing that could be understood."""

    recipient: str
    code: int
    message: bytes = field(repr=False)


GARBAGE = b"\xff\xfe\x00HTTP/1.1 400 Bad Request\r\n"
_GOOD = {
    Point.BANNER: "220 mail.example.org ESMTP",
    Point.STARTTLS: "220 2.0.0 go ahead",
    Point.AUTH: "235 2.7.0 welcome",
    Point.MAIL: "250 2.1.0 sender ok",
    Point.RCPT: "250 2.1.5 recipient ok",
    Point.DATA: "354 go ahead",
    Point.BEFORE: "250 2.0.0 taken",
    Point.QUIT: "221 2.0.0 bye",
}
_LATER = {
    Point.BANNER: "421 4.3.2 too many connections",
    Point.EHLO: "451 4.3.0 not now",
    Point.STARTTLS: "454 4.7.0 TLS is not available at the moment",
    Point.AUTH: "454 4.7.0 the password server is away",
    Point.MAIL: "452 4.3.1 out of space",
    Point.RCPT: "450 4.2.1 mailbox busy",
    Point.DATA: "451 4.3.0 not now",
    Point.BODY: "452 4.3.1 out of space",
    Point.BEFORE: "451 4.3.0 not now",
    Point.AFTER: "421 4.3.2 shutting down",
    Point.QUIT: "421 4.3.2 shutting down",
}
_NEVER = {
    Point.BANNER: "554 5.3.2 no mail service here",
    Point.EHLO: "550 5.7.1 we do not know you",
    Point.STARTTLS: "501 5.5.4 no",
    Point.AUTH: "535 5.7.8 wrong password",
    Point.MAIL: "550 5.7.1 sender rejected",
    Point.RCPT: "550 5.1.1 no such user",
    Point.DATA: "554 5.2.1 this mailbox takes nothing",
    Point.BODY: "554 5.2.1 this mailbox takes nothing",
    Point.BEFORE: "554 5.2.1 this mailbox takes nothing",
    Point.AFTER: "554 5.3.2 go away",
    Point.QUIT: "500 5.5.2 what?",
}
#: Points that want no answer: what is said there comes on top.
_ONE_MORE = frozenset({Point.BODY, Point.AFTER})


class FaultyServer:
    """On loopback, on a port of its own, in a thread; leaves nothing behind. `late_seconds` is how late LATE is."""

    def __init__(
        self,
        fault: Fault | Chaos | None = None,
        *,
        pipelining: bool = True,
        tls: ssl.SSLContext | None = None,
        login: bool = False,
        late_seconds: float = 0.2,
        byte_by_byte: bool = False,
    ) -> None:
        self.fault = fault
        self.pipelining, self.tls, self.login, self.late_seconds = pipelining, tls, login, late_seconds
        self.byte_by_byte = byte_by_byte
        self.taken: list[Taken] = []
        #: How often the fault happened, and how many connections ended without a word of farewell.
        self.fired = self.lost = 0
        self._seen = 0
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._listener.bind((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._fillers: list[socket.socket] = []
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._run, name="faulty-server")

    @property
    def url(self) -> str:
        scheme = "smtp" if self.tls is None else "smtp+starttls"
        return f"{scheme}://{'ruth:secret@' if self.login else ''}{HOST}:{self.port}"

    def mend(self) -> None:
        """A good server from now on, one that listens."""
        self._in_loop(self._mend)

    def quiet(self) -> None:
        """Wait until every conversation has ended, the last late answer included: then the record is whole."""
        deadline = time.monotonic() + 30
        while self._writers:
            assert time.monotonic() < deadline, "a client has not gone"
            time.sleep(0.005)

    def __enter__(self) -> Self:
        self._thread.start()
        self._in_loop(self._open)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._in_loop(self._close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._listener.close()

    def happens(self, point: Point) -> Kind | None:
        """What goes wrong at this occurrence of the point; counts it."""
        fault = self.fault
        if isinstance(fault, Chaos):
            kind = fault.happens(point)
            self.fired += kind is not None
            return kind
        if fault is None or fault.point is not point:
            return None
        self._seen += 1
        if fault.when is not None and self._seen not in fault.when:
            return None
        self.fired += 1
        return fault.kind

    def _in_loop(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run_coroutine_threadsafe(work(), self._loop).result(30)

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_forever()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._serve, sock=self._listener, start_serving=False)
        fault = self.fault if isinstance(self.fault, Fault) and self.fault.point is Point.CONNECT else None
        match fault.kind if fault else None:
            case Kind.NEVER:
                pass  # bound, and nobody listens: connections are refused by the system
            case Kind.STALL:
                # A queue that is full: the system lets further connections wait without an answer.
                self._listener.listen(0)
                for _ in range(2):
                    filler = socket.socket()
                    filler.setblocking(False)
                    filler.connect_ex((HOST, self.port))
                    self._fillers.append(filler)
            case Kind.LATE:
                self._listener.listen(100)
            case _:
                await self._server.start_serving()
                return
        self.fired += 1
        if fault is not None and fault.when is not None:
            self._loop.call_later(self.late_seconds, lambda: asyncio.ensure_future(self._mend()))

    async def _mend(self) -> None:
        self.fault = None
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        if self._server is not None:
            await self._server.start_serving()

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        for filler in self._fillers:
            filler.close()
        for writer in list(self._writers):
            writer.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        conversation = _Conversation(self, reader, writer)
        try:
            await conversation.run()
        except (_Over, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.lost += not conversation.said_goodbye
            self._writers.discard(writer)
            writer.transport.abort() if conversation.abruptly else writer.close()


class _Over(Exception):
    """The conversation has ended."""


class _Conversation:
    """One connection of a FaultyServer."""

    def __init__(self, server: FaultyServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self.said_goodbye = self.abruptly = False
        self._secure = self._sender_ok = False
        self._recipient = ""

    async def run(self) -> None:
        await self._at_connect()
        await self._answer(Point.BANNER)
        while True:
            line = (await self._reader.readuntil(b"\n")).rstrip(b"\r\n")
            await self._command(line.split(b" ")[0].upper(), line)

    async def _command(self, verb: bytes, line: bytes) -> None:
        match verb:
            case b"EHLO":
                await self._answer(Point.EHLO, self._greeting())
            case b"STARTTLS":
                await self._start_tls()
            case b"AUTH":
                await self._answer(Point.AUTH)
            case b"MAIL":
                self._recipient = ""
                self._sender_ok = await self._answer(Point.MAIL) == 250
            case b"RCPT":
                code = await (self._answer(Point.RCPT) if self._sender_ok else self._say("503 5.5.1 MAIL first"))
                self._recipient = line.partition(b"<")[2].partition(b">")[0].decode() if code == 250 else ""
            case b"DATA":
                await self._data()
            case b"QUIT":
                self.said_goodbye = True
                await self._answer(Point.QUIT)
                raise _Over
            case _:
                await self._say("250 2.0.0 forgotten" if verb == b"RSET" else "500 5.5.2 what?")

    async def _start_tls(self) -> None:
        if await self._answer(Point.STARTTLS) == 220:
            assert self._server.tls is not None
            await self._writer.start_tls(self._server.tls)
            self._secure = True

    async def _at_connect(self) -> None:
        match self._server.happens(Point.CONNECT):
            case None | Kind.NEVER | Kind.STALL | Kind.LATE:
                return
            case Kind.LATER | Kind.DROP:
                self._reset()
            case Kind.GARBAGE:
                # What a TLS port says to one that speaks in clear.
                self._writer.write(b"\x15\x03\x01\x00\x02\x02\x0a")
                raise _Over
            case Kind.TWICE:
                await self._say("250 2.0.0 nobody asked")

    def _greeting(self) -> str:
        offers = ["mail.example.org", "SIZE 33554432", "8BITMIME", "ENHANCEDSTATUSCODES"]
        if self._server.pipelining:
            offers.append("PIPELINING")
        if self._server.tls is not None and not self._secure:
            offers.append("STARTTLS")
        elif self._server.login:
            offers.append("AUTH PLAIN LOGIN")
        return "\r\n".join([*(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}"])

    async def _data(self) -> None:
        code = await self._answer(Point.DATA) if self._recipient else await self._say("554 5.5.1 no valid recipients")
        if code != 354:
            return
        kind = self._server.happens(Point.BODY)
        if kind in (Kind.STALL, Kind.DROP):
            await self._answer_with(kind, Point.BODY, "")
        early = 0
        if kind is not None:
            await self._reader.readuntil(b"\n")
            early = await self._answer_with(kind, Point.BODY, "250 2.0.0 taken, before it has come")
        message = (await self._reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
        if kind in (Kind.LATER, Kind.NEVER):
            return
        recipient, self._recipient = self._recipient, ""
        kind = self._server.happens(Point.BEFORE)
        if kind not in (Kind.LATER, Kind.NEVER):
            code = 0 if kind in (Kind.STALL, Kind.DROP, Kind.GARBAGE) else 250
            self._server.taken.append(Taken(recipient, code or early, message))
        if kind is None:
            await self._say(_GOOD[Point.BEFORE])
            kind = self._server.happens(Point.AFTER)
            if kind is not None:
                await self._answer_with(kind, Point.AFTER, "250 2.0.0 said again")
        else:
            await self._answer_with(kind, Point.BEFORE, _GOOD[Point.BEFORE])

    async def _answer(self, point: Point, good: str = "") -> int:
        """Answer as a good server does, or as the fault wants it. Returns the code that the server goes by."""
        good = good or _GOOD[point]
        kind = self._server.happens(point)
        return await self._say(good) if kind is None else await self._answer_with(kind, point, good)

    async def _answer_with(self, kind: Kind, point: Point, good: str) -> int:
        match kind:
            case Kind.LATER | Kind.NEVER:
                code = await self._say((_LATER if kind is Kind.LATER else _NEVER)[point])
                if code == 421 or point is Point.AFTER:
                    raise _Over
                return code
            case Kind.STALL | Kind.DROP:
                await self._end(stall=kind is Kind.STALL)
            case Kind.GARBAGE:
                self._writer.write(GARBAGE)
                await self._writer.drain()
            case Kind.TWICE:
                return await self._say(good if point in _ONE_MORE else f"{good}\r\n{good}")
            case Kind.LATE:
                await asyncio.sleep(self._server.late_seconds)
                return 0 if point in _ONE_MORE else await self._say(good)
        return 0

    async def _end(self, *, stall: bool) -> None:
        if stall:
            while await self._reader.read(65536):
                pass
        elif self._server.fired % 2:
            self._reset()
        raise _Over

    async def _say(self, text: str) -> int:
        data = text.encode() + b"\r\n"
        for start in range(0, len(data), 1 if self._server.byte_by_byte else len(data)):
            self._writer.write(data[start : start + 1] if self._server.byte_by_byte else data)
            await self._writer.drain()
            await asyncio.sleep(0)
        return int(text[:3])

    def _reset(self) -> None:
        """Break the connection off, so that the other side sees a reset and not an end."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abruptly = True
        raise _Over
