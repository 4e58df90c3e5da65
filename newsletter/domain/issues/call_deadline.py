"""The deadline of an issue's call is set and moved. Once people were told it, an earlier one must be confirmed."""

import logging
from datetime import datetime

from sqlalchemy import exists, func, select

from ... import dates
from ...db import db
from ...deadlines import Deadline
from ...errors import Invalid, NotAllowed, Problem, Refused
from ...models import Account, Activity, Chase, Issue, Notice
from ...states import EDITABLE_STATES, ChaseKind, IssueState, NoticeState
from ..queries import issue_before
from ..staff import activity
from ..staff.permissions import Permission, may
from . import protocols
from .people import who_may
from .protocols import Happening
from .transitions import lock, require_editable
from .voiding import touch

_log = logging.getLogger(__name__)
#: The mail that says that the deadline moved.
MOVED = "call_moved"
_CHANGED = "issue.deadline_changed"
_OUT = (IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)


def change_deadline(
    issue: Issue, deadline: Deadline, *, confirmation: str = "", actor: Account | None, now: datetime
) -> None:
    """Set, or move, the deadline of the call for contributions to this issue. What came in before is never late by it.

    The issue before it prints this date: an approval of that one ends, and while it is on its way the date stays.
    Once people were told a later one, it needs `confirmation`: the sentence of `what_people_were_told`, typed by
    somebody who may approve. Raises Invalid at "confirmation", NotAllowed, Refused in a sentence.
    """
    lock(issue)
    if issue.state not in EDITABLE_STATES:
        require_editable(issue)
    before = issue.deadline
    if before == deadline:
        return
    told_in = db.session.scalar(issue_before(issue.id))
    if told_in is not None and told_in.state is IssueState.SCHEDULED:
        raise Refused(f"{told_in.title} prints this deadline and is scheduled. Cancel its schedule first.")
    told = what_people_were_told(issue, deadline) if before is not None and deadline.instant < before.instant else ""
    if told:
        _require_confirmed(issue, told, confirmation, actor)
    issue.deadline = deadline
    issue.has_call = True
    db.session.flush()
    if told_in is not None and told_in.state in EDITABLE_STATES:
        touch(told_in, "The next issue's deadline changed.", actor=actor, now=now)
    activity.record(
        _CHANGED, actor=actor, now=now, issue=issue, before=before.words if before else "",
        before_at=before.instant.isoformat() if before else "", after=deadline.words, confirmed=told,
    )  # fmt: skip
    db.session.flush()
    if before is not None:
        protocols.tell(Happening.DEADLINE_MOVED, issue, now)
    _log.info("The deadline of issue %s is %s", issue.id, deadline.instant.isoformat())


def what_people_were_told(issue: Issue, new: Deadline) -> str:
    """ "712 people were told 19 January 2018", or "" while nobody was told a later day than that of `new`: what must
    be typed to bring the deadline forward to it.

    Told by the issue before, which has gone out and prints it, or else by mails about the call.
    """
    if issue.deadline is None:
        return ""
    told_in = db.session.scalar(issue_before(issue.id))
    number = told_in.recipients if told_in is not None and told_in.state in _OUT else 0
    last = issue.deadline.day
    if not number:
        later = [moment for moment in _told_by_mail(issue) if moment > new.instant]
        if not later:
            return ""
        number, last = later.count(max(later)), dates.local(max(later), issue.deadline.zone).date()
    day = dates.day(last).partition(" ")[2]
    return f"1 person was told {day}" if number == 1 else f"{number} people were told {day}"


def _told_by_mail(issue: Issue) -> list[datetime]:
    """The deadline that each person who had mails about the call was last told in one.

    That it moved waits for ten minutes: a mail of that kind that has not left tells nobody anything.
    """
    waits = exists().where(
        Notice.issue_id == issue.id, Notice.template == MOVED, Notice.state == NoticeState.QUEUED,
        Notice.address_key == Chase.address_key, Chase.kind == ChaseKind.MOVED,
        Chase.deadline_version == issue.deadline_version,
    )  # fmt: skip
    told = (
        select(func.max(Chase.deadline_version))
        .where(Chase.issue_id == issue.id, Chase.kind != ChaseKind.DIGEST, ~waits)
        .group_by(Chase.address_key)
    )
    earlier = _earlier(issue)
    return [_at_version(issue, version, earlier) for version in db.session.scalars(told)]


def _earlier(issue: Issue) -> list[datetime]:
    """The deadlines that it had before the present one, the last one first."""
    moves = select(Activity.detail).where(Activity.issue_id == issue.id, Activity.action == _CHANGED)
    details = db.session.scalars(moves.order_by(Activity.id.desc()))
    return [datetime.fromisoformat(each["before_at"]) for each in details if each.get("before_at")]


def _at_version(issue: Issue, version: int, earlier: list[datetime]) -> datetime:
    assert issue.deadline is not None
    back = issue.deadline_version - version
    return earlier[back - 1] if 0 < back <= len(earlier) else issue.deadline.instant


def _require_confirmed(issue: Issue, told: str, confirmation: str, actor: Account | None) -> None:
    if actor is not None and not may(actor, Permission.APPROVE_ISSUES, issue.mailing_list):
        able = [person.name for person in who_may(Permission.APPROVE_ISSUES, issue.mailing_list)]
        ask = f"Ask {' or '.join(able)}." if able else "Nobody may at present: an administrator can change that."
        raise NotAllowed(f"{told}. Only somebody who may approve can bring the deadline forward. {ask}")
    if _plain(confirmation) != _plain(told):
        sentence = f"{told}. To bring the deadline forward all the same, type: {told}"
        raise Invalid([Problem("confirmation", sentence)])


def _plain(words: str) -> str:
    """As it is compared: people copy a full stop, quotation marks or a comma in a number."""
    return " ".join(words.replace(",", "").strip(" .\"'“”‘’").lower().split())
