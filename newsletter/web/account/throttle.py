"""How often somebody may try to sign in. Nobody is locked out for good: every window ends by itself (ASVS 6.3.1)."""

from datetime import datetime, timedelta

from ... import addresses
from ...models import Account
from ..limits import count, hashed, network_of, within

_QUARTER = timedelta(minutes=15)
_HOUR = timedelta(hours=1)

_LINK_TO, _LINK_FROM = "password-link", "password-link network"

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


def link_limits(email: str, remote: str | None, now: datetime) -> tuple[bool, bool]:
    """Count one request for a password link: whether this network may ask, and whether this address may get one.

    One network has 20 an hour, one address three. What a network asks beyond is not even written down.
    """
    who, network = hashed(addresses.key(email.strip())), network_of(remote)
    over = count([(f"{_LINK_TO}:{who}", 3, _HOUR), (f"{_LINK_FROM}:{network}", 20, _HOUR)], now)
    return _LINK_FROM not in over, not over
