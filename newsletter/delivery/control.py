"""What people may do while an issue is sent, and after: hold it, go on, stop it, and decide what is in doubt.

Verbs: they take objects and `now`, run inside their door's `transaction()`, and never commit. `actor` None is the
system itself. Each raises NotAllowed, or Refused in a sentence.
"""

import logging
from datetime import datetime

from sqlalchemy import ColumnElement, and_, text, update

from ..db import db
from ..domain.issues import protocols
from ..domain.issues.people import tell, who_may
from ..domain.issues.transitions import STATE_WORDS, lock, move
from ..domain.staff import activity
from ..domain.staff.permissions import Permission, require
from ..errors import Refused
from ..models import Account, Delivery, Issue
from ..states import DeliveryState, IssueState
from ..work.queue import ring
from .ledger import tallies
from .ledger.batches import skip_the_rest
from .pace import breakers
from .reports import accounts

_log = logging.getLogger(__name__)
_STARTED = frozenset({IssueState.SENDING, IssueState.SENT})


def pause(issue: Issue, *, reason: str = "", actor: Account | None, now: datetime) -> None:
    """Nothing more leaves until somebody resumes; what is on the wire this second still gets its answer."""
    _begin(issue, actor)
    move(issue, IssueState.PAUSED, paused_at=now, pause_reason=reason)
    people = people_concerned(issue) if actor else who_may(Permission.CONTROL_SENDING, issue.mailing_list)
    told = [person for person in people if person is not actor]
    tell("sending_paused", told, issue, now=now, reason=reason, by=actor.name if actor else "")
    activity.record("issue.paused", actor=actor, now=now, issue=issue, reason=reason)
    _log.warning("Issue %d is paused: %s", issue.id, reason or "by a person")


def resume(issue: Issue, *, actor: Account | None, now: datetime) -> None:
    """Go on exactly where it was paused."""
    _begin(issue, actor)
    if issue.state is not IssueState.PAUSED:
        raise Refused(f"{issue.title} is {STATE_WORDS[issue.state]}, not paused.")
    move(issue, IssueState.SENDING, paused_at=None, pause_reason="")
    answers, bad = breakers.answered(issue)
    activity.record("issue.resumed", actor=actor, now=now, issue=issue, answers=answers, bad=bad)
    ring("send_issue", issue.id)


def cancel(issue: Issue, *, reason: str = "", actor: Account | None, now: datetime) -> None:
    """Stop the rest. Whoever has it keeps it, and the accounts go on saying so; everybody else is skipped."""
    _begin(issue, actor)
    if issue.state not in {IssueState.SENDING, IssueState.PAUSED}:
        raise Refused(f"{issue.title} is {STATE_WORDS[issue.state]}, so there is no sending to cancel.")
    move(issue, IssueState.CANCELLED, cancelled_at=now, cancel_reason=reason)
    skip_the_rest(db.session(), issue.id, now)
    accepted = accounts.counts(issue).accepted
    activity.record("issue.sending_cancelled", actor=actor, now=now, issue=issue, reason=reason, accepted=accepted)
    protocols.tell(protocols.Happening.CANCELLED, issue, now)


def retry_deferred(issue: Issue, *, actor: Account | None, now: datetime) -> int:
    """Try those that were put off now instead of later. Returns how many; those refused for good stay refused."""
    _begin(issue, actor)
    _require_started(issue)
    number = _make_due(issue.id, DeliveryState.DEFERRED, Delivery.issue_id == issue.id, now=now)
    activity.record("issue.deferred_retried", actor=actor, now=now, issue=issue, people=number)
    ring("send_issue", issue.id)
    return number


def send_again(delivery: Delivery, *, actor: Account | None, now: datetime) -> None:
    """An unsure one is sent once more, under the same Message-ID. Its reader may then have it twice."""
    issue = _unsure(delivery, actor)
    _require_started(issue)
    _make_due(issue.id, DeliveryState.UNSURE, Delivery.id == delivery.id, now=now)
    activity.record("delivery.sent_again", actor=actor, now=now, issue=issue, subject=("delivery", delivery.id))
    ring("send_issue", issue.id)


def leave(delivery: Delivery, *, actor: Account | None, now: datetime) -> None:
    """An unsure one stays as it is, and is no longer asked about."""
    issue = _unsure(delivery, actor)
    delivery.decided_at = now
    activity.record("delivery.left", actor=actor, now=now, issue=issue, subject=("delivery", delivery.id))


def send_all_again(issue: Issue, *, actor: Account | None, now: datetime) -> int:
    """Every unsure one that nobody has decided about is sent once more. Returns how many readers may have it twice."""
    _begin(issue, actor)
    _require_started(issue)
    number = _make_due(issue.id, DeliveryState.UNSURE, _undecided(issue), now=now)
    if number:
        activity.record("delivery.sent_again", actor=actor, now=now, issue=issue, people=number)
        ring("send_issue", issue.id)
    return number


def leave_all(issue: Issue, *, actor: Account | None, now: datetime) -> int:
    """Every unsure one that nobody has decided about stays as it is, and is no longer asked about. Returns how many."""
    _begin(issue, actor)
    result = db.session.execute(
        update(Delivery)
        .where(_undecided(issue), Delivery.state == DeliveryState.UNSURE)
        .values(decided_at=now)
        .execution_options(synchronize_session="fetch")
    )
    number = int(result.rowcount)  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
    if number:
        activity.record("delivery.left", actor=actor, now=now, issue=issue, people=number)
    return number


def people_concerned(issue: Issue) -> list[Account]:
    """Who hears of the sending: whoever scheduled it; if that is nobody any more, all who may schedule."""
    scheduler = db.session.get(Account, issue.scheduled_by_id) if issue.scheduled_by_id else None
    if scheduler is not None and scheduler.active:
        return [scheduler]
    return who_may(Permission.SCHEDULE_ISSUES, issue.mailing_list)


def _begin(issue: Issue, actor: Account | None) -> None:
    if actor is not None:
        require(actor, Permission.CONTROL_SENDING, issue.mailing_list)
    lock(issue)


def _require_started(issue: Issue) -> None:
    if issue.state is IssueState.PAUSED:
        raise Refused(f"{issue.title} is paused. Resume it first.")
    if issue.state not in _STARTED:
        raise Refused(f"{issue.title} is {STATE_WORDS[issue.state]}: nothing of it can be sent.")


def _unsure(delivery: Delivery, actor: Account | None) -> Issue:
    issue = db.session.get_one(Issue, delivery.issue_id)
    _begin(issue, actor)
    db.session.refresh(delivery)
    if delivery.state is not DeliveryState.UNSURE:
        raise Refused(f"This message is {delivery.state.value}, not unsure: there is nothing to decide.")
    return issue


def _undecided(issue: Issue) -> ColumnElement[bool]:
    return and_(Delivery.issue_id == issue.id, Delivery.decided_at.is_(None))


def _make_due(issue_id: int, before: DeliveryState, which: ColumnElement[bool], *, now: datetime) -> int:
    """Rows of one state become deferred until now. Never queued: an issue that is sent has nothing queued."""
    result = db.session.execute(
        update(Delivery)
        # Written out, not bound: the partial indexes serve only a query that names the state itself.
        .where(which, text(f"delivery.state = '{before.value}'"))
        .values(state=DeliveryState.DEFERRED, retry_at=now, owner=None, decided_at=None, updated_at=now)
    )
    number = int(result.rowcount)  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
    tallies.moved(db.session(), issue_id, before, DeliveryState.DEFERRED, number)
    return number
