"""The readers of a bench: as many as it takes, with names and domains as they come in a partnership's list."""

import secrets
import uuid
from collections.abc import Callable
from datetime import datetime
from itertools import cycle, islice
from typing import Any

from sqlalchemy import insert, text

from ..addresses import key
from ..db import transaction
from ..domain.staff import installation, mailing_lists
from ..domain.staff.installation import OrganisationDetails
from ..domain.staff.mailing_lists import ListDetails
from ..domain.subscribers.suppressing import address_hash
from ..models import MailingList, Subscriber, Subscription, Suppression
from ..states import SendingMode, SubscriptionState, SuppressionReason

_CHUNK = 500
_SUPPRESSED = 1_000
_NAMES = (
    "Ruth Adeyemi", "", "Tom Hale", "", "Priya Nair", "Ewan Marsh", "", "Zoë Ó Briain-Patel",
    "", "Tamsin Orme", "Bethan Ashdown-Lee", "", "J. O’Connor", "Sunita Marlowe-Price", "", "Duty desk, Early Help",
)  # fmt: skip
#: Half of the readers work for one of a few; the other half for one of many.
_DOMAINS = ("council", "police", "nhs", "schools")
_SMALL_DOMAINS = 200


def publish_list(now: datetime) -> MailingList:
    """The publisher and the list. Opens its own transaction."""
    with transaction():
        details = OrganisationDetails(
            "Larkmere Safeguarding Children Partnership",
            "Millrace House, 4 Weir Street, Larkmere",
            "newsletter@example.org",
            "01632 960 100",
        )
        made = installation.establish(details, "We use your address to send what you tick.", actor=None, now=now)
        made.sending_mode = SendingMode.EVERYONE
        return mailing_lists.create_list(
            ListDetails(
                slug="safeguarding-news",
                name="Safeguarding news",
                sender_name="Safeguarding news",
                sender_address="newsletter@example.org",
                contact_address="newsletter@example.org",
            ),
            actor=None,
            now=now,
        )


def subscribe(mailing_list: MailingList, number: int, now: datetime, tell: Callable[[int], None]) -> None:
    """`number` new readers, active on the list, and some suppressed addresses of others.

    Opens a transaction for each five hundred; `tell` hears how many each one made. Memory does not grow with them.
    """
    list_id = mailing_list.id
    addresses = enumerate(islice(_addresses(), number), start=1)
    while chunk := list(islice(addresses, _CHUNK)):
        with transaction() as session:
            session.execute(insert(Subscriber), [_person(count, address, now) for count, address in chunk])
            session.execute(insert(Subscription), [_subscription(count, list_id, now) for count, _ in chunk])
        tell(len(chunk))
    with transaction() as session:
        session.execute(insert(Suppression), [_suppression(count, now) for count in range(_SUPPRESSED)])
    _analyse()


def _addresses() -> Any:
    large = cycle(f"{name}.larkmere.example.org" for name in _DOMAINS)
    small = cycle(f"practice{count}.example.org" for count in range(_SMALL_DOMAINS))
    for count, domain in enumerate(_alternately(large, small), start=1):
        yield f"reader{count}@{domain}"


def _alternately(one: Any, other: Any) -> Any:
    while True:
        yield next(one)
        yield next(other)


def _person(count: int, address: str, now: datetime) -> dict[str, object]:
    return {
        "id": count,
        "public_id": uuid.UUID(bytes=secrets.token_bytes(16)),
        "address": address,
        "address_key": key(address),
        "name": _NAMES[count % len(_NAMES)],
        "organisation": "",
        "created_at": now,
    }


def _subscription(count: int, list_id: int, now: datetime) -> dict[str, object]:
    return {
        "public_id": uuid.UUID(bytes=secrets.token_bytes(16)),
        "subscriber_id": count,
        "list_id": list_id,
        "state": SubscriptionState.ACTIVE,
        "joined_at": now,
        "source": "bench",
    }


def _suppression(count: int, now: datetime) -> dict[str, object]:
    return {
        "address_hash": address_hash(f"gone{count}@example.org"),
        "reason": SuppressionReason.BOUNCED,
        "note": "",
        "at": now,
        "lift_reason": "",
    }


def _analyse() -> None:
    """What a database does by itself in the days between a list's growth and a sending."""
    with transaction() as session:
        session.execute(text("ANALYZE"))
