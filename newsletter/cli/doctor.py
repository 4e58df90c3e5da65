"""`newsletter doctor`: what is in order, what is not, and what to do about it; nothing is changed."""

import sys
import textwrap
from typing import BinaryIO

import click
from flask import Flask

from .. import clock
from ..app import create_app
from ..config import Settings
from ..doctor.examination import Examination, guarded
from ..doctor.findings import Area, Finding, Health, worst
from ..doctor.kept import last_probe
from ..doctor.names import Names, NoNames, names_of_this_machine
from ..doctor.probe import send_probe
from ..doctor.received import examine_received
from ..errors import Refused, SettingError
from ..schema import newest_version, schema_version
from .context import print_json

_WIDTH = 100
_INDENT = 11
#: More than any mail of ours has: what is longer is refused by its reader.
_MOST_BYTES = 6_000_000
_COLOURS = {Health.GOOD: "green", Health.WARNING: "yellow", Health.WRONG: "red", Health.UNKNOWN: "cyan"}


@click.command()
@click.option("--probe", metavar="ADDRESS", help="Send one mail of an issue's shape to an address of your own.")
@click.option("--list", "slug", metavar="SLUG", help="The list that the probe comes from (the first, if not given).")
@click.option("--received", metavar="FILE", type=click.File("rb"), help="Read the source of a mail as it arrived (-).")
@click.option("--offline", is_flag=True, help="Ask nothing over the network.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def doctor(probe: str | None, slug: str | None, received: BinaryIO | None, offline: bool, as_json: bool) -> None:
    """Look at the installation: data, settings, DNS, mail server, public address. Exit status 1 if something is wrong.

    With --probe or --received only that is done.
    """
    if probe is not None and (received is not None or offline):
        raise click.UsageError("--probe goes by itself: send it first, and read what arrived with --received later.")
    report = _Report(as_json)
    app = _app(report)
    if app is not None:
        with app.app_context():
            if probe is not None:
                _probe(app, probe, slug, report)
            elif received is not None:
                _read(app, received.read(_MOST_BYTES), _names(offline), report)
            else:
                _examine(app, offline, report)
    sys.exit(report.end())


class _Report:
    """Shows each area as it is finished, or everything as JSON at the end."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._found: list[Finding] = []

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


def _probe(app: Flask, address: str, slug: str | None, report: _Report) -> None:
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
    report.add(Area.PROBE, guarded(Area.PROBE, lambda: found, settings))


def _read(app: Flask, octets: bytes, names: Names, report: _Report) -> None:
    settings: Settings = app.config["NEWSLETTER"]
    found = examine_received(octets, last_probe(settings.data_dir), names)
    report.add(Area.RECEIVED, guarded(Area.RECEIVED, lambda: found, settings))
