"""How long the subscribers' page takes to find what somebody types, among so many, with its counts.

What is timed is what the page asks of the database and makes of it: a page of people, their lists, the counts of each
state. Words are typed a letter at a time, rare ones and those that everybody has; some left, a few are paused.
"""

import statistics
import time
from collections.abc import Callable
from io import BytesIO

from sqlalchemy import text

from newsletter import clock
from newsletter.bench.installation import installation
from newsletter.bench.readers import publish_list
from newsletter.db import db, transaction
from newsletter.domain.subscribers import exporting, finding, importing, indexing
from newsletter.domain.subscribers.finding import Standing
from newsletter.mail.memory import MemoryRelay
from newsletter.models import MailingList
from tests.bench.imports import forget_peak, peak, sheet

_TYPED = ("person", "school", "number", "example org", "person 77", "number 1234", "school 17", "person.4321@school")
_ROUNDS = 3


def find_among(rows: int, database: str | None) -> list[str]:
    """A line each for the first page, what is typed, filters, the last page and the export, among so many."""
    with installation(MemoryRelay(), database):
        quarterly = publish_list(clock.now())
        importing.import_csv(BytesIO(sheet(rows)), quarterly, source="Bench", actor=None, now=clock.now())
        began = time.perf_counter()
        indexing.index_wanted()
        indexed = time.perf_counter() - began
        with transaction() as session:
            left = "UPDATE subscription SET state = 'left', left_at = joined_at WHERE id % 997 = 1"
            session.execute(text(left))
            session.execute(text("UPDATE subscription SET paused_until = joined_at WHERE id % 9973 = 2"))
        with transaction() as session:
            session.execute(text("ANALYZE"))
        lines = [f"words of {rows:,} put in at {rows / indexed:,.0f} a second"]
        for name, asks in _questions(quarterly).items():
            taken = sorted(_timed(ask) for _round in range(_ROUNDS) for ask in asks)
            high = taken[min(len(taken) - 1, int(len(taken) * 0.95))]
            lines.append(
                f"{name} among {rows:,}: median {statistics.median(taken):.1f} ms, p95 {high:.1f} ms,"
                f" longest {taken[-1]:.1f} ms of {len(taken)}"
            )
        return [*lines, _export(quarterly)]


def _questions(quarterly: MailingList) -> dict[str, list[Callable[[], object]]]:
    typed = [words[:length] for words in _TYPED for length in range(1, len(words) + 1)]
    last = db.session.scalar(text("SELECT max(address_key) FROM subscriber")) or ""
    return {
        "first page": [_ask("", Standing.ACTIVE, quarterly), _ask("", Standing.ACTIVE, None)] * 5,
        "typed": [_ask(words, Standing.ACTIVE, quarterly) for words in typed],
        "typed, everywhere": [_ask(words, None, None) for words in typed],
        "filters": [_ask("", each, chosen) for each in (*Standing, None) for chosen in (quarterly, None)],
        "typed and left": [_ask(words, Standing.LEFT, quarterly) for words in typed],
        "typed and paused": [_ask(words, Standing.PAUSED, quarterly) for words in typed],
        "last page": [_ask("", Standing.ACTIVE, quarterly, last[:-4])] * 5,
    }


def _ask(
    words: str, standing: Standing | None, mailing_list: MailingList | None, after: str | None = None
) -> Callable[[], object]:
    def ask() -> object:
        now = clock.now()
        found = finding.find_subscribers(words, mailing_list, standing, after, now=now)
        counts = finding.counts(words, mailing_list, now=now)
        return [one.subscriptions for one in found.subscribers], counts

    return ask


def _timed(ask: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    ask()
    taken = (time.perf_counter() - began) * 1000
    db.session.rollback()
    return taken


def _export(quarterly: MailingList) -> str:
    db.session.rollback()
    forget_peak()
    before, began = peak("self"), time.perf_counter()
    lines = sum(piece.count("\r\n") for piece in exporting.export_lines(quarterly)) - 1
    taken = time.perf_counter() - began
    return f"export of {lines:,}: {lines / taken:,.0f} a second, {peak('self') - before:.0f} MB more than before"
