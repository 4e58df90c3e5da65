"""Signing in (RFC 4954): PLAIN (RFC 4616), else LOGIN; or XOAUTH2 with an access token.

What the server says is shown without our credentials.
"""

import asyncio
import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from newsletter.errors import RelayError, RelayRejectsUs

from .oauth import TokenSource, xoauth2
from .replies import Reply, Stage, error_for, one_line
from .smtp_wire import Timeouts, Wire

_HIDDEN = "…"


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and a password. Neither is ever part of a representation, an error or a log line."""

    user: str = field(repr=False)
    password: str = field(repr=False)

    @property
    def plain(self) -> str:
        """The initial response of PLAIN."""
        return _base64(f"\0{self.user}\0{self.password}")


@dataclass(frozen=True, slots=True)
class TokenLogin:
    """A mailbox that is entered with an access token instead of a password."""

    user: str = field(repr=False)
    tokens: TokenSource


async def sign_in(wire: Wire, login: Login | TokenLogin, offered: frozenset[str], timeouts: Timeouts) -> None:
    """Sign in, or raise: RelayRejectsUs when we are not let in, RelayDown when it cannot say now."""
    if isinstance(login, TokenLogin):
        await _with_token(wire, login, offered, timeouts)
    else:
        await _with_password(wire, login, offered, timeouts)


async def _with_password(wire: Wire, login: Login, offered: frozenset[str], timeouts: Timeouts) -> None:
    if "PLAIN" in offered:
        commands = [f"AUTH PLAIN {login.plain}"]
    elif "LOGIN" in offered:
        commands = ["AUTH LOGIN", _base64(login.user), _base64(login.password)]
    else:
        raise RelayRejectsUs(
            "The mail server offers no way to sign in with a user name and a password. "
            "Check the port and the encryption in the relay's address."
        )
    secrets = (login.user, login.password, _base64(login.user), _base64(login.password), login.plain)
    *first, last = commands
    for command, expected in [*((line, 334) for line in first), (last, 235)]:
        reply = await _answer(wire, command, secrets, timeouts)
        if reply.code != expected:
            raise _not_let_in(reply)


async def _with_token(wire: Wire, login: TokenLogin, offered: frozenset[str], timeouts: Timeouts) -> None:
    if "XOAUTH2" not in offered:
        raise RelayRejectsUs(
            "The mail server offers no way to sign in with an access token (XOAUTH2). "
            "Check the port, the encryption and auth=xoauth2 in the relay's address."
        )
    token = await asyncio.to_thread(login.tokens.token)
    response = _base64(xoauth2(login.user, token))
    secrets = (login.user, token, _base64(login.user), _base64(token), response)
    reply = await _answer(wire, f"AUTH XOAUTH2 {response}", secrets, timeouts)
    if reply.code == 235:
        return
    login.tokens.forget(token)
    if reply.code != 334:
        raise _not_let_in(reply)
    # It says why in a challenge, and refuses when that is answered by an empty line.
    why = _hidden_in(_challenge(reply), secrets)
    refusal = await _answer(wire, "", secrets, timeouts)
    if refusal.code < 400:
        raise _not_let_in(refusal)
    error = error_for(Stage.AUTH, refusal)
    raise type(error)(f"{error} (access token: {why})", code=error.code, enhanced=error.enhanced, reply=error.reply)


async def _answer(wire: Wire, command: str, secrets: Iterable[str], timeouts: Timeouts) -> Reply:
    """The reply to one line of ours, without our credentials: some servers echo what they were sent."""
    wire.write(command.encode("ascii") + b"\r\n")
    reply = await wire.reply(timeouts.command)
    if reply.code == 334:
        return reply
    return Reply(reply.code, tuple(_hidden_in(line, secrets) for line in reply.lines))


def _not_let_in(reply: Reply) -> RelayError:
    if reply.code >= 400:
        return error_for(Stage.AUTH, reply)
    said = str(reply.code) if reply.code == 334 else reply.text
    return RelayRejectsUs(f"The mail server does not sign in as the standard says: {said}", code=reply.code)


def _challenge(reply: Reply) -> str:
    """What the JSON of XOAUTH2's challenge says, in one line: "status 401, schemes Bearer"."""
    try:
        said = json.loads(base64.b64decode(reply.lines[0], validate=True))
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or not said:
        return "refused"
    return one_line([", ".join(f"{key} {value}" for key, value in said.items())], longest=200)


def _hidden_in(text: str, secrets: Iterable[str]) -> str:
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return text


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
