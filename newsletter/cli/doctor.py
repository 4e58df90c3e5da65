"""`newsletter doctor`: what is in order, what is not, and what to do about it; nothing is changed.

What an examination over the network found is kept, for the page on which somebody decides to send.
"""

import sys
import textwrap
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import BinaryIO

import click
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from .. import clock
from ..app import create_app
from ..config import Settings
from ..doctor.examination import Examination, guarded
from ..doctor.fetching import fetch_probe
from ..doctor.findings import Area, Finding, Health, worst
from ..doctor.kept import last_probe
from ..doctor.probe import send_probe
from ..doctor.received import examine_received
from ..doctor.record import remember
from ..errors import Refused, SettingError
from ..mail.names import Names, NoNames, names_of_this_machine
from ..schema import newest_version, schema_version
from .context import print_json

_WIDTH = 100
_INDENT = 11
#: Looks into the mailbox for a probe that was sent a moment ago, five seconds apart.
_TRIES = 25
#: More than any mail of ours has: what is longer is refused by its reader.
_MOST_BYTES = 6_000_000
_COLOURS = {Health.GOOD: "green", Health.WARNING: "yellow", Health.WRONG: "red", Health.UNKNOWN: "cyan"}


@click.command()
@click.option("--probe", metavar="ADDRESS", help="Send one mail of an issue's shape to an address of your own.")
@click.option("--list", "slug", metavar="SLUG", help="The list that the probe comes from (the first, if not given).")
@click.option("--received", metavar="FILE", type=click.File("rb"), help="Read the source of a mail as it arrived (-).")
@click.option("--mailbox", is_flag=True, help="Read the last probe where it arrived, if that is the inbound mailbox.")
@click.option("--offline", is_flag=True, help="Ask nothing over the network.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def doctor(
    probe: str | None, slug: str | None, received: BinaryIO | None, mailbox: bool, offline: bool, as_json: bool
) -> None:
    """Look at the installation: data, settings, DNS, mail server, public address. Exit status 1 if something is wrong.

    With --probe, --received or --mailbox only that is done; --probe with --mailbox waits two minutes for the probe.
    """
    if received is not None and (probe is not None or mailbox):
        raise click.UsageError("--received goes by itself: it reads what arrived, however it was sent.")
    if offline and (probe is not None or mailbox):
        raise click.UsageError("A probe needs the network: leave out --offline.")
    report = _Report(as_json)
    app = _app(report)
    if app is not None:
        with app.app_context():
            if probe is not None and not _left(_probe(app, probe, slug, report)):
                sys.exit(report.end())
            if mailbox:
                _fetch(app, _TRIES if probe is not None else 1, report)
            elif received is not None:
                _read(app, received.read(_MOST_BYTES), _names(offline), report)
            elif probe is None:
                _examine(app, offline, report)
    sys.exit(report.end())


class _Report:
    """Shows each area as it is finished, or everything as JSON at the end."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._found: list[Finding] = []

    @property
    def found(self) -> list[Finding]:
        """All that was found so far."""
        return self._found

    def begin(self, area: Area) -> None:
        """What is being waited for; on a terminal only, in place of itself."""
        if not self._as_json and sys.stdout.isatty():
            click.echo(f"\r{area.value} …", nl=False)

    def add(self, area: Area, findings: list[Finding]) -> None:
        self._found += findings
        if self._as_json:
            return
        if sys.stdout.isatty():
            click.echo("\r\033[K", nl=False)
        click.secho(area.value, bold=True)
        for finding in findings:
            _show(finding)
        click.echo()

    def end(self) -> int:
        """Say how it stands as a whole; the exit status."""
        state = worst(self._found)
        if self._as_json:
            print_json({"state": state.value, "findings": [finding.as_dict() for finding in self._found]})
        else:
            click.echo(_summary(self._found))
        return 1 if state is Health.WRONG else 0


def _show(finding: Finding) -> None:
    label = click.style(f"  {finding.state.value:<{_INDENT - 2}}", fg=_COLOURS[finding.state])
    first, *more = textwrap.wrap(finding.sentence, _WIDTH - _INDENT, break_long_words=False) or [""]
    if finding.what_to_do:
        more += textwrap.wrap(
            f"→ {finding.what_to_do}", _WIDTH - _INDENT, break_long_words=False, subsequent_indent="  "
        )
    click.echo(label + first)
    for line in more:
        click.echo(" " * _INDENT + line)


def _summary(found: list[Finding]) -> str:
    def number(state: Health) -> int:
        return sum(finding.state is state for finding in found)

    parts = [
        f"{number(state)} {word}"
        for state, word in (
            (Health.WRONG, "wrong"),
            (Health.WARNING, "to look at"),
            (Health.UNKNOWN, "not known"),
            (Health.GOOD, "good"),
        )
        if number(state)
    ]
    return f"{', '.join(parts)}."


def _app(report: _Report) -> Flask | None:
    """The application; None, with a finding, where the settings let none be made. Tables are left as they are."""
    try:
        return create_app(Settings.from_environment())
    except SettingError as error:
        report.add(Area.SETTINGS, [Finding(Area.SETTINGS, Health.WRONG, f"{str(error).rstrip('.')}.")])
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        what = "PostgreSQL needs its driver, which is not installed."
        report.add(Area.DATA, [Finding(Area.DATA, Health.WRONG, what, 'pip install "newsletter[postgres]"')])
    return None


def _names(offline: bool) -> Names:
    return NoNames("Nothing was to be asked (--offline)") if offline else names_of_this_machine()


def _examine(app: Flask, offline: bool, report: _Report) -> None:
    examination = Examination(app, clock=clock.now, names=_names(offline), offline=offline)
    for step in examination.steps():
        report.begin(step.area)
        report.add(step.area, examination.run(step))
    no_database = any(each.area is Area.DATA and each.state is Health.WRONG for each in report.found)
    if not offline and not no_database:
        # One that cannot be written has been found out by now, and said.
        with suppress(SQLAlchemyError):
            remember(report.found, clock.now())


def _left(found: list[Finding]) -> bool:
    """Whether a probe may have been handed over."""
    return not any(finding.state is Health.WRONG for finding in found)


def _probe(app: Flask, address: str, slug: str | None, report: _Report) -> list[Finding]:
    if schema_version() != newest_version():
        raise Refused("The database has no tables of this version yet. Run newsletter migrate first.")
    settings: Settings = app.config["NEWSLETTER"]
    found = send_probe(
        address,
        slug=slug,
        relay=app.extensions["newsletter_relay"],
        settings=settings,
        signer=app.extensions["newsletter_signer"],
        now=clock.now(),
    )
    shown = guarded(Area.PROBE, lambda: found, settings)
    report.add(Area.PROBE, shown)
    return shown


def _fetch(app: Flask, tries: int, report: _Report) -> None:
    settings: Settings = app.config["NEWSLETTER"]
    probe = last_probe(settings.data_dir)

    def look() -> Iterable[Finding]:
        return examine_received(
            fetch_probe(settings, probe, tries=tries, wait=time.sleep), probe, names_of_this_machine()
        )

    report.begin(Area.RECEIVED)
    report.add(Area.RECEIVED, guarded(Area.RECEIVED, look, settings))


def _read(app: Flask, octets: bytes, names: Names, report: _Report) -> None:
    settings: Settings = app.config["NEWSLETTER"]
    found = examine_received(octets, last_probe(settings.data_dir), names)
    report.add(Area.RECEIVED, guarded(Area.RECEIVED, lambda: found, settings))
