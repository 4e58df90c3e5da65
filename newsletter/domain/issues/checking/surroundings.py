"""What the checks know of an issue beside its words."""

from dataclasses import dataclass
from datetime import datetime

from .... import addresses, dates
from ....db import db
from ....models import Issue
from ...queries import the_organisation


@dataclass(frozen=True)
class Surroundings:
    """`send` is the local day and time the issue goes out, `dated` whether somebody said so (else it is now).

    `domains` and `phones` (digits only) are the publisher's own.
    """

    send: datetime
    dated: bool
    domains: frozenset[str]
    phones: frozenset[str]


def surroundings(issue: Issue, now: datetime, at: datetime | None = None) -> Surroundings:
    """Read from the issue, its list and the publisher. `at` is when the issue goes out, if not as planned."""
    organisation = db.session.scalar(the_organisation())
    mailing_list = issue.mailing_list
    planned = at or issue.scheduled_at or issue.planned_at
    own = [mailing_list.sender_address, mailing_list.contact_address, *([organisation.email] if organisation else [])]
    return Surroundings(
        send=dates.local(max(planned, now) if planned else now, mailing_list.timezone).replace(tzinfo=None),
        dated=planned is not None,
        domains=frozenset(addresses.domain_of(each) for each in own if each),
        phones=frozenset({digits(organisation.phone)} if organisation and organisation.phone else ()),
    )


def digits(number: str) -> str:
    """A phone number by its digits, in the national form: +44 1632 960100 and 01632 960 100 are one."""
    found = "".join(character for character in number if character.isdigit())
    if number.strip().startswith("+44"):
        return "0" + found[2:].removeprefix("0")
    return found
