"""`newsletter issues pause|resume|cancel|retry|unsure|decide`: what people may do while an issue is sent, and after."""

import click
from sqlalchemy import select

from .. import clock, dates
from ..db import LARGEST_ID, db, transaction
from ..delivery import control
from ..delivery.reports import accounts
from ..domain.issues import scheduling
from ..domain.issues.finding import find_issue
from ..domain.staff.permissions import Permission
from ..errors import NotFound
from ..models import Delivery, Issue
from ..states import IssueState
from .context import print_json, with_app
from .issue_options import acting, actor_for, as_json, issue_argument


@click.command()
@issue_argument
@click.option("--reason", default="", help="Why.")
@acting
@with_app
def pause(issue: str, reason: str, as_email: str | None) -> None:
    """Hold the sending of ISSUE; nobody is lost."""
    found = find_issue(issue)
    actor = actor_for(as_email, Permission.CONTROL_SENDING, found.mailing_list)
    with transaction():
        control.pause(found, reason=reason, actor=actor, now=clock.now())
    click.echo(f"{found.title} is paused.")


@click.command()
@issue_argument
@acting
@with_app
def resume(issue: str, as_email: str | None) -> None:
    """Go on with a paused ISSUE, exactly where it was."""
    found = find_issue(issue)
    actor = actor_for(as_email, Permission.CONTROL_SENDING, found.mailing_list)
    with transaction():
        control.resume(found, actor=actor, now=clock.now())
    click.echo(f"{found.title} is being sent again.")


@click.command()
@issue_argument
@click.option("--reason", default="", help="Why.")
@acting
@with_app
def cancel(issue: str, reason: str, as_email: str | None) -> None:
    """Stop the rest of ISSUE while it is sent; a scheduled one goes back to approved, an earlier one is given up."""
    found = find_issue(issue)
    actor = actor_for(as_email, Permission.CONTROL_SENDING, found.mailing_list)
    now = clock.now()
    with transaction():
        if found.state is IssueState.SCHEDULED:
            scheduling.cancel_schedule(found, actor=actor, now=now)
            done = "is not scheduled any more; nothing was sent"
        elif found.state in (IssueState.SENDING, IssueState.PAUSED):
            control.cancel(found, reason=reason, actor=actor, now=now)
            done = "is cancelled; those who have it keep it"
        else:
            scheduling.cancel_issue(found, reason=reason, actor=actor, now=now)
            done = "is cancelled"
    click.echo(f"{found.title} {done}.")


@click.command()
@issue_argument
@acting
@with_app
def retry(issue: str, as_email: str | None) -> None:
    """Try those of ISSUE that were put off now, instead of later. Whoever was refused stays refused."""
    found = find_issue(issue)
    actor = actor_for(as_email, Permission.CONTROL_SENDING, found.mailing_list)
    with transaction():
        number = control.retry_deferred(found, actor=actor, now=clock.now())
    if number:
        click.echo(f"{found.title}: {_messages(number, 'that was put off is', 'that were put off are')} tried now.")
    else:
        click.echo(f"{found.title}: nothing was put off.")


@click.command()
@issue_argument
@as_json
@with_app
def unsure(issue: str, as_json: bool) -> None:
    """Who may have ISSUE or not: the mail server gave no answer. Decide about them with newsletter issues decide."""
    found = find_issue(issue)
    doubts = accounts.in_doubt(found)
    if as_json:
        print_json(
            [
                {"delivery": its.delivery, "address": its.address, "at": its.at, "said": its.words, "left": its.decided}
                for its in doubts
            ]
        )
        return
    if not doubts:
        click.echo(f"{found.title}: nobody is in doubt.")
    for its in doubts:
        at = dates.moment(its.at, found.mailing_list.timezone)
        left = " (left as it is)" if its.decided else ""
        click.echo(f"{its.delivery}  {its.address or 'somebody who was erased'}  {at}{left}  {its.words}".rstrip())


@click.command()
@issue_argument
@click.argument("delivery", nargs=-1, type=click.IntRange(1))
@click.option("--all", "everybody", is_flag=True, help="All that nobody has decided about.")
@click.option("--send-again/--leave", "again", default=None, help="Send once more, or let it be.")
@click.option("--yes", is_flag=True, help="Do not ask again.")
@acting
@with_app
def decide(
    issue: str, delivery: tuple[int, ...], everybody: bool, again: bool | None, yes: bool, as_email: str | None
) -> None:
    """Decide about unsure ones of ISSUE: DELIVERY is the number that newsletter issues unsure shows.

    Whoever is sent to again may have the mail twice. It asks before it sends to more than one.
    """
    if again is None:
        raise click.UsageError("Say --send-again or --leave.")
    if everybody is bool(delivery):
        raise click.UsageError("Name deliveries, or say --all.")
    found = find_issue(issue)
    actor = actor_for(as_email, Permission.CONTROL_SENDING, found.mailing_list)
    chosen = [] if everybody else _deliveries_of(found, delivery)
    number = len(accounts.in_doubt(found, undecided_only=True)) if everybody else len(chosen)
    if again and number > 1 and not yes:
        click.confirm(f"Send to {number} people again, who may then have it twice?", abort=True, err=True)
    now = clock.now()
    with transaction():
        if everybody:
            verb_for_all = control.send_all_again if again else control.leave_all
            number = verb_for_all(found, actor=actor, now=now)
        else:
            verb = control.send_again if again else control.leave
            for its in chosen:
                verb(its, actor=actor, now=now)
    done = ("goes out again", "go out again") if again else ("is left as it is", "are left as they are")
    click.echo(f"{found.title}: {_messages(number, *done)}.")


def _deliveries_of(issue: Issue, numbers: tuple[int, ...]) -> list[Delivery]:
    """Each once. Raises NotFound when one is none of this issue's."""
    wanted = list(dict.fromkeys(numbers))
    found = {
        its.id: its
        for number in wanted
        if number <= LARGEST_ID
        for its in db.session.scalars(select(Delivery).where(Delivery.issue_id == issue.id, Delivery.id == number))
    }
    if missing := [str(number) for number in wanted if number not in found]:
        raise NotFound(f"{issue.title} has no delivery {' or '.join(missing[:10])}.")
    return [found[number] for number in wanted]


def _messages(number: int, one: str, more: str) -> str:
    return f"{number} message {one}" if number == 1 else f"{number} messages {more}"
