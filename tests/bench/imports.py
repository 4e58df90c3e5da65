"""A whole import as the worker does it: from the stored file to the last batch, its report and the seals of consent.

Each size has an installation of its own. Memory and processor time are those of the process that writes and of the one
that reads beside it; on PostgreSQL, of the server's own process besides.
"""

import os
import resource
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from sqlalchemy import func, select, text

from newsletter import clock
from newsletter.bench.installation import installation
from newsletter.bench.readers import publish_list
from newsletter.db import db, transaction
from newsletter.domain.subscribers import import_runs, import_uploads, sealing, suppressing
from newsletter.mail.memory import MemoryRelay
from newsletter.models import Account, Consent, ImportRun, MailingList, Subscription
from newsletter.states import ImportState, SuppressionReason
from tests import people

_COLUMNS = "email,name,organisation,sector\n"
_HERTZ = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Taken:
    """What one size took. Seconds; microseconds of a processor for a row, by process; megabytes at the most."""

    rows: int
    look_seconds: float
    seconds: float
    sealing_seconds: float
    writer: float
    reader: float
    server: float
    writer_peak: float
    reader_peak: float

    @property
    def rate(self) -> float:
        """Rows a second, the seals and all."""
        return self.rows / (self.seconds + self.sealing_seconds)

    def __str__(self) -> str:
        server = f", server {self.server:.1f}" if self.server else ""
        return (
            f"import of {self.rows:,}: {self.rate:,.0f} rows a second ({self.seconds:.2f} s, then"
            f" {self.sealing_seconds:.2f} s for seals), {self.rows / self.look_seconds:,.0f} looked through;"
            f" µs of CPU a row: writer {self.writer:.1f}, reader {self.reader:.1f}{server};"
            f" peak {self.writer_peak:.0f} and {self.reader_peak:.0f} MB"
        )


def sheet(rows: int) -> bytes:
    """A file of people as a partnership has them, in no order: a duplicate in fifty, a bad line in a thousand."""
    lines = [_COLUMNS]
    for number in range(rows):
        # A large prime's multiples: every number once, in no order that an index would like.
        person = number * 982_451_653 % rows
        if number % 1_000 == 999:
            lines.append(f"person {person},Nobody,,\n")
        elif number % 50 == 49:
            person = (number - 1) * 982_451_653 % rows
            lines.append(f"PERSON.{person}@school{person % 500}.example.org,,,\n")
        else:
            school = person % 500
            address = f"person.{person}@school{school}.example.org"
            lines.append(f"{address},Person Number {person},School {school},education\n")
    return "".join(lines).encode()


def bring_in(rows: int, database: str | None) -> Taken:
    """One import of so many rows into an empty list. Raises AssertionError where its accounts do not add up."""
    with installation(MemoryRelay(), database):
        now = clock.now()
        mailing_list = publish_list(now)
        ruth = people.staff(now, "Ruth Adeyemi")
        with transaction():
            for number in range(1_000):
                suppressing.suppress(f"gone{number}@example.org", SuppressionReason.BOUNCED, now=now)
        run_id = upload(mailing_list, sheet(rows), ruth)
        look = perform(run_id, look=True, actor=ruth)
        forget_peak()
        readers = _Readers()
        before = _clocks()
        seconds = perform(run_id, look=False, actor=ruth)
        began = time.perf_counter()
        sealing.seal_all(clock.now())
        sealed = time.perf_counter() - began
        writer, reader, server = (
            (after - earlier) / rows * 1e6 for after, earlier in zip(_clocks(), before, strict=True)
        )
        _check(run_id, rows)
        return Taken(rows, look, seconds, sealed, writer, reader, server, peak("self"), readers.peak())


def upload(mailing_list: MailingList, content: bytes, actor: Account) -> int:
    """Give in a file, its columns as they were guessed; the id of the import."""
    now = clock.now()
    run = import_uploads.begin(mailing_list, "people.csv", BytesIO(content), actor=actor, now=now)
    columns = [dict(layout.columns) for layout in import_uploads.layouts(run)]
    with transaction():
        import_uploads.describe(
            run, columns, source="Conference of 3 October 2026", note="They ticked a box.", ask_them=False, now=now
        )
    return run.id


def perform(run_id: int, *, look: bool, actor: Account) -> float:
    """Do it, or only `look`; the seconds it took."""
    with transaction() as session:
        import_runs.start(session.get_one(ImportRun, run_id), look=look, actor=actor, now=clock.now())
    began = time.perf_counter()
    import_runs.perform(run_id, clock.now())
    return time.perf_counter() - began


def _check(run_id: int, rows: int) -> None:
    run = db.session.get_one(ImportRun, run_id)
    bad, twice = rows // 1_000, rows // 50 - rows // 1_000
    assert run.state is ImportState.DONE, run.problem
    assert (run.rows, run.counts["added"]) == (rows, rows - bad - twice), run.counts
    assert (run.counts.get("bad", 0), run.counts.get("duplicates", 0)) == (bad, twice), run.counts
    for table in (Consent, Subscription):
        assert db.session.scalar(select(func.count(table.id))) == rows - bad - twice
    assert db.session.scalar(select(func.count(Consent.id)).where(Consent.digest.is_(None))) == 0
    db.session.rollback()


def _clocks() -> tuple[float, float, float]:
    """Seconds of a processor so far: ours, our children's, the server's for us."""
    child = resource.getrusage(resource.RUSAGE_CHILDREN)
    server = 0.0
    if db.engine.dialect.name == "postgresql":
        process = db.session.scalar(text("SELECT pg_backend_pid()"))
        db.session.rollback()
        server = processor_seconds(process)
    return time.process_time(), child.ru_utime + child.ru_stime, server


def processor_seconds(process: int) -> float:
    """Of a process that runs: how long a processor has worked for it."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _HERTZ


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def peak(process: str) -> float:
    """Megabytes at the most since it began, or the peak was forgotten."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0) / 1024


class _Readers:
    """Looks now and then at the processes that we start: what the system says afterwards counts us in."""

    def __init__(self) -> None:
        self._most, self._done = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def peak(self) -> float:
        self._done.set()
        self._thread.join()
        return self._most

    def _watch(self) -> None:
        while not self._done.wait(0.05):
            with suppress(OSError):
                for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
                    if "import_child" in Path(f"/proc/{child}/cmdline").read_text():
                        self._most = max(self._most, peak(child))
