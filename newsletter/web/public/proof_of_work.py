"""A small sum that a browser does while somebody fills in the sign-up form: off unless the operator turns it on.

It costs a person nothing that they notice, and a machine that signs up thousands a second of processor for each. The
server asks for a number that was drawn; the browser finds it by trying (as ALTCHA does it, https://altcha.org). What
was asked is signed and ends after ten minutes, so nothing is stored before it is answered; an answer counts once.
Whoever has no scripts, or no https, is not kept out: they come under the limits for forms that come back too quickly.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import request

from ...config import current_settings
from ...db import conflict_aware_insert, transaction
from ...models import LimitCounter
from ...tokens import keyed_hash
from ..limits import hashed

#: The hidden field with the answer: salt, end, challenge, seal and number, with dots between.
NAME = "work"
GOOD_FOR = timedelta(minutes=10)
#: The number is below this. A phone of ten years ago tries ten thousand a second.
_BELOW = 25_000
_PURPOSE = "proof-of-work.v1"
_LONGEST = 400


@dataclass(frozen=True)
class Sum:
    """What the browser is asked: the number below `below` that makes SHA-256 of salt, a dot, and it the challenge."""

    salt: str
    ends: int
    challenge: str
    seal: str
    below: int = _BELOW


def wanted() -> bool:
    """Whether the operator has turned it on."""
    return current_settings().proof_of_work


def ask(now: datetime) -> Sum | None:
    """A new sum for the form; None where none is wanted."""
    if not wanted():
        return None
    salt, ends = secrets.token_hex(12), int((now + GOOD_FOR).timestamp())
    challenge = _digest(salt, secrets.randbelow(_BELOW))
    return Sum(salt, ends, challenge, _seal(salt, ends, challenge))


def is_missing(now: datetime) -> bool:
    """Whether one was wanted and the form has no good answer. A good one is used up by this."""
    return wanted() and not _used_up(request.form.get(NAME, ""), now)


def _used_up(answer: str, now: datetime) -> bool:
    """Whether the answer is right, in time, and the first of its kind."""
    parts = answer.split(".")
    if len(answer) > _LONGEST or len(parts) != 5 or not answer.isascii():
        return False
    salt, ends, challenge, seal, number = parts
    if not (ends.isdigit() and number.isdigit() and len(ends) < 12 and len(number) < 9):
        return False
    if not hmac.compare_digest(_seal(salt, int(ends), challenge), seal):
        return False
    if not hmac.compare_digest(_digest(salt, int(number)), challenge):
        return False
    until = datetime.fromtimestamp(int(ends), UTC)
    if not now < until <= now + GOOD_FOR:
        return False
    # The counters of limits go when they are over, and so does this, with the moment at which it would be too late.
    used = {"key": f"proof of work:{hashed(seal)}", "ends_at": until, "count": 1}
    adding = conflict_aware_insert(LimitCounter).values(**used).on_conflict_do_nothing().returning(LimitCounter.key)
    with transaction() as session:
        return session.connection().execute(adding).first() is not None


def _digest(salt: str, number: int) -> str:
    return hashlib.sha256(f"{salt}.{number}".encode()).hexdigest()


def _seal(salt: str, ends: int, challenge: str) -> str:
    return keyed_hash(current_settings().secret_keys, _PURPOSE, f"{salt}.{ends}.{challenge}").hex()
