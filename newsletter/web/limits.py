"""How often something may be done: fixed windows, counted in the database, so that every process counts as one.

Counted on POST only, in one short transaction before the request's own. What is over a limit is the caller's to
answer; a public form answers as if it were not.
"""

import ipaddress
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import Executable

from ..config import current_settings
from ..db import conflict_aware_insert, db, transaction
from ..models import LimitCounter
from ..tokens import counted_as

_log = logging.getLogger(__name__)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: What is counted ("sign-up address:4f…", at most 120 characters), how often it may be done, in which window.
Limit = tuple[str, int, timedelta]


def within(limits: Iterable[Limit], now: datetime) -> bool:
    """Count one use of every key and say whether all are within their limits. Keys as `count` takes them."""
    return not count(limits, now)


def count(limits: Iterable[Limit], now: datetime) -> dict[str, int]:
    """Count one use of every key. What is over its limit, by the key's words, with how often it was done by now.

    All are counted in every case, so the answer takes as long either way. Keys that name a person are hashed by
    `hashed` first.
    """
    most_of = {(key, window_end(now, window)): most for key, most, window in limits}
    if not most_of:
        return {}
    # Sorted, so that two requests with the same keys wait for each other instead of blocking each other.
    rows = [{"key": key, "ends_at": ends, "count": 1} for key, ends in sorted(most_of)]
    with transaction(lasting=False) as session:
        done = session.connection().execute(_counting(db.engine.dialect.name), rows).all()
    exceeded = {key.partition(":")[0]: number for key, ends, number in done if number > most_of[key, ends]}
    if exceeded:
        _log.warning("Over the limit: %s", ", ".join(exceeded))
    return exceeded


@cache
def _counting(_dialect: str) -> Executable:
    """Made once for each database, not at each request."""
    counting = conflict_aware_insert(LimitCounter).on_conflict_do_update(
        index_elements=[LimitCounter.key, LimitCounter.ends_at], set_={"count": LimitCounter.count + 1}
    )
    return counting.returning(LimitCounter.key, LimitCounter.ends_at, LimitCounter.count)


def window_end(now: datetime, window: timedelta) -> datetime:
    """The end of the window that `now` stands in; windows of one length follow each other since 1970."""
    return _EPOCH + ((now - _EPOCH) // window + 1) * window


def hashed(text: str) -> str:
    """What stands for an address or a network in a key: 32 hex digits, which nobody can guess without our key."""
    return counted_as(current_settings().secret_keys, text)


def network_of(remote: str | None) -> str:
    """The network that counts as one visitor: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        address = ipaddress.ip_address(remote or "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))


def cut_short(remote: str | None) -> str:
    """Where a request came from, as evidence that names nobody: the /24 of an IPv4 address, the /48 of an IPv6 one."""
    network = network_of(remote)
    if network == "unknown":
        return ""
    base = ipaddress.ip_network(network)
    return str(base.supernet(new_prefix=24 if base.version == 4 else 48))
