"""A list of agencies and people, pasted or as a file: read, looked through, taken in whole or not at all."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from .... import addresses
from ....db import db
from ....errors import Invalid, Problem, Refused
from ....i18n import gettext as _
from ....models import Account, Activity, Agency, Contributor, MailingList
from ...staff import activity
from ...staff.permissions import require
from ...staff.wording import line as one_line
from ...subscribers.import_reading import decoded
from . import agencies, contributors, proving
from .agencies import MANAGE

MOST_LINES = 1_000
IMPORTED = "agencies.imported"
_HEADERS = {
    "agency": ("agency", "organisation", "organization", "partner", "team", "employer"),
    "name": ("name", "fullname", "person", "contact", "contactname"),
    "email": ("email", "emailaddress", "mail", "address"),
    "lead": ("lead", "leads", "role", "part"),
}
_YES = frozenset({"lead", "yes", "y", "true", "1", "x"})


@dataclass(frozen=True)
class Line:
    """One line that can be used: an agency, and, if an address stands in it, somebody of it."""

    number: int
    agency: str
    name: str = ""
    address: str = ""
    lead: bool = False


@dataclass
class Plan:
    """What a list would do. With `problems` ((line, sentence)) it does nothing until they are mended."""

    new_agencies: list[str] = field(default_factory=list)
    new_people: list[Line] = field(default_factory=list)
    #: Who is there already, in that very agency.
    known: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)

    @property
    def anything(self) -> bool:
        return bool(self.new_agencies or self.new_people)


def text_of(raw: bytes) -> str:
    """The text of a file, whichever of a spreadsheet's encodings it has."""
    return decoded(raw)[1]


def plan(text: str, actor: Account | None) -> Plan:
    """Look through a list for `actor`, changing nothing. Raises Invalid for one that is empty or too long."""
    found = Plan()
    lines = list(_lines(text, found.problems))
    if not lines and not found.problems:
        raise Invalid([Problem("text", _("Paste a list, or choose a file"))])
    if len(lines) > MOST_LINES:
        raise Invalid([Problem("text", _("Use {most:,} lines or fewer.").format(most=MOST_LINES))])
    named: set[str] = set()
    seen: dict[str, int] = {}
    for each in lines:
        _plan_agency(each, found, named, actor)
        if each.address:
            _plan_person(each, found, seen)
    found.problems.sort()
    return found


def take_in(
    text: str, mailing_list: MailingList | None, *, invite: bool, actor: Account | None, now: datetime
) -> tuple[Plan, Activity]:
    """Do what `plan` says, all of it: the plan, and the entry by which it can be undone.

    New agencies send news to the list, or to all; `invite` mails each new person. Raises Invalid while a line is
    wrong, NotAllowed.
    """
    if actor is not None and mailing_list is not None:
        require(actor, MANAGE, mailing_list)
    found = plan(text, actor)
    if found.problems:
        raise Invalid(
            [Problem("text", _("Line {number}: {why}").format(number=n, why=why)) for n, why in found.problems]
        )
    made = [agencies.create(name, mailing_list, actor=actor, now=now) for name in found.new_agencies]
    people = []
    for each in found.new_people:
        agency = agencies.find_by_name(each.agency)
        person = contributors.invite(
            each.address, agency, name=each.name, lead=each.lead, by_mail=invite, by=actor, now=now
        )
        people.append(person.id)
    entry = activity.record(
        IMPORTED, actor=actor, now=now, mailing_list=mailing_list, agencies=[one.id for one in made], people=people
    )
    db.session.flush()
    return found, entry


def undo(entry: Activity, *, actor: Account | None, now: datetime) -> int:
    """End everybody and every agency that an import brought; how many people. What they sent meanwhile is kept.

    Raises Refused for an entry that is none of an import.
    """
    if entry.action != IMPORTED:
        raise Refused(_("There is nothing to undo."))
    people = [db.session.get(Contributor, key) for key in entry.detail.get("people", [])]
    ended = 0
    for person in people:
        if person is not None and person.ended_at is None:
            contributors.end(person, by=actor, now=now)
            ended += 1
    for key in entry.detail.get("agencies", []):
        agency = db.session.get(Agency, key)
        if agency is not None and not agencies.people_of(agency):
            agencies.end(agency, actor=actor, now=now)
    activity.record("agencies.import_undone", actor=actor, now=now, subject=("activity", entry.id), people=ended)
    return ended


