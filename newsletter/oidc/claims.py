"""What the sign-in service vouches for, read from its ID token: signature, issuer, audience, time and nonce first.

Sources: OpenID Connect Core 1.0, §3.1.3.7; RFC 8725 (best practices for JWT); RFC 8176 (how somebody proved it).
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ProviderError, SettingError

#: Signatures by a key pair, none by a shared secret, and never "none".
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
#: Two clocks may differ by so much.
_LEEWAY_SECONDS = 60
#: Somebody who was asked for a password just now may have taken so long over it, and over the second step.
_ANEW_SECONDS = 300
_LONGEST_SUBJECT = 255


@dataclass(frozen=True)
class Claims:
    """Who signed in there. `email` is "" where the service vouches for none."""

    issuer: str
    subject: str
    email: str
    name: str
    #: The service says that they proved it in two ways.
    two_steps: bool


def read(
    token: str,
    keys: Mapping[str, Any],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    trust_email: bool,
    anew: bool = False,
) -> Claims:
    """The claims of an ID token. `keys` is the service's JWKS. Raises ProviderError for one that is not good.

    `anew`: they were to prove it now, not at some earlier time; where the token says when they did, that must be so.
    Raises UnknownKey where none of the keys is the one it was signed with: they may have changed.
    """
    jwt = _library()
    try:
        key = _key_of(jwt.get_unverified_header(token), keys)
        said = jwt.decode(
            token,
            key,
            algorithms=_ALGORITHMS,
            audience=client_id,
            issuer=issuer,
            leeway=_LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except jwt.ExpiredSignatureError:
        raise ProviderError("The sign-in came too late, or a clock is wrong. Start again.") from None
    except jwt.PyJWTError as error:
        raise ProviderError(f"What the sign-in service says cannot be believed ({type(error).__name__}).") from None
    if not hmac.compare_digest(str(said.get("nonce", "")).encode(), nonce.encode()):
        raise ProviderError("The sign-in service answered another question than ours. Start again.")
    audience = said["aud"]
    if isinstance(audience, list) and len(audience) > 1 and said.get("azp") != client_id:
        raise ProviderError("The sign-in was meant for another program.")
    subject = said["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise ProviderError("The sign-in service does not say who it is.")
    if anew and "auth_time" in said and _longer_ago(said["auth_time"], said["iat"]):
        raise ProviderError("The sign-in service let you in without asking anew who you are. Sign out there first.")
    vouched = said.get("email_verified") in (True, "true") or trust_email
    methods = said.get("amr")
    return Claims(
        issuer=issuer,
        subject=subject,
        email=str(said.get("email") or "") if vouched else "",
        name=str(said.get("name") or ""),
        two_steps=isinstance(methods, list) and "mfa" in methods,
    )


def _longer_ago(signed_in_at: Any, issued_at: Any) -> bool:
    return not isinstance(signed_in_at, int | float) or issued_at - signed_in_at > _ANEW_SECONDS


class UnknownKey(ProviderError):
    """The token was signed with a key that is not among those we know."""


def _key_of(header: Mapping[str, Any], keys: Mapping[str, Any]) -> Any:
    """The public key that the token names; the only one there is, where it names none."""
    jwt = _library()
    known = [
        one
        for one in keys.get("keys", [])
        if isinstance(one, dict) and one.get("kty") != "oct" and one.get("use", "sig") == "sig"
    ]
    named = [one for one in known if one.get("kid") == header.get("kid")] if header.get("kid") else known
    if len(named) != 1:
        raise UnknownKey("The sign-in service signed with a key that it does not publish.")
    return jwt.PyJWK.from_dict(named[0], algorithm=None if named[0].get("alg") else header.get("alg")).key


def _library() -> Any:
    try:
        import jwt
    except ImportError:
        raise SettingError('NEWSLETTER_OIDC_ISSUER needs its extra: pip install "newsletter[oidc]"') from None
    return jwt
