"""`newsletter lists …`: make newsletters, see which there are, say when they go out."""

from dataclasses import asdict
from typing import Any

import click

from .. import clock
from ..config import current_settings
from ..db import transaction
from ..domain.calls.rhythm.cadence import rhythm_of
from ..domain.staff import installation, mailing_lists
from ..errors import Conflict
from ..models import MailingList
from ..states import Cadence, LawfulBasis
from .context import print_json, with_app
from .list_planning import choose_rhythm, plan, rhythm, rhythm_options


@click.group()
def lists() -> None:
    """The newsletters that people can subscribe to."""


lists.add_command(rhythm)
lists.add_command(plan)


@lists.command()
@click.argument("slug")
@click.option("--name", required=True, help="As readers see it.")
@click.option(
    "--cadence",
    type=click.Choice([one.value for one in Cadence]),
    default=Cadence.NONE.value,
    show_default=True,
    help="Whether each issue calls for contributions and names the next one's deadline.",
)
@click.option(
    "--sender",
    metavar="ADDRESS",
    help="Sent from; the organisation's address, or newsletter@ our own host, where not given.",
)
@click.option("--strapline", default="", help="The line under the name.")
@click.option(
    "--basis",
    type=click.Choice([one.value for one in LawfulBasis]),
    default=LawfulBasis.CONSENT.value,
    show_default=True,
    help="By what right it is sent to people (UK GDPR article 6).",
)
@rhythm_options
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@with_app
def create(
    slug: str, name: str, cadence: str, sender: str | None, strapline: str, basis: str, as_json: bool, **typed: Any
) -> None:
    """Make a newsletter. SLUG is its short name in addresses and stays for good."""
    address = sender or _usual_sender()
    details = mailing_lists.ListDetails(
        slug=slug,
        name=name,
        cadence=Cadence(cadence),
        strapline=strapline,
        sender_name=name[:60],
        sender_address=address,
        contact_address=address,
        lawful_basis=LawfulBasis(basis),
    )
    with transaction():
        made = mailing_lists.create_list(details, actor=None, now=clock.now())
        choose_rhythm(made, typed, clock.now())
        shown = _as_dict(made)
    if as_json:
        print_json(shown)
    else:
        click.echo(f"“{name}” is there. People agree to: {shown['consent_wording']}")


@lists.command()
@click.argument("slug", required=False)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@with_app
def show(slug: str | None, as_json: bool) -> None:
    """One newsletter, or all of them."""
    found = [mailing_lists.find_list(slug)] if slug else mailing_lists.all_lists()
    shown = [_as_dict(one) for one in found]
    if as_json:
        print_json(shown[0] if slug else shown)
        return
    for one in shown:
        click.echo(f"{one['slug']}  {one['name']}  cadence: {one['cadence']}  from: {one['sender_address']}")


def _usual_sender() -> str:
    """The organisation's address; before there is one, "newsletter" at the host that people reach us at."""
    organisation = installation.organisation()
    if organisation is not None:
        return organisation.email
    host = current_settings().public_host.partition(":")[0]
    if "." not in host or host.replace(".", "").isdecimal():
        raise Conflict("Say who sends it, with --sender: this installation has no organisation yet.")
    return f"newsletter@{host}"


def _as_dict(mailing_list: MailingList) -> dict[str, object]:
    wording = mailing_lists.current_wording(mailing_list)
    details = vars(mailing_lists.details_of(mailing_list))
    return {
        "id": mailing_list.id,
        **details,
        "language": mailing_list.language,
        "consent_wording": wording.text if wording else "",
        "consent_version": wording.version if wording else 0,
        "rhythm": asdict(found) if (found := rhythm_of(mailing_list)) else None,
    }
