"""The Larkmere partnership's people who send in news, and a call for them: makers that several stories share."""

from datetime import date, datetime, time, timedelta

from sqlalchemy import select

from newsletter import addresses
from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.models import Account, Agency, Chase, Contribution, Contributor, Issue, MailingList, Notice
from newsletter.states import ContributionState, Role
from tests import people

ZONE = "Europe/London"
#: Four agencies of Larkmere, and who sends in their news; all are leads.
AGENCIES = {
    "Larkmere Police": "Sam Okafor",
    "Fern Valley NHS": "Nadia Rahman",
    "The Harbour School": "Helen Price",
    "Council audit team": "Cara Lindqvist",
}


def agency(name: str, now: datetime, on: MailingList | None = None) -> Agency:
    with transaction() as session:
        made = Agency(name=name, name_key=name.casefold(), list_id=on.id if on else None, created_at=now)
        session.add(made)
    return made


def contributor(name: str, now: datetime, of: Agency | None = None, lead: bool = False) -> Contributor:
    """Proved and taken in; the address is the first name's."""
    address = f"{name.split()[0].lower()}@example.org"
    with transaction() as session:
        made = Contributor(
            address=address, address_key=addresses.key(address), name=name, agency_id=of.id if of else None, lead=lead,
            created_at=now, approved_at=now, proved_at=now,
        )  # fmt: skip
        session.add(made)
    return made


def partnership(now: datetime) -> tuple[MailingList, Account]:
    """The quarterly list with its four agencies, and Ruth, who edits."""
    mailing_list = people.larkmere(now)
    with transaction():
        mailing_list.uses_agencies = True
    for name, lead in AGENCIES.items():
        contributor(lead, now, agency(name, now), lead=True)
    return mailing_list, people.staff(now, "Ruth Adeyemi", Role.EDITOR)


def person(name: str) -> Contributor:
    """By first name."""
    return db.session.scalars(select(Contributor).where(Contributor.name.startswith(name))).one()


def agency_of(name: str) -> Agency:
    """Whose news they send in."""
    found = person(name).agency
    assert found is not None
    return found


def call(mailing_list: MailingList, now: datetime, closes: Deadline, *, slug: str = "december-2017") -> Issue:
    """An issue whose call closes then, and which goes out two weeks later."""
    with transaction() as session:
        made = Issue(
            list_id=mailing_list.id, slug=slug, title="December 2017", subject="December", has_call=True,
            planned_at=closes.instant + timedelta(days=14), created_at=now,
        )  # fmt: skip
        made.deadline = closes
        session.add(made)
    return made


def deadline(day: date, at: time = time(17)) -> Deadline:
    return Deadline.of(day, at, ZONE)


_count = iter(range(1_000_000))


def piece(issue: Issue, now: datetime, of: Contributor | None = None, **values: object) -> Contribution:
    """A draft of this person, unless `values` say otherwise."""
    kept = {
        "reference": f"T{next(_count):03}-TEST", "issue_id": issue.id, "state": ContributionState.DRAFT,
        "title": "One number for domestic abuse", "body": "From Monday.", "opened_at": now, "created_at": now,
        "contact_address": of.address if of else "tom@example.org", "contributor_id": of.id if of else None,
        "agency_id": of.agency_id if of else None, "proved_at": now,
    }  # fmt: skip
    with transaction() as session:
        made = Contribution(**{**kept, **values})
        session.add(made)
    return made


def sent(issue: Issue, now: datetime, of: Contributor) -> Contribution:
    """The same, handed in."""
    return piece(issue, now, of, state=ContributionState.SUBMITTED, submitted_at=now)


def mails(template: str = "") -> list[tuple[str, str]]:
    """(template, to whom) of every notice, or of those of one template, in the order they were written."""
    chosen = select(Notice.template, Notice.address).order_by(Notice.id)
    rows = db.session.execute(chosen.where(Notice.template == template) if template else chosen)
    return [(name, address.split("@")[0]) for name, address in rows]


def to(template: str) -> list[str]:
    """To whom notices of this template went, by first name."""
    return sorted(address for _name, address in mails(template))


def forget_mails() -> None:
    with transaction() as session:
        session.query(Notice).delete()


def chases() -> int:
    return db.session.query(Chase).count()
