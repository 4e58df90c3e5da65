"""How it runs: who is there and of which version, who leads, what is done by the clock, every machine, the backup."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select, text

from .. import __version__
from ..config import Settings
from ..db import db
from ..models import Lease
from ..operations import shared_folder, totals
from ..operations.facts import ago, facts, versions, versions_by_host
from ..operations.judging import Found, judge
from ..operations.signs import Signs, gather
from ..states import TroubleKind
from ..ticks import TICKS
from ..work.liveness import machine_clock
from .backups import examine_backup
from .findings import Area, Notes

#: What other areas look at more closely, or the lines below.
_ELSEWHERE = (TroubleKind.RELAY, TroubleKind.MAILBOX, TroubleKind.BACKUP)
#: Mail is not sent, or dates are wrong, until it is mended.
_WRONG = (TroubleKind.SCHEDULER, TroubleKind.NOTICES, TroubleKind.CLOCK)
#: A duty that comes after twice its time and this has not been seen to.
_GRACE = timedelta(minutes=10)
_MOST_NAMED = 4
_TIDYING = "purge_unconfirmed"
#: Connections to PostgreSQL that a process of each part may have open; the rest are PostgreSQL's own.
_CONNECTIONS = {"web": 15, "worker": 15, "scheduler": 3}
_RESERVED = 3


def examine_running(settings: Settings, now: datetime) -> Notes:
    """What the processes say of themselves, and what follows from it. Reads the database."""
    notes = Notes(Area.RUNNING)
    signs = gather(now)
    found = judge(signs)
    _processes(notes, signs, found)
    if settings.runner == "procrastinate":
        _leader(notes, signs)
        _ring_tables(notes)
    if not settings.sqlite:
        _connections(notes, signs)
    _versions(notes, signs)
    _machines(notes, signs, found)
    _duties(notes, signs, found)
    examine_backup(settings, signs, notes)
    db.session.rollback()
    return notes


def _processes(notes: Notes, signs: Signs, found: list[Found]) -> None:
    for one in found:
        if one.kind not in _ELSEWHERE:
            say = notes.wrong if one.kind in _WRONG else notes.warning
            say(one.sentence, one.what_to_do)
    known = dict(facts(signs))
    for part, name in (("web", "Pages"), ("worker", "Workers")):
        if signs.living(part):
            notes.good(f"{name} that run: {known[name]}.")
    if not signs.living("web"):
        notes.warning("No process of the pages is running.", "Start newsletter serve, or newsletter web.")


def _leader(notes: Notes, signs: Signs) -> None:
    """Who holds the lease, by the database's own clock."""
    _counts_from, clock = machine_clock()
    lease = db.session.scalar(select(Lease).where(Lease.name == "scheduler"))
    if lease is None or lease.ends <= clock:
        notes.wrong(
            "No scheduler leads: nothing is rung for, and issues do not go out by themselves.",
            "Start newsletter scheduler, on two machines: one rings, one stands by.",
        )
        return
    host = lease.holder.partition(" ")[0]
    notes.good(f"The scheduler on {host} leads; it holds the lease, of term {lease.term}.")
    if len(signs.living("scheduler")) < 2:
        notes.warning("One scheduler runs, and none stands by.", "Start a second one, on another machine.")


def _ring_tables(notes: Notes) -> None:
    from ..work import ring_tables

    there, wanted = ring_tables.recorded(), ring_tables.wanted()
    if there == wanted:
        notes.good(f"The tables of Procrastinate are those of its installed version ({wanted}).")
    else:
        notes.wrong(
            f"The tables of Procrastinate are at {there or 'nothing'}, its installed version is at {wanted}.",
            "Run newsletter migrate; where it says that steps wait for old workers to end, once more after that.",
        )


def _connections(notes: Notes, signs: Signs) -> None:
    most = int(db.session.scalar(text("SELECT current_setting('max_connections')")) or 0)
    wanted = sum(number * len(signs.living(part)) for part, number in _CONNECTIONS.items()) + _RESERVED
    if wanted > most:
        notes.warning(
            f"PostgreSQL lets in {most} connections, and what runs here may want {wanted} on a busy day.",
            f"Set max_connections = {wanted} or more, or run fewer processes of the pages.",
        )
    else:
        notes.good(f"PostgreSQL lets in {most} connections; what runs here wants {wanted} at most.")


def _versions(notes: Notes, signs: Signs) -> None:
    running = versions_by_host(signs)
    if len(running) > 1:
        notes.warning(
            f"Programs of {len(running)} versions are running: {versions(signs)}.",
            "During an upgrade that is as it should be. When it is done, restart those of the older version.",
        )
    elif running and set(running) != {__version__}:
        notes.warning(
            f"What runs is version {next(iter(running))}, and this program is {__version__}.",
            "Restart what runs: it goes on with the version that it was started with.",
        )
    elif running:
        notes.good(f"All that runs is of version {__version__}.")


def _machines(notes: Notes, signs: Signs, found: list[Found]) -> None:
    """Clocks and disks of every machine that something runs on; this one's are looked at with its data directory."""
    if not any(one.alive and one.sign for one in signs.processes):
        return
    known, wrong = dict(facts(signs)), {one.kind for one in found}
    if TroubleKind.CLOCK not in wrong:
        notes.good(f"Clocks of the machines and the database: {known['Clocks'].lower()}.")
    if len(folders := shared_folder.by_name(signs)) == 1 and len(hosts := next(iter(folders.values()))) > 1:
        notes.good(f"The folder of imports is one for {', '.join(hosts)}.")
    if TroubleKind.DISK not in wrong:
        notes.good(f"Room for the data directories: {known['Room on the disk']}.")


def _duties(notes: Notes, signs: Signs, found: list[Found]) -> None:
    """Whether everything that is to be done by the clock has been done, as far as somebody was there to do it."""
    since = min((one.started_at for one in signs.living("worker")), default=None)
    if since is None:
        return
    failing = {one.subject for one in found if one.kind is TroubleKind.JOB}
    late = sorted(f"{job} ({ago(last, signs)})" for job, last in _late(signs, since) if job not in failing)
    if late:
        more = f" and {len(late) - _MOST_NAMED} more" if len(late) > _MOST_NAMED else ""
        notes.warning(
            "What should have been done by the clock was last done too long ago:"
            f" {', '.join(late[:_MOST_NAMED])}{more}.",
            "Look into the workers' logs. A long import or a large act on subscribers may hold up its own duty.",
        )
    else:
        notes.good(f"Each of the {len(TICKS)} duties of the clock was done when it was due.")
    tidied = signs.last(totals.JOB, _TIDYING)
    if tidied is not None:
        notes.good(f"What is kept for a time only was last tidied away {ago(tidied, signs)}.")


def _late(signs: Signs, since: datetime) -> Iterator[tuple[str, datetime | None]]:
    for tick in TICKS:
        last = signs.last(totals.JOB, tick.job)
        if signs.now - max(last or since, since) > 2 * timedelta(seconds=tick.seconds) + _GRACE:
            yield tick.job, last
