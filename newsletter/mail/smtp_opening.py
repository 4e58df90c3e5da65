"""From a closed port to a connection that may carry mail: greeting, EHLO, STARTTLS, EHLO again, AUTH.

Sources: RFC 5321 §3.1-3.2 and §4.1.1.1, RFC 3207 (forget what was said in the clear), RFC 8314 (no fallback).
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from newsletter.errors import RelayDown, RelayRejectsUs

from .replies import Reply, Stage, error_for
from .smtp_auth import Login, TokenLogin, sign_in
from .smtp_wire import Timeouts, Wire, WireLost


class Security(StrEnum):
    """How the connection is protected. There is no "if offered"."""

    NONE = "smtp"
    STARTTLS = "smtp+starttls"
    IMPLICIT = "smtps"


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect and how. `context` is None for a connection without TLS."""

    host: str
    port: int
    security: Security
    context: ssl.SSLContext | None
    login: Login | TokenLogin | None
    hello_name: str | None
    timeouts: Timeouts


#: What EHLO offered: keyword in capitals to its parameters ("SIZE" to "35882577"), as RFC 5321 §4.1.1.1 has it.
Extensions = Mapping[str, str]


async def open_wire(target: Target) -> tuple[Wire, Extensions]:
    """A connection ready for MAIL, and what the server offers on it.

    Raises RelayDown where trying later may help, RelayRejectsUs where a person must act. Leaves nothing open then.
    """
    wire = await _connect(target)
    extensions: Extensions | None = None
    try:
        extensions = await _open(wire, target)
    except WireLost as lost:
        raise RelayDown(f"The mail server {target.host} {lost} while we said hello") from None
    except ssl.SSLError as error:
        raise _tls_failed(target, error) from None
    except OSError:
        raise RelayDown(f"The mail server {target.host} broke the connection while TLS was set up") from None
    finally:
        if extensions is None:
            wire.abort()
    return wire, extensions


async def _connect(target: Target) -> Wire:
    try:
        async with asyncio.timeout(target.timeouts.connect):
            _, wire = await asyncio.get_running_loop().create_connection(Wire, target.host, target.port)
    except TimeoutError:
        raise RelayDown(f"The mail server {target.host} could not be reached: no answer in time") from None
    except OSError as error:
        how = "it is not known" if isinstance(error, socket.gaierror) else error.strerror or "no connection"
        raise RelayDown(f"The mail server {target.host} could not be reached on port {target.port}: {how}") from None
    return wire


async def _open(wire: Wire, target: Target) -> Extensions:
    timeouts = target.timeouts
    if target.security is Security.IMPLICIT:
        await _handshake(wire, target)
    _accepted(Stage.GREETING, await wire.reply(timeouts.greeting), 220)
    extensions = await _hello(wire, target)
    if target.security is Security.STARTTLS:
        await _start_tls(wire, target, extensions)
        extensions = await _hello(wire, target)
    if target.login is not None:
        await sign_in(wire, target.login, frozenset(extensions.get("AUTH", "").upper().split()), timeouts)
    return extensions


async def _hello(wire: Wire, target: Target) -> Extensions:
    name = target.hello_name or _own_name(wire)
    wire.write(f"EHLO {name}\r\n".encode("ascii"))
    reply = await wire.reply(target.timeouts.command)
    plain = target.security is Security.NONE and target.login is None
    if plain and reply.code in (500, 502, 504):
        wire.write(f"HELO {name}\r\n".encode("ascii"))
        _accepted(Stage.HELLO, await wire.reply(target.timeouts.command), 250)
        return {}
    _accepted(Stage.HELLO, reply, 250)
    offers = (line.replace("=", " ", 1).partition(" ") for line in reply.lines[1:])
    return {keyword.upper(): parameters.strip() for keyword, _, parameters in offers}


async def _start_tls(wire: Wire, target: Target, extensions: Extensions) -> None:
    if "STARTTLS" not in extensions:
        raise RelayRejectsUs(
            f"The mail server {target.host} does not offer STARTTLS, so nothing was sent. "
            "Somebody may be interfering with the connection, or the port is the wrong one."
        )
    wire.write(b"STARTTLS\r\n")
    _accepted(Stage.STARTTLS, await wire.reply(target.timeouts.command), 220)
    await _handshake(wire, target)


async def _handshake(wire: Wire, target: Target) -> None:
    if wire.unread:
        # Text put in before the handshake would be read as if it had come after it.
        raise RelayRejectsUs(f"The mail server {target.host} talks in the clear where TLS must begin")
    assert target.context is not None
    transport = await asyncio.get_running_loop().start_tls(
        wire.transport,
        wire,
        target.context,
        server_hostname=target.host,
        ssl_handshake_timeout=target.timeouts.command,
        ssl_shutdown_timeout=target.timeouts.leave,
    )
    if transport is None:
        raise WireLost("closed the connection")
    wire.adopt(transport)


def _accepted(stage: Stage, reply: Reply, expected: int) -> None:
    if reply.code == expected:
        return
    if reply.code < 400:
        raise RelayDown(f"The mail server answered {stage.value} out of order: {reply.text}", code=reply.code)
    raise error_for(stage, reply)


def _own_name(wire: Wire) -> str:
    """Our host's full name, or the address we connect from in brackets (RFC 5321 §4.1.3)."""
    name = socket.gethostname()
    if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", name):
        return name
    address = str(wire.transport.get_extra_info("sockname")[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _tls_failed(target: Target, error: ssl.SSLError) -> RelayDown | RelayRejectsUs:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message or "it cannot be verified"
        return RelayRejectsUs(f"The certificate of the mail server {target.host} is not accepted: {why.rstrip('.')}")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return RelayDown(f"The mail server {target.host} broke the connection while TLS was set up")
    return RelayRejectsUs(f"TLS 1.2 or later could not be agreed with the mail server {target.host}: {error.reason}")
