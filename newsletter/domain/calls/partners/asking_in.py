"""Somebody whom nobody has invited asks to send in news: staff are told, and take them in or do not."""

from datetime import datetime

from sqlalchemy import select

from ....db import db
from ....errors import Refused
from ....i18n import gettext as _
from ....models import Account, Agency, Contributor, MailingList
from ... import notices
from ...issues.people import who_may
from ...staff import activity
from ...staff.wording import Problems, line, text
from . import agencies, contributors
from .agencies import MANAGE

ASKED_NOTICE = "contributor_asked"
_LONGEST_WORDS, _LONGEST_REASON = 500, 1_000


def ask(person: Contributor, *, name: str, words: str, now: datetime) -> None:
    """Ask to be taken in, with the agency in one's own words. Staff are told once; asking again changes the words.

    Raises Invalid, Refused for somebody who is in already.
    """
    if person.approved_at is not None:
        raise Refused(_("You can send in news already."))
    problems = Problems()
    called = problems.of(
        lambda: line(name, field="name", longest=contributors.LONGEST_NAME, missing=_("Enter your name")), ""
    )
    asked = problems.of(
        lambda: text(words, field="words", longest=_LONGEST_WORDS, missing=_("Enter the name of your agency or team")),
        "",
    )
    problems.raise_any()
    first = not person.asked_words
    person.name, person.asked_words = called, asked
    db.session.flush()
    if first:
        for account in _whom_to_tell():
            values = {"name": account.name, "who": called, "words": asked, "contributor": str(person.public_id)}
            notices.send_notice(ASKED_NOTICE, account.email, now=now, values=values)
    activity.record(
        "contributor.asked", actor=None, actor_name=_("A contributor"), now=now, subject=("contributor", person.id)
    )


def waiting() -> list[Contributor]:
    """Who has asked and waits, the longest first."""
    chosen = select(Contributor).where(
        Contributor.approved_at.is_(None), Contributor.ended_at.is_(None), Contributor.asked_words != ""
    )
    return list(db.session.scalars(chosen.order_by(Contributor.created_at)))


def likely_agency(person: Contributor) -> Agency | None:
    """The agency that their words name, if one does."""
    said = agencies.name_key(person.asked_words)
    named = [one for one in agencies.all_agencies() if one.name_key in said]
    return max(named, key=lambda one: len(one.name_key), default=None)


def accept(person: Contributor, agency: Agency | None, *, actor: Account, now: datetime) -> None:
    """Take them in, into an agency if one is named, and tell them. Twice is once. Raises NotAllowed, Refused."""
    contributors.require_manage(actor, person)
    if person.ended_at is not None:
        raise Refused(_("Somebody has refused this already."))
    if person.approved_at is not None:
        return
    if agency is not None:
        agencies.require_manage(actor, agency)
    person.agency_id, person.approved_at = agency.id if agency else None, now
    db.session.flush()
    db.session.refresh(person)
    values = {"agency": agency.name if agency else ""}
    notices.send_notice(contributors.WELCOME_NOTICE, person.address, now=now, values=values)
    activity.record(
        "contributor.accepted", actor=actor, now=now, subject=("contributor", person.id), agency=person.agency_id
    )


def refuse(person: Contributor, reason: str, *, actor: Account, now: datetime) -> None:
    """Do not take them in; they read the reason as it is written. Twice is once.

    Raises Invalid without a reason, NotAllowed, Refused.
    """
    contributors.require_manage(actor, person)
    if person.approved_at is not None:
        raise Refused(_("They were taken in already. End their access instead."))
    words = text(reason, field="reason", longest=_LONGEST_REASON, missing=_("Say why. They read these words."))
    if person.ended_at is not None:
        return
    contributors.end(person, by=actor, now=now)
    notices.send_notice(contributors.REFUSED_NOTICE, person.address, now=now, values={"reason": words})
    activity.record("contributor.refused", actor=actor, now=now, subject=("contributor", person.id))


def _whom_to_tell() -> list[Account]:
    """Staff who may decide, on whichever list; each once."""
    lists = db.session.scalars(select(MailingList).order_by(MailingList.id))
    return list({account.id: account for one in lists for account in who_may(MANAGE, one)}.values())
