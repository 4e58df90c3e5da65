"""How often strangers may have us write to an address that is not proved to be theirs, whichever form they use."""

from datetime import datetime, timedelta

from flask import request

from ... import addresses
from ..limits import Limit, hashed, network_of, within

_HOUR = timedelta(hours=1)


def may_ask(address: str, *, quick: bool = False, now: datetime) -> bool:
    """Count the request. A whole council may sign up on the day it is told to; one machine may not sign up a town.

    `quick`: the form came back sooner than people fill it in; that may happen, and not often.
    """
    network = hashed(network_of(request.remote_addr))
    limits: list[Limit] = [
        (f"sign-up network:{network}", 40, _HOUR),
        (f"sign-up address:{hashed(addresses.key(address))}", 6, _HOUR),
        (f"sign-up domain:{hashed(addresses.domain_of(address))}", 250, _HOUR),
        ("sign-up everywhere:", 1500, _HOUR),
    ]
    if quick:
        limits += [(f"quick sign-up network:{network}", 3, _HOUR), ("quick sign-up everywhere:", 30, _HOUR)]
    return within(limits, now)
