"""`newsletter inbound …`: take in one mail, whatever it is: news for a list, or what came back."""

from datetime import datetime
from pathlib import Path

import click

from .. import clock
from ..delivery.returns.feedback import TakenIn
from ..delivery.returns.routing import take_in_mail
from ..mail.inbound import received_at
from ..mail.letters import LARGEST
from .bounces import or_try_again, read_raw, tell
from .context import with_app


@click.group()
def inbound() -> None:
    """Mail that comes to us: news that people send in, and what came back."""


@inbound.command("read")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def read(file: Path, as_json: bool) -> None:
    """Take in one mail from FILE, or "-" for standard input, and say what became of it.

    Fit for a mail server's pipe: the exit status is 0 whatever the mail is, and 75 (try again) while the database
    is away. News counts from the time in the outermost Received header.
    """
    raw = read_raw(file, LARGEST + 1)
    with or_try_again():
        taken, at = _take_in(raw)
    tell(taken, at, as_json)


@with_app
def _take_in(raw: bytes) -> tuple[TakenIn, datetime]:
    now = clock.now()
    at = received_at(raw, now)
    return take_in_mail(raw, "pipe", at, now), at
