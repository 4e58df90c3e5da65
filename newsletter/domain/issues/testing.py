"""Test copies: the issue as it will arrive, to a few named addresses, and to no subscriber by accident.

A copy goes out as a notice whose row names the rendition. It counts for the content version it was made from; a
changed word asks for a new one.
"""

import logging
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from ... import addresses as mail_addresses
from ...db import db
from ...errors import Conflict, Invalid, Problem
from ...models import Account, Issue, TestSend
from ..notices import URGENT, send_notice
from ..staff import activity
from .renditions import Prepared, keep
from .transitions import lock

_log = logging.getLogger(__name__)
_MOST = 10
TEMPLATE = "test_issue"


def send_test(
    issue: Issue, prepared: Prepared, addresses: Iterable[str], *, actor: Account | None, now: datetime
) -> list[TestSend]:
    """Send what was prepared to each address, as it will arrive, marked as a test in its subject.

    Raises Invalid for addresses that cannot be used (ten at most), Conflict when the words changed since.
    """
    targets = _targets(addresses)
    lock(issue)
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


def _targets(typed: Iterable[str]) -> list[str]:
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
    if problems:
        raise Invalid(problems)
    return list(found.values())
