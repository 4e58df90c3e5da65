"""How often somebody may try to sign in. Nobody is locked out for good: every window ends by itself (ASVS 6.3.1)."""

from datetime import datetime, timedelta

from ... import addresses
from ...models import Account
from ..limits import hashed, network_of, within

_QUARTER = timedelta(minutes=15)
_HOUR = timedelta(hours=1)

TOO_OFTEN = "Too many tries. Wait 15 minutes, then try again."


def may_try_password(email: str, remote: str | None, now: datetime) -> bool:
    """Count one try of a password. One person at one place has ten in 15 minutes, one place a hundred."""
    who, network = hashed(addresses.key(email.strip())), network_of(remote)
    return within(
        [
            (f"sign-in:{who} {network}", 10, _QUARTER),
            (f"sign-in:{who}", 100, _HOUR),
            (f"sign-in:{network}", 100, _QUARTER),
        ],
        now,
    )


def may_try_code(account: Account, remote: str | None, now: datetime) -> bool:
    """Count one try of a code: a million codes, three of them right at a time, ten tries in 15 minutes."""
    network = network_of(remote)
    return within(
        [
            (f"code:{account.id} {network}", 10, _QUARTER),
            (f"code:{account.id}", 50, _HOUR),
        ],
        now,
    )


def may_begin_elsewhere(remote: str | None, now: datetime) -> bool:
    """Count one sign-in that is begun at the organisation's service."""
    return within([(f"sign-in-elsewhere:{network_of(remote)}", 100, _QUARTER)], now)


def may_ask_for_link(email: str, remote: str | None, now: datetime) -> bool:
    """Count one request for a password link: three an hour to one address."""
    who, network = hashed(addresses.key(email.strip())), network_of(remote)
    return within([(f"password-link:{who}", 3, _HOUR), (f"password-link:{network}", 20, _HOUR)], now)
