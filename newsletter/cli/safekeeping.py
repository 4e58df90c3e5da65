"""`newsletter backup`, `restore` and `migrate-data`: keeping an installation safe, and moving it."""

import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click

from .. import clock, dates
from ..config import current_settings
from ..config_reader import PREFIX, SettingReader
from ..operations import backups
from ..safekeeping import archive
from ..safekeeping.aftermath import Settled
from ..safekeeping.backing_up import back_up
from ..safekeeping.manifest import Manifest
from ..safekeeping.moving import Moved, move
from ..safekeeping.passphrase import read_passphrase
from ..safekeeping.restoring import restore as put_back
from .context import print_json, refuse, with_app

_file = click.argument("file", type=click.Path(path_type=Path))
_passphrase_file = click.option(
    "--passphrase-file", metavar="FILE", type=click.Path(path_type=Path),
    help="A file whose first line is the passphrase.",
)  # fmt: skip


class Bars:
    """A bar on standard error for each stretch of work, one after the other; none where it is not a terminal."""

    def __init__(self) -> None:
        self._label, self._done = "", 0
        self._bar: Any = None

    def __call__(self, label: str, done: int, whole: int) -> None:
        if label != self._label:
            self.end()
            self._label, self._done = label, 0
            self._bar = click.progressbar(length=whole, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())
            self._bar.__enter__()
        self._bar.update(done - self._done)
        self._done = done

    def __enter__(self) -> "Bars":
        return self

    def __exit__(self, *_why: object) -> None:
        self.end()

    def end(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None


@click.command()
@_file
@_passphrase_file
@click.option("--verify", is_flag=True, help="Make nothing: read this backup to its end and compare every hash.")
def backup(file: Path, passphrase_file: Path | None, verify: bool) -> None:
    """Write everything to one file, while the installation runs. FILE may be a folder: the name is then the time."""
    passphrase = read_passphrase(passphrase_file, new=not verify) if passphrase_file else None
    if verify:
        _verify(file, passphrase)
    else:
        _back_up(file, passphrase)


@with_app
def _back_up(file: Path, passphrase: str | None) -> None:
    with Bars() as bars:
        made = back_up(file, passphrase, clock.now(), bars)
    backups.note(made.path, made.size)
    click.echo(f"{made.path}: {made.size / 1e6:,.1f} MB, {_about(made.manifest, current_settings().timezone)}.")
    if passphrase is None:
        click.echo(
            "It is not encrypted, and holds people's addresses and the keys: keep it where nobody else reads, or use"
            " --passphrase-file.",
            err=True,
        )


def _verify(file: Path, passphrase: str | None) -> None:
    with Bars() as bars:
        found = archive.look_into(file, passphrase, partial(bars, "Reading the backup"))
    click.echo(f"{file} is whole: {_about(found, 'UTC')}.")


@click.command()
@_file
@_passphrase_file
@click.option(
    "--logs", metavar="FOLDER", multiple=True, type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the erasures.log and objections.log of the lost installation are: who was forgotten or left since.",
)  # fmt: skip
def restore(file: Path, passphrase_file: Path | None, logs: tuple[Path, ...]) -> None:
    """Put a backup back, into an empty data directory (and an empty PostgreSQL database, where it is of one).

    Only the team gets mail from it until somebody changes that under Settings, Who gets mail.
    """
    passphrase = read_passphrase(passphrase_file, new=False) if passphrase_file else None
    with Bars() as bars:
        done = put_back(file, passphrase, list(logs), clock.now(), bars)
    click.echo(f"Restored to {done.data_dir}: {_about(done.manifest, 'UTC')}.")
    for sentence in _settled_words(done.settled):
        click.echo(sentence)
    if not logs:
        click.echo(
            "No --logs were given: whoever left or asked to be forgotten after this backup was made is not known here.",
            err=True,
        )


def _settled_words(settled: Settled) -> list[str]:
    """What a person has to know and to decide now."""
    words = ["Only the team gets mail from here now. Settings, Who gets mail changes that."]
    words += [f"“{title}” was being sent, and is paused: its page says what to look at." for title in settled.paused]
    words += [f"“{title}” was scheduled, and is not any more: schedule it again." for title in settled.unscheduled]
    counted = (
        (settled.unsure, "messages may have been sent after the backup was made: see newsletter issues unsure"),
        (settled.notices, "mails to one person may have been sent since: see Settings, Notices"),
        (settled.erased, "people were forgotten again"),
        (settled.suppressed, "addresses get no mail again"),
        (settled.left, "subscriptions ended again"),
    )
    return words + [f"{number:>9,}  {what}" for number, what in counted if number]


def _about(found: Manifest, zone: str) -> str:
    people = found.rows.get("subscriber", 0)
    kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[found.database]
    when = dates.moment(found.made_at, zone)
    return f"made at {when}, {people:,} subscribers, {sum(found.rows.values()):,} rows of {kind}, tables {found.schema}"


@click.command("migrate-data")
@click.option("--to", metavar="URL", help="An empty PostgreSQL database: postgresql://user:password@host:5432/name.")
@click.option(
    "--to-file", metavar="FILE", type=click.Path(path_type=Path),
    help="A file with that address in it: passwords on a command line are read by everybody on the machine.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Every table with its rows and its hash, for machines.")
def migrate_data(to: str | None, to_file: Path | None, as_json: bool) -> None:
    """Copy an SQLite installation to PostgreSQL, and prove that both hold the same.

    Exit status 1, with what to do, where the installation was written to meanwhile: then it was a rehearsal.
    """
    if (to is None) == (to_file is None):
        raise click.UsageError("Say where to with --to or --to-file.")
    _migrate_data(to or SettingReader({f"{PREFIX}TO_FILE": str(to_file)}).text("TO"), as_json)


@with_app
def _migrate_data(to: str, as_json: bool) -> None:
    began = clock.now()
    with Bars() as bars:
        moved = move(to, began, bars)
    if as_json:
        tables = [asdict(table) for table in moved.tables]
        print_json({"went_on": moved.went_on, "running": moved.running, "tables": tables})
    else:
        full = [table for table in moved.tables if table.rows]
        for table in full:
            click.echo(f"{table.rows:>12,}  {table.table:<24} {table.digest[:16]}…")
        click.echo(f"{moved.rows:,} rows in {len(full)} tables are in PostgreSQL, each as it was.")
    if moved.rehearsed:
        refuse(_only_rehearsed(moved, dates.moment(began, current_settings().timezone)))
    if not as_json:
        click.echo(f"Now set {PREFIX}DATABASE_URL to it and start. {_stays()}")


def _only_rehearsed(moved: Moved, began: str) -> str:
    why = f"This installation was written to while it was copied: what was written after {began} is not in PostgreSQL."
    if not moved.went_on:
        names = {"web": "pages", "worker": "worker", "scheduler": "scheduler"}
        running = " and the ".join(names[part] for part in moved.running)
        why = f"The {running} of this installation still run: what they write from now on is not in PostgreSQL."
    return (
        f"{why} The copy is a rehearsal, and sends to its team alone. To move, stop this installation (the pages and"
        " the worker), empty the PostgreSQL database (dropdb, createdb) and run this again."
    )


def _stays() -> str:
    return (
        f"The data directory {current_settings().data_dir} goes on being used: keys, logs and uploads are there. On"
        " another machine, copy it over without newsletter.db. The SQLite file was not touched: keep it until you are"
        " sure."
    )
