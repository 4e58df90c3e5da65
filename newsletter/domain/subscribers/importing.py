"""Bringing in people who agreed elsewhere. An import needs a source, obeys every suppression, and brings nobody back.

It opens its own transactions, one for each thousand lines, because a hundred thousand in one would keep every other
writer waiting. Run again after an interruption, it finds those it has brought in already.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import insert, select

from ... import addresses
from ...db import conflict_aware_insert, db, transaction
from ...errors import Invalid, Problem
from ...i18n import gettext as _
from ...models import Account, Consent, MailingList, Subscriber, Subscription
from ...models._columns import public_id
from ...states import ConsentEvent, SubscriptionState
from ..staff import activity
from . import offering, suppressing
from .import_reading import BadRow, Row, open_sheet

_log = logging.getLogger(__name__)
_CHUNK = 1_000
#: More bad lines than this are counted and not listed: the file is then another than was meant.
_MOST_LISTED = 1_000


@dataclass
class ImportReport:
    """What came of each line. `rows` is the sum of the six counts that follow it.

    `suppressed`: asked never to be written to; `left`: had left this list and must ask themselves; `duplicates`: a
    second line for one address.
    """

    dry_run: bool
    encoding: str
    rows: int = 0
    added: int = 0
    already: int = 0
    suppressed: int = 0
    left: int = 0
    duplicates: int = 0
    bad: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For machines: JSON-ready."""
        return asdict(self)


def import_csv(
    path_or_file: Path | str | BinaryIO,
    mailing_list: MailingList,
    *,
    source: str,
    basis_note: str = "",
    dry_run: bool = False,
    actor: Account | None,
    now: datetime,
    on_progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Put everybody in the file on the list, with a consent event IMPORTED that names `source`.

    `source` says where and when they agreed, and is mandatory; `basis_note` what they were told. With `dry_run`
    nothing is written and the report is the same. `on_progress` is told how many lines are done. Raises Invalid
    for a missing source and a file that is none; a bad line is reported and the others go on.
    """
    if not source.strip():
        raise Invalid([Problem("source", _("Say where these people agreed to get this, and when."))])
    if len(source) > 200:
        raise Invalid([Problem("source", _("Say it in 200 characters or fewer; the rest belongs into the note."))])
    sheet = open_sheet(_read(path_or_file))
    report = ImportReport(dry_run=dry_run, encoding=sheet.encoding)
    evidence = {"source": source.strip(), "note": basis_note.strip(), "actor_id": actor.id if actor else None}
    list_id, seen = mailing_list.id, set[str]()
    for chunk in _chunks(sheet.rows(), _CHUNK):
        people = _fresh(chunk, seen, report)
        hashes = {row.address: suppressing.address_hash(row.address) for row in people.values()}
        if dry_run:
            _sort_out(people, hashes, list_id, report)
        else:
            with transaction():
                _add(_sort_out(people, hashes, list_id, report), list_id, evidence, now)
        if on_progress is not None:
            on_progress(len(chunk))
    if not dry_run:
        with transaction() as session:
            counts: dict[str, Any] = {name: value for name, value in report.as_dict().items() if isinstance(value, int)}
            activity.record(
                "subscribers.imported",
                actor=actor,
                now=now,
                mailing_list=session.get_one(MailingList, list_id),
                source=source.strip(),
                **counts,
            )
    _log.info("Imported %d of %d lines", report.added, report.rows)
    return report


def _read(path_or_file: Path | str | BinaryIO) -> bytes:
    if not isinstance(path_or_file, Path | str):
        return path_or_file.read()
    try:
        return Path(path_or_file).read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        sentence = _("The file %(path)s cannot be read (%(reason)s).") % {"path": path_or_file, "reason": reason}
        raise Invalid([Problem("file", sentence)]) from None


def _chunks(rows: Iterable[Row | BadRow], size: int) -> Iterator[list[Row | BadRow]]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, size)):
        yield chunk


def _fresh(chunk: list[Row | BadRow], seen: set[str], report: ImportReport) -> dict[str, Row]:
    """The usable rows by address key, each address once."""
    people: dict[str, Row] = {}
    for row in chunk:
        report.rows += 1
        if isinstance(row, BadRow):
            report.bad += 1
            if len(report.bad_rows) < _MOST_LISTED:
                report.bad_rows.append(row)
            continue
        key = addresses.key(row.address)
        if key in seen:
            report.duplicates += 1
            continue
        seen.add(key)
        people[key] = row
    return people


def _sort_out(people: dict[str, Row], hashes: dict[str, bytes], list_id: int, report: ImportReport) -> dict[str, Row]:
    """Who is to be added: not the suppressed, not who has it already, not who has left."""
    suppressed = suppressing.suppressed_hashes(hashes.values())
    chosen = (
        select(Subscriber.address_key, Subscription.state)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .where(Subscription.list_id == list_id, Subscriber.address_key.in_(list(people)))
    )
    held = {row.address_key: row.state for row in db.session.execute(chosen)}
    counts: Counter[str] = Counter()
    wanted = {}
    for key, row in people.items():
        if hashes[row.address] in suppressed:
            counts["suppressed"] += 1
        elif key in held:
            counts["already" if held[key] is SubscriptionState.ACTIVE else "left"] += 1
        else:
            counts["added"] += 1
            wanted[key] = row
    for name, number in counts.items():
        setattr(report, name, getattr(report, name) + number)
    return wanted


def _add(people: dict[str, Row], list_id: int, evidence: dict[str, Any], now: datetime) -> None:
    """Three statements for a chunk: people who are new, their subscriptions, the evidence."""
    if not people:
        return
    rows = [
        {
            "public_id": public_id(),
            "address": row.address,
            "address_key": key,
            "name": row.name,
            "organisation": row.organisation,
            "created_at": now,
        }
        for key, row in people.items()
    ]
    # The connection itself, not the session: the unit of work would look at each of a hundred thousand rows.
    session = db.session.connection()
    session.execute(conflict_aware_insert(Subscriber).on_conflict_do_nothing(index_elements=["address_key"]), rows)
    found = session.execute(select(Subscriber.id).where(Subscriber.address_key.in_(list(people)))).scalars().all()
    shared = {
        "list_id": list_id,
        "state": SubscriptionState.ACTIVE,
        "joined_at": now,
        "source": evidence["source"],
        "left_at": None,
        "paused_until": None,
    }
    session.execute(insert(Subscription), [{"public_id": public_id(), "subscriber_id": key, **shared} for key in found])
    chosen = select(Subscription.id).where(Subscription.list_id == list_id, Subscription.subscriber_id.in_(found))
    event = {
        "event": ConsentEvent.IMPORTED,
        "at": now,
        "route": "import",
        "privacy_version": offering.privacy_version(),
        **evidence,
    }
    session.execute(insert(Consent), [{"subscription_id": key, **event} for key in session.scalars(chosen).all()])
