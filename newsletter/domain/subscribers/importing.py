"""Bringing in people who agreed elsewhere. An import needs a source, obeys every suppression, and brings nobody back.

This is one file at once, as the command line does it; `import_runs` does the same in the background. Both open a
transaction for each batch, because one for all would keep every other writer waiting. Run again after an interruption,
it finds those it has brought in already.
"""

import logging
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from ...config import current_settings
from ...db import db, transaction
from ...errors import Invalid, Problem
from ...i18n import gettext as _
from ...models import Account, MailingList
from ..staff import activity
from . import import_on_sqlite, import_writing, indexing, moving_in, offering, sectors, suppressing
from .import_cells import Refused
from .import_child import read_batches
from .import_evidence import Evidence, facts_of_all
from .import_reading import LARGEST, understand
from .import_rows import Batch, Task

_log = logging.getLogger(__name__)
#: Lines in one transaction: many, for the indexes' sake; others who write wait for less than a second.
BATCH = 50_000
#: More refused lines than this are counted and not listed: the file is then another than was meant.
_MOST_LISTED = 1_000
LONGEST_SOURCE = 200


@dataclass
class ImportReport:
    """What came of each line. `rows` is the sum of the eight counts that follow it.

    `suppressed`: never to be written to; `left`: had left this list and must ask themselves; `duplicates`: a second
    line for one address; `kept_out`: left another sender, or came back there, and is written to no more; `staying`:
    the same, and is subscribed here now. `bad_rows` are the lines that cannot be used.
    """

    dry_run: bool
    encoding: str
    kind: str = moving_in.Kind.CSV.value
    rows: int = 0
    added: int = 0
    already: int = 0
    suppressed: int = 0
    left: int = 0
    duplicates: int = 0
    kept_out: int = 0
    staying: int = 0
    bad: int = 0
    bad_rows: list[Refused] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For machines: JSON-ready."""
        return {**asdict(self), "bad_rows": [one._asdict() for one in self.bad_rows]}


def read_upload(upload: Path, folder: Path) -> dict[str, Any]:
    """Understand an upload: {"kind", "files": [[path, layout], …]}. Raises Invalid, in a sentence."""
    files = [(path, understand(path)) for path in moving_in.unpack(upload, folder)]
    kinds = {moving_in.kind_of(layout) for _path, layout in files} - {moving_in.Kind.CSV}
    return {
        "kind": kinds.pop().value if len(kinds) == 1 else moving_in.Kind.CSV.value,
        "files": [[str(path), layout.as_dict()] for path, layout in files],
    }


def task(files: list[Any], facts: str = "", *, size: int = BATCH, skip: int = 0) -> Task:
    """What the reader is handed. `facts`: of the events that are to be written (see `import_evidence`)."""
    known = {}
    for sector in sectors.every():
        known[sector.slug.lower()] = known[sector.name.strip().lower()] = sector.slug
    keys = current_settings().secret_keys
    form = db.engine.dialect.name
    planned = *import_on_sqlite.newest_numbers(db.session.connection()), facts.encode()
    return Task([(path, layout) for path, layout in files], keys, suppressing.PURPOSE, size, skip, known, form, planned)


def checked_source(source: str) -> str:
    """The source as it is kept. Raises Invalid for a missing one, or a long one."""
    if not source.strip():
        raise Invalid([Problem("source", _("Say where these people agreed to get this, and when."))])
    if len(source) > LONGEST_SOURCE:
        raise Invalid([Problem("source", _("Say it in 200 characters or fewer; the rest belongs into the note."))])
    return source.strip()


def evidence(source: str, note: str, actor_id: int | None) -> Evidence:
    """What is kept with each person of an import."""
    return Evidence(source, note.strip(), actor_id, offering.privacy_version())


def take(batch: Batch, list_id: int, shown: Evidence, now: datetime, *, dry_run: bool) -> Counter[str]:
    """Deal with one batch, in the running transaction; with `dry_run` only count. What came of its lines."""
    counts = Counter(one.outcome for one in batch.refused)
    note = _("Import: {source}").format(source=shown.source)
    counts.update(import_writing.keep_out(batch, note, now, shown.actor_id, dry_run=dry_run))
    if batch.many:
        if dry_run:
            added, others = import_writing.look(batch, list_id)
        else:
            added, others = import_writing.write(batch, list_id, shown, now)
        counts.update({**others, "added": added})
    return counts


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
    source = checked_source(source)
    with tempfile.TemporaryDirectory(prefix="newsletter-import-") as folder:
        read = read_upload(_as_path(path_or_file, Path(folder)), Path(folder))
        report = ImportReport(dry_run, read["files"][0][1]["encoding"], read["kind"])
        list_id, shown = mailing_list.id, evidence(source, basis_note, actor.id if actor else None)
        facts = "" if dry_run else facts_of_all(shown, now)
        with read_batches(task(read["files"], facts)) as found:
            for batch in found:
                if dry_run:
                    counts = take(batch, list_id, shown, now, dry_run=True)
                    db.session.rollback()
                else:
                    with transaction():
                        counts = take(batch, list_id, shown, now, dry_run=False)
                _put(report, batch, counts)
                if on_progress is not None:
                    on_progress(batch.rows)
    if not dry_run:
        with transaction() as session:
            numbers = {name: number for name, number in report.as_dict().items() if type(number) is int}
            record(session.get_one(MailingList, list_id), source, numbers, actor=actor, now=now)
    return report


def record(
    mailing_list: MailingList, source: str, numbers: dict[str, Any], *, actor: Account | None, now: datetime
) -> None:
    """The line of an import in the record of activity; and what is to be done after it."""
    indexing.ring_for_words()
    activity.record("subscribers.imported", actor=actor, now=now, mailing_list=mailing_list, source=source, **numbers)
    _log.info("Imported %d of %d lines", numbers.get("added", 0), numbers.get("rows", 0))


def _put(report: ImportReport, batch: Batch, counts: Counter[str]) -> None:
    report.rows += batch.rows
    for name, number in counts.items():
        setattr(report, name, getattr(report, name) + number)
    bad = (one for one in batch.refused if one.outcome == "bad")
    report.bad_rows += list(bad)[: _MOST_LISTED - len(report.bad_rows)]


def _as_path(path_or_file: Path | str | BinaryIO, folder: Path) -> Path:
    try:
        if isinstance(path_or_file, Path | str):
            with Path(path_or_file).open("rb"):
                return Path(path_or_file)
        path = folder / "upload"
        with path.open("wb") as target:
            while piece := path_or_file.read(1024 * 1024):
                target.write(piece)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        sentence = _("The file %(path)s cannot be read (%(reason)s).") % {"path": path_or_file, "reason": reason}
        raise Invalid([Problem("file", sentence)]) from None
    if path.stat().st_size > LARGEST:
        raise Invalid([Problem("file", _("The file is larger than 1 GB. Split it."))])
    return path
