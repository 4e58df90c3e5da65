"""How often strangers may have us write to an address that is not proved to be theirs, whichever form they use."""

from collections import OrderedDict
from datetime import datetime, timedelta

from flask import current_app, request

from ... import addresses
from ...db import transaction
from ...domain.subscribers import flooding
from ..limits import Limit, count, hashed, network_of, window_end, within

_HOUR, _DAY = timedelta(hours=1), timedelta(hours=24)
_NETWORK, _ADDRESS, _DOMAIN, _EVERYWHERE = "sign-up network", "sign-up address", "sign-up domain", "sign-up everywhere"
#: How often an hour. A whole council may sign up on the day it is told to; one machine may not sign up a town.
_MOST = {_NETWORK: 40, _ADDRESS: 6, _DOMAIN: 250, _EVERYWHERE: 1500}
_REMEMBERED = 10_000


def may_ask(address: str, *, quick: bool = False, now: datetime) -> bool:
    """Count the request, and tell the administrators, once a day, when there are far more than people make.

    `quick`: the form came back sooner than people fill it in; that may happen, and not often.
    """
    network = hashed(network_of(request.remote_addr))
    whole = {
        _NETWORK: f"{_NETWORK}:{network}",
        _DOMAIN: f"{_DOMAIN}:{hashed(addresses.domain_of(address))}",
        _EVERYWHERE: f"{_EVERYWHERE}:",
    }
    known, ends = _flooding(), window_end(now, _HOUR)
    if any(known.get(key) == ends for key in whole.values()):
        return False
    limits: list[Limit] = [(key, _MOST[name], _HOUR) for name, key in whole.items()]
    limits.append((f"{_ADDRESS}:{hashed(addresses.key(address))}", _MOST[_ADDRESS], _HOUR))
    if quick:
        limits += [(f"quick sign-up network:{network}", 3, _HOUR), ("quick sign-up everywhere:", 30, _HOUR)]
    over = count(limits, now)
    for name, key in whole.items():
        if name in over:
            known[key] = ends
            # Looked at when a limit is passed, not at every request beyond it.
            if over[name] == _MOST[name] + 1:
                _tell_once(now)
    while len(known) > _REMEMBERED:
        known.popitem(last=False)
    return not over


def _flooding() -> "OrderedDict[str, datetime]":
    """What is over its limit until when, as far as this process knows.

    It stays so until the hour ends, so a flood need not be written down request by request: the others would wait for
    the database. Nor does what is turned away here count against the whole site.
    """
    known: OrderedDict[str, datetime] = current_app.extensions.setdefault("newsletter_flooding", OrderedDict())
    return known


def _tell_once(now: datetime) -> None:
    if within([("sign-up alert:", 1, _DAY)], now):
        with transaction():
            flooding.tell(now)
