"""`newsletter installation …`: who publishes from here, and who may get mail; for set-ups by script."""

from pathlib import Path

import click

from .. import clock
from ..db import transaction
from ..domain.staff import installation as publisher
from ..errors import Conflict
from ..states import SendingMode
from .context import print_json, with_app


@click.group()
def installation() -> None:
    """Who publishes from here, and who may get mail."""


@installation.command("set")
@click.option("--organisation", metavar="NAME", help="The organisation or partnership that publishes.")
@click.option("--address", metavar="TEXT", help="Its postal address: the law asks who sends a newsletter.")
@click.option("--email", metavar="ADDRESS", help="Where readers' answers and questions go.")
@click.option("--phone", metavar="NUMBER", help="Its phone number.")
@click.option(
    "--privacy-notice", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A text file: what you use people's addresses for. Published as a new version.",
)  # fmt: skip
@click.option(
    "--sending-mode", type=click.Choice([mode.value for mode in SendingMode]), help="Who may get mail from here."
)
def set_(
    organisation: str | None, address: str | None, email: str | None, phone: str | None,
    privacy_notice: Path | None, sending_mode: str | None,
) -> None:  # fmt: skip
    """Change what is named; the rest stays. On a new installation, name, address and email are needed."""
    typed = {"name": organisation, "address": address, "email": email, "phone": phone}
    _set(
        {field: value for field, value in typed.items() if value is not None},
        _read(privacy_notice) if privacy_notice else None,
        SendingMode(sending_mode) if sending_mode else None,
    )


@with_app
def _set(given: dict[str, str], notice: str | None, mode: SendingMode | None) -> None:
    now = clock.now()
    with transaction():
        before = publisher.organisation()
        if before is None:
            publisher.establish(
                publisher.OrganisationDetails(**{**_NOTHING, **given}), notice or "", actor=None, now=now
            )
        elif given:
            kept = {field: getattr(before, field) for field in _NOTHING}
            publisher.change_organisation(publisher.OrganisationDetails(**{**kept, **given}), actor=None, now=now)
        if before is not None and notice is not None:
            publisher.publish_privacy_notice(notice, actor=None, now=now)
        if mode is not None:
            publisher.change_sending_mode(mode, actor=None, now=now)
    click.echo("Saved.")


_NOTHING = {"name": "", "address": "", "email": "", "phone": ""}


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Conflict(f"{file} is not a text file in UTF-8.") from None


@installation.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@with_app
def show(as_json: bool) -> None:
    """What is set."""
    found, notice = publisher.organisation(), publisher.current_privacy_notice()
    if found is None:
        raise Conflict("Nothing is set up yet: newsletter serve prints a link, or use newsletter installation set.")
    shown = {
        "organisation": found.name,
        "address": found.address,
        "email": found.email,
        "phone": found.phone,
        "privacy_notice_version": notice.version if notice else 0,
        "sending_mode": found.sending_mode.value,
    }
    if as_json:
        print_json(shown)
        return
    for label, value in shown.items():
        click.echo(f"{label.replace('_', ' ')}: {value}")
