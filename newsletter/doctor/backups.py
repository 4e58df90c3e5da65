"""The last backup: how old it is, where it lies, and whether that file is still there as it was written."""

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from ..config import Settings
from ..db import db
from ..operations.backups import LastBackup, last_of
from ..operations.facts import ago, size
from ..operations.signs import Signs
from .findings import Notes

#: Where the settings name no age at which a backup is too old.
_OLD = timedelta(days=7)
_PATIENCE_SECONDS = 10


def examine_backup(settings: Settings, signs: Signs, notes: Notes) -> None:
    """Add what is known of the last backup to `notes`."""
    if not settings.sqlite:
        _pg_dump(notes)
    last = last_of(signs.totals)
    if last is None:
        notes.warning("No backup has been made yet.", "Make one each night: docs/backup.md, newsletter backup.")
        return
    where = f" on {last.host}" if last.host else ""
    oldest = timedelta(hours=settings.backup_hours) if settings.backup_hours else _OLD
    words = f"The last backup was made {ago(last.at, signs)}{where}."
    if signs.now - last.at > oldest:
        notes.warning(words, f"Make one at least every {oldest // timedelta(hours=1)} hours: newsletter backup.")
    else:
        notes.good(words)
    if last.path is not None and last.is_here:
        _file(notes, last, last.path)
    elif last.path is not None:
        notes.unknown(f"Whether {last.path} is still there is to be seen on {last.host} alone.")


def _file(notes: Notes, last: LastBackup, path: Path) -> None:
    verify = f"newsletter backup --verify “{path}” reads it to its end; put one back twice a year."
    try:
        there = path.stat().st_size
        with path.open("rb") as file:
            file.read(1)
    except FileNotFoundError:
        notes.warning(f"The file of the last backup, {path}, is not there any more.", "Was it taken to another place?")
    except OSError as error:
        notes.warning(f"The file of the last backup, {path}, cannot be read by this user ({error.strerror}).")
    else:
        if there != last.size:
            notes.wrong(
                f"The last backup, {path}, was {size(last.size)} long and is {size(there)} now ({there} bytes, not"
                f" {last.size}): it is damaged.",
                "Make another one, and find out what changed it.",
            )
        else:
            notes.good(f"It lies in {path} as long as it was written ({size(there)}).", verify)


def _pg_dump(notes: Notes) -> None:
    """Whether this machine could make a backup of PostgreSQL: pg_dump refuses a server that is newer than itself."""
    program = shutil.which("pg_dump")
    if program is None:
        notes.warning(
            "There is no pg_dump on this machine: no backup can be made from here.",
            "Install PostgreSQL's client programs (postgresql-client), if backups are made on this machine.",
        )
        return
    said = subprocess.run(  # noqa: S603 (our words, and no shell)
        [program, "--version"], capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False
    ).stdout.split()
    ours = next((int(word.partition(".")[0]) for word in said if word[:1].isdigit()), 0)
    theirs = int(db.session.scalar(text("SELECT current_setting('server_version_num')")) or 0) // 10_000
    if ours < theirs:
        notes.wrong(
            f"pg_dump is of version {ours} here and PostgreSQL of version {theirs}: no backup can be made from here.",
            f"Install postgresql-client-{theirs}.",
        )
    else:
        notes.good(f"pg_dump is here, and new enough for PostgreSQL {theirs}.")
