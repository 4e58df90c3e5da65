"""Mail servers for tests, on loopback, on a port of their own: one that takes everything, one that does as told.

    with AcceptingServer() as server: …                              # a real one (aiosmtpd)
    with ScriptedServer({Step.RCPT: "550 5.1.1 No such user"}) as server: …
    with ScriptedServer(every={Step.DOT: DROP}, extensions=PIPELINED) as server: …

Both know their `url` and `port`, what they `received`, and leave no thread behind. They may be reached from other
processes. Certificates come from an `Authority` made for the tests.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme
from aiosmtpd.smtp import SMTP, AuthResult

HOST = "127.0.0.1"
PIPELINED = ("PIPELINING", "SIZE 33554432", "8BITMIME", "ENHANCEDSTATUSCODES")
PLAIN = ("SIZE 33554432", "8BITMIME", "ENHANCEDSTATUSCODES")


@dataclass
class Received:
    """A message that a server has had whole, dot-stuffing undone. `code` is what it answered, 0 for nothing."""

    sender: str
    recipient: str
    message: bytes = field(repr=False)
    code: int = 250


class Authority:
    """A certificate authority for tests, written to a file that clients can be told to trust."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self.file = folder / "test-authority.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def server(self, *names: str, expired: bool = False) -> ssl.SSLContext:
        """For a server of these names (loopback's, if none are given)."""
        certificate = self._ca.issue_cert(
            *(names or (HOST, "localhost")),
            not_before=datetime(2020, 1, 1, tzinfo=UTC) if expired else None,
            not_after=datetime(2020, 2, 1, tzinfo=UTC) if expired else None,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context


class _Server:
    """Bind, run in a thread, stop, join."""

    scheme = "smtp"

    def __init__(self) -> None:
        # Said to be TCP, so that asyncio turns Nagle's algorithm off on what it accepts.
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._listener.bind((HOST, 0))
        self._listener.listen(128)
        self.port: int = self._listener.getsockname()[1]
        self.received: list[Received] = []

    @property
    def url(self) -> str:
        return f"{self.scheme}://{HOST}:{self.port}"

    def url_for(self, user: str, password: str) -> str:
        return f"{self.scheme}://{user}:{password}@{HOST}:{self.port}"

    @property
    def accepted(self) -> list[Received]:
        """What was answered with 2xx."""
        return [received for received in self.received if 200 <= received.code < 300]

    def received_for(self, recipient: str) -> list[Received]:
        """Everything that was had whole for one recipient, whatever was answered."""
        return [received for received in self.received if received.recipient == recipient]

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class AcceptingServer(_Server):
    """aiosmtpd on an event loop in a thread. Takes every message; `login` makes it ask for AUTH."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        login: tuple[str, str] | None = None,
        mechanisms: Sequence[str] = ("PLAIN", "LOGIN"),
        pipelining: bool = False,
        size: int = 33554432,
    ) -> None:
        super().__init__()
        self.scheme = "smtps" if implicit else "smtp+starttls" if tls else "smtp"
        self.signed_in = 0
        self._tls, self._implicit, self._login, self._size = tls, implicit, login, size
        self._mechanisms = frozenset(mechanisms)
        self._pipelining = pipelining
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="accepting-server")
        self._protocols: list[SMTP] = []

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def handle_EHLO(  # noqa: N802 - the library's name
        self, server: SMTP, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]] if self._pipelining else responses

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        assert len(envelope.rcpt_tos) == 1, "one recipient per transaction"
        self.received.append(Received(envelope.mail_from, envelope.rcpt_tos[0], bytes(envelope.content)))
        return f"250 2.0.0 queued as {len(self.received)}"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        with contextlib.closing(self._loop):
            server = self._loop.run_until_complete(
                self._loop.create_server(self._protocol, sock=self._listener, ssl=self._tls if self._implicit else None)
            )
            self._ready.set()
            self._loop.run_forever()
            server.close()
            for protocol in self._protocols:
                if protocol.transport is not None:
                    protocol.transport.abort()
            pending = asyncio.all_tasks(self._loop)
            for task in pending:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
            self._loop.run_until_complete(asyncio.sleep(0))
        asyncio.set_event_loop(None)

    def _protocol(self) -> SMTP:
        starttls = self._tls is not None and not self._implicit
        protocol = SMTP(
            self,
            loop=self._loop,
            hostname="mail.example.org",
            data_size_limit=self._size,
            tls_context=self._tls if starttls else None,
            require_starttls=starttls,
            authenticator=self._authenticate if self._login else None,
            auth_require_tls=starttls,
            auth_exclude_mechanism={"PLAIN", "LOGIN"} - self._mechanisms,
        )
        self._protocols.append(protocol)
        return protocol

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        success = (data.login.decode(), data.password.decode()) == self._login
        self.signed_in += success
        return AuthResult(success=success, handled=False)


class Step(StrEnum):
    """Where in the conversation a script can step in. BODY is before the message is read, DOT after."""

    GREETING = "greeting"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    HANDSHAKE = "handshake"
    EHLO_TLS = "EHLO under TLS"
    AUTH = "AUTH"
    AUTH_LINE = "line of AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    BODY = "body"
    DOT = "final dot"
    RSET = "RSET"
    QUIT = "QUIT"


class Then(StrEnum):
    """What becomes of the connection. GO_ON answers as a good server does."""

    GO_ON = "go on"
    STALL = "stall"
    DROP = "drop"
    RESET = "reset"


@dataclass(frozen=True)
class Say:
    """Send `text` (LF between lines; bytes as they are) in so many `pieces`, then go on, stall, drop or reset.

    What is `held` goes out together with what is said next. With `after` it waits for so many bytes of the message.
    """

    text: str | bytes
    then: Then = Then.GO_ON
    pieces: int = 1
    held: bool = False
    after: int = 0


Action = Say | Then | str
Script = Mapping[Step, Action | Sequence[Action]]
STALL, DROP, RESET = Then.STALL, Then.DROP, Then.RESET


@dataclass
class ConnectionLog:
    """What one client said: each line without its end, the lines of messages left out."""

    commands: list[bytes] = field(default_factory=list)
    tls: bool = False


class ScriptedServer(_Server):
    """A server of sockets and threads that does as its script says, and is a good one where it says nothing.

    `scripts` are for the first, second … connection; `every` is for those after (and all, if there are none). An
    action is for every time at that step, a sequence of them for the first, second … time; then the server is good.
    `recipients` and `messages` answer RCPT and the final dot by recipient and may be changed while the server runs.
    With `grouped` the replies to MAIL and RCPT are held back until DATA has come: only a pipelining client gets
    anywhere.
    """

    def __init__(
        self,
        *scripts: Script,
        every: Script | None = None,
        extensions: Sequence[str] = PLAIN,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        login: tuple[str, str] | None = None,
        recipients: Mapping[str, Action] | None = None,
        messages: Mapping[str, Action] | None = None,
        grouped: bool = False,
        receive_buffer: int | None = None,
    ) -> None:
        super().__init__()
        if receive_buffer is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.scheme = "smtps" if implicit else "smtp+starttls" if tls else "smtp"
        self.tls, self.implicit, self.grouped = tls, implicit, grouped
        self.extensions = [*extensions, *(["AUTH PLAIN LOGIN"] if login else [])]
        self.recipients: dict[str, Action] = dict(recipients or {})
        self.messages: dict[str, Action] = dict(messages or {})
        self.connections: list[ConnectionLog] = []
        self.stopping = threading.Event()
        self._scripts = deque(scripts)
        self._every = every or {}
        self._threads = [threading.Thread(target=self._accept, name="scripted-server")]

    @property
    def commands(self) -> list[bytes]:
        """All that was said on all connections, but for the messages."""
        return [command for connection in self.connections for command in connection.commands]

    def verbs(self) -> list[str]:
        """The first word of each command, in capitals."""
        return [command.split(b" ")[0].decode("ascii", "replace").upper() for command in self.commands]

    def start(self) -> None:
        self._threads[0].start()

    def stop(self) -> None:
        self.stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts.popleft() if self._scripts else self._every
            log = ConnectionLog()
            self.connections.append(log)
            thread = threading.Thread(target=_Conversation(self, sock, script, log).run, name="scripted-connection")
            self._threads.append(thread)
            thread.start()


class _Over(Exception):
    """The conversation has ended, one way or another."""


class _Conversation:
    """One connection of a ScriptedServer."""

    def __init__(self, server: ScriptedServer, sock: socket.socket, script: Script, log: ConnectionLog) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(0.05)
        self._server, self._sock, self._log = server, sock, log
        self._script = {step: _queue(actions) for step, actions in script.items()}
        self._buffer = b""
        self._held = b""
        self._sender = self._recipient = ""
        self._sender_taken = False

    def run(self) -> None:
        try:
            if self._server.implicit:
                self._handshake()
            self._act(Step.GREETING, "220 mail.example.org ESMTP")
            for line in self._lines():
                self._command(line)
        except (_Over, OSError):
            pass
        finally:
            self._sock.close()

    def _command(self, line: bytes) -> None:
        self._log.commands.append(line)
        verb, _, rest = line.partition(b" ")
        argument = rest.partition(b"<")[2].partition(b">")[0].decode("utf-8", "replace")
        match verb.upper():
            case b"EHLO" | b"HELO":
                self._act(Step.EHLO_TLS if self._log.tls else Step.EHLO, self._greeting())
            case b"STARTTLS":
                self._act(Step.STARTTLS, "220 2.0.0 go ahead")
                self._handshake()
            case b"AUTH":
                self._sign_in(rest)
            case b"MAIL":
                self._sender, self._recipient = argument, ""
                self._sender_taken = 200 <= self._act(Step.MAIL, "250 2.1.0 ok") < 300
            case b"RCPT":
                good = self._server.recipients.get(argument, "250 2.1.5 ok")
                code = self._act(Step.RCPT, good if self._sender_taken else "503 5.5.1 MAIL first")
                self._recipient = argument if 200 <= code < 300 else ""
            case b"DATA":
                self._data()
            case b"RSET":
                self._act(Step.RSET, "250 2.0.0 ok")
            case b"QUIT":
                self._act(Step.QUIT, "221 2.0.0 bye")
                raise _Over
            case _:
                self._say(b"500 5.5.2 what?\r\n")

    def _greeting(self) -> str:
        starttls = self._server.tls is not None and not self._server.implicit and not self._log.tls
        offers = ["mail.example.org", *self._server.extensions, *(["STARTTLS"] if starttls else [])]
        return "\n".join([*(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}"])

    def _sign_in(self, rest: bytes) -> None:
        if rest.upper().startswith(b"XOAUTH2 ") and Step.AUTH_LINE in self._script:
            # It says why in a challenge, and refuses when the client has answered that.
            self._act(Step.AUTH_LINE, "334 e30=")
            self._log.commands.append(self._line())
        if rest.upper() == b"LOGIN":
            for challenge in ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"):
                self._act(Step.AUTH_LINE, challenge)
                self._log.commands.append(self._line())
        self._act(Step.AUTH, "235 2.7.0 welcome")

    def _data(self) -> None:
        good = "354 go ahead" if self._recipient else "554 5.5.1 no valid recipients"
        if self._act(Step.DATA, good) != 354:
            return
        self._act(Step.BODY, Then.GO_ON)
        message = self._message()
        self._log.commands.append(b".")
        if not self._recipient:
            self._act(Step.DOT, "554 5.5.1 no valid recipients")
            return
        received = Received(self._sender, self._recipient, message, 0)
        self._server.received.append(received)
        self._act(Step.DOT, self._server.messages.get(self._recipient, "250 2.0.0 queued"), received)

    def _act(self, step: Step, good: Action, received: Received | None = None) -> int:
        """Do what the script has for this step, else the good thing. Returns the code that was sent."""
        actions = self._script.get(step)
        if isinstance(actions, deque):
            action = actions.popleft() if actions else good
        else:
            action = good if actions is None else actions
        if action is Then.GO_ON:
            action = good
        if isinstance(action, Then):
            self._end(action)
            return 0
        saying = Say(action) if isinstance(action, str) else action
        while len(self._buffer) < saying.after:
            self._read()
        data = saying.text if isinstance(saying.text, bytes) else saying.text.replace("\n", "\r\n").encode() + b"\r\n"
        code = int(data[:3]) if data[:3].isdigit() else 0
        if received is not None:
            received.code = code
        if saying.held or (self._server.grouped and step in (Step.MAIL, Step.RCPT)):
            self._held += data
        else:
            self._say(data, saying.pieces)
        self._end(saying.then)
        return code

    def _say(self, data: bytes, pieces: int = 1) -> None:
        data, self._held = self._held + data, b""
        length = -(-len(data) // pieces)
        for start in range(0, len(data), length):
            self._sock.sendall(data[start : start + length])
            if pieces > 1:
                self._server.stopping.wait(0.001)

    def _end(self, how: Then) -> None:
        match how:
            case Then.GO_ON:
                return
            case Then.STALL:
                self._server.stopping.wait()
            case Then.RESET:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _Over

    def _handshake(self) -> None:
        self._act(Step.HANDSHAKE, Then.GO_ON)
        assert self._server.tls is not None
        self._sock.settimeout(5)
        self._sock = self._server.tls.wrap_socket(self._sock, server_side=True)
        self._sock.settimeout(0.05)
        self._log.tls = True
        self._buffer = b""

    def _lines(self) -> Iterator[bytes]:
        while True:
            yield self._line()

    def _line(self) -> bytes:
        while b"\n" not in self._buffer:
            self._read()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.removesuffix(b"\r")

    def _message(self) -> bytes:
        """All up to the final dot, in the state it had before dot-stuffing."""
        self._buffer = b"\r\n" + self._buffer
        while b"\r\n.\r\n" not in self._buffer:
            self._read()
        stuffed, _, self._buffer = self._buffer.partition(b"\r\n.\r\n")
        return (stuffed + b"\r\n").replace(b"\r\n..", b"\r\n.")[2:]

    def _read(self) -> None:
        while not self._server.stopping.is_set():
            try:
                data = self._sock.recv(262144)
            except TimeoutError:
                continue
            if not data:
                break
            self._buffer += data
            return
        raise _Over


def _queue(actions: Action | Sequence[Action]) -> Action | deque[Action]:
    return actions if isinstance(actions, str | Say | Then) else deque(actions)
