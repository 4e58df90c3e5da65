"""The moment an issue goes out: its audience frozen, its web page published, its sending begun, in one transaction."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import func, insert, literal, select

from .. import dates
from ..db import db, transaction
from ..domain.issues import approving, audience, publishing, scheduling
from ..domain.issues.people import tell
from ..domain.issues.transitions import STATE_WORDS, lock, move
from ..domain.staff import activity
from ..domain.staff.permissions import Permission, require
from ..errors import Refused
from ..models import Account, Activity, Delivery, Issue
from ..states import DeliveryState, IssueState
from ..work.queue import ring
from .control import people_concerned
from .ledger import tallies

_log = logging.getLogger(__name__)

#: An issue that is later than this is not sent without asking: nobody wants Monday's news on Thursday night.
LATEST = timedelta(hours=2)
_HELD = "issue.schedule_held"
_NOT_APPROVED = "It is not approved as it stands, so it was not sent."
_CHANGED = "Something it is made of changed after it was approved, so it was not sent. Approve and schedule it again."


def launch_due(now: datetime) -> list[int]:
    """Launch every issue whose time has come. Returns the ids of those that were launched.

    One that is more than two hours late, after an outage, is held: it stays scheduled, its people are told once,
    and its page asks whether to send it now.
    """
    due = db.session.scalars(
        select(Issue.id)
        .where(Issue.state == IssueState.SCHEDULED, Issue.scheduled_at <= now)
        .order_by(Issue.scheduled_at)
    ).all()
    db.session.rollback()
    return [issue_id for issue_id in due if _launch_or_hold(issue_id, now)]


def is_late(issue: Issue, now: datetime) -> bool:
    """Whether the issue is held because its time is too long past: "It is late: send now?"."""
    return issue.state is IssueState.SCHEDULED and issue.scheduled_at is not None and now - issue.scheduled_at > LATEST


def launch(issue_id: int, now: datetime) -> bool:
    """Begin to send a scheduled issue, however late. Whether this call did it: of many at once, one does.

    Opens its own transaction. What was approved is first made again and compared, outside of it; where the two
    differ the issue is not sent, its approval ends, and its people are told why.
    """
    issue = db.session.get(Issue, issue_id)
    if issue is None or issue.state is not IssueState.SCHEDULED:
        return False
    rendition_id, obstacle = _approved_rendition(issue, now)
    version = issue.content_version
    with transaction():
        issue = db.session.get_one(Issue, issue_id)
        lock(issue)
        if issue.state is not IssueState.SCHEDULED or issue.scheduled_at is None or issue.scheduled_at > now:
            return False
        if issue.content_version != version:
            obstacle = _CHANGED
        if not obstacle and audience.count(issue) == 0:
            obstacle = "Nobody it is meant for is subscribed any more, so there is nobody to send it to."
        if obstacle or rendition_id is None:
            _refuse(issue, obstacle, now)
            return False
        _begin(issue, rendition_id, now)
    return True


def launch_late(issue_id: int, *, actor: Account, now: datetime) -> bool:
    """A person says that a held issue should go out after all. Opens its own transactions, as `launch` does.

    Raises NotAllowed, or Refused when the issue is not held.
    """
    with transaction():
        issue = db.session.get_one(Issue, issue_id)
        require(actor, Permission.SCHEDULE_ISSUES, issue.mailing_list)
        if not is_late(issue, now):
            raise Refused(f"{issue.title} is {STATE_WORDS[issue.state]}; it is not waiting to be sent late.")
        activity.record("issue.late_sending_agreed", actor=actor, now=now, issue=issue)
    return launch(issue_id, now)


def freeze(issue: Issue, now: datetime) -> int:
    """One row for each recipient, by one statement; the unique constraint keeps a second run from adding any."""
    members = audience.recipients_select(issue).subquery()
    columns = [Delivery.issue_id, Delivery.subscription_id, Delivery.state, Delivery.attempts, Delivery.updated_at]
    rows = select(
        literal(issue.id, Delivery.issue_id.type),
        members.c[0],
        literal(DeliveryState.QUEUED, Delivery.state.type),
        literal(0),
        literal(now, Delivery.updated_at.type),
    ).order_by(members.c[0])
    db.session.execute(insert(Delivery).from_select(columns, rows, include_defaults=False))
    recipients = db.session.scalar(select(func.count()).where(Delivery.issue_id == issue.id)) or 0
    tallies.begin(db.session(), issue.id, recipients)
    return recipients


def _launch_or_hold(issue_id: int, now: datetime) -> bool:
    issue = db.session.get(Issue, issue_id)
    if issue is None or not is_late(issue, now):
        return _launch_safely(issue_id, now)
    with transaction():
        _hold(db.session.get_one(Issue, issue_id), now)
    return False


def _launch_safely(issue_id: int, now: datetime) -> bool:
    # One issue that cannot be launched must not keep the others from it.
    try:
        return launch(issue_id, now)
    except Exception:
        _log.exception("Issue %d could not be launched", issue_id)
        return False


def _approved_rendition(issue: Issue, now: datetime) -> tuple[int | None, str]:
    """The rendition to send, or why there is none."""
    approval = approving.current_approval(issue)
    rendition = issue.rendition
    if approval is None or rendition is None or approval.rendition_id != rendition.id:
        return None, _NOT_APPROVED
    if not approving.is_current(issue, rendition, now):
        return None, _CHANGED
    return rendition.id, ""


def _begin(issue: Issue, rendition_id: int, now: datetime) -> None:
    recipients = freeze(issue, now)
    move(issue, IssueState.SENDING, started_at=now, rendition_id=rendition_id, recipients=recipients)
    publishing.publish(issue, now)
    tell("sending_started", people_concerned(issue), issue, now=now, recipients=recipients)
    activity.record("issue.sending_started", actor=None, now=now, issue=issue, recipients=recipients)
    _log.info("Issue %d is being sent to %d recipients", issue.id, recipients)
    ring("send_issue", issue.id)


def _refuse(issue: Issue, reason: str, now: datetime) -> None:
    """What was approved is not what would go out now: the issue is a draft again, and its people are told."""
    at, people = _planned(issue, now), people_concerned(issue)
    scheduling.cancel_schedule(issue, actor=None, now=now)
    approving.void(issue, reason, actor=None, now=now)
    tell("schedule_held", people, issue, now=now, reason=reason, at=at)
    activity.record("issue.launch_refused", actor=None, now=now, issue=issue, reason=reason)
    _log.warning("Issue %d was not launched: %s", issue.id, reason)


def _hold(issue: Issue, now: datetime) -> None:
    """Tell once that the issue waits for an answer."""
    lock(issue)
    told = select(Activity.id).where(
        Activity.issue_id == issue.id, Activity.action == _HELD, Activity.at >= issue.scheduled_at
    )
    if not is_late(issue, now) or db.session.scalar(told.limit(1)) is not None:
        return
    reason = "Its time passed while nothing could be sent. It is late now: say whether it should still go out."
    tell("schedule_held", people_concerned(issue), issue, now=now, reason=reason, at=_planned(issue, now))
    activity.record(_HELD, actor=None, now=now, issue=issue, reason=reason)


def _planned(issue: Issue, now: datetime) -> str:
    zone = issue.mailing_list.timezone
    return f"{dates.moment(issue.scheduled_at or now, zone)} ({dates.zone_words(zone)})"
