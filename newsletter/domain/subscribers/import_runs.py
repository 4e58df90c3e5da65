"""An import in the background: uploaded, looked through, brought in, a batch at a time.

What is done stands in the row, in the transaction of the people themselves. So a run that was killed goes on where it
was, two that meet do everything once, and a press of "Stop" is obeyed at the next batch.
"""

import logging
import uuid
from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult

from ...db import db, on_commit, transaction, why_unavailable
from ...errors import NotFound, Refused
from ...i18n import gettext as _
from ...models import Account, ImportRun
from ...states import ImportState
from ...work.queue import ring
from ..staff import activity
from . import import_files, import_writing, importing, offering, subscribing
from .import_child import read_batches
from .import_evidence import Evidence, facts_of_all
from .import_rows import Batch

_log = logging.getLogger(__name__)
_JOB = "run_import"
#: Who is asked to confirm gets a mail and rows of their own, so few of them make a transaction.
_ASK_BATCH = 200
#: How long the report of one that is done is kept.
KEPT = timedelta(days=30)
_LEFT_LYING = timedelta(days=7)


def find(key: uuid.UUID) -> ImportRun:
    """The import with this public id. Raises NotFound."""
    run = db.session.scalar(select(ImportRun).where(ImportRun.public_id == key))
    if run is None:
        raise NotFound(_("There is no such import. It may have been removed."))
    return run


def recent(list_ids: list[int]) -> list[ImportRun]:
    """The imports of these lists that are kept, newest first."""
    chosen = select(ImportRun).where(ImportRun.list_id.in_(list_ids)).order_by(ImportRun.id.desc()).limit(20)
    return list(db.session.scalars(chosen))


def start(run: ImportRun, *, look: bool, actor: Account, now: datetime) -> None:
    """Look through the file, changing nothing, or bring the people in. Raises Refused for one that is not ready."""
    locked(run, ImportState.UPLOADED, ImportState.FAILED)
    if not run.source or (not look and not looked(run)):
        raise Refused(_("Look through the file first."))
    run.mapping = {**run.mapping, "look": look}
    run.state, run.started_at = ImportState.RUNNING, now
    run.counts, run.done_rows, run.problem = {}, 0, ""
    if not look:
        activity.record(
            "import.started", actor=actor, now=now, mailing_list=run.mailing_list, subject=("import", run.id)
        )
    ring(_JOB, run.id)


def stop(run: ImportRun, *, actor: Account, now: datetime) -> None:
    """Stop at the next batch. Who was brought in stays. Raises Refused for one that does not run."""
    locked(run, ImportState.RUNNING)
    run.state = ImportState.STOPPED
    activity.record("import.stopped", actor=actor, now=now, mailing_list=run.mailing_list, subject=("import", run.id))


def go_on(run: ImportRun, *, actor: Account, now: datetime) -> None:
    """Go on where it was stopped, or failed. Raises Refused for one that runs or is done."""
    locked(run, ImportState.STOPPED, ImportState.FAILED)
    run.state, run.problem = ImportState.RUNNING, ""
    activity.record("import.resumed", actor=actor, now=now, mailing_list=run.mailing_list, subject=("import", run.id))
    ring(_JOB, run.id)


def discard(run: ImportRun) -> None:
    """Remove an import and its files; who was brought in stays. Raises Refused while it runs."""
    locked(run, ImportState.UPLOADED, ImportState.STOPPED, ImportState.FAILED, ImportState.DONE)
    key = run.public_id
    db.session.delete(run)
    on_commit(lambda: import_files.remove(key))


def looked(run: ImportRun) -> bool:
    """Whether the file was looked through as it is described now."""
    return run.state is ImportState.UPLOADED and bool(run.counts)


def is_look(run: ImportRun) -> bool:
    """Whether the run looks through the file and changes nothing."""
    return bool(run.mapping.get("look"))


def running() -> list[int]:
    """The imports that should be running."""
    return list(db.session.scalars(select(ImportRun.id).where(ImportRun.state == ImportState.RUNNING)))


def perform(run_id: int, now: datetime) -> None:
    """Do what is left of an import, unless somebody does already. Opens a transaction for each batch."""
    run = db.session.get(ImportRun, run_id)
    if run is None or run.state is not ImportState.RUNNING:
        return
    with import_files.only_here(run.public_id) as mine:
        if not mine:
            return
        try:
            _perform(run_id, now)
        except Exception as error:
            db.session.rollback()
            if why_unavailable(error):
                raise
            _log.exception("The import %d failed", run_id)
            with transaction() as session:
                failed = session.get_one(ImportRun, run_id)
                failed.state = ImportState.FAILED
                failed.problem = _("Something went wrong while it was under way. Who was brought in stays.")


