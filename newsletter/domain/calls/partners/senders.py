"""Who sends something in, as they say it themselves: checked alike whichever way it comes."""

from dataclasses import dataclass

from ....i18n import gettext as _
from ....models import Contribution, Contributor
from ....rendering.blocks import kind
from ...staff.wording import Problems, line
from . import contributors

LONGEST_NAME, LONGEST_PHONE = 100, 40
LONGEST_AGENCY = next(field.longest for field in kind("section").fields if field.name == "source_agency")


@dataclass(frozen=True)
class Sender:
    """A person to ask about what they sent. `agency` is printed with it."""

    name: str
    address: str
    agency: str
    phone: str = ""


def of(contributor: Contributor) -> Sender:
    """What is known of somebody who is signed in: they are never asked again."""
    agency = contributor.agency.name if contributor.agency else ""
    return Sender(contributor.name, contributor.address, agency, contributor.phone)


def of_contribution(contribution: Contribution) -> Sender:
    """Whom a contribution names."""
    return Sender(
        contribution.contact_name, contribution.contact_address, contribution.agency, contribution.contact_phone
    )


def write(contribution: Contribution, sender: Sender) -> None:
    """Put the sender into the contribution's columns."""
    contribution.agency, contribution.contact_name = sender.agency, sender.name
    contribution.contact_address, contribution.contact_phone = sender.address, sender.phone


def checked(typed: Sender, problems: Problems | None = None) -> Sender:
    """The sender, cleaned. Raises Invalid with every problem at its field, or adds them to `problems`."""
    found = problems or Problems()
    clean = Sender(
        agency=found.of(
            lambda: line(typed.agency, field="agency", longest=LONGEST_AGENCY, missing=_("Enter your agency or team")),
            "",
        ),
        name=found.of(
            lambda: line(typed.name, field="contact_name", longest=LONGEST_NAME, missing=_("Enter your name")), ""
        ),
        address=found.of(lambda: contributors.typed_address(typed.address, field="contact_address")[0], ""),
        phone=found.of(lambda: line(typed.phone, field="contact_phone", longest=LONGEST_PHONE), ""),
    )
    if problems is None:
        found.raise_any()
    return clean
