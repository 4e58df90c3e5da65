"""A mailbox read over IMAP (RFC 9051, RFC 3501): verified TLS, a password or XOAUTH2, fifty mails at a time.

What is settled is marked as seen and moved to the folder "Processed". All else stays unread where people look
for it, with a keyword of ours; where the server keeps no keywords (Microsoft 365 does not) this process remembers it,
and after a restart it is looked at once more.

The package imapclient comes with the "inbound" extra.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from ssl import SSLCertVerificationError, SSLContext
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from newsletter.errors import MailboxError, NewsletterError, SettingError

from .inbound import LONGEST, Incoming
from .oauth import TokenSource, xoauth2
from .replies import one_line
from .tls import verified_context

if TYPE_CHECKING:
    from imapclient import IMAPClient  # type: ignore[import-untyped]  # it comes without types

_log = logging.getLogger(__name__)

_PORTS = {"imaps": 993, "imap+starttls": 143}
_MISSING = "Reading a mailbox over IMAP needs the package imapclient: pip install 'newsletter[inbound]'"
_CONNECT_SECONDS, _READ_SECONDS = 30, 60
_BATCH = 50
_MOST_AT_ONCE = 1_000
_BODY = f"BODY.PEEK[]<0.{LONGEST}>"
#: On a mail that was looked at and left where it is.
KEYWORD = b"$NewsletterLooked"
PUT_AWAY = "Processed"
#: By mailbox and its UIDVALIDITY: what was left where it is, for servers that keep no keywords.
_left: dict[tuple[str, int], set[int]] = {}


class ImapMailbox:
    """One folder of one account. Holds no connection between two looks."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        user: str,
        folder: str = "INBOX",
        starttls: bool = False,
        password: str = "",
        tokens: TokenSource | None = None,
        context: SSLContext,
    ) -> None:
        self._host, self._port, self._starttls, self._context = host, port, starttls, context
        self._user, self._password, self._tokens = user, password, tokens
        self._folder = folder

    @classmethod
    def from_url(cls, url: str, *, ca_file: Path | None = None, tokens: TokenSource | None = None) -> "ImapMailbox":
        """The mailbox of `imaps://user:password@host:993/INBOX` or `imap+starttls://…`, `?auth=xoauth2` allowed.

        Raises SettingError, without the password, for what cannot be used.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname or not parts.username:
            raise SettingError("NEWSLETTER_INBOUND_URL must name a user and a host: imaps://user:password@host/INBOX")
        with_token = parts.query == "auth=xoauth2"
        if with_token and tokens is None:
            raise SettingError(
                "NEWSLETTER_INBOUND_URL says auth=xoauth2: set NEWSLETTER_OAUTH_TOKEN_URL, "
                "NEWSLETTER_OAUTH_CLIENT_ID and NEWSLETTER_OAUTH_CLIENT_SECRET too"
            )
        return cls(
            parts.hostname,
            parts.port or _PORTS[parts.scheme],
            user=unquote(parts.username),
            folder=unquote(parts.path).strip("/") or "INBOX",
            starttls=parts.scheme == "imap+starttls",
            password=unquote(parts.password or ""),
            tokens=tokens if with_token else None,
            context=verified_context(ca_file),
        )

    @property
    def name(self) -> str:
        return f"{self._folder} of {self._user} on {self._host}"[:255]

    def __repr__(self) -> str:
        return f"ImapMailbox({self.name})"

    def check(self) -> None:
        """Connect, sign in, open the folder, leave. Raises MailboxError, in a sentence."""
        with self._folder_open():
            pass

    def newest_with(self, word: str) -> bytes | None:
        with self._folder_open() as (client, _opened):
            found = client.search(["OR", "SUBJECT", word, "HEADER", "Message-ID", word])
            fetched = client.fetch([max(found)], [_BODY]) if found else {}
            mails = [_raw(parts) for parts in fetched.values()]
        return mails[0] if mails else None

    def messages(self) -> Iterator[Incoming]:
        """What was not looked at before, oldest first. Raises MailboxError."""
        with self._folder_open() as (client, opened):
            putting_away = _PuttingAway(client, self.name, opened)
            waiting = putting_away.not_looked_at()[:_MOST_AT_ONCE]
            for start in range(0, len(waiting), _BATCH):
                fetched = client.fetch(waiting[start : start + _BATCH], ["INTERNALDATE", _BODY])
                for uid in sorted(fetched):
                    whole = partial(self._first_of, client, uid)
                    mail = _incoming(fetched[uid], partial(self._done, putting_away, uid), whole)
                    if mail is not None:
                        yield mail

    def _first_of(self, client: "IMAPClient", uid: int, most: int) -> bytes:
        with self._in_words():
            return _raw(client.fetch([uid], [f"BODY.PEEK[]<0.{most}>"]).get(uid, {})) or b""

    def _done(self, putting_away: "_PuttingAway", uid: int, settled: bool) -> None:
        with self._in_words():
            putting_away.put_away(uid) if settled else putting_away.leave(uid)

    @contextlib.contextmanager
    def _folder_open(self) -> Iterator[tuple["IMAPClient", dict[bytes, Any]]]:
        with self._in_words():
            client = self._connect()
            try:
                self._sign_in(client)
                yield client, client.select_folder(self._folder)
            finally:
                _leave(client)

    def _connect(self) -> "IMAPClient":
        try:
            from imapclient import IMAPClient, SocketTimeout
        except ImportError:
            raise MailboxError(_MISSING) from None
        client = IMAPClient(
            self._host,
            self._port,
            ssl=not self._starttls,
            ssl_context=None if self._starttls else self._context,
            timeout=SocketTimeout(_CONNECT_SECONDS, _READ_SECONDS),
        )
        # Instants with their zone, not the machine's own time without one.
        client.normalise_times = False
        if self._starttls:
            try:
                client.starttls(self._context)
            except BaseException:
                _leave(client)
                raise
        return client

    def _sign_in(self, client: "IMAPClient") -> None:
        if self._tokens is not None:
            token = self._tokens.token()
            try:
                self._authenticate(client, "XOAUTH2", xoauth2(self._user, token), token)
            except MailboxError:
                self._tokens.forget(token)
                raise
        elif client.has_capability("AUTH=PLAIN"):
            # LOGIN knows no letters beyond ASCII.
            self._authenticate(client, "PLAIN", f"\0{self._user}\0{self._password}", self._password)
        elif (self._user + self._password).isascii():
            client.login(self._user, self._password)
        else:
            raise MailboxError("The mailbox server takes no password with letters beyond A to Z.")

    def _authenticate(self, client: "IMAPClient", mechanism: str, response: str, secret: str) -> None:
        answers = iter([response.encode()])
        try:
            # After a refusal a server may send its reason, and wants an empty line before it says NO.
            client.sasl_login(mechanism, lambda _challenge: next(answers, b""))
        except client.AbortError:
            raise
        except client.Error as error:
            raise MailboxError(f"{_NOT_LET_IN} It said: {_said(error, secret)}") from None

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        """Whatever goes wrong on the wire, as one sentence without our password."""
        from imaplib import IMAP4

        try:
            yield
        except MailboxError:
            raise
        except NewsletterError as error:
            raise MailboxError(str(error)) from None
        except SSLCertVerificationError as error:
            why = one_line([error.verify_message or "it is not trusted"], 200)
            raise MailboxError(f"The certificate of {self._host} cannot be trusted: {why}.") from None
        except OSError as error:
            why = one_line([error.strerror or type(error).__name__], 200)
            raise MailboxError(f"The mailbox server {self._host} cannot be reached: {why}.") from None
        except IMAP4.error as error:
            said = _said(error, self._password)
            if type(error).__name__ == "LoginError":
                raise MailboxError(f"{_NOT_LET_IN} It said: {said}") from None
            raise MailboxError(f"The mailbox server {self._host} said: {said}") from None


_NOT_LET_IN = "The mailbox server does not let us in: look at the user name and the password, or the token's scope."


class _PuttingAway:
    """Where mails go once they were looked at, within one session."""

    def __init__(self, client: "IMAPClient", mailbox: str, opened: dict[bytes, Any]) -> None:
        self._client = client
        permanent = opened.get(b"PERMANENTFLAGS", ())
        self._keeps_keywords = b"\\*" in permanent or KEYWORD in permanent
        self._left = _left.setdefault((mailbox, int(opened.get(b"UIDVALIDITY", 0))), set())
        self._folder: str | None = None

    def not_looked_at(self) -> list[int]:
        if self._keeps_keywords:
            return sorted(self._client.search(["UNDELETED", "UNKEYWORD", KEYWORD.decode()]))
        there = self._client.search(["UNDELETED", "UNSEEN"])
        self._left &= set(there)
        return sorted(set(there) - self._left)

    def leave(self, uid: int) -> None:
        """It stays where it is, and is not brought again."""
        if self._keeps_keywords:
            self._client.add_flags([uid], [KEYWORD], silent=True)
        else:
            self._left.add(uid)

    def put_away(self, uid: int) -> None:
        """Seen, and out of the way where there is a folder for it."""
        self._client.add_flags([uid], [b"\\Seen"], silent=True)
        if self._folder is None:
            self._folder = self._find_or_make_folder()
        if not self._folder:
            self.leave(uid)
        elif self._client.has_capability("MOVE"):
            self._client.move([uid], self._folder)
        else:
            self._client.copy([uid], self._folder)
            self._client.add_flags([uid], [b"\\Deleted"], silent=True)
            if self._client.has_capability("UIDPLUS"):
                self._client.uid_expunge([uid])

    def _find_or_make_folder(self) -> str:
        """ "Processed" where this account's folders are (some servers have all of them under "INBOX."), or ""."""
        prefix = ""
        if self._client.has_capability("NAMESPACE"):
            personal = self._client.namespace().personal
            prefix = personal[0][0] if personal else ""
        folder = f"{prefix}{PUT_AWAY}"
        try:
            if not self._client.folder_exists(folder):
                self._client.create_folder(folder)
        except self._client.Error as error:
            _log.warning("The folder %s cannot be made: %s", folder, one_line([str(error)], 200))
            return ""
        return folder


def _incoming(
    fetched: dict[bytes, Any], done: Callable[[bool], None], whole: Callable[[int], bytes]
) -> Incoming | None:
    """The mail, or None for one that somebody else has just moved away."""
    raw = _raw(fetched)
    received = fetched.get(b"INTERNALDATE")
    if raw is None or not isinstance(received, datetime):
        return None
    aware = received if received.tzinfo else received.replace(tzinfo=UTC)
    return Incoming(raw, aware.astimezone(UTC), done, whole)


def _raw(fetched: dict[bytes, Any]) -> bytes | None:
    """The text of a mail among what was fetched of it."""
    raw = next((value for name, value in fetched.items() if name.startswith(b"BODY[]")), None)
    return raw if isinstance(raw, bytes) else None


def _said(error: Exception, secret: str) -> str:
    """What the server said, without the secret it may repeat."""
    said = one_line([str(error)], 300)
    return said.replace(secret, "…") if secret else said


def _leave(client: "IMAPClient") -> None:
    """Say goodbye; a server that is gone already is not missed."""
    try:
        client.logout()
    except (client.Error, OSError):
        with contextlib.suppress(client.Error, OSError):
            client.shutdown()
