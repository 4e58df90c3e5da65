"""`newsletter contributions`: what came in for an issue, and what an editor decides about it.

REF everywhere is the reference that the list shows. A decision tells the sender, in our usual words with `--reason`
in them, unless `--quiet`; the mail waits ten minutes, so that a second decision is the only one they hear of.
"""

import click
from sqlalchemy import select

from .. import clock, dates
from ..db import db, transaction
from ..domain.calls.deadline import reading
from ..domain.calls.decisions import outcomes, triage
from ..domain.calls.decisions.placing import section_of
from ..domain.calls.decisions.triage import Mail
from ..domain.issues.finding import find_issue
from ..domain.staff.permissions import Permission
from ..errors import NotFound, Refused
from ..models import Contribution
from .context import print_json, with_app
from .issue_options import acting, actor_for, as_json


@click.group()
def contributions() -> None:
    """What partner agencies sent in."""


@contributions.command("list")
@click.argument("issue")
@as_json
@with_app
def list_(issue: str, as_json: bool) -> None:
    """What came in for ISSUE (its number or its name in addresses), oldest first."""
    found = find_issue(issue)
    sent_in = reading.contributions_to(found)
    if as_json:
        print_json([_outside(one) for one in sent_in])
        return
    if not sent_in:
        click.echo(f"Nothing has come in for {found.title}.")
    for one in sent_in:
        when = dates.short_day(dates.local(one.created_at, found.mailing_list.timezone))
        click.echo(f"{one.reference}  {_state(one):<18} {when}  {one.title} ({one.agency})")


def _state(one: Contribution) -> str:
    return "late" if one.late and one.decided_at is None else one.state.value.replace("_", " ")


def _outside(one: Contribution) -> dict[str, object]:
    return {
        "reference": one.reference,
        "state": one.state.value,
        "late": one.late,
        "in_grace": one.in_grace,
        "title": one.title,
        "text": one.body,
        "agency": one.agency,
        "contact": {"name": one.contact_name, "email": one.contact_address, "phone": one.contact_phone},
        "sent_at": one.created_at.isoformat(),
        "decision_note": one.decision_note,
    }


@contributions.command()
@click.argument("reference", metavar="REF")
@as_json
@with_app
def show(reference: str, as_json: bool) -> None:
    """What REF says, and what became of it."""
    found = _find(reference)
    if as_json:
        print_json(_outside(found))
        return
    issue = found.issue
    click.echo(f"{found.title} ({found.reference}), for {issue.title} of {issue.mailing_list.name}: {_state(found)}")
    section, notice = section_of(found), outcomes.waiting(found)
    for label, value in (
        ("From", ", ".join(part for part in (found.contact_name, found.agency) if part)),
        ("Contact", ", ".join(part for part in (found.contact_address, found.contact_phone) if part)),
        ("Sent", dates.moment(found.submitted_at or found.created_at, issue.mailing_list.timezone)),
        ("Its section", str(section.id) if section else ""),
        ("A mail leaves", dates.moment(notice.next_attempt_at, issue.mailing_list.timezone) if notice else ""),
        ("They want it out", found.withdrawal_words if found.withdrawal_asked_at else ""),
    ):
        if value:
            click.echo(f"  {label}: {value}")
    click.echo(f"\n{found.body}")


_reason = click.option("--reason", default="", help="Why, in words that the sender reads.")
_quiet = click.option("--quiet", is_flag=True, help="Do not email the sender.")
_reference = click.argument("reference", metavar="REF")


@contributions.command()
@_reference
@_reason
@_quiet
@acting
@with_app
def accept(reference: str, reason: str, quiet: bool, as_email: str | None) -> None:
    """Put REF into its issue, as a section before the call for news."""
    found = _find(reference)
    actor = actor_for(as_email, Permission.TRIAGE_CONTRIBUTIONS, found.issue.mailing_list)
    with transaction():
        triage.place(found, mail=Mail(why=reason, send=not quiet), actor=actor, now=clock.now())
    click.echo(f"{found.title} is in {found.issue.title}.")


@contributions.command()
@_reference
@_reason
@_quiet
@acting
@with_app
def decline(reference: str, reason: str, quiet: bool, as_email: str | None) -> None:
    """Do not use REF. Its sender is told why, so --reason is needed, unless --quiet."""
    found = _find(reference)
    actor = actor_for(as_email, Permission.TRIAGE_CONTRIBUTIONS, found.issue.mailing_list)
    with transaction():
        triage.decline(found, mail=Mail(why=reason, send=not quiet), actor=actor, now=clock.now())
    click.echo(f"{found.title} is declined.")


@contributions.command()
@_reference
@click.option("--to", "to", help="The issue to keep it for; the next one where none is named.")
@_reason
@_quiet
@acting
@with_app
def carry(reference: str, to: str | None, reason: str, quiet: bool, as_email: str | None) -> None:
    """Keep REF for another issue of its list, where it waits for a decision."""
    found = _find(reference)
    actor = actor_for(as_email, Permission.TRIAGE_CONTRIBUTIONS, found.issue.mailing_list)
    target = find_issue(to) if to else found.issue.next_issue
    if target is None:
        raise Refused(f"{found.issue.title} has no next issue yet. Name one with --to.")
    with transaction():
        triage.carry(found, target, mail=Mail(why=reason, send=not quiet), actor=actor, now=clock.now())
    click.echo(f"{found.title} is kept for {target.title}.")


def _find(reference: str) -> Contribution:
    """What has this reference. Raises NotFound, also for somebody's private draft."""
    found = db.session.scalar(select(Contribution).where(Contribution.reference == reference.strip().upper()))
    if found is None or reading.is_private(found):
        raise NotFound(f"There is no contribution {reference}.")
    return found
