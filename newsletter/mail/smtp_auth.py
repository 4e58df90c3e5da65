"""Signing in (RFC 4954): PLAIN (RFC 4616), else LOGIN. What the server says is shown without our credentials."""

import base64
from dataclasses import dataclass, field

from newsletter.errors import RelayRejectsUs

from .replies import Reply, Stage, error_for
from .smtp_wire import Timeouts, Wire

_HIDDEN = "…"


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and a password. Neither is ever part of a representation, an error or a log line."""

    user: str = field(repr=False)
    password: str = field(repr=False)

    def hidden_in(self, text: str) -> str:
        """The text with every form of our credentials taken out: some servers echo what they were sent."""
        secrets = [self.user, self.password, _base64(self.user), _base64(self.password), self.plain]
        for secret in sorted(filter(None, secrets), key=len, reverse=True):
            text = text.replace(secret, _HIDDEN)
        return text

    @property
    def plain(self) -> str:
        """The initial response of PLAIN."""
        return _base64(f"\0{self.user}\0{self.password}")


async def sign_in(wire: Wire, login: Login, offered: frozenset[str], timeouts: Timeouts) -> None:
    """Sign in, or raise: RelayRejectsUs when we are not let in, RelayDown when it cannot say now."""
    if "PLAIN" in offered:
        commands = [f"AUTH PLAIN {login.plain}"]
    elif "LOGIN" in offered:
        commands = ["AUTH LOGIN", _base64(login.user), _base64(login.password)]
    else:
        raise RelayRejectsUs(
            "The mail server offers no way to sign in with a user name and a password. "
            "Check the port and the encryption in the relay's address."
        )
    *first, last = commands
    for command in first:
        await _say(wire, login, command, 334, timeouts)
    await _say(wire, login, last, 235, timeouts)


async def _say(wire: Wire, login: Login, command: str, expected: int, timeouts: Timeouts) -> None:
    wire.write(command.encode("ascii") + b"\r\n")
    reply = await wire.reply(timeouts.command)
    if reply.code == expected:
        return
    shown = Reply(reply.code, tuple(login.hidden_in(line) for line in reply.lines))
    if reply.code < 400:
        raise RelayRejectsUs(f"The mail server does not sign in as the standard says: {shown.text}", code=reply.code)
    raise error_for(Stage.AUTH, shown)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
