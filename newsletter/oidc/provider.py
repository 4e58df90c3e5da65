"""The organisation's sign-in service: the authorization code flow with PKCE (RFC 6749, RFC 7636, RFC 9700).

What it publishes of itself (its addresses, its keys) is kept for an hour; keys are asked for anew when a token is
signed with one that we do not know. Tokens come from the service itself, so nobody else can have us ask.
"""

import base64
import hashlib
import secrets
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from ..config import Settings
from ..errors import ProviderError
from .claims import Claims, UnknownKey, read
from .fetching import fetch

_KEPT_SECONDS = 3600.0
_SCOPE = "openid email profile"


@dataclass(frozen=True)
class Attempt:
    """What one sign-in is recognised by when it comes back. It stays in a row; the verifier leaves as a hash."""

    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    #: The service is to ask for the password again, whoever is signed in there already.
    anew: bool = False

    def as_json(self) -> dict[str, Any]:
        """For a row."""
        return asdict(self)


class Provider:
    """Shared between threads. Its methods ask over the network: call them outside `transaction()`."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.oidc_issuer or ""
        self._client_id = settings.oidc_client_id or ""
        self._client_secret = settings.oidc_client_secret
        self._trust_email = settings.oidc_email == "trusted"
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    def where_to(self, attempt: Attempt, redirect_uri: str) -> str:
        """The address at which the person signs in. Raises ProviderError."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": _SCOPE,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if attempt.anew:
            # OpenID Connect Core 1.0, §3.1.2.1. The first it must obey, by the second it says when it was.
            asked |= {"prompt": "login", "max_age": "0"}
        return _with_query(self._address("authorization_endpoint"), asked)

    def where_to_sign_out(self, back: str) -> str:
        """Where the person is signed out there and sent on to `back`; "" where the service offers no such thing.

        OpenID Connect RP-Initiated Logout 1.0, §2: it knows us by our id, and asks the person where it likes to. The ID
        token that could spare them that is not kept. Raises ProviderError.
        """
        about = self._about()
        address = about.get("end_session_endpoint")
        if not isinstance(address, str) or not address.startswith(("https://", "http://")):
            return ""
        return _with_query(address, {"client_id": self._client_id, "post_logout_redirect_uri": back})

    def who_came(self, code: str, attempt: Attempt, redirect_uri: str) -> Claims:
        """Who it is that came back with this code. Raises ProviderError."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._client_id,
            "code_verifier": attempt.verifier,
        }
        if self._client_secret:
            form["client_secret"] = self._client_secret
        token = fetch(self._address("token_endpoint"), form).get("id_token")
        if not isinstance(token, str):
            raise ProviderError("The sign-in service does not say who it is.")
        try:
            return self._read(token, attempt, _KEPT_SECONDS)
        except UnknownKey:
            # It has changed its keys since we asked for them.
            return self._read(token, attempt, 0.0)

    def _read(self, token: str, attempt: Attempt, keys_kept: float) -> Claims:
        keys = self._published(self._address("jwks_uri"), keys_kept)
        return read(
            token,
            keys,
            issuer=self._issuer,
            client_id=self._client_id,
            nonce=attempt.nonce,
            trust_email=self._trust_email,
            anew=attempt.anew,
        )

    def _address(self, name: str) -> str:
        """One of its addresses."""
        address = self._about().get(name)
        if not isinstance(address, str) or not address.startswith(("https://", "http://")):
            raise ProviderError("The sign-in service does not say where it is to be asked.")
        return address

    def _about(self) -> dict[str, Any]:
        """What it says of itself (OpenID Connect Discovery 1.0, §3 and §4.3)."""
        about = self._published(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration", _KEPT_SECONDS)
        if about.get("issuer") != self._issuer:
            raise ProviderError("The sign-in service says that it is another one than the settings name.")
        return about

    def _published(self, url: str, kept: float) -> dict[str, Any]:
        with self._lock:
            asked_at, found = self._kept.get(url, (0.0, {}))
            if not found or time.monotonic() - asked_at >= kept:
                found = fetch(url)
                self._kept[url] = time.monotonic(), found
            return found


def _with_query(address: str, asked: dict[str, str]) -> str:
    parts = urlsplit(address)
    query = "&".join(part for part in (parts.query, urlencode(asked)) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
