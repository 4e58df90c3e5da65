"""Somebody sends in a piece of news. It is kept whatever the hour; whether it counts, the deadline says."""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from ... import addresses
from ...db import db, take_turn
from ...errors import NotFound
from ...models import Contribution, Issue, MailingList
from ...states import ContributionState, SuppressionReason
from .. import notices
from ..issues.transitions import lock
from ..staff import activity
from ..subscribers import suppressing
from . import reading
from .news import News, checked
from .rights import Arrival

_log = logging.getLogger(__name__)

RECEIPT, LATE_RECEIPT = "contribution_receipt", "contribution_late"
#: How the record names somebody who has no account.
CONTRIBUTOR = "A contributor"
#: The form asks nobody to prove an address, so no address gets more copies a day than this.
_MOST_COPIES_A_DAY = 10
_DAY = timedelta(hours=24)
#: Read aloud and typed by hand: no letters that look or sound like others.
_REFERENCE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_UNWELCOME = frozenset({SuppressionReason.NOT_ME, SuppressionReason.COMPLAINT})


@dataclass(frozen=True)
class Outcome:
    """What became of it. `again` says that the very same was sent before, and this is that one."""

    contribution: Contribution
    arrival: Arrival
    again: bool = False


def open_call(mailing_list: MailingList, now: datetime) -> Issue | None:
    """The list's issue that takes news now, the nearest deadline first; None between two calls."""
    return reading.open_call(mailing_list, now)


def save_contribution(issue: Issue, news: News, *, opened_at: datetime, now: datetime, copy: bool = True) -> Outcome:
    """Keep a piece of news for the issue. It counts from this moment on.

    `opened_at` is when the form was opened, as its signed token says. In time, or within the grace for a form
    opened in time, it is SUBMITTED; later it is kept as a DRAFT marked late, which the editors see. The sender
    gets a full copy by mail; `copy=False` leaves that out, for what a machine seems to have sent. The same form
    sent twice is one contribution. Raises Invalid with every problem, NotFound for an issue without a call.
    """
    news = checked(news)
    take_turn(f"contribution:{addresses.key(news.contact_address)}")
    lock(issue)
    if issue.deadline is None:
        raise NotFound("There is no call for news at this address.")
    before = _same(issue, news, opened_at)
    if before is not None:
        return Outcome(before, arrival_of(before), again=True)
    arrival = _arrival(issue, opened_at, now)
    contribution = _keep(issue, news, arrival, opened_at, now)
    if copy:
        _send_copy(contribution, arrival, now)
    activity.record(
        "contribution.received", actor=None, actor_name=CONTRIBUTOR, now=now, issue=issue,
        subject=("contribution", contribution.id), arrival=arrival.value, reference=contribution.reference,
    )  # fmt: skip
    _log.info("Contribution %s for issue %s came %s", contribution.reference, issue.id, arrival.value)
    return Outcome(contribution, arrival)


def arrival_of(contribution: Contribution) -> Arrival:
    """When a kept one came."""
    if contribution.late:
        return Arrival.LATE
    return Arrival.IN_GRACE if contribution.in_grace else Arrival.IN_TIME


def copy_was_sent(contribution: Contribution) -> bool:
    """Whether a copy went, or goes, to the sender."""
    moment_before = contribution.created_at - timedelta(microseconds=1)
    return notices.count_sent((RECEIPT, LATE_RECEIPT), contribution.contact_address, since=moment_before) > 0


def _arrival(issue: Issue, opened_at: datetime, now: datetime) -> Arrival:
    deadline = issue.deadline
    # A token from a clock that ran ahead proves nothing about the past.
    opened_at = min(opened_at, now)
    if deadline is None or not issue.accepts_contributions(now, opened_at):
        return Arrival.LATE
    return Arrival.IN_GRACE if deadline.is_in_grace(now, opened_at) else Arrival.IN_TIME


def _same(issue: Issue, news: News, opened_at: datetime) -> Contribution | None:
    """What the same page sent before: a double click, or "send again" after a page that did not load."""
    rows = db.session.scalars(
        select(Contribution).where(Contribution.issue_id == issue.id, Contribution.opened_at == opened_at)
    )
    return next((row for row in rows if (row.title, row.body) == (news.title, news.body)), None)


def _keep(issue: Issue, news: News, arrival: Arrival, opened_at: datetime, now: datetime) -> Contribution:
    counts = arrival is not Arrival.LATE
    contribution = Contribution(
        reference=_reference(),
        issue_id=issue.id,
        state=ContributionState.SUBMITTED if counts else ContributionState.DRAFT,
        title=news.title,
        body=news.body,
        agency=news.agency,
        contact_name=news.contact_name,
        contact_address=news.contact_address,
        contact_phone=news.contact_phone,
        late=not counts,
        in_grace=arrival is Arrival.IN_GRACE,
        opened_at=opened_at,
        created_at=now,
        submitted_at=now if counts else None,
    )
    db.session.add(contribution)
    db.session.flush()
    db.session.refresh(contribution)
    return contribution


def _send_copy(contribution: Contribution, arrival: Arrival, now: datetime) -> None:
    address = contribution.contact_address
    if any(one.reason in _UNWELCOME for one in suppressing.suppressions_of(address)):
        return
    if notices.count_sent((RECEIPT, LATE_RECEIPT), address, since=now - _DAY) >= _MOST_COPIES_A_DAY:
        return
    issue = contribution.issue
    values = {
        "contribution": contribution.id,
        "deadline": issue.deadline.words_with_zone if issue.deadline else "",
    }
    template = LATE_RECEIPT if arrival is Arrival.LATE else RECEIPT
    notices.send_notice(template, address, now=now, values=values, issue=issue)


def _reference() -> str:
    """A free reference such as "K7M3-9QXT"."""
    while True:
        letters = "".join(secrets.choice(_REFERENCE_LETTERS) for _number in range(8))
        reference = f"{letters[:4]}-{letters[4:]}"
        if db.session.scalar(select(Contribution.id).where(Contribution.reference == reference)) is None:
            return reference
