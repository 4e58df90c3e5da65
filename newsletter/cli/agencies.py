"""`newsletter agencies …`: partner agencies and the people who send in their news."""

from typing import BinaryIO

import click

from .. import clock
from ..db import transaction
from ..domain.calls.partners import agencies as the_agencies
from ..domain.calls.partners import agency_import
from ..domain.staff import mailing_lists
from ..errors import Refused
from .context import print_json, with_app


@click.group()
def agencies() -> None:
    """The partners who send in news."""


@agencies.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@with_app
def list_(as_json: bool) -> None:
    """Every agency and its people."""
    found = the_agencies.all_agencies(even_ended=True)
    shown = [
        {
            "name": one.name,
            "ended": one.ended_at is not None,
            "people": [
                {"name": person.name, "email": person.address, "lead": person.lead}
                for person in the_agencies.people_of(one)
            ],
        }
        for one in found
    ]
    if as_json:
        print_json(shown)
        return
    if not shown:
        click.echo("There is no agency yet.")
    for one in found:
        number = len(the_agencies.people_of(one))
        click.echo(f"{one.name}  {'has left' if one.ended_at else f'people: {number}'}")


@agencies.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--list", "slug", help="New agencies send news to this list only; to all where not given.")
@click.option("--invite", is_flag=True, help="Send each new person an invitation by email.")
@click.option("--dry-run", is_flag=True, help="Say what it would do, and do nothing.")
@with_app
def import_(file: BinaryIO, slug: str | None, invite: bool, dry_run: bool) -> None:
    """Bring in FILE (CSV): agency, name, email address, and “lead” for who looks after the others.

    All of it or nothing: while a line cannot be used, nothing is changed.
    """
    text = agency_import.text_of(file.read())
    mailing_list = mailing_lists.find_list(slug) if slug else None
    found = agency_import.plan(text, None)
    for number, why in found.problems:
        click.echo(f"Line {number}: {why}", err=True)
    if found.problems:
        raise Refused("Nothing was changed: mend these lines first.")
    if not dry_run:
        with transaction():
            agency_import.take_in(text, mailing_list, invite=invite, actor=None, now=clock.now())
    new = f"New agencies: {len(found.new_agencies)}. New people: {len(found.new_people)}. There already: {found.known}."
    click.echo(f"{new} (Nothing was changed.)" if dry_run else new)
