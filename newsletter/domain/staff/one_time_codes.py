"""The second step: codes from an authenticator app (TOTP, RFC 6238), and codes on paper for when the phone is lost.

A code of the app counts once (RFC 6238, 5.2): the time step it belongs to is kept, and no earlier one is taken
again. A code on paper is kept as its keyed hash and is gone when it is used.
"""

import base64
import hashlib
import hmac
import re
from datetime import datetime
from functools import lru_cache

from flask_security.totp import Totp
from passlib.exc import TokenError
from passlib.totp import TOTP, AppWallet
from sqlalchemy import CursorResult, or_, update

from ...config import current_settings
from ...db import db
from ...models import Account
from ...tokens import keyed_hash

ISSUER = "Newsletter"
#: What `Account.tf_primary_method` says once the app has shown a right code.
APP = "authenticator"
PAPER_CODES = 10
#: One step either way: a phone's clock may be half a minute off.
_WINDOW_SECONDS = 30
_PURPOSE = "recovery-code.v1"


class OneTimeCodes(Totp):
    """Flask-Security's codes, with names for the encrypting keys that stay when keys are added or dropped."""

    def __init__(self, keys: tuple[str, ...], issuer: str = ISSUER) -> None:
        wallet = AppWallet({_tag(key): _encrypting_key(key) for key in keys}, default_tag=_tag(keys[-1]))
        self._totp = TOTP.using(issuer=issuer, wallet=wallet)

    def step_of(self, typed: str, secret: str, after: int | None, now: datetime) -> int | None:
        """The time step that a typed code belongs to, if it is right and later than step `after`; else None."""
        try:
            match = self._totp.verify(
                typed, secret, time=int(now.timestamp()), window=_WINDOW_SECONDS, last_counter=after
            )
        except TokenError:
            return None
        counter: int = match.counter
        return counter


def _tag(key: str) -> str:
    return hashlib.sha256(b"totp:" + key.encode()).hexdigest()[:12]


def _encrypting_key(key: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), b"totp.v1", "sha256")).decode()


@lru_cache(maxsize=4)
def _codes(keys: tuple[str, ...]) -> OneTimeCodes:
    return OneTimeCodes(keys)


def _ours() -> OneTimeCodes:
    return _codes(current_settings().secret_keys)


def new_secret() -> str:
    """A shared secret, encrypted for the table. Takes 10 ms: outside `transaction()`."""
    value: str = _ours().generate_totp_secret()
    return value


def app_address(secret: str, account: Account) -> str:
    """What the QR code says to the app: `otpauth://totp/…`."""
    value: str = _ours().get_totp_uri(account.email, secret)
    return value


def spelled_out(secret: str) -> str:
    """The secret in groups of four, for an app without a camera."""
    value: str = _ours().get_totp_pretty_key(secret)
    return value.replace("-", " ")


def step_of(typed: str, secret: str, after: int | None, now: datetime) -> int | None:
    """The time step of a right code that was not used before, else None. Takes 10 ms: outside `transaction()`."""
    code = re.sub(r"[\s-]+", "", typed)
    if not re.fullmatch(r"[0-9]{6}", code):
        return None
    return _ours().step_of(code, secret, after, now)


def use_step(account: Account, step: int) -> bool:
    """Mark this step used, in the running transaction. False when another sign-in was first with it."""
    result = db.session.execute(
        update(Account)
        .where(Account.id == account.id, or_(Account.tf_last_step.is_(None), Account.tf_last_step < step))
        .values(tf_last_step=step)
    )
    return isinstance(result, CursorResult) and result.rowcount == 1


def new_paper_codes() -> list[str]:
    """Ten codes to print, such as "4f2a-9c01-77be": shown once, then known by their hashes only."""
    value: list[str] = _ours().generate_recovery_codes(PAPER_CODES)
    return value


def paper_hashes(codes: list[str]) -> list[str]:
    """What the table keeps of them."""
    keys = current_settings().secret_keys
    return [keyed_hash(keys, _PURPOSE, _plain(code)).hex() for code in codes]


def use_paper_code(account: Account, typed: str) -> bool:
    """Take one code on paper, in the running transaction. False when it is none of theirs, or was used."""
    locked = db.session.get(Account, account.id, with_for_update=True, populate_existing=True)
    kept = list(locked.mf_recovery_codes or []) if locked is not None else []
    used = paper_hashes([typed])[0]
    if locked is None or not any(hmac.compare_digest(used, one) for one in kept):
        return False
    locked.mf_recovery_codes = [one for one in kept if one != used]
    return True


def _plain(code: str) -> str:
    return re.sub(r"[^0-9a-f]", "", code.lower())