def _lines(text: str, problems: list[tuple[int, str]]) -> Iterator[Line]:
    """Each line that says something; what is wrong with the others goes to `problems`."""
    rows = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").split("\n")
    first = next((row for row in rows if row.strip()), "")
    delimiter = max(",;\t", key=first.count)
    try:
        columns = _columns(_cells(first, delimiter))
    except Invalid:
        columns = {}
    header_passed = not columns
    for number, row in enumerate(rows, start=1):
        if not row.strip():
            continue
        if not header_passed:
            header_passed = True
            continue
        try:
            yield _read(number, _cells(row, delimiter), columns)
        except Invalid as error:
            problems.append((number, str(error)))


def _cells(row: str, delimiter: str) -> list[str]:
    """The cells of a line. Raises Invalid for one that is none of a table."""
    try:
        return [cell.strip() for cell in next(csv.reader([row], delimiter=delimiter), [])]
    except csv.Error:
        raise Invalid([Problem("text", _("This line cannot be read"))]) from None


def _columns(head: list[str]) -> dict[str, int]:
    """Where things stand, by the names in the first line; nothing where that is a line like the others."""
    names = [re.sub(r"[^a-z]", "", cell.lower()) for cell in head]
    found = {
        what: next(names.index(name) for name in known if name in names)
        for what, known in _HEADERS.items()
        if any(name in names for name in known)
    }
    return found if "agency" in found and not any("@" in cell for cell in head) and len(names) > 1 else {}


def _read(number: int, cells: list[str], columns: dict[str, int]) -> Line:
    parts = _by_name(cells, columns) if columns else _by_look(cells)
    agency = one_line(
        parts["agency"], field="text", longest=agencies.LONGEST_NAME, missing=_("The name of the agency is missing")
    )
    if not parts["email"]:
        if parts["name"]:
            raise Invalid([Problem("text", _("{name} has no email address").format(name=parts["name"]))])
        return Line(number, agency)
    address, _removed = contributors.typed_address(parts["email"], field="text")
    called = parts["name"] or _name_before(parts["email"])
    name = one_line(called, field="text", longest=contributors.LONGEST_NAME)
    return Line(number, agency, name, address, parts["lead"].lower() in _YES)


def _by_name(cells: list[str], columns: dict[str, int]) -> dict[str, str]:
    return {what: cells[at] if (at := columns.get(what, -1)) >= 0 and at < len(cells) else "" for what in _HEADERS}


def _by_look(cells: list[str]) -> dict[str, str]:
    """Without a header: the address is where the @ is, "lead" is what says so; then the agency, then the name."""
    email = next((cell for cell in cells if "@" in cell), "")
    lead = next((cell for cell in cells[1:] if cell.lower() == "lead"), "")
    others = [cell for cell in cells if cell and cell not in (email, lead)]
    return {
        "agency": others[0] if others else "",
        "name": others[1] if len(others) > 1 else "",
        "email": email,
        "lead": lead,
    }


def _name_before(typed: str) -> str:
    """ "Sam Okafor" of "Sam Okafor <sam@example.org>"."""
    found = re.match(r'\s*"?([^"<>@]+?)"?\s*<', typed)
    return found[1] if found else ""


def _plan_agency(each: Line, found: Plan, named: set[str], actor: Account | None) -> None:
    key = agencies.name_key(each.agency)
    there = agencies.find_by_name(each.agency)
    if there is not None and there.ended_at is not None:
        found.problems.append((each.number, _("{agency} has left. Take it back first").format(agency=there.name)))
    elif there is not None and not agencies.may_manage(actor, there):
        found.problems.append((each.number, _("You do not look after {agency}").format(agency=there.name)))
    elif there is None and key not in named:
        found.new_agencies.append(each.agency)
    named.add(key)


def _plan_person(each: Line, found: Plan, seen: dict[str, int]) -> None:
    key = addresses.key(each.address)
    if key in seen:
        sentence = _("{address} stands in line {line} already").format(address=each.address, line=seen[key])
        found.problems.append((each.number, sentence))
        return
    seen[key] = each.number
    person = proving.find_contributor(each.address)
    if person is None or person.ended_at is not None or person.approved_at is None:
        found.new_people.append(each)
    elif person.agency is not None and person.agency.name_key == agencies.name_key(each.agency):
        found.known += 1
    else:
        where = person.agency.name if person.agency else _("nobody")
        sentence = _("{address} sends news for {agency} at the moment").format(address=each.address, agency=where)
        found.problems.append((each.number, sentence))
