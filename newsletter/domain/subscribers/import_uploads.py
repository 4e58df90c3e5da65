"""The beginning of an import: a file is taken in and understood, and a person says what is what in it."""

from datetime import datetime
from pathlib import Path
from typing import IO

from ...db import transaction
from ...errors import Invalid, Problem
from ...i18n import gettext as _
from ...models import Account, ImportRun, MailingList
from ...models._columns import public_id
from ...states import ImportState
from ..staff.permissions import Permission, require
from . import import_files, importing, offering
from .import_reading import COLUMNS, Layout, newlines
from .import_runs import locked


def begin(mailing_list: MailingList, file_name: str, upload: IO[bytes], *, actor: Account, now: datetime) -> ImportRun:
    """Take an upload in and understand it. Opens its own transaction, after the file was read.

    Raises Invalid for a file that is none, and keeps nothing of it then; NotAllowed.
    """
    require(actor, Permission.MANAGE_SUBSCRIBERS, mailing_list)
    key, list_id, account_id = public_id(), mailing_list.id, actor.id
    path = import_files.keep_upload(key, upload)
    try:
        mapping = importing.read_upload(path, path.parent)
        rows = sum(newlines(Path(file)) for file, _layout in mapping["files"])
    except Invalid:
        import_files.remove(key)
        raise
    with transaction() as session:
        run = ImportRun(
            public_id=key,
            list_id=list_id,
            account_id=account_id,
            state=ImportState.UPLOADED,
            file_name=file_name[-200:],
            mapping=mapping,
            rows=rows,
            created_at=now,
        )
        session.add(run)
    return run


def describe(
    run: ImportRun, columns: list[dict[str, int]], *, source: str, note: str, ask_them: bool, now: datetime
) -> None:
    """Say which column is what in each file, where the people agreed, and whether they are asked. Raises Invalid."""
    locked(run, ImportState.UPLOADED, ImportState.FAILED)
    problems = []
    for index, (_path, kept) in enumerate(run.mapping["files"]):
        chosen, wide = columns[index], max(len(cells) for cells in [kept["head"], *kept["shown"]])
        if "email" not in chosen:
            problems.append(Problem(f"columns-{index}", _("Say which column holds the email addresses")))
        elif len(set(chosen.values())) < len(chosen):
            problems.append(Problem(f"columns-{index}", _("Two things cannot stand in one column")))
        elif not set(chosen) <= set(COLUMNS) or not all(0 <= at < wide for at in chosen.values()):
            problems.append(Problem(f"columns-{index}", _("The file has no such column")))
    try:
        source = importing.checked_source(source)
    except Invalid as error:
        problems += error.problems
    if not ask_them and not note.strip():
        problems.append(Problem("note", _("Say how it can be shown that they agreed, or have them asked")))
    if ask_them and (offering.wording_of(run.mailing_list, now) is None or offering.privacy_version() is None):
        problems.append(Problem("how", _("The list has no words that people agree to yet, so nobody can be asked")))
    if problems:
        raise Invalid(problems)
    files = [[path, {**kept, "columns": columns[at]}] for at, (path, kept) in enumerate(run.mapping["files"])]
    run.mapping = {"kind": run.mapping["kind"], "files": files}
    run.source, run.basis_note, run.ask_them = source, note.strip(), ask_them
    run.counts, run.done_rows, run.problem = {}, 0, ""


def layouts(run: ImportRun) -> list[Layout]:
    """How each of its files is written."""
    return [Layout.of(kept) for _path, kept in run.mapping["files"]]
