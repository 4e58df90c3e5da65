"""The people who send in news: invited, asking to be taken in, changed, handed on, ended.

Staff look after all of them, a lead after those of the same agency.
"""

import logging
import re
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update

from .... import addresses
from ....db import db, take_turn
from ....errors import Invalid, NotAllowed, NotFound, Problem, Refused
from ....i18n import gettext as _
from ....models import Account, Activity, AddressProof, Agency, Contribution, Contributor
from ....states import ProofPurpose
from ... import notices
from ...staff import activity
from ...staff.permissions import may_anywhere
from ...staff.wording import line
from . import agencies, contributor_sessions, proving
from .agencies import MANAGE, Actor

_log = logging.getLogger(__name__)

INVITATION_NOTICE, WELCOME_NOTICE, REFUSED_NOTICE = (
    "contributor_invitation",
    "contributor_welcome",
    "contributor_refused",
)
INVITATION_LASTS = timedelta(days=14)
_ENDED = "contributor.ended"
LONGEST_NAME, LONGEST_PHONE = 100, 40
#: What comes along when an address is copied out of a sentence or a mail program.
_AROUND = re.compile(r"^(?:mailto:)?[\s<(\"']+|[\s>)\"'.,;:]+$|^mailto:", re.IGNORECASE)


def typed_address(typed: str, *, field: str) -> tuple[str, str]:
    """The address somebody typed or pasted, and a sentence about what was left out of it ("" for nothing).

    A full stop or a comma at the end, brackets around it, "mailto:" before it: none is part of an address. Raises
    Invalid, naming `field`.
    """
    bare = typed.strip()
    if found := re.search(r"<([^<>@\s]+@[^<>\s]+)>\s*[.,;]?$", bare):
        bare = found[1]
    while (shorter := _AROUND.sub("", bare)) != bare:
        bare = shorter
    address = addresses.clean(bare, field=field)
    if bare == typed.strip():
        return address, ""
    return address, _("We read it as {address}.").format(address=address)


def find(public_id: object) -> Contributor:
    """The contributor of this id, even one whose access has ended. Raises NotFound."""
    found = db.session.scalar(select(Contributor).where(Contributor.public_id == public_id))
    if found is None:
        raise NotFound(_("There is no such person here."))
    return found


def everybody() -> list[Contributor]:
    """All who send in news or did: by agency, those of none last, then by name."""
    chosen = select(Contributor).outerjoin(Agency, Agency.id == Contributor.agency_id)
    return list(
        db.session.scalars(
            chosen.order_by(Agency.name_key.is_(None), Agency.name_key, Contributor.name, Contributor.address_key)
        )
    )


def without_agency() -> list[Contributor]:
    """Who sends in news and belongs to no agency, oldest first."""
    chosen = select(Contributor).where(Contributor.agency_id.is_(None), Contributor.ended_at.is_(None))
    return list(db.session.scalars(chosen.order_by(Contributor.id)))


def number_sent(person: Contributor) -> int:
    """How many texts are theirs."""
    return db.session.scalar(select(func.count()).where(Contribution.contributor_id == person.id)) or 0


def require_manage(actor: Actor, person: Contributor) -> None:
    """Raise NotAllowed unless they may look after this person: staff, or the lead of the person's agency."""
    if person.agency is not None:
        agencies.require_manage(actor, person.agency)
    elif isinstance(actor, Contributor) or (actor is not None and not may_anywhere(actor, MANAGE)):
        raise NotAllowed(_("You may not look after this person."))


def invite(
    address: str,
    agency: Agency | None,
    *,
    name: str = "",
    lead: bool = False,
    by_mail: bool = True,
    by: Actor,
    now: datetime,
) -> Contributor:
    """Somebody may send in news, for the agency if one is named, and is told so by mail.

    Who was there and has left is back; who asked and waits is taken in. Only staff invite without an agency. Raises
    Invalid for an address that cannot be used or belongs to another agency, NotAllowed, Refused for an agency that
    has left, and for a lead who invites somebody whose access the staff ended.
    """
    if agency is not None:
        agencies.require_manage(by, agency)
        if agency.ended_at is not None:
            raise Refused(_("{agency} has left.").format(agency=agency.name))
    elif isinstance(by, Contributor):
        raise NotAllowed(_("You may invite people to your own agency."))
    clean, _removed = typed_address(address, field="email")
    called = line(name, field="name", longest=LONGEST_NAME)
    take_turn(f"contributor:{addresses.key(clean)}")
    person = proving.find_contributor(clean)
    if person is not None and person.ended_at is None and person.approved_at is not None:
        raise Invalid([Problem("email", _already(person, agency))])
    if person is not None:
        _require_may_return(person, by)
    else:
        person = Contributor(address=clean, address_key=addresses.key(clean), created_at=now)
        db.session.add(person)
    person.name = called or person.name
    person.agency_id = agency.id if agency else None
    person.lead = lead
    person.invited_at, person.invited_by_id = now, by.id if isinstance(by, Account) else None
    person.approved_at, person.ended_at = now, None
    db.session.flush()
    db.session.refresh(person)
    if by_mail:
        _send_invitation(person, by, now)
    _record("contributor.invited", person, by, now, lead=lead)
    return person


def _require_may_return(person: Contributor, by: Actor) -> None:
    """Raise Refused for a lead, where the access ended by the staff: they may know why, and only they give it back."""
    if not isinstance(by, Contributor) or person.ended_at is None:
        return
    ended = db.session.scalar(
        select(Activity)
        .where(Activity.action == _ENDED, Activity.subject_type == "contributor", Activity.subject_id == str(person.id))
        .order_by(Activity.id.desc())
        .limit(1)
    )
    if ended is None or "by" not in ended.detail:
        who = person.name or person.address
        raise Refused(_("The editors ended the access of {who}. Ask them to give it back.").format(who=who))


