"""Somebody sends in a piece of news. It is kept whatever the hour; whether it counts, the deadline says."""

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from .... import addresses
from ....db import db, take_turn
from ....errors import NotFound
from ....models import Account, Contribution, Contributor, Issue, MailingList, Notice
from ....states import ContributionSource, ContributionState, ProofPurpose, SuppressionReason
from ... import notices
from ...issues.transitions import lock
from ...staff import activity
from ...staff.permissions import Permission, require
from ...subscribers import suppressing
from ..deadline import reading
from ..deadline.counting import TO_PROVE, settle
from ..deadline.rights import Arrival, Right, extension_of, right
from ..partners import proving, senders
from ..partners.senders import Sender
from ..texts import items, revisions, sent_pictures
from ..texts.items import Piece
from ..texts.news import News, checked, to_xhtml
from ..texts.sent_pictures import Came, Held

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


@dataclass(frozen=True)
class Way:
    """How something comes in.

    `proved` says that the address is its sender's: so is that of a signed-in `contributor`, and what `actor`, one of
    the staff, enters for somebody. `arrived_at` is when it reached us, where that was before now.
    """

    source: ContributionSource = ContributionSource.WEB
    contributor: Contributor | None = None
    actor: Account | None = None
    proved: bool = False
    arrived_at: datetime | None = None
    inbound_id: int | None = None
    declared: bool = False
    #: What came with its words, made fit for mail already.
    pictures: Sequence[Came | Held] = ()
    #: What the receipt says besides, such as what was left out of a mail.
    receipt: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_proved(self) -> bool:
        return self.proved or self.contributor is not None or self.actor is not None


#: A text that was read from elsewhere and needs no proof: the demonstration, a program.
GIVEN = Way(proved=True)


def open_call(mailing_list: MailingList, now: datetime) -> Issue | None:
    """The list's issue that takes news now, the nearest deadline first; None between two calls."""
    return reading.open_call(mailing_list, now)


def save_contribution(
    issue: Issue, news: News, *, opened_at: datetime, now: datetime, copy: bool = True, way: Way = GIVEN
) -> Outcome:
    """Keep a piece of news that was written as plain text; see `hand_in`. No count of words refuses it."""
    news = checked(news)
    piece = items.cleaned(Piece("section", {"heading": news.title, "body": to_xhtml(news.body)}))
    return _hand_in(issue, piece, news.sender, opened_at=opened_at, now=now, copy=copy, way=way, body=news.body)


def hand_in(
    issue: Issue, piece: Piece, sender: Sender, *, opened_at: datetime, now: datetime, copy: bool = True, way: Way
) -> Outcome:
    """Keep a piece for the issue. It counts from this moment on, if its sender's address is proved within 24 hours.

    `opened_at` is when the form was opened, as its signed token says. With a right to (see `rights`), it is SUBMITTED;
    without one it is kept as a DRAFT marked late, which the editors see. The sender gets a full copy by mail; where
    the address is still to be proved, a link and a code for that, and the copy afterwards (`tell_proved`).
    `copy=False` leaves the mail out, for what a machine seems to have sent. The same form sent twice is one
    contribution. Raises Invalid with every problem, NotFound for an issue without a call, NotAllowed for an actor who
    may not.
    """
    piece, sender = items.checked(piece, issue), senders.checked(sender)
    return _hand_in(issue, piece, sender, opened_at=opened_at, now=now, copy=copy, way=way)


def keep_piece(issue: Issue, piece: Piece, sender: Sender, *, opened_at: datetime, now: datetime, way: Way) -> Outcome:
    """As `hand_in`, for what came on no form (a mail): nothing about it is refused, and editors mend it."""
    return _hand_in(issue, items.cleaned(piece), sender, opened_at=opened_at, now=now, copy=True, way=way)


def arrival_of(contribution: Contribution) -> Arrival:
    """When a kept one came."""
    if contribution.late:
        return Arrival.LATE
    if contribution.in_grace:
        return Arrival.IN_GRACE
    return Arrival.EXTENSION if extension_of(contribution) else Arrival.IN_TIME


def copy_was_sent(contribution: Contribution) -> bool:
    """Whether a copy went, or goes, to the sender."""
    moment_before = contribution.created_at - timedelta(microseconds=1)
    return notices.count_sent((RECEIPT, LATE_RECEIPT), contribution.contact_address, since=moment_before) > 0


def tell_received(contribution: Contribution, given: Right, now: datetime, *, actor: Account | None = None) -> None:
    """Send its sender a full copy, and write it down: the last beats of every way in."""
    _send_copy(contribution, given, now)
    record_received(contribution, given, now, actor=actor)


