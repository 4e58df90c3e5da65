"""`newsletter contributions`: what came in for an issue."""

import click

from .. import dates
from ..domain.calls import reading
from ..domain.issues.finding import find_issue
from ..models import Contribution
from .context import print_json, with_app


@click.group()
def contributions() -> None:
    """What partner agencies sent in."""


@contributions.command("list")
@click.argument("issue")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
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
