"""How often links and codes may be asked for and tried.

A six-digit code is guessed once in a million. Five tries end one, an address has twenty tries a day whatever is asked
for, and all addresses together five hundred: whoever guesses at one address all year long has less than one chance in
a hundred, and whoever guesses at hundreds of them, from any number of networks, one in two thousand a day. The link in
the mail works all the same, so nobody is locked out by somebody else.
"""

from datetime import datetime, timedelta

from flask import request

from ... import addresses
from ..limits import Limit, hashed, network_of, within

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def may_ask(address: str, now: datetime) -> bool:
    """Count one mail asked for."""
    key = hashed(addresses.key(address))
    limits: list[Limit] = [
        (f"contributor-link address:{key}", 6, _HOUR),
        # Anybody may type any address: nobody fills somebody else's letter box.
        (f"contributor-link-day address:{key}", 20, _DAY),
        (f"contributor-link network:{_network()}", 60, _HOUR),
        ("contributor-link everywhere:", 1500, _HOUR),
    ]
    return within(limits, now)


def may_try_code(address: str, now: datetime) -> bool:
    """Count one code tried."""
    key = hashed(addresses.key(address))
    limits: list[Limit] = [
        (f"contributor-code address:{key}", 20, _DAY),
        (f"contributor-code network:{_network()}", 120, _HOUR),
        # Whoever knows many addresses would have so many chances.
        ("contributor-code everywhere:", 500, _DAY),
    ]
    return within(limits, now)


def may_invite(agency_id: int, now: datetime) -> bool:
    """Count one invitation by an agency's lead."""
    return within([(f"contributor-invitation agency:{agency_id}", 30, _DAY)], now)


def _network() -> str:
    return hashed(network_of(request.remote_addr))
