"""`newsletter issues report|aggregate`: what became of an issue, and what is kept of it in the end."""

import sys
from pathlib import Path

import click

from .. import clock, dates
from ..delivery.reports import accounts, aggregating, rates
from ..delivery.reports import report as reporting
from ..delivery.reports.reasons import plain
from ..delivery.reports.report import Report
from ..delivery.reports.report_lines import report_lines
from ..domain.issues.finding import find_issue
from ..errors import Refused
from ..models import Issue
from .context import print_json, with_app
from .issue_options import as_json, issue_argument

_DOMAINS = 10


@click.command()
@issue_argument
@as_json
@click.option(
    "--csv", "csv_file", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True), metavar="FILE",
    help="Write it as a spreadsheet; - is standard output.",
)  # fmt: skip
@with_app
def report(issue: str, as_json: bool, csv_file: Path | None) -> None:
    """What became of ISSUE: accounts, reasons, domains, bounces, complaints, unsubscribes. Nobody is named in it."""
    if as_json and csv_file:
        raise click.UsageError("Say --json or --csv, not both.")
    found = find_issue(issue)
    if found.started_at is None:
        raise Refused(f"{found.title} has not been sent, so there is nothing to report.")
    made, counts = reporting.current(found, clock.now()), accounts.counts(found)
    if csv_file:
        _write(csv_file, "".join(report_lines(found.title, made, counts, found.mailing_list.timezone)))
    elif as_json:
        print_json({"id": found.id, "state": found.state.value, "counts": counts.as_dict(), "report": made.as_dict()})
    else:
        _tell(found, made, counts)


def _write(file: Path, text: str) -> None:
    if str(file) == "-":
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
        return
    try:
        file.write_bytes(text.encode())
    except OSError as error:
        raise Refused(f"{file} cannot be written ({error.strerror or type(error).__name__}).") from None


def _tell(issue: Issue, report: Report, counts: accounts.Counts) -> None:
    zone = issue.mailing_list.timezone
    click.echo(f"{issue.title}: {issue.state.value}, {counts.recipients:,} recipients")
    click.echo(f"Began at {dates.moment(report.started_at, zone)}, as of {dates.moment(report.made_at, zone)}")
    for name, number in counts.as_dict().items():
        click.echo(f"  {name:<9} {number:>9,}")
    for heading, causes in (("Refused", report.refused), ("Put off", report.deferred)):
        for cause in causes:
            said = plain(cause.code, cause.enhanced, cause.reply)
            click.echo(f"{heading}: {cause.people:,}: {said}. “{cause.reply}”")
    accepted = report.counts["accepted"]
    bounces = rates.bounces(report.came_back["bounced"], accepted)
    complaints = rates.complaints(report.came_back["complaint"], accepted)
    click.echo(f"Bounced: {bounces.number:,} ({bounces.percent}). {bounces.words}")
    click.echo(f"Complained: {complaints.number:,} ({complaints.percent}). {complaints.words}")
    click.echo(f"Unsubscribed within seven days: {report.unsubscribed.total:,}")
    for domain in report.domains[:_DOMAINS]:
        click.echo(f"  {domain.name}: {domain.accepted:,} of {domain.people:,} accepted")


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be given up, and change nothing.")
@as_json
@with_app
def aggregate(dry_run: bool, as_json: bool) -> None:
    """Give up the single deliveries of old issues for their totals and report, as the worker does once a day."""
    now = clock.now()
    found = aggregating.due(now) if dry_run else aggregating.aggregate_due(now)
    if as_json:
        print_json({"dry_run": dry_run, "issues": [vars(each) for each in found]})
        return
    for each in found:
        click.echo(f"{each.title}: {each.deliveries:,} deliveries {'would be' if dry_run else 'are'} given up")
    if not found:
        click.echo("Nothing is old enough.")
