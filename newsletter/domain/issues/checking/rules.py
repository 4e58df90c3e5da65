"""What can be said of a check: its family, its weight, how what it finds is mended."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ....i18n import gettext as _


class Family(StrEnum):
    """What findings are grouped by, in the order a page shows them."""

    PEOPLE = "people"
    CONTACTS = "contacts"
    LINKS = "links"
    DATES = "dates"
    SECTIONS = "sections"
    WORDS = "words"
    INBOX = "inbox"


class Weight(StrEnum):
    """What a finding does to the issue."""

    STOPS = "stops"  #: it must be mended
    REASON = "reason"  #: it must be mended, or a named person writes why it is right
    ASKS = "asks"  #: it is worth a look, and passed with one click
    EITHER = "either"  #: it stops in the clear case and asks in the other


@dataclass(frozen=True)
class Rule:
    """One check. `what` says what it looks for, `mend` what an editor does about it, in one sentence each."""

    code: str
    family: Family
    weight: Weight
    what: str
    mend: str


FAMILY_WORDS: Mapping[Family, str] = {
    Family.PEOPLE: _("People’s own data"),
    Family.CONTACTS: _("Ways to answer"),
    Family.LINKS: _("Links"),
    Family.DATES: _("Dates"),
    Family.SECTIONS: _("Sections, headings and pictures"),
    Family.WORDS: _("Words"),
    Family.INBOX: _("Subject and preview text"),
}
