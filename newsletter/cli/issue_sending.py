"""`newsletter issues schedule|send|status|verify`: when an issue goes out, and how it went."""

import sys
import time
from datetime import datetime

import click
from sqlalchemy import select

from .. import clock, dates
from ..db import db, transaction
from ..delivery import launch as launching
from ..delivery.reports import accounts
from ..delivery.run import engine
from ..domain.issues import approving, scheduling
from ..domain.issues.finding import find_issue
from ..domain.staff.permissions import Permission
from ..errors import Refused
from ..models import Activity, Issue
from ..states import IssueState
from .context import print_json, refuse, with_app
from .issue_options import acting, actor_for, as_json, instant_of, issue_argument

_LOOK_EVERY_SECONDS = 0.5
_override = click.option("--override", metavar="REASON", default="", help="Pass the checks, for a reason on record.")


@click.command()
@issue_argument
@click.option("--at", required=True, metavar="WHEN", help="Such as 2027-01-28T10:00, in the list's time zone.")
@_override
@acting
@as_json
@with_app
def schedule(issue: str, at: str, override: str, as_email: str | None, as_json: bool) -> None:
    """Send ISSUE at a time, at least 15 minutes from now."""
    found = find_issue(issue)
    _schedule(found, instant_of(at, found.mailing_list.timezone), override, as_email, immediately=False)
    if as_json:
        _print_status(found)
        return
    zone = found.mailing_list.timezone
    assert found.scheduled_at is not None
    click.echo(f"{found.title} goes out at {dates.moment(found.scheduled_at, zone)} ({dates.zone_words(zone)}).")


@click.command()
@issue_argument
@click.option("--now", "at_once", is_flag=True, help="Begin at once.")
@click.option("--wait", is_flag=True, help="Stay until it is sent, and send from here.")
@_override
@acting
@as_json
@with_app
def send(issue: str, at_once: bool, wait: bool, override: str, as_email: str | None, as_json: bool) -> None:
    """Send ISSUE now, through the same gate as on the page. With --wait, exit status 0 says that it is sent."""
    if not at_once:
        raise click.UsageError("Say --now; to send at another time, use newsletter issues schedule.")
    found = find_issue(issue)
    if found.state not in (IssueState.SENDING, IssueState.SENT):
        _schedule(found, clock.now(), override, as_email, immediately=True)
        # A worker that watches the same rows may have launched it first: that is what was wanted.
        if not launching.launch(found.id, clock.now()) and not _under_way(found.id):
            refuse(_why_not(found.id))
    elif not wait:
        raise Refused(f"{found.title} is {'being sent' if found.state is IssueState.SENDING else 'sent'} already.")
    if wait:
        _send_from_here(found.id, quiet=as_json)
    found = find_issue(str(found.id))
    if as_json:
        _print_status(found)
    else:
        _tell(found)
    if wait and found.state is not IssueState.SENT:
        refuse(f"{found.title} is {found.state.value}. {found.pause_reason or found.cancel_reason}".strip())


def _schedule(issue: Issue, at: datetime, override: str, as_email: str | None, *, immediately: bool) -> None:
    """Pass the gate. With an override the present words are approved first, since only approved bytes are sent."""
    now = clock.now()
    may = Permission.OVERRIDE_GATES if override else Permission.SCHEDULE_ISSUES
    actor = actor_for(as_email, may, issue.mailing_list)
    approves = bool(override) and issue.state is not IssueState.SCHEDULED
    approves = approves and approving.current_approval(issue) is None
    # On a list that asks for no approval, what is scheduled is what is made now.
    prepared = approving.prepare(issue, now) if approves or not issue.mailing_list.needs_approval else None
    with transaction():
        if issue.state is IssueState.SCHEDULED and immediately:
            scheduling.cancel_schedule(issue, actor=actor, now=now)
        if approves and prepared is not None:
            approving.approve(issue, prepared, actor=actor, now=now, override_reason=override)
        scheduling.schedule(
            issue, at, actor=actor, now=now, override_reason=override, immediately=immediately, prepared=prepared
        )


def _under_way(issue_id: int) -> bool:
    return find_issue(str(issue_id)).state in (IssueState.SENDING, IssueState.SENT)


def _why_not(issue_id: int) -> str:
    reason = db.session.scalar(
        select(Activity)
        .where(Activity.issue_id == issue_id, Activity.action == "issue.launch_refused")
        .order_by(Activity.id.desc())
        .limit(1)
    )
    return str(reason.detail.get("reason", "")) if reason else "It could not be launched."


def _send_from_here(issue_id: int, *, quiet: bool) -> None:
    """Send until nothing is queued or claimed; a worker may send beside us, each of us other people's mail."""
    with click.progressbar(
        length=max(1, find_issue(str(issue_id)).recipients), label="Sending", file=sys.stderr,
        hidden=quiet or not sys.stderr.isatty(),
    ) as bar:  # fmt: skip
        while True:
            engine.send_issue(issue_id)
            db.session.rollback()
            issue = find_issue(str(issue_id))
            counts = accounts.counts(issue)
            bar.update(counts.recipients - counts.queued - counts.claimed - bar.pos)
            if issue.state is not IssueState.SENDING:
                return
            db.session.rollback()
            time.sleep(_LOOK_EVERY_SECONDS)


@click.command()
@issue_argument
@as_json
@with_app
def status(issue: str, as_json: bool) -> None:
    """Where ISSUE stands, and each of its recipients."""
    found = find_issue(issue)
    if as_json:
        _print_status(found)
    else:
        _tell(found)


def _print_status(issue: Issue) -> None:
    counts = accounts.counts(issue)
    print_json({"state": issue.state.value, "recipients": counts.recipients, "counts": counts.as_dict()})


def _tell(issue: Issue) -> None:
    counts = accounts.counts(issue)
    click.echo(f"{issue.title}: {issue.state.value}, {counts.recipients} recipients")
    for name, number in counts.as_dict().items():
        click.echo(f"  {name:<9} {number}")


@click.command()
@issue_argument
@as_json
@with_app
def verify(issue: str, as_json: bool) -> None:
    """Whether ISSUE's accounts add up. Exit status 1 where they do not."""
    found = find_issue(issue)
    problems = accounts.verify(found)
    if as_json:
        read = "totals" if accounts.aggregated_at(found) else "deliveries"
        print_json({"id": found.id, "right": not problems, "problems": problems, "verified_from": read})
    elif not problems:
        counts = accounts.counts(found)
        click.echo(f"{found.title}: all {counts.recipients} recipients are accounted for.{_by_totals(found)}")
    if problems:
        refuse(" ".join(problems))


def _by_totals(issue: Issue) -> str:
    """What was looked at, where it was not the deliveries themselves."""
    given_up = accounts.aggregated_at(issue)
    if given_up is None:
        return ""
    when = dates.moment(given_up, issue.mailing_list.timezone)
    return f" By their totals: the single deliveries were given up at {when}."
