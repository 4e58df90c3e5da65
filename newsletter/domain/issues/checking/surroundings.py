"""What the checks know of an issue beside its words."""

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select

from .... import addresses, dates
from ....db import db
from ....models import BookEntry, Issue, MailingList
from ....states import BookKind
from ...queries import the_organisation
from .link_answers import unreachable

POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2}\b", re.IGNORECASE)


@dataclass(frozen=True)
class Surroundings:
    """`send` is the local day and time the issue goes out, `dated` whether somebody said so (else it is now).

    `domains`, `phones` (digits only) and `postcodes` (without spaces) are the publisher's own; `acronyms` are those
    that the list's readers know. `dead` are the links that did not answer when they were last asked, with the reason.
    """

    send: datetime
    dated: bool
    domains: frozenset[str]
    phones: frozenset[str]
    postcodes: frozenset[str] = frozenset()
    acronyms: frozenset[str] = frozenset()
    dead: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Hashable:
        """The same for surroundings in which a section is read in the same way. Acronyms are asked of the whole."""
        return (self.send.date(), self.dated, self.domains, self.phones, self.postcodes, frozenset(self.dead.items()))


def surroundings(issue: Issue, urls: Iterable[str], now: datetime, at: datetime | None = None) -> Surroundings:
    """Read from the issue, its list and the publisher. `urls` are the links of the issue; `at` is when it goes out,
    if not as planned."""
    organisation = db.session.scalar(the_organisation())
    mailing_list = issue.mailing_list
    planned = at or issue.scheduled_at or issue.planned_at
    own = [mailing_list.sender_address, mailing_list.contact_address, *([organisation.email] if organisation else [])]
    return Surroundings(
        send=dates.local(max(planned, now) if planned else now, mailing_list.timezone).replace(tzinfo=None),
        dated=planned is not None,
        domains=frozenset(addresses.domain_of(each) for each in own if each),
        phones=frozenset({digits(organisation.phone)} if organisation and organisation.phone else ()),
        postcodes=frozenset(postcodes(organisation.address) if organisation else ()),
        acronyms=frozenset(_known_acronyms(mailing_list)),
        dead=unreachable(urls),
    )


def _known_acronyms(mailing_list: MailingList) -> Iterator[str]:
    """The letters in the list's book, and in the book of all lists."""
    rows = select(BookEntry.name).where(
        BookEntry.kind == BookKind.ACRONYM,
        BookEntry.ended_at.is_(None),
        or_(BookEntry.list_id == mailing_list.id, BookEntry.list_id.is_(None)),
    )
    return iter(db.session.scalars(rows).all())


def postcodes(text: str) -> Iterator[str]:
    """The UK postcodes in a text, in capitals and without their space."""
    return (found[0].replace(" ", "").upper() for found in POSTCODE.finditer(text))


def digits(number: str) -> str:
    """A phone number by its digits, in the national form: +44 1632 960100 and 01632 960 100 are one."""
    found = "".join(character for character in number if character.isdigit())
    if number.strip().startswith(("+44", "0044", "00 44")):
        return "0" + found.removeprefix("00")[2:].removeprefix("0")
    return found
