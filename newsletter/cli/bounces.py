"""`newsletter bounces …`: take in one mail that came back, or look into the mailbox now."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from .. import clock
from ..db import why_unavailable
from ..delivery.returns.feedback import TakenIn, take_in
from ..delivery.returns.inbox import read_inbound
from ..errors import Refused
from ..mail.inbound import LONGEST, received_at
from ..mail.reports import KINDS, Dsn, Report, read_report
from .context import print_json, refuse, with_app

#: EX_TEMPFAIL of sysexits.h: a mail server that pipes to us keeps the mail and tries again.
_TRY_AGAIN = 75
WORDS = {
    "dsn": "A report on delivery",
    "arf": "A complaint",
    "automatic": "An automatic answer",
    "unknown": "No report that can be understood",
    "forged": "Made to look like ours",
    "contribution": "News by email",
}


@click.group()
def bounces() -> None:
    """Mail that came back: bounces, complaints, automatic answers."""


@bounces.command("read")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--dry-run", is_flag=True, help="Say what it is; do nothing.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def read(file: Path, dry_run: bool, as_json: bool) -> None:
    """Take in one mail from FILE, or "-" for standard input, and say what it was.

    Fit for a mail server's pipe: the exit status is 0 whatever the mail is, and 75 (try again) while the database
    is away.
    """
    raw = read_raw(file, LONGEST)
    if dry_run:
        _tell_report(read_report(raw), as_json)
        return
    with or_try_again():
        taken, at = _take_in(raw)
    tell(taken, at, as_json)


@bounces.command("poll")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@with_app
def poll(as_json: bool) -> None:
    """Look into the mailbox of NEWSLETTER_INBOUND_URL now. The worker does so every minute by itself."""
    looked = read_inbound()
    if looked is None:
        raise Refused("No mailbox is set: NEWSLETTER_INBOUND_URL says which one bounces come back to.")
    if as_json:
        print_json({"source": looked.source, "taken": dict(looked.taken), "problem": looked.problem})
    else:
        for kind, number in sorted(looked.taken.items()):
            click.echo(f"{number:>6,}  {WORDS.get(kind, kind)}")
        if not looked.taken and not looked.problem:
            click.echo(f"Nothing new in {looked.source}.")
    if looked.problem:
        refuse(looked.problem)


@contextmanager
def or_try_again() -> Iterator[None]:
    """End with 75 where the database is away, so that the mail server keeps the mail."""
    try:
        yield
    except Exception as error:
        if not (why := why_unavailable(error)):
            raise
        click.echo(f"The database cannot be used at the moment: {why}. Send the mail again later.", err=True)
        sys.exit(_TRY_AGAIN)


@with_app
def _take_in(raw: bytes) -> tuple[TakenIn, datetime]:
    now = clock.now()
    at = received_at(raw, now)
    return take_in(raw, "pipe", at, now), at


def read_raw(file: Path, most: int) -> bytes:
    """The first of the mail. A pipe is emptied, so that its writer is not cut off. Raises Refused."""
    if str(file) == "-":
        raw = sys.stdin.buffer.read(most)
        while sys.stdin.buffer.read(LONGEST):
            pass
        return raw
    try:
        with file.open("rb") as opened:
            return opened.read(most)
    except OSError as error:
        raise Refused(f"The file {file} cannot be read ({error.strerror or type(error).__name__}).") from None


def tell(taken: TakenIn, at: datetime, as_json: bool) -> None:
    """Say what became of a mail."""
    if as_json:
        print_json(
            {
                "kind": taken.kind,
                "state": taken.state.value,
                "note": taken.note,
                "known": taken.known,
                "received_at": at.isoformat(),
            }
        )
        return
    again = " It was taken in before." if taken.known else ""
    click.echo(f"{WORDS.get(taken.kind, taken.kind)}. {taken.note}{again}")


def _tell_report(report: Report, as_json: bool) -> None:
    """What a mail is by itself; whether it is about us is not asked."""
    kind = KINDS[type(report)]
    recipients = report.recipients if isinstance(report, Dsn) else ()
    if as_json:
        print_json({"kind": kind, "subject": report.subject, "recipients": [vars(one) for one in recipients]})
        return
    click.echo(f"{WORDS[kind]}. {report.subject}")
    for one in recipients:
        click.echo(f"  {one.final_recipient}: {one.action} {one.status} {one.diagnostic}".rstrip())
