"""What is written about more time: to whoever has it, and to the editors."""

from datetime import datetime

from ....db import db
from ....models import Account, Agency, Contribution, Contributor, Extension
from ... import notices
from ...issues.people import tell, who_may
from ...staff.permissions import Permission
from ...subscribers import suppressing
from ..partners.agencies import people_of

ASKED, GIVEN, REFUSED, TAKEN_BACK = "more_time_asked", "more_time_given", "more_time_refused", "more_time_taken_back"
TOLD, ENDS = "more_time_told", "more_time_ends"


def holder(extension: Extension) -> str:
    """For whom it is, in words: "Sam Okafor, Larkmere Police", "Larkmere Police", "“One number”, Sam Okafor"."""
    if extension.contributor_id is not None:
        person = db.session.get_one(Contributor, extension.contributor_id)
        return ", ".join(filter(None, (person.name or person.address, person.agency.name if person.agency else "")))
    if extension.agency_id is not None:
        return db.session.get_one(Agency, extension.agency_id).name
    piece = db.session.get_one(Contribution, extension.contribution_id)
    return ", ".join(filter(None, (f"“{piece.title}”" if piece.title else "", piece.contact_name, piece.agency)))


def addresses_of(extension: Extension) -> list[tuple[str, str]]:
    """(address, name) of whoever has it: the person, the agency's leads (all its people where it has none)."""
    if extension.contributor_id is not None:
        person = db.session.get_one(Contributor, extension.contributor_id)
        found = [(person.address, person.name)] if person.ended_at is None else []
    elif extension.agency_id is not None:
        agency = db.session.get_one(Agency, extension.agency_id)
        people = [one for one in people_of(agency) if one.approved_at is not None]
        found = [(one.address, one.name) for one in [each for each in people if each.lead] or people]
    else:
        piece = db.session.get_one(Contribution, extension.contribution_id)
        found = [(piece.contact_address, piece.contact_name)] if piece.contact_address else []
    return [(address, name) for address, name in found if not suppressing.is_suppressed(address)]


def tell_holder(extension: Extension, template: str, now: datetime) -> None:
    """One mail to each who has it."""
    for address, name in addresses_of(extension):
        values = {"extension": extension.id, "name": name, "note": extension.note}
        notices.send_notice(template, address, now=now, values=values, issue=extension.issue)


def tell_editors_of_question(extension: Extension, now: datetime) -> None:
    """Who asks, why, and until when; the mail leads to one page with one button."""
    issue = extension.issue
    people = who_may(Permission.TRIAGE_CONTRIBUTIONS, issue.mailing_list)
    wished = extension.deadline.words if extension.deadline else ""
    tell(
        ASKED, people, issue, now=now, extension=str(extension.public_id), who=holder(extension),
        reason=extension.reason, wished=wished,
    )  # fmt: skip


def tell_editors_of_grant(extension: Extension, actor: Account | None, now: datetime) -> None:
    """The new time, to all editors of the list: whoever reads the call's board next expects it."""
    issue = extension.issue
    people = who_may(Permission.TRIAGE_CONTRIBUTIONS, issue.mailing_list)
    until = extension.deadline.words_with_zone if extension.deadline else ""
    tell(TOLD, people, issue, now=now, who=holder(extension), until=until, by=actor.name if actor else "")
