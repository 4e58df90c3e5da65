"""What a restored installation may not take for true: the world went on after its backup was made.

Nobody is sent anything twice by it, and nobody who was forgotten or wanted no mail gets any. So it sends to its team
alone until a person says otherwise; what was on the way when the backup was made is for a person to decide; whoever was
signed in signs in again; and what the logs beside the database say of the time since is done again.
"""

import logging
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import CursorResult, Update, case, delete, select, update
from sqlalchemy.orm import Session

from .. import dates
from ..db import db, transaction
from ..delivery import control
from ..delivery.ledger import tallies
from ..domain.issues import scheduling
from ..domain.issues.people import tell, who_may
from ..domain.queries import the_organisation
from ..domain.staff import activity
from ..domain.staff.permissions import Permission
from ..domain.subscribers import erasure_log, forgetting, leaving, objection_log, suppressing
from ..errors import Refused
from ..models import ContributorSession, Delivery, Issue, Notice, ProcessSign, Subscription, WebSession, Worker
from ..states import DeliveryState, IssueState, NoticeState, SendingMode, SubscriptionState

_log = logging.getLogger(__name__)
_ROUTE = "restore"
#: What is older stood in the database when the backup was made.
_OVERLAP = timedelta(days=1)
_UNKNOWN = "Restored from a backup: whether this was sent after it was made is not known here"


@dataclass(frozen=True)
class Settled:
    """How much of each was settled: for whoever restored, to look at."""

    paused: tuple[str, ...]
    unscheduled: tuple[str, ...]
    unsure: int
    notices: int
    erased: int
    suppressed: int
    left: int


def settle(made_at: datetime, logs: list[Path], now: datetime) -> Settled:
    """Settle a database that was restored from a backup made at `made_at`; `logs` are folders with logs of since.

    Opens its own transactions. The files of the running settings' data directory are in place already.
    """
    with transaction() as session:
        _begin_again(session, made_at, now)
        notices = _count(session, update(Notice).where(Notice.state.in_(_WAITING)).values(
            state=NoticeState.UNSURE, reply=_UNKNOWN, claimed_by=None, claim_ends_at=None,
        ))  # fmt: skip
        unsure = _doubt_deliveries(session, now)
        paused, unscheduled = _hold_issues(session, made_at, now)
    for folder in logs:
        _take_over(folder)
    suppressed, left = _object_again(made_at - _OVERLAP, now)
    erased = erasure_log.replay(lambda address: forgetting.erase_address(address, route=_ROUTE, now=now))
    erased += _forget_colleagues(now)
    erasure_log.catch_up()
    _log.info("Restored from a backup made at %s", made_at.isoformat())
    return Settled(paused, unscheduled, unsure, notices, erased, suppressed, left)


_WAITING = (NoticeState.QUEUED, NoticeState.DEFERRED, NoticeState.HELD)


def _begin_again(session: Session, made_at: datetime, now: datetime) -> None:
    """Team only, with the reminder that says so; nobody signed in; no program of then at work."""
    organisation = session.scalar(the_organisation())
    if organisation is not None:
        organisation.sending_mode = SendingMode.TEAM
        organisation.restored_at, organisation.backup_made_at = now, made_at
    for table in (WebSession, ContributorSession, ProcessSign):
        session.execute(delete(table))
    session.execute(update(Worker).where(Worker.ended_at.is_(None)).values(ended_at=now))
    activity.record("installation.restored", actor=None, now=now, backup_made_at=made_at.isoformat())