def tell_proved(contribution: Contribution, now: datetime) -> None:
    """The address was proved: its sender gets the full copy, which nobody else might have had in their stead. Once."""
    before = select(Notice.values).where(
        Notice.template.in_((RECEIPT, LATE_RECEIPT)), Notice.issue_id == contribution.issue_id
    )
    had = any(one.get("whole") and one.get("contribution") == contribution.id for one in db.session.scalars(before))
    if had or not _is_welcome(contribution):
        return
    given = right(contribution.issue, now, contribution.opened_at, contribution=contribution)
    _queue_copy(contribution, LATE_RECEIPT if contribution.late else RECEIPT, given, now)


def record_received(contribution: Contribution, given: Right, now: datetime, *, actor: Account | None = None) -> None:
    """One line in the record of activity."""
    activity.record(
        "contribution.received", actor=actor, actor_name=None if actor else CONTRIBUTOR, now=now,
        issue=contribution.issue, subject=("contribution", contribution.id), arrival=given.arrival.value,
        reference=contribution.reference,
    )  # fmt: skip
    _log.info("Contribution %s for issue %s came %s", contribution.reference, contribution.issue_id,
              given.arrival.value)  # fmt: skip


def new_reference() -> str:
    """A free reference such as "K7M3-9QXT"."""
    while True:
        letters = "".join(secrets.choice(_REFERENCE_LETTERS) for _number in range(8))
        reference = f"{letters[:4]}-{letters[4:]}"
        if db.session.scalar(select(Contribution.id).where(Contribution.reference == reference)) is None:
            return reference


def _hand_in(
    issue: Issue,
    piece: Piece,
    sender: Sender,
    *,
    opened_at: datetime,
    now: datetime,
    copy: bool,
    way: Way,
    body: str | None = None,
) -> Outcome:
    if way.actor is not None:
        require(way.actor, Permission.TRIAGE_CONTRIBUTIONS, issue.mailing_list)
    take_turn(f"contribution:{addresses.key(sender.address)}")
    lock(issue)
    if issue.deadline is None:
        raise NotFound("There is no call for news at this address.")
    # A mail was held against those before it: its moment is a second, which two people may share.
    before = None if way.inbound_id else _same(issue, piece, opened_at)
    if before is not None:
        return Outcome(before, arrival_of(before), again=True)
    arrived_at = min(way.arrived_at or now, now)
    contributor = way.contributor
    given = right(
        issue, arrived_at, opened_at, contributor=contributor, agency=contributor.agency if contributor else None
    )
    contribution = Contribution(
        reference=new_reference(),
        issue=issue,
        state=ContributionState.DRAFT,
        source=way.source if way.actor is None else ContributionSource.STAFF,
        contributor=contributor,
        agency_id=contributor.agency_id if contributor else None,
        inbound_id=way.inbound_id,
        opened_at=opened_at,
        created_at=now,
        declared_at=now if way.declared else None,
        proved_at=now if way.is_proved else None,
        # Who wrote by mail learns of it from our answer.
        prove_by=None if way.is_proved else (now if way.inbound_id else arrived_at) + TO_PROVE,
        revision=1,
        pictures=[],
    )
    senders.write(contribution, sender)
    contribution.late = not given.counts
    revisions.write(contribution, piece, now, body=body)
    sent_pictures.attach(contribution, way.pictures, now)
    settle(contribution, given, arrived_at)
    if copy:
        _send_copy(contribution, given, now, way.receipt)
    record_received(contribution, given, now, actor=way.actor)
    return Outcome(contribution, given.arrival)


def _same(issue: Issue, piece: Piece, opened_at: datetime) -> Contribution | None:
    """What the same page sent before: a double click, or "send again" after a page that did not load."""
    rows = db.session.scalars(
        select(Contribution).where(Contribution.issue_id == issue.id, Contribution.opened_at == opened_at)
    )
    return next((row for row in rows if (row.title, row.data) == (piece.title, dict(piece.data))), None)


def _send_copy(contribution: Contribution, given: Right, now: datetime, more: Mapping[str, Any] | None = None) -> None:
    address = contribution.contact_address
    if not _is_welcome(contribution):
        return
    if notices.count_sent((RECEIPT, LATE_RECEIPT), address, since=now - _DAY) >= _MOST_COPIES_A_DAY:
        return
    notice = _queue_copy(contribution, RECEIPT if given.counts else LATE_RECEIPT, given, now, more)
    if contribution.proved_at is None:
        proving.send_proof(address, ProofPurpose.CONTRIBUTION, contribution=contribution, notice=notice, now=now)


def _is_welcome(contribution: Contribution) -> bool:
    return not any(one.reason in _UNWELCOME for one in suppressing.suppressions_of(contribution.contact_address))


def _queue_copy(
    contribution: Contribution, template: str, given: Right, now: datetime, more: Mapping[str, Any] | None = None
) -> Notice:
    return notices.send_notice(
        template,
        contribution.contact_address,
        now=now,
        values={
            "contribution": contribution.id,
            "whole": contribution.proved_at is not None,
            "deadline": given.until.words_with_zone if given.until else "",
            **(more or {}),
        },
        issue=contribution.issue,
        priority=notices.ORDINARY if contribution.proved_at is not None else notices.URGENT,
    )
