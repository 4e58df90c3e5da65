"""The second step: codes from an authenticator app (TOTP, RFC 6238), and codes on paper for when the phone is lost.

A code of the app counts once: the step it belongs to is remembered, and no earlier one is taken again. A code on
paper is kept as its keyed hash and removed when it is used.
"""

import base64
import hashlib
import hmac

ISSUER = "Newsletter"


def totp_secrets(keys: tuple[str, ...]) -> dict[str, str]:
    """Keys that encrypt the shared secrets in the table, under names that stay when keys are added or dropped."""
    return {_tag(key): base64.b64encode(hmac.digest(key.encode(), b"totp.v1", "sha256")).decode() for key in keys}


def _tag(key: str) -> str:
    return hashlib.sha256(b"totp:" + key.encode()).hexdigest()[:12]


