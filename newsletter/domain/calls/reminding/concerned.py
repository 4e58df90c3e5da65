"""Whom a call concerns, and where each of them stands: agencies and their people, and who is still writing.

Reads only, a few queries for one issue. Mails about a call go to nobody else.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import or_, select

from .... import addresses
from ....db import db
from ....models import Agency, AgencyAnswer, Contribution, Contributor, ContributorAnswer, Issue, MailingList
from ....states import ContributionState
from ...subscribers import suppressing
from ..deadline.reading import is_proved, open_calls
from ..partners.agencies import agencies_of


class Standing(StrEnum):
    """Where an agency, or somebody without one, stands; what comes first holds before what comes after."""

    IN = "in"
    NOTHING = "nothing"
    WRITING = "writing"
    SILENT = "silent"


@dataclass(frozen=True)
class Person:
    """Somebody to write to about a call. `drafts` are their own, begun and not handed in; nobody else reads them."""

    address: str
    name: str
    contributor: Contributor | None
    standing: Standing
    drafts: tuple[Contribution, ...] = ()

    @property
    def address_key(self) -> str:
        return addresses.key(self.address)


@dataclass
class Party:
    """An agency with its people, or one person without an agency."""

    name: str
    agency: Agency | None
    people: list[Contributor]
    sent: list[Contribution] = field(default_factory=list)
    drafts: list[Contribution] = field(default_factory=list)
    answer: AgencyAnswer | ContributorAnswer | None = None

    @property
    def answerer(self) -> Agency | Contributor:
        """Who says "nothing this time" for it."""
        return self.agency or self.people[0]

    @property
    def standing(self) -> Standing:
        if self.sent:
            return Standing.IN
        if self.answer is not None:
            return Standing.NOTHING
        return Standing.WRITING if self.drafts else Standing.SILENT


def people_of(mailing_list: MailingList) -> list[Contributor]:
    """Contributors of the list who are still here, by name: those of its agencies, and those of no agency."""
    chosen = (
        select(Contributor)
        .outerjoin(Agency, Agency.id == Contributor.agency_id)
        .where(
            Contributor.approved_at.is_not(None),
            Contributor.ended_at.is_(None),
            or_(Agency.id.is_(None), Agency.ended_at.is_(None)),
            or_(Agency.id.is_(None), Agency.list_id.is_(None), Agency.list_id == mailing_list.id),
        )
        .order_by(Contributor.name, Contributor.id)
    )
    return list(db.session.scalars(chosen))


def opened_call(person: Contributor, now: datetime) -> Issue | None:
    """The call that is open and asks this person for news, the nearest deadline first; None between two calls."""
    for issue in open_calls(now):
        here = person.agency is None or person.agency.list_id in (None, issue.list_id)
        if here and issue.call_opened_at is not None:
            return issue
    return None


def parties(issue: Issue) -> list[Party]:
    """Every agency of the issue's list, where it uses agencies, and everybody without one; by name."""
    people = people_of(issue.mailing_list)
    by_agency: dict[int, Party] = {}
    if issue.mailing_list.uses_agencies:
        by_agency = {one.id: Party(one.name, one, []) for one in agencies_of(issue.mailing_list)}
        answers = select(AgencyAnswer).where(AgencyAnswer.issue_id == issue.id)
        for answer in db.session.scalars(answers):
            if answer.agency_id in by_agency:
                by_agency[answer.agency_id].answer = answer
    own = select(ContributorAnswer).where(ContributorAnswer.issue_id == issue.id)
    of_themselves = {answer.contributor_id: answer for answer in db.session.scalars(own)}
    of_person: dict[int, Party] = {}
    for person in people:
        alone = Party(person.name or person.address, None, [], answer=of_themselves.get(person.id))
        party = by_agency.get(person.agency_id or 0) or alone
        party.people.append(person)
        of_person[person.id] = party
    _sort_in(issue, people, of_person, by_agency)
    return [*by_agency.values(), *(party for party in of_person.values() if party.agency is None)]


def _sort_in(
    issue: Issue, people: Iterable[Contributor], of_person: dict[int, Party], by_agency: dict[int, Party]
) -> None:
    """Put each contribution to the issue with whom it is from; what nobody proved is from nobody."""
    by_key = {person.address_key: person.id for person in people}
    chosen = select(Contribution).where(
        Contribution.issue_id == issue.id, Contribution.state != ContributionState.WITHDRAWN
    )
    for one in db.session.scalars(chosen.order_by(Contribution.id)):
        if not is_proved(one):
            continue
        person = one.contributor_id or by_key.get(addresses.key(one.contact_address), 0)
        party = of_person.get(person) or by_agency.get(one.agency_id or 0)
        if party is not None:
            (party.drafts if one.state is ContributionState.DRAFT else party.sent).append(one)


def persons(issue: Issue) -> list[Person]:
    """Everybody to write to about the call, once each: contributors, and whoever has a draft of their own.

    Nobody whose address is suppressed.
    """
    drafts = drafts_by_address(issue)
    found: dict[str, Person] = {}
    for party in parties(issue):
        for one in party.people:
            own = tuple(drafts.pop(one.address_key, []))
            found[one.address_key] = Person(one.address, one.name, one, party.standing, own)
    for key, own_drafts in drafts.items():
        first = own_drafts[0]
        found.setdefault(
            key, Person(first.contact_address, first.contact_name, None, Standing.WRITING, tuple(own_drafts))
        )
    unwelcome = suppressing.suppressed_keys(found) if found else set()
    return [person for key, person in found.items() if key not in unwelcome]


def drafts_by_address(issue: Issue) -> dict[str, list[Contribution]]:
    """What was begun for the issue and not handed in, by whom: nothing that came late, nothing that nobody proved."""
    found: dict[str, list[Contribution]] = {}
    chosen = select(Contribution).where(
        Contribution.issue_id == issue.id, Contribution.state == ContributionState.DRAFT, ~Contribution.late
    )
    for one in db.session.scalars(chosen.order_by(Contribution.id)):
        if one.contributor is not None:
            key = one.contributor.address_key if one.contributor.ended_at is None else ""
        else:
            # Only where somebody has shown that they read mail there is anything written to it unasked.
            key = addresses.key(one.contact_address) if one.proved_at is not None else ""
        if key:
            found.setdefault(key, []).append(one)
    return found
