"""`newsletter subscribers verify-consent|held|replay-erasures`: what is held on people, and the proofs about it."""

import sys
from dataclasses import asdict

import click

from .. import addresses, clock, dates
from ..config import current_settings
from ..domain.subscribers import erasure_log, forgetting, held, sealing
from .context import print_json, refuse, with_app


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


@click.command("held")
@click.argument("email")
@with_app
def held_about(email: str) -> None:
    """All that is held on a person (subscriber, contributor or colleague), as JSON, table by table."""
    address = addresses.clean(email)
    found = held.held_about(address)
    if not found:
        refuse(f"Nothing is held about {address}.")
    print_json(found)


@click.command("replay-erasures")
@with_app
def replay_erasures() -> None:
    """After a backup was put back: erase again whoever had been erased since it was made."""
    number = erasure_log.replay(lambda address: forgetting.erase_address(address, route="restore", now=clock.now()))
    click.echo(f"{len(erasure_log.entries()):,} erasures in {erasure_log.path()}; erased again: {number:,}.")


COMMANDS = (verify_consent, held_about, replay_erasures)
