"""Test copies: the issue as it will arrive, to a few named addresses, and to no subscriber by accident.

A copy goes out as a notice whose row names the rendition. It counts for the content version it was made from; a
changed word asks for a new one. It goes to staff, to the list's test addresses, and to what was typed, unless that
is a subscriber's: a subscriber gets a test only once somebody has named the address as a test address.
"""

import logging
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from ... import addresses as mail_addresses
from ...db import db
from ...errors import Conflict, Invalid, NotFound, Problem
from ...models import Account, Issue, MailingList, Subscriber, Subscription, TestAddress, TestSend
from ...rendering import characters
from ...states import SubscriptionState
from ..notices import URGENT, send_notice
from ..staff import activity
from ..staff.permissions import Permission, require
from .renditions import Prepared, keep
from .transitions import lock, require_sendable

_log = logging.getLogger(__name__)
_MOST = 10
_LONGEST_NOTE = 100
TEMPLATE = "test_issue"


def send_test(
    issue: Issue, prepared: Prepared, addresses: Iterable[str], *, actor: Account | None, now: datetime
) -> list[TestSend]:
    """Send what was prepared to each address, as it will arrive, marked as a test in its subject.

    Raises Invalid for addresses that cannot be used (ten at most), Conflict when the words changed since, Refused for
    an issue of the past.
    """
    targets = _targets(addresses, issue.mailing_list)
    lock(issue)
    require_sendable(issue)
    if prepared.issue_id != issue.id or prepared.content_version != issue.content_version:
        raise Conflict("The words changed while you were reading. Send the test again.")
    rendition = keep(prepared, now)
    sent = []
    for target in targets:
        notice = send_notice(
            TEMPLATE, target, now=now, values={"rendition": rendition.id}, issue=issue, priority=URGENT
        )
        test = TestSend(
            issue_id=issue.id,
            content_version=prepared.content_version,
            address=target,
            notice_id=notice.id,
            actor_id=actor.id if actor else None,
            at=now,
        )
        db.session.add(test)
        sent.append(test)
    db.session.flush()
    activity.record("issue.tested", actor=actor, now=now, issue=issue, copies=len(sent))
    _log.info("%d test copies of issue %s were queued", len(sent), issue.id)
    return sent


def has_current_test(issue: Issue) -> bool:
    """Whether a test copy was made of the words as they stand."""
    return last_test(issue, current=True) is not None


def last_test(issue: Issue, *, current: bool = False) -> TestSend | None:
    """The newest test copy; with `current`, only of the words as they stand."""
    query = select(TestSend).where(TestSend.issue_id == issue.id).order_by(TestSend.id.desc()).limit(1)
    if current:
        query = query.where(TestSend.content_version == issue.content_version)
    return db.session.scalar(query)


# --- the list's test addresses -----------------------------------------------------------------------------------


def addresses_for_tests(mailing_list: MailingList) -> list[TestAddress]:
    """The addresses that are named for tests of this list, as they were added."""
    chosen = select(TestAddress).where(TestAddress.list_id == mailing_list.id).order_by(TestAddress.id)
    return list(db.session.scalars(chosen))


def add_test_address(
    mailing_list: MailingList,
    address: str,
    *,
    note: str = "",
    although_subscriber: bool = False,
    actor: Account,
    now: datetime,
) -> TestAddress:
    """Name an address as one that gets test copies.

    A subscriber's takes `although_subscriber`: somebody says that they know. Raises NotAllowed, Invalid.
    """
    require(actor, Permission.EDIT_ISSUES, mailing_list)
    clean = mail_addresses.clean(address, field="address")
    key = mail_addresses.key(clean)
    known = {each.address_key for each in addresses_for_tests(mailing_list)}
    note = characters.one_line(note)
    if key in known:
        raise Invalid([Problem("address", f"{clean} is a test address already.")])
    if len(known) >= _MOST:
        raise Invalid([Problem("address", f"A list has {_MOST} test addresses at most. Take one away first.")])
    if len(note) > _LONGEST_NOTE:
        raise Invalid([Problem("note", f"Use {_LONGEST_NOTE} characters or fewer.")])
    if not although_subscriber and _subscribers({key}):
        raise Invalid([Problem("although_subscriber", f"{clean} subscribes. Say that it may get test copies too.")])
    named = TestAddress(
        list_id=mailing_list.id, address=clean, address_key=key, note=note, added_at=now, added_by_id=actor.id
    )
    db.session.add(named)
    db.session.flush()
    activity.record(
        "list.test_address_added", actor=actor, now=now, mailing_list=mailing_list,
        subject=("test_address", named.id), although_subscriber=although_subscriber,
    )  # fmt: skip
    _log.info("List %s has test address %d", mailing_list.id, named.id)
    return named


def remove_test_address(mailing_list: MailingList, number: int, *, actor: Account, now: datetime) -> str:
    """It gets no more test copies. Returns the address. Raises NotAllowed, NotFound."""
    require(actor, Permission.EDIT_ISSUES, mailing_list)
    named = db.session.get(TestAddress, number)
    if named is None or named.list_id != mailing_list.id:
        raise NotFound("There is no such test address on this list.")
    address = named.address
    db.session.delete(named)
    db.session.flush()
    activity.record(
        "list.test_address_removed", actor=actor, now=now, mailing_list=mailing_list, subject=("test_address", number)
    )
    return address


# --- whom a copy may go to ---------------------------------------------------------------------------------------


def _targets(typed: Iterable[str], mailing_list: MailingList) -> list[str]:
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for each in typed:
        if not each.strip():
            continue
        try:
            address = mail_addresses.clean(each, field="addresses")
            found.setdefault(mail_addresses.key(address), address)
        except Invalid as invalid:
            problems += invalid.problems
    if not found and not problems:
        problems.append(Problem("addresses", "Enter an address to send the test to."))
    if len(found) > _MOST:
        problems.append(Problem("addresses", f"Send a test to {_MOST} addresses at most."))
    named = {each.address_key for each in addresses_for_tests(mailing_list)}
    for key in sorted(_subscribers(set(found) - named - _staff(set(found)))):
        problems.append(Problem("addresses", f"{found[key]} subscribes. Name it as a test address of the list first."))
    if problems:
        raise Invalid(problems)
    return list(found.values())


def _staff(keys: set[str]) -> set[str]:
    """Those of the addresses that are of people who make the newsletter."""
    return set(db.session.scalars(select(Account.email_key).where(Account.active, Account.email_key.in_(keys))))


def _subscribers(keys: set[str]) -> set[str]:
    """Those of the addresses that get any list."""
    return set(
        db.session.scalars(
            select(Subscriber.address_key)
            .join(Subscription, Subscription.subscriber_id == Subscriber.id)
            .where(Subscriber.address_key.in_(keys), Subscription.state == SubscriptionState.ACTIVE)
            .distinct()
        )
    )
