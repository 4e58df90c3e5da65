"""`newsletter issues deadline`: until when news may be sent in for an issue."""

import click

from .. import clock, dates
from ..db import transaction
from ..deadlines import Deadline
from ..domain.issues.creating import change_deadline
from ..domain.issues.finding import find_issue
from ..domain.staff.permissions import Permission
from .context import with_app
from .issue_options import acting, actor_for, instant_of, issue_argument


@click.command()
@issue_argument
@click.option("--at", required=True, metavar="WHEN", help="Such as 2027-01-15T17:00, in the list's time zone.")
@click.option("--confirm", default="", metavar="SENTENCE", help="What people were told, to bring it forward.")
@acting
@with_app
def deadline(issue: str, at: str, confirm: str, as_email: str | None) -> None:
    """Set, or move, the deadline of ISSUE; whoever is still writing gets a mail with the new time."""
    found = find_issue(issue)
    zone = found.mailing_list.timezone
    instant = instant_of(at, zone)
    local = dates.local(instant, zone)
    chosen = Deadline(local.date(), local.time(), zone, instant)
    with transaction():
        actor = actor_for(as_email, Permission.EDIT_ISSUES, found.mailing_list)
        change_deadline(found, chosen, confirmation=confirm, actor=actor, now=clock.now())
    click.echo(f"News for {found.title} may be sent in until {chosen.words_with_zone}.")
