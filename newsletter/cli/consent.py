"""`newsletter subscribers verify-consent`: the proof that the record of consent was not changed."""

import sys
from dataclasses import asdict

import click

from .. import clock, dates
from ..config import current_settings
from ..domain.subscribers import sealing
from .context import print_json, with_app


@click.command("verify-consent")
@click.option("--head", default="", metavar="CODE", help="A code from a report's email, which must be in the record.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@with_app
def verify_consent(head: str, as_json: bool) -> None:
    """Compute the chain over all that people agreed to anew. Exit status 1 where something does not fit."""
    sealing.seal_all(clock.now())
    found = sealing.verify(head)
    if as_json:
        print_json({**asdict(found), "holds": found.holds})
    else:
        for sentence in found.wrong:
            click.echo(sentence, err=True)
        click.echo(f"{found.events:,} events under {found.seals:,} seals. {'Everything fits.' if found.holds else ''}")
        if found.sealed_at is not None:
            click.echo(f"{found.head}  sealed at {dates.moment(found.sealed_at, current_settings().timezone)}")
    if not found.holds:
        sys.exit(1)
