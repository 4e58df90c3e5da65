"""`newsletter subscribers …`: bring in, take out, look up, forget."""

import sys
from contextlib import closing
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import click

from .. import addresses, clock, dates
from ..config import current_settings
from ..db import transaction
from ..domain.staff.mailing_lists import find_list
from ..domain.subscribers import exporting, forgetting, importing, joining, story, suppressing, taking_out
from ..models import Subscriber
from . import consent
from .context import print_json, refuse, with_app

_COUNTS = (
    ("added", "added"),
    ("already", "on the list already"),
    ("left", "left this list before, not brought back"),
    ("suppressed", "never to be written to, not added"),
    ("duplicates", "second lines for one address"),
    ("kept_out", "left the other sender or came back there, and are written to no more"),
    ("staying", "left the other sender, and are subscribed here now"),
    ("bad", "lines that cannot be used"),
)


@click.group()
def subscribers() -> None:
    """The people on the lists."""


for _command in consent.COMMANDS:
    subscribers.add_command(_command)


@subscribers.command("import")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--list", "slug", required=True, metavar="SLUG", help="Which list.")
@click.option("--source", required=True, metavar="TEXT", help="Where and when these people agreed.")
@click.option("--note", default="", metavar="TEXT", help="What they were told when they agreed.")
@click.option("--dry-run", is_flag=True, help="Read and report; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="The report for machines.")
@with_app
def import_file(file: Path, slug: str, source: str, note: str, dry_run: bool, as_json: bool) -> None:
    """Put everybody in a CSV file (email, name, organisation) on a list. "-" reads from standard input."""
    mailing_list = find_list(slug)
    raw = _read(file)
    total = raw.count(b"\n")
    with click.progressbar(
        length=total, label="Importing", file=sys.stderr, hidden=as_json or not sys.stderr.isatty()
    ) as bar:
        report = importing.import_csv(
            BytesIO(raw),
            mailing_list,
            source=source,
            basis_note=note,
            dry_run=dry_run,
            actor=None,
            now=clock.now(),
            on_progress=bar.update,
        )
    if as_json:
        print_json(report.as_dict())
        return
    click.echo(f"{report.rows:,} lines read ({report.encoding}){': nothing was written' if dry_run else ''}")
    for name, words in _COUNTS:
        if getattr(report, name):
            click.echo(f"{getattr(report, name):>9,}  {words}")
    for bad in report.bad_rows[:50]:
        click.echo(f"line {bad.line}: {bad.reason} {bad.value}".rstrip(), err=True)
    if report.bad > 50:
        click.echo(f"… and {report.bad - 50:,} more; --json lists them", err=True)


def _read(file: Path) -> bytes:
    if str(file) == "-":
        stream: BinaryIO = sys.stdin.buffer
        return stream.read()
    try:
        return file.read_bytes()
    except OSError as error:
        refuse(f"The file {file} cannot be read ({error.strerror or type(error).__name__}).")
        raise


@subscribers.command("export")
@click.option("--list", "slug", metavar="SLUG", help="Only this list.")
@click.option(
    "--reason", default="Not said", show_default=True, metavar="TEXT", help="What it is for; kept in the record."
)
@with_app
def export(slug: str | None, reason: str) -> None:
    """Write all subscriptions to standard output, as a CSV file that is safe to open in a spreadsheet.

    The record of exports says when it was, why, and how many lines there were.
    """
    whom, output = taking_out.whole_list(find_list(slug) if slug else None), sys.stdout.buffer
    with transaction():
        made = taking_out.begin(whom, exporting.COLUMNS, reason, actor=None, door="command", now=clock.now())
    with closing(taking_out.lines(whom, made, actor=None)) as lines:
        for some in lines:
            output.write(some.encode())
        output.flush()


@subscribers.command("show")
@click.argument("email")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@with_app
def show(email: str, as_json: bool) -> None:
    """What is held about one address."""
    address = addresses.clean(email)
    held = _held(address)
    if as_json:
        print_json(held)
        return
    if not held["subscriber"] and not held["suppressions"]:
        refuse(f"Nothing is held about {address}.")
    for name, value in (held["subscriber"] or {}).items():
        click.echo(f"{name}: {value}")
    for one in held["subscriptions"]:
        click.echo(f"list: {one['list']}, {one['state']}, since {one['since']}")
    for one in held["suppressions"]:
        click.echo(f"not written to: {one['reason']}, since {one['at']}{', ' + one['note'] if one['note'] else ''}")
    for event in held["story"]:
        click.echo(f"{event['at']}  {event['what']}. {event['more']}")
        if event["quote"]:
            click.echo(f"    “{event['quote']}”")


def _held(address: str) -> dict[str, Any]:
    subscriber = joining.find_subscriber(address)
    zone = current_settings().timezone
    return {
        "subscriber": _person(subscriber) if subscriber else None,
        "subscriptions": [
            {
                "list": one.mailing_list.slug,
                "state": one.state.value,
                "since": dates.moment(one.joined_at, zone),
                "source": one.source,
                "paused_until": dates.moment(one.paused_until, zone) if one.paused_until else None,
            }
            for one in (subscriber.subscriptions if subscriber else [])
        ],
        "suppressions": [
            {"reason": one.reason.value, "at": dates.moment(one.at, zone), "note": one.note}
            for one in suppressing.suppressions_of(address)
        ],
        "story": [
            {**asdict(event), "at": dates.moment(event.at, zone)}
            for event in (story.story(subscriber) if subscriber else [])
        ],
    }


def _person(subscriber: Subscriber) -> dict[str, str]:
    return {"email": subscriber.address, "name": subscriber.name, "organisation": subscriber.organisation}


@subscribers.command("forget")
@click.argument("email")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@with_app
def forget(email: str, as_json: bool) -> None:
    """Erase everything that names a person; a code that stands for the address keeps it off the lists."""
    address = addresses.clean(email)
    with transaction():
        erased = forgetting.erase_address(address, route="command line", now=clock.now())
    if as_json:
        print_json(asdict(erased))
    elif erased.anything:
        click.echo(f"Forgotten. {erased.subscriptions} subscription(s) ended; nothing that names the person is left.")
    else:
        click.echo("Nothing was held about this address. It is now on the list of those never to be imported.")
