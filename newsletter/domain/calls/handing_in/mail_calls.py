"""Which list, and which of its issues, somebody means who sends news by email. Reads only."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select

from ....db import db
from ....i18n import gettext as _
from ....models import Contributor, Issue, MailingList
from ...queries import the_organisation
from ..deadline.reading import CLOSED
from ..deadline.rights import right

#: For so long after a deadline, news is meant for that issue while it is being made.
_STILL_MEANT = timedelta(days=42)


def find_list(slug: str) -> MailingList | None:
    """The list of this name; where none is named, the only one that asks for news."""
    if slug:
        return db.session.scalar(select(MailingList).where(MailingList.slug == slug, MailingList.public))
    asking = lists_that_ask()
    return asking[0] if len(asking) == 1 else None


def lists_that_ask() -> list[MailingList]:
    """The public lists with an issue that people send news for."""
    issues = select(Issue.list_id).where(Issue.has_call, Issue.state.not_in(CLOSED))
    return list(
        db.session.scalars(
            select(MailingList).where(MailingList.public, MailingList.id.in_(issues)).order_by(MailingList.id)
        )
    )


def right_addresses(address_for: Callable[[MailingList], str | None]) -> list[str]:
    """Where to write instead, in sentences."""
    return [
        _("News for %(name)s goes to %(address)s.") % {"name": each.name, "address": address}
        for each in lists_that_ask()
        if (address := address_for(each))
    ]


def issue_for(mailing_list: MailingList, at: datetime, contributor: Contributor | None) -> Issue | None:
    """The issue that a letter which came at `at` is for; None where no issue of the list takes news.

    One for which it counts by a right of the contributor's own; else the one whose deadline has just passed, while
    that is being made and the next call has not been opened; else the one whose deadline comes next.
    """
    chosen = select(Issue).where(Issue.list_id == mailing_list.id, Issue.has_call, Issue.state.not_in(CLOSED))
    issues = list(db.session.scalars(chosen.order_by(Issue.deadline_at, Issue.id)))
    coming = [each for each in issues if each.deadline is not None and each.deadline.is_open(at)]
    past = [each for each in issues if each.deadline_at is not None and at - _STILL_MEANT < each.deadline_at <= at]
    past = [each for each in past if each not in coming]
    agency = contributor.agency if contributor else None
    own = [each for each in past if right(each, at, at, contributor=contributor, agency=agency).counts]
    if own:
        return own[-1]
    opened = [each for each in coming if each.call_opened_at is not None and each.call_opened_at <= at]
    if past and not opened:
        return past[-1]
    return next(iter(opened or coming), None)


def own_addresses() -> list[str]:
    """Every address that this installation writes from or is written to at."""
    organisation = db.session.scalar(the_organisation())
    rows = db.session.execute(select(MailingList.sender_address, MailingList.contact_address)).all()
    found = {address for row in rows for address in row if address}
    return sorted(found | ({organisation.email} if organisation and organisation.email else set()))