def _already(person: Contributor, agency: Agency | None) -> str:
    if agency is not None and person.agency_id == agency.id:
        return _("{address} sends news for {agency} already").format(address=person.address, agency=agency.name)
    return _("{address} sends news for somebody else already. The editors can move them").format(address=person.address)


def invite_again(person: Contributor, *, by: Actor, now: datetime) -> None:
    """The invitation once more, with a new link. Raises Refused for somebody who has been here, or has left."""
    require_manage(by, person)
    if person.ended_at is not None or person.approved_at is None:
        raise Refused(_("They have no access at the moment."))
    _send_invitation(person, by, now)
    person.invited_at = now
    _record("contributor.invited", person, by, now, again=True)


def _send_invitation(person: Contributor, by: Actor, now: datetime) -> None:
    values = {"by": by.name if by is not None else "", "agency": person.agency.name if person.agency else ""}
    notice = notices.send_notice(INVITATION_NOTICE, person.address, now=now, values=values)
    proving.send_proof(
        person.address, ProofPurpose.SIGN_IN, contributor=person, notice=notice, lasts=INVITATION_LASTS, now=now
    )


def waits_for_first_visit(proof: AddressProof) -> Contributor | None:
    """Who was invited and has never been here, if this is their link."""
    person = db.session.get(Contributor, proof.contributor_id) if proof.contributor_id else None
    return person if person is not None and person.invited_at is not None and person.proved_at is None else None


def change_own(person: Contributor, *, name: str, phone: str, now: datetime) -> None:
    """What a contributor says of themselves. Raises Invalid."""
    person.name = line(name, field="name", longest=LONGEST_NAME, missing=_("Enter your name"))
    person.phone = line(phone, field="phone", longest=LONGEST_PHONE)
    db.session.flush()
    _record("contributor.changed", person, person, now)


def change(person: Contributor, *, name: str, agency: Agency | None, lead: bool, by: Actor, now: datetime) -> None:
    """Another name, another agency, lead or not. A lead changes people of their own agency only, and keeps them there.

    Raises Invalid, NotAllowed, Refused (for an agency that would be left without whoever changes it).
    """
    require_manage(by, person)
    if agency is not None:
        agencies.require_manage(by, agency)
    elif isinstance(by, Contributor):
        raise NotAllowed(_("Only the editors move people out of an agency."))
    if isinstance(by, Contributor) and by.id == person.id and not lead:
        raise Refused(_("Make somebody else the lead first; they can then change you."))
    person.name = line(name, field="name", longest=LONGEST_NAME) or person.name
    person.agency_id, person.lead = agency.id if agency else None, lead and agency is not None
    db.session.flush()
    db.session.refresh(person)
    _record("contributor.changed", person, by, now, lead=person.lead)


def end(person: Contributor, *, by: Actor, now: datetime) -> None:
    """They send in news no more: signed out, links and invitations dead. What they sent stays. Twice is once."""
    require_manage(by, person)
    if isinstance(by, Contributor) and by.id == person.id:
        raise Refused(_("Nobody ends their own access: ask the editors."))
    if person.ended_at is not None:
        return
    person.ended_at = now
    contributor_sessions.revoke(person, now=now)
    proving.revoke_proofs(person.address_key, now=now)
    db.session.flush()
    _record(_ENDED, person, by, now)


def resume(person: Contributor, *, by: Actor, now: datetime) -> None:
    """Take back that their access ended. They sign in anew."""
    require_manage(by, person)
    if person.ended_at is None:
        return
    _require_may_return(person, by)
    if person.agency is not None and person.agency.ended_at is not None:
        raise Refused(_("{agency} has left: take it back first.").format(agency=person.agency.name))
    person.ended_at = None
    person.approved_at = person.approved_at or now
    db.session.flush()
    _record("contributor.resumed", person, by, now)


def sign_out_everywhere(person: Contributor, *, by: Actor, keep: str | None = None, now: datetime) -> int:
    """End their sessions, all or all but that of the id `keep`; how many. Themselves, their lead or staff do it."""
    if not (isinstance(by, Contributor) and by.id == person.id):
        require_manage(by, person)
    ended = contributor_sessions.revoke(person, now=now, keep=keep)
    proving.revoke_proofs(person.address_key, now=now)
    _record("contributor.signed_out", person, by, now, sessions=ended)
    return ended


def hand_over(person: Contributor, to: Contributor, *, by: Actor, now: datetime) -> int:
    """What one person sent for their agency belongs to another one of it; how many that were. Raises Refused."""
    require_manage(by, person)
    require_manage(by, to)
    if to.id == person.id or to.ended_at is not None or to.agency_id is None or to.agency_id != person.agency_id:
        raise Refused(_("Choose somebody of the same agency."))
    theirs = (Contribution.contributor_id == person.id, Contribution.agency_id == person.agency_id)
    keys = list(db.session.scalars(select(Contribution.id).where(*theirs)))
    if keys:
        db.session.execute(update(Contribution).where(Contribution.id.in_(keys)).values(contributor_id=to.id))
    _record("contributor.handed_over", person, by, now, to=to.id, contributions=len(keys))
    return len(keys)


def _record(action: str, person: Contributor, by: Actor, now: datetime, **detail: Any) -> None:
    if isinstance(by, Contributor):
        detail["by"] = by.id
    activity.record(
        action,
        actor=by if isinstance(by, Account) else None,
        actor_name=_("A contributor") if isinstance(by, Contributor) else None,
        now=now,
        subject=("contributor", person.id),
        agency=person.agency_id,
        **detail,
    )
    _log.info("%s: contributor %s", action, person.id)