def _doubt_deliveries(session: Session, now: datetime) -> int:
    """What was in hand, and what of issues that count as sent waited for another try: a person decides."""
    sent = select(Issue.id).where(Issue.state == IssueState.SENT)
    doubtful = (Delivery.state == DeliveryState.CLAIMED) | (
        (Delivery.state == DeliveryState.DEFERRED) & Delivery.issue_id.in_(sent)
    )
    moves: dict[int, Counter[tuple[DeliveryState, DeliveryState]]] = {}
    for issue_id, state in session.execute(select(Delivery.issue_id, Delivery.state).where(doubtful)):
        moves.setdefault(issue_id, Counter())[state, DeliveryState.UNSURE] += 1
    session.execute(
        update(Delivery)
        .where(doubtful)
        .values(
            state=DeliveryState.UNSURE,
            # A try that was begun is one, as it is where a program was killed.
            attempts=Delivery.attempts + case((Delivery.state == DeliveryState.CLAIMED, 1), else_=0),
            reply=_UNKNOWN,
            retry_at=None,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    for issue_id in sorted(moves):
        tallies.write(session, issue_id, moves[issue_id])
    return sum(each.total() for each in moves.values())


def _hold_issues(session: Session, made_at: datetime, now: datetime) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What was being sent is paused, what was scheduled is approved again; their people are told why."""
    under_way = session.scalars(
        select(Issue).where(Issue.state.in_((IssueState.SENDING, IssueState.PAUSED))).order_by(Issue.id)
    ).all()
    for issue in under_way:
        when = _when(made_at, issue)
        why = (
            f"This installation was restored from a backup made at {when}. Whoever got this issue after that is still"
            " shown as waiting here, and would get it twice: resume only if nothing was sent since, else cancel."
        )
        if issue.state is IssueState.SENDING:
            control.pause(issue, reason=why, actor=None, now=now)
        else:
            issue.pause_reason = why
    scheduled = session.scalars(select(Issue).where(Issue.state == IssueState.SCHEDULED).order_by(Issue.id)).all()
    for issue in scheduled:
        at = _when(issue.scheduled_at or now, issue)
        people = who_may(Permission.SCHEDULE_ISSUES, issue.mailing_list)
        scheduling.cancel_schedule(issue, actor=None, now=now)
        why = (
            f"This installation was restored from a backup made at {_when(made_at, issue)}. If the issue has not gone"
            " out since, schedule it again."
        )
        tell("schedule_held", people, issue, now=now, reason=why, at=at)
    return tuple(issue.title for issue in under_way), tuple(issue.title for issue in scheduled)


def _when(at: datetime, issue: Issue) -> str:
    return dates.moment(at, issue.mailing_list.timezone)


def _forget_colleagues(now: datetime) -> int:
    """Erase the accounts again that were erased since. The last administrator stays, for somebody must be able to."""
    forgotten = 0
    for account in erasure_log.colleagues_brought_back():
        with suppress(Refused), transaction():
            erasure_log.erase_colleague(account, actor=None, now=now)
            forgotten += 1
    return forgotten


def _take_over(folder: Path) -> None:
    """Add the lines of another place's logs to ours. What stands in both does no harm twice."""
    for name, ours in (("erasures.log", erasure_log.path()), (objection_log.NAME, objection_log.path())):
        theirs = folder / name
        if theirs.exists():
            with ours.open("ab") as file:
                ours.chmod(0o600)
                file.write(theirs.read_bytes().rstrip(b"\n") + b"\n")


def _object_again(since: datetime, now: datetime) -> tuple[int, int]:
    """Suppress and unsubscribe again whoever wished so. Returns how many addresses, how many subscriptions."""
    suppressed = left = 0
    for last in [each for each in objection_log.newest(objection_log.path()) if each.at > since]:
        with transaction():
            if last.kind is objection_log.Kind.SUPPRESSED and last.reason is not None:
                suppressed += suppressing.suppress_again(last.about, last.reason, at=last.at)
            elif last.kind is objection_log.Kind.LEFT:
                left += _leave_again(last, now)
    return suppressed, left


def _leave_again(last: objection_log.Objection, now: datetime) -> bool:
    subscription = db.session.scalar(select(Subscription).where(Subscription.public_id == uuid.UUID(bytes=last.about)))
    if subscription is None or subscription.state is not SubscriptionState.ACTIVE or subscription.joined_at > last.at:
        return False
    return leaving.unsubscribe(subscription, route=_ROUTE, now=now)


def _count(session: Session, statement: Update) -> int:
    result = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    return result.rowcount
