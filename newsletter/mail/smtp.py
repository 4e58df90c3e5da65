"""A mail server that takes our mail over SMTP (RFC 5321, RFC 6409): the relay of `NEWSLETTER_RELAY_URL`."""

from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from newsletter.errors import SettingError

from .oauth import TokenSource
from .relay import Limits
from .smtp_auth import Login, TokenLogin
from .smtp_connection import SmtpConnection
from .smtp_opening import Security, Target, open_wire
from .smtp_wire import Timeouts
from .tls import verified_context

_PORTS = {Security.NONE: 25, Security.STARTTLS: 587, Security.IMPLICIT: 465}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class SmtpRelay:
    """Where to connect and how; holds no connection itself, so it may be shared between threads and loops."""

    def __init__(
        self,
        host: str,
        port: int,
        security: Security,
        *,
        login: Login | TokenLogin | None = None,
        ca_file: Path | None = None,
        connections: int = 16,
        messages_per_connection: int = 0,
        hello_name: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        if login is not None and security is Security.NONE and host not in _LOOPBACK:
            raise SettingError("The relay's password would travel unprotected: use smtp+starttls:// or smtps://")
        context = None if security is Security.NONE else verified_context(ca_file)
        self._target = Target(host, port, security, context, login, hello_name, timeouts or Timeouts())
        self._messages_per_connection = messages_per_connection
        self.limits = Limits(connections)

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        ca_file: Path | None = None,
        connections: int = 16,
        messages_per_connection: int = 0,
        tokens: TokenSource | None = None,
        timeouts: Timeouts | None = None,
    ) -> "SmtpRelay":
        """The relay of a URL: `smtp://host:port`, `smtp+starttls://user:password@host`, `smtps://…`.

        User and password may be percent-encoded. With `?auth=xoauth2` the user is the mailbox, and `tokens` gives
        what stands in for its password. `messages_per_connection` is 0 for any number. Raises SettingError, without
        the credentials, for what cannot be used.
        """
        try:
            parts = urlsplit(url)
            security, host, port = Security(parts.scheme), parts.hostname or "", parts.port
        except ValueError:
            raise SettingError("The relay's address must begin with smtp://, smtp+starttls:// or smtps://") from None
        if not host:
            raise SettingError("The relay's address must name a host")
        return cls(
            host,
            port or _PORTS[security],
            security,
            login=_login(parts, tokens),
            ca_file=ca_file,
            connections=connections,
            messages_per_connection=messages_per_connection,
            timeouts=timeouts,
        )

    @property
    def target(self) -> Target:
        """Where it connects and how, for whoever looks at the opening alone (`smtp_opening.open_wire`)."""
        return self._target

    @property
    def name(self) -> str:
        return f"{self._target.host}:{self._target.port}"

    def __repr__(self) -> str:
        return f"SmtpRelay({self._target.security}://{self.name})"

    async def connect(self) -> SmtpConnection:
        """Connect, secure, sign in. Raises RelayDown (try later) or RelayRejectsUs (a person must act)."""
        wire, extensions = await open_wire(self._target)
        return SmtpConnection(wire, extensions, self._target.timeouts, self._messages_per_connection)


def _login(parts: SplitResult, tokens: TokenSource | None) -> Login | TokenLogin | None:
    """Who signs in, and with what, by the user part of the relay's address."""
    user = unquote(parts.username or "")
    if parts.query != "auth=xoauth2":
        return Login(user, unquote(parts.password or "")) if user else None
    if not user:
        raise SettingError("The relay's address says auth=xoauth2: put the mailbox before its host, as in news%40us@")
    if tokens is None:
        raise SettingError(
            "The relay's address says auth=xoauth2: set NEWSLETTER_OAUTH_TOKEN_URL, NEWSLETTER_OAUTH_CLIENT_ID, "
            "NEWSLETTER_OAUTH_CLIENT_SECRET and NEWSLETTER_OAUTH_SCOPE too"
        )
    return TokenLogin(user, tokens)
