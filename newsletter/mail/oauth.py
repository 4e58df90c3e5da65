"""Access tokens for mail servers that take no passwords: OAuth 2.0 client credentials (RFC 6749 §4.4).

    tokens = TokenSource("https://login.example.org/token", client_id, client_secret, "https://mail.example.org/.default")
    sasl = xoauth2("news@example.org", tokens.token())

For the relay (SMTP) and the mailbox (IMAP) alike; it knows nothing of either.
"""

import http.client
import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from email.message import Message
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

from newsletter.config import Settings
from newsletter.errors import RelayDown, RelayError, RelayRejectsUs, SettingError

from .replies import one_line
from .tls import verified_context

_TIMEOUT_SECONDS = 30.0
_SPARE_SECONDS = 60.0
_USUAL_LIFE_SECONDS = 300.0
_LONGEST_LIFE_SECONDS = 86400.0
_LONGEST_ANSWER = 64 * 1024
_LONGEST_TOKEN = 8192
_HIDDEN = "…"


class TokenSource:
    """Asks for access tokens and keeps the last one until a minute before it expires. Shared between threads."""

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        scope: str | None = None,
        *,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """`context` says whose certificates are believed, the system's if None. Raises SettingError."""
        if not token_url.startswith("https://"):
            raise SettingError("NEWSLETTER_OAUTH_TOKEN_URL must begin with https://: a secret is sent there")
        self._url = token_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._scope = scope
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context or verified_context(None)), _NoRedirects
        )
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = 0.0

    @classmethod
    def from_settings(cls, settings: Settings) -> "TokenSource | None":
        """The one of the settings `NEWSLETTER_OAUTH_…`; None where they are not complete."""
        url, client_id, secret = settings.oauth_token_url, settings.oauth_client_id, settings.oauth_client_secret
        return cls(url, client_id, secret, settings.oauth_scope) if url and client_id and secret else None

    def __repr__(self) -> str:
        return f"TokenSource({self.host})"

    @property
    def host(self) -> str:
        """Where tokens are asked for, for people."""
        return urlsplit(self._url).netloc.rpartition("@")[2]

    def token(self) -> str:
        """An access token that is good for a minute at least (RFC 6750 §2.1). May block for 30 seconds.

        Raises RelayRejectsUs when we are not given one and a person must act, RelayDown when trying later may help.
        """
        with self._lock:
            if time.monotonic() >= self._good_until:
                asked_at = time.monotonic()
                token, seconds = self._ask()
                self._token, self._good_until = token, asked_at + seconds - _SPARE_SECONDS
            return self._token

    def forget(self, token: str) -> None:
        """The server did not take this one, whatever its life: ask anew the next time."""
        with self._lock:
            if token == self._token:
                self._good_until = 0.0

    def _ask(self) -> tuple[str, float]:
        """A new token, and for how many seconds it is good."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._client_secret,
        }
        if self._scope:
            form["scope"] = self._scope
        request = urllib.request.Request(  # noqa: S310 - the scheme is https, by the constructor
            self._url, urlencode(form).encode("ascii"), {"Accept": "application/json"}, method="POST"
        )
        try:
            with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as response:
                body = response.read(_LONGEST_ANSWER)
                if response.length and len(body) < _LONGEST_ANSWER:
                    raise http.client.IncompleteRead(body)
                return self._read(body)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error) from None
        except urllib.error.URLError as error:
            raise self._unreachable(error.reason) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from None

    def _read(self, body: bytes) -> tuple[str, float]:
        answer = _json_object(body)
        token, seconds = answer.get("access_token"), answer.get("expires_in", _USUAL_LIFE_SECONDS)
        usable = isinstance(token, str) and 0 < len(token) <= _LONGEST_TOKEN and token.isascii() and token.isprintable()
        if not usable or str(answer.get("token_type", "Bearer")).lower() != "bearer":
            raise RelayRejectsUs(f"The sign-in service {self.host} gave no access token that a mail server could take")
        try:
            return str(token), min(max(0.0, float(seconds)), _LONGEST_LIFE_SECONDS)
        except (TypeError, ValueError):
            return str(token), _USUAL_LIFE_SECONDS

    def _refusal(self, error: urllib.error.HTTPError) -> RelayError:
        """What an answer other than 200 means (RFC 6749 §5.2)."""
        if error.code == 429 or error.code >= 500:
            return RelayDown(f"The sign-in service {self.host} cannot give an access token now (HTTP {error.code})")
        try:
            answer = _json_object(error.read(_LONGEST_ANSWER))
        except (OSError, http.client.HTTPException):
            answer = {}
        said = one_line([str(answer.get(key, "")) for key in ("error", "error_description")], longest=300)
        why = self._without_secrets(said) or f"HTTP {error.code}"
        return RelayRejectsUs(f"The sign-in service {self.host} gives us no access token: {why}")

    def _unreachable(self, reason: object) -> RelayError:
        if isinstance(reason, ssl.SSLCertVerificationError):
            why = (reason.verify_message or "it cannot be verified").rstrip(".")
            return RelayRejectsUs(f"The certificate of the sign-in service {self.host} is not accepted: {why}")
        return RelayDown(f"The sign-in service {self.host} could not be reached, so there is no access token")

    def _without_secrets(self, text: str) -> str:
        for secret in (self._client_secret, self._client_id):
            text = text.replace(secret, _HIDDEN)
        return text


def xoauth2(user: str, token: str) -> str:
    """The initial response of SASL XOAUTH2, before base64: `user` is the mailbox."""
    return f"user={user}\x01auth=Bearer {token}\x01\x01"


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The secret goes to the address of the setting and to no other."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None
