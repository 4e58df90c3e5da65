"""What shows that one person agreed (UK GDPR art. 7(1)): who, when, how, to which words; and what ended it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from ...db import db
from ...i18n import gettext as _
from ...models import Consent, MailingList, PrivacyNotice, Subscription
from ...states import ConsentEvent, LawfulBasis

EVENT_WORDS = {
    ConsentEvent.ASKED: _("Was asked"),
    ConsentEvent.GIVEN: _("Agreed"),
    ConsentEvent.IMPORTED: _("Brought in as having agreed"),
    ConsentEvent.WITHDRAWN: _("Left"),
    ConsentEvent.COMPLAINED: _("Complained"),
}
#: The basis of a list in words, and what follows from it.
BASIS_WORDS = {
    LawfulBasis.CONSENT: _("Consent: they asked for it, and may take that back at any time."),
    LawfulBasis.PUBLIC_TASK: _("Public task: it is needed for the work of a public body. They may object at any time."),
    LawfulBasis.LEGITIMATE_INTERESTS: _(
        "Legitimate interests, weighed against theirs and written down. They may object at any time."
    ),
}
#: What staff have to do by each, where they choose it.
BASIS_DUTIES = {
    LawfulBasis.CONSENT: _(
        "People ask for it themselves, or are brought in with evidence that they agreed. Who says nothing for long, and"
        " nothing when asked again, leaves."
    ),
    LawfulBasis.PUBLIC_TASK: _(
        "For messages that the task of a public body needs, and no advertising: write down which task, and which law."
        " People may be brought in without having asked. Who objects, leaves; who says nothing stays."
    ),
    LawfulBasis.LEGITIMATE_INTERESTS: _(
        "Weigh your interest against theirs first, and keep what you wrote. Not for public bodies doing their task, and"
        " not for people’s private addresses. Who objects, leaves at once."
    ),
}


@dataclass(frozen=True)
class Event:
    """One event as it was recorded. `seal` is the start of its digest in the chain, "" while it waits to be sealed."""

    number: int
    what: str
    at: datetime
    asked_at: datetime | None
    wording: str
    privacy_version: int | None
    route: str
    source: str
    note: str
    seal: str


@dataclass(frozen=True)
class ForList:
    """The events of one list, oldest first, with the basis on which the list is sent."""

    mailing_list: MailingList
    basis: str
    active: bool
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Evidence:
    """All of one person, with the privacy notices they were told of, word for word."""

    lists: tuple[ForList, ...]
    notices: tuple[PrivacyNotice, ...]


def evidence_of(subscriptions: Sequence[Subscription]) -> Evidence:
    """The evidence behind these subscriptions of one person. Reads only."""
    lists = tuple(_for_list(each) for each in subscriptions)
    versions = {event.privacy_version for each in lists for event in each.events if event.privacy_version}
    chosen = select(PrivacyNotice).where(PrivacyNotice.version.in_(versions)).order_by(PrivacyNotice.version)
    return Evidence(lists, tuple(db.session.scalars(chosen)))


def _for_list(subscription: Subscription) -> ForList:
    rows = db.session.scalars(select(Consent).where(Consent.subscription_id == subscription.id).order_by(Consent.id))
    return ForList(
        mailing_list=subscription.mailing_list,
        basis=BASIS_WORDS[subscription.mailing_list.lawful_basis],
        active=subscription.left_at is None,
        events=tuple(_event(row) for row in rows),
    )


def _event(row: Consent) -> Event:
    return Event(
        number=row.id,
        what=EVENT_WORDS[row.event],
        at=row.at,
        asked_at=row.asked_at if row.asked_at != row.at else None,
        wording=row.wording,
        privacy_version=row.privacy_version,
        route=row.route,
        source=row.source if row.source != row.route else "",
        note=row.note,
        seal=row.digest.hex()[:16] if row.digest else "",
    )
