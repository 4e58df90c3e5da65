"""What is known of the links of issues: which were asked for, when, and what came of it. Read and written here, asked
for elsewhere: nothing in this file touches the network."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from ....db import db
from ....models import LinkCheck
from ....states import LinkState

#: An answer is taken to hold for so long.
FRESH = timedelta(hours=24)
#: What nobody asked about for so long is of no interest any more.
KEPT = timedelta(days=120)


def hash_of(url: str) -> bytes:
    """The key of a link's answer."""
    return hashlib.sha256(url.encode()).digest()


def unreachable(urls: Iterable[str]) -> Mapping[str, str]:
    """Those of `urls` that did not answer when they were last asked for, each with the reason."""
    hashes = {hash_of(url) for url in urls}
    if not hashes:
        return {}
    rows = db.session.execute(
        select(LinkCheck.url, LinkCheck.detail).where(
            LinkCheck.url_hash.in_(hashes), LinkCheck.state == LinkState.UNREACHABLE
        )
    )
    return {row.url: row.detail for row in rows}


def stale(urls: Iterable[str], now: datetime) -> list[str]:
    """Those of `urls` that were not asked for within a day, each once, in order."""
    wanted = list(dict.fromkeys(urls))
    fresh = set(
        db.session.scalars(
            select(LinkCheck.url_hash).where(
                LinkCheck.url_hash.in_([hash_of(url) for url in wanted]), LinkCheck.checked_at > now - FRESH
            )
        )
    )
    return [url for url in wanted if hash_of(url) not in fresh]


def note(url: str, state: LinkState, detail: str, now: datetime) -> None:
    """Keep what came of asking for `url`; it takes the place of what was known."""
    found = db.session.get(LinkCheck, hash_of(url))
    if found is None:
        found = LinkCheck(url_hash=hash_of(url), url=url, checked_at=now, state=state)
        db.session.add(found)
    found.state, found.detail, found.checked_at = state, detail[:300], now
    db.session.flush()


def forget(urls: Iterable[str]) -> None:
    """Let go of what is known, so that these links are asked for again."""
    hashes = [hash_of(url) for url in set(urls)]
    db.session.execute(delete(LinkCheck).where(LinkCheck.url_hash.in_(hashes)))


def forget_old(now: datetime) -> None:
    """Let go of the answers about links that no draft has any more."""
    db.session.execute(delete(LinkCheck).where(LinkCheck.checked_at < now - KEPT))
