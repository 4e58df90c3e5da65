"""The agencies of the partnership: made, renamed, ended; who may look after their people."""

import logging
import unicodedata
from datetime import datetime

from sqlalchemy import select

from ....db import db, take_turn
from ....errors import Invalid, NotAllowed, NotFound, Problem, Refused
from ....i18n import gettext as _
from ....models import Account, Agency, Contributor, MailingList
from ...staff import activity
from ...staff.permissions import Permission, may, may_anywhere
from ...staff.wording import line
from . import contributor_sessions, proving

_log = logging.getLogger(__name__)

LONGEST_NAME = 150
#: What staff need to look after agencies and whoever sends in their news.
MANAGE = Permission.TRIAGE_CONTRIBUTIONS
#: Who acts: staff, the lead of the agency, or nobody with an account (the machine's own command line).
Actor = Account | Contributor | None


def name_key(name: str) -> str:
    """What two spellings of one name have in common: case, white space and full-width letters do not part them."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def find(public_id: object) -> Agency:
    """The agency of this id. Raises NotFound."""
    found = db.session.scalar(select(Agency).where(Agency.public_id == public_id))
    if found is None:
        raise NotFound(_("There is no such agency."))
    return found


def find_by_name(name: str) -> Agency | None:
    """The agency that is called so, even one that has left."""
    return db.session.scalar(select(Agency).where(Agency.name_key == name_key(name)))


def all_agencies(*, even_ended: bool = False) -> list[Agency]:
    """The agencies by name; those that have left only if asked for."""
    chosen = select(Agency).order_by(Agency.name_key)
    return list(db.session.scalars(chosen if even_ended else chosen.where(Agency.ended_at.is_(None))))


def agencies_of(mailing_list: MailingList) -> list[Agency]:
    """Those that send news to the list: its own and those of all lists, by name."""
    return [one for one in all_agencies() if one.list_id in (None, mailing_list.id)]


def people_of(agency: Agency, *, even_ended: bool = False) -> list[Contributor]:
    """Who sends in the agency's news: its leads first, then by name."""
    chosen = select(Contributor).where(Contributor.agency_id == agency.id)
    if not even_ended:
        chosen = chosen.where(Contributor.ended_at.is_(None))
    return list(db.session.scalars(chosen.order_by(Contributor.lead.desc(), Contributor.name, Contributor.address_key)))


def in_use() -> bool:
    """Whether agencies are switched on for any list."""
    return db.session.scalar(select(MailingList.id).where(MailingList.uses_agencies).limit(1)) is not None


def may_manage(actor: Actor, agency: Agency) -> bool:
    """Whether they may look after the agency's people: staff of its list, or its own lead."""
    if isinstance(actor, Contributor):
        is_in = actor.lead and actor.approved_at is not None and actor.ended_at is None
        return is_in and actor.agency_id == agency.id and agency.ended_at is None
    if actor is None:
        return True
    mailing_list = db.session.get(MailingList, agency.list_id) if agency.list_id else None
    # One that sends news to all lists is the business of whoever looks after any of them.
    return may(actor, MANAGE, mailing_list) if mailing_list else may_anywhere(actor, MANAGE)


def require_manage(actor: Actor, agency: Agency) -> None:
    """Raise NotAllowed unless `may_manage`."""
    if not may_manage(actor, agency):
        raise NotAllowed(_("You may not look after the people of {agency}.").format(agency=agency.name))


def create(name: str, mailing_list: MailingList | None, *, actor: Account | None, now: datetime) -> Agency:
    """A new agency, of one list or of all. Raises Invalid for a name that is missing, too long, or taken."""
    _require_staff(actor, mailing_list)
    clean = _checked_name(name)
    agency = Agency(
        name=clean, name_key=name_key(clean), list_id=mailing_list.id if mailing_list else None, created_at=now
    )
    db.session.add(agency)
    db.session.flush()
    _record("agency.created", agency, actor, now)
    return agency


def change(
    agency: Agency, name: str, mailing_list: MailingList | None, *, actor: Account | None, now: datetime
) -> None:
    """Another name, or other lists. What was sent in under the old name keeps it. Raises Invalid, NotAllowed."""
    require_manage(actor, agency)
    _require_staff(actor, mailing_list)
    clean = _checked_name(name, but=agency)
    wanted = (clean, mailing_list.id if mailing_list else None)
    if wanted == (agency.name, agency.list_id):
        return
    agency.name, agency.list_id = wanted
    agency.name_key = name_key(clean)
    db.session.flush()
    _record("agency.changed", agency, actor, now)


def end(agency: Agency, *, actor: Account | None, now: datetime) -> None:
    """It has left: nobody of it is asked for news or signs in for it. What they sent stays. Ending twice is one."""
    require_manage(actor, agency)
    if agency.ended_at is not None:
        return
    agency.ended_at = now
    for person in people_of(agency):
        person.ended_at = now
        contributor_sessions.revoke(person, now=now)
        proving.revoke_proofs(person.address_key, now=now)
    db.session.flush()
    _record("agency.ended", agency, actor, now)


def resume(agency: Agency, *, actor: Account | None, now: datetime) -> None:
    """It is back, with the people who left when it did. Raises Refused for one that has not left."""
    require_manage(actor, agency)
    if agency.ended_at is None:
        raise Refused(_("{agency} has not left.").format(agency=agency.name))
    left_at, agency.ended_at = agency.ended_at, None
    for person in people_of(agency, even_ended=True):
        if person.ended_at == left_at:
            person.ended_at = None
    db.session.flush()
    _record("agency.resumed", agency, actor, now)


def agencies_for(actor: Account) -> list[Agency]:
    """The agencies whose people this member of staff may look after, even those that have left."""
    return [one for one in all_agencies(even_ended=True) if may_manage(actor, one)]


def asked_to_manage_by(agency: Agency | None, actor: Account) -> bool:
    """Whether somebody of this agency, or of none, is this member of staff's to look after."""
    return may_anywhere(actor, MANAGE) if agency is None else may_manage(actor, agency)


def lists_of(actor: Account) -> list[MailingList]:
    """The lists to whose agencies this member of staff may add, oldest first."""
    lists = db.session.scalars(select(MailingList).order_by(MailingList.id))
    return [one for one in lists if may(actor, MANAGE, one)]


def _checked_name(typed: str, *, but: Agency | None = None) -> str:
    spaced = typed.replace("\t", " ")
    clean = line(spaced, field="name", longest=LONGEST_NAME, missing=_("Enter the agency’s name"))
    take_turn("agency")
    same = find_by_name(clean)
    if same is not None and same is not but:
        sentence = (
            _("{agency} is there already")
            if same.ended_at is None
            else _("{agency} was there and has left: take it back on its page")
        )
        raise Invalid([Problem("name", sentence.format(agency=same.name))])
    return clean


def _require_staff(actor: Account | None, mailing_list: MailingList | None) -> None:
    allowed = actor is None or (may(actor, MANAGE, mailing_list) if mailing_list else may_anywhere(actor, MANAGE))
    if not allowed:
        raise NotAllowed(_("You may not change the agencies. An administrator can change that."))


def _record(action: str, agency: Agency, actor: Account | None, now: datetime) -> None:
    mailing_list = db.session.get(MailingList, agency.list_id) if agency.list_id else None
    activity.record(
        action, actor=actor, now=now, mailing_list=mailing_list, subject=("agency", agency.id), name=agency.name
    )
    _log.info("%s: agency %s", action, agency.id)