def _perform(run_id: int, now: datetime) -> None:
    run = db.session.get_one(ImportRun, run_id)
    db.session.refresh(run)
    size = _ASK_BATCH if run.ask_them and not is_look(run) else importing.BATCH
    files = import_files.files_of(run.public_id, run.mapping["files"])
    shown = importing.evidence(run.source, run.basis_note, run.account_id)
    facts = "" if is_look(run) or run.ask_them else facts_of_all(shown, run.started_at or run.created_at)
    task = importing.task(files, facts, size=size, skip=run.done_rows)
    db.session.rollback()
    with read_batches(task) as found:
        done = task.skip
        for batch in found:
            if not _one(run_id, batch, done, now):
                return
            done += batch.rows
    with transaction() as session:
        _end(session.get_one(ImportRun, run_id), done, now)


def _one(run_id: int, batch: Batch, done: int, now: datetime) -> bool:
    """Deal with a batch. False if it is not ours to deal with any more: stopped, or dealt with by another."""
    run = db.session.get_one(ImportRun, run_id)
    counts: Counter[str] = Counter()
    dry = is_look(run)
    shown = importing.evidence(run.source, run.basis_note, run.account_id)
    if dry:
        # Outside of the transaction: whoever looks keeps nobody from writing.
        counts = importing.take(batch, run.list_id, shown, run.started_at or run.created_at, dry_run=True)
        db.session.rollback()
    # How far it is goes with the people: a machine that loses its power does the last batches again.
    with transaction(lasting=False) as session:
        run = session.get_one(ImportRun, run_id, with_for_update=True)
        if run.state is not ImportState.RUNNING or run.done_rows != done:
            return False
        at = run.started_at or run.created_at
        if not dry and run.ask_them:
            counts = _ask(batch, run, shown, now)
        elif not dry:
            counts = importing.take(batch, run.list_id, shown, at, dry_run=False)
        kept = Counter({name: number for name, number in run.counts.items() if name != "report_bytes"})
        report = import_files.add_to_report(run.public_id, batch.refused, run.counts.get("report_bytes", 0))
        written = session.execute(
            update(ImportRun)
            .where(ImportRun.id == run_id, ImportRun.done_rows == done)
            .values(
                done_rows=done + batch.rows,
                rows=max(run.rows, done + batch.rows),
                counts={**(kept + counts), "report_bytes": report},
            )
        )
        assert isinstance(written, CursorResult) and written.rowcount == 1
    return True


def _ask(batch: Batch, run: ImportRun, shown: Evidence, now: datetime) -> Counter[str]:
    """Write to everybody who would be added, and ask. The address of each is theirs to confirm."""
    counts = Counter(one.outcome for one in batch.refused)
    note = _("Import: {source}").format(source=shown.source)
    counts.update(import_writing.keep_out(batch, note, now, shown.actor_id, dry_run=False))
    wording = offering.wording_of(run.mailing_list, now)
    if not batch.many or wording is None:
        return counts
    asked, others = import_writing.left_over(batch, run.list_id)
    for person in asked:
        subscribing.request_subscription(
            address=person.address,
            lists_with_wordings=[(run.mailing_list, wording)],
            name=person.name,
            organisation=person.organisation,
            source=_("Import: {source}").format(source=shown.source)[:200],
            now=now,
        )
    counts.update({**others, "asked": len(asked)})
    return counts


def _end(run: ImportRun, done: int, now: datetime) -> None:
    if run.state is not ImportState.RUNNING:
        return
    run.rows, run.finished_at = done, now
    if not run.counts:
        run.counts = {"report_bytes": import_files.add_to_report(run.public_id, (), 0)}
    if is_look(run):
        run.state = ImportState.UPLOADED
        return
    run.state = ImportState.DONE
    key = run.public_id
    on_commit(lambda: import_files.remove_upload(key))
    account = db.session.get(Account, run.account_id) if run.account_id else None
    numbers = {name: number for name, number in run.counts.items() if name != "report_bytes"}
    importing.record(run.mailing_list, run.source, {"rows": done, **numbers}, actor=account, now=now)


def forget_old(now: datetime) -> int:
    """Remove the files of imports that are long done, or were left lying; how many. Run daily."""
    done = (ImportRun.state == ImportState.DONE) & (ImportRun.finished_at <= now - KEPT)
    lying = (ImportRun.state.in_((ImportState.UPLOADED, ImportState.STOPPED, ImportState.FAILED))) & (
        ImportRun.created_at <= now - _LEFT_LYING
    )
    over = list(db.session.scalars(select(ImportRun).where(done | lying)))
    for run in over:
        discard(run)
    return len(over)


def locked(run: ImportRun, *states: ImportState) -> None:
    """Look at it again, alone. Raises Refused where it is in none of these states any more."""
    db.session.refresh(run, with_for_update=True)
    if run.state not in states:
        raise Refused(_("The import stands elsewhere by now: look at it again."))
