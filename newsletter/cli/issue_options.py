"""What the commands about an issue share: its argument, who acts, and where a time on the command line lies."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click
from sqlalchemy import select

from .. import addresses, dates
from ..db import db
from ..domain.staff.permissions import Permission, require
from ..errors import NotFound, Refused
from ..models import Account, MailingList

_Command = TypeVar("_Command", bound=Callable[..., Any])

issue_argument = click.argument("issue")
as_json = click.option("--json", "as_json", is_flag=True, help="For machines.")
acting = click.option(
    "--as", "as_email", metavar="EMAIL", help="In whose name; the system's administrator's if nobody is named."
)


def actor_for(email: str | None, permission: Permission, mailing_list: MailingList) -> Account | None:
    """The account that acts, or None for the system's administrator.

    Raises NotFound for an address that is no account's, NotAllowed when it may not do this.
    """
    if email is None:
        return None
    account = db.session.scalar(select(Account).where(Account.email_key == addresses.key(email.strip())))
    if account is None:
        raise NotFound(f"Nobody on the staff has the address {email}.")
    require(account, permission, mailing_list)
    return account


def instant_of(typed: str, zone: str) -> datetime:
    """An instant from "2027-01-28T10:00" in the list's zone, or with its own offset.

    Raises Refused, in a sentence, for what is no time, for one that the zone skips, and for one that comes twice.
    """
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError:
        raise Refused(f"“{typed}” is not a date and time such as 2027-01-28T10:00.") from None
    if moment.tzinfo is not None:
        return moment
    day, time = moment.date(), moment.time()
    if dates.is_ambiguous(day, time, zone):
        raise Refused(f"{dates.moment(moment)} comes twice, because the clocks go back. Add +01:00 or +00:00 to it.")
    try:
        return dates.to_instant(day, time, zone)
    except ValueError as error:
        raise Refused(f"{error}.") from None
