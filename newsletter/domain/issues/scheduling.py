"""When an issue goes out, and the one gate before it: page, command line and "Send now" all pass here.

Scheduling only writes a row: a tick sees that its time has come and starts the sending.
"""

import logging
from datetime import datetime, timedelta

from sqlalchemy import select

from ... import dates
from ...db import db
from ...errors import Invalid, Problem, Refused
from ...models import Account, Activity, Approval, Issue, MailingList
from ...states import EDITABLE_STATES, Cadence, IssueState
from ...work.queue import ring
from ..staff import activity
from ..staff.permissions import Permission
from . import audience, protocols
from .approving import approve_by_scheduling, current_approval, require_override
from .checking import ASKED_BY_THE_GATE, Finding, check_content, check_words_only, settings_problems
from .content import issue_content
from .finding import is_out_of_turn
from .people import SYSTEM_ADMINISTRATOR, tell, who_may
from .protocols import Happening, Obstacle
from .renditions import Prepared
from .testing import has_current_test
from .transitions import STATE_WORDS, lock, move
from .versions import keep_version
from .voiding import touch

__all__ = ["Obstacle", "cancel_issue", "cancel_schedule", "hold_unapproved", "obstacles", "schedule", "send_now"]

_log = logging.getLogger(__name__)
SHORTEST_NOTICE = timedelta(minutes=15)
SEND_NOW_DELAY = timedelta(minutes=10)
TOO_SOON = "Choose a time at least 15 minutes from now, or use “Send now”."


def obstacles(
    issue: Issue, now: datetime, *, at: datetime | None = None, in_transaction: bool = False
) -> list[Obstacle]:
    """Every reason why the issue cannot be scheduled now; [] when the gate is open.

    `at` is when it would go out, the planned date unless somebody says so. Outside a transaction all checks are
    run; inside (`in_transaction`) those that need no mail to be made, since an approval stands for the others.
    """
    if issue.state not in EDITABLE_STATES:
        return [Obstacle("state", f"{issue.title} is {STATE_WORDS[issue.state]}.", firm=True)]
    content = issue_content(issue)
    findings = check_words_only(issue, now, at) if in_transaction else check_content(issue, content, now)
    found = [Obstacle("settings", sentence) for sentence in settings_problems(content)]
    stopping = [finding for finding in findings if finding.stops and finding.code not in ASKED_BY_THE_GATE]
    if stopping:
        found.append(Obstacle("checks", f"{_things(len(stopping))} this issue: {_named(stopping)}"))
    if not issue.subject.strip():
        found.append(Obstacle("subject", "The issue has no subject yet.", firm=True))
    if not issue.preheader.strip():
        found.append(Obstacle("preheader", "The issue has no preview text yet."))
    if issue.mailing_list.cadence is Cadence.QUARTERLY and not is_out_of_turn(issue):
        found += _next_issue(issue, max(at or issue.planned_at or now, now))
    if not audience.count(issue):
        found.append(Obstacle("recipients", audience.nobody_words(issue), firm=True))
    found += protocols.guards_obstacles(issue, now)
    if not has_current_test(issue):
        found.append(Obstacle("test", "No test email was sent of the words as they stand."))
    if wants_approval(issue):
        found.append(Obstacle("approval", "The issue is not approved as it stands."))
    return found


def wants_approval(issue: Issue) -> bool:
    """Whether somebody still has to approve the issue as it stands; never on a list that asks for no approval."""
    return issue.mailing_list.needs_approval and (
        issue.state is not IssueState.APPROVED or current_approval(issue) is None
    )


def _next_issue(issue: Issue, goes_out: datetime) -> list[Obstacle]:
    following = issue.next_issue
    if following is None or following.deadline is None:
        return [Obstacle("next_deadline", "The next issue has no deadline yet.")]
    if following.deadline.instant <= goes_out:
        return [Obstacle("next_deadline", "The next issue's deadline is over before this issue goes out.")]
    return []


def schedule(
    issue: Issue,
    at: datetime,
    *,
    actor: Account | None,
    now: datetime,
    override_reason: str = "",
    immediately: bool = False,
    prepared: Prepared | None = None,
) -> None:
    """Send the issue at `at` (aware), or as soon as the transaction ends when `immediately`.

    On a list that asks for no approval, `prepared` is what is sent: scheduling it approves it.

    Raises Invalid for a time less than 15 minutes ahead, Refused with every obstacle, NotAllowed for an override
    by anybody but an administrator (`actor` None is the system's own). An override passes what is not firm, never
    the lack of approved bytes.
    """
    if immediately:
        at = now
    elif at < now + SHORTEST_NOTICE:
        raise Invalid([Problem("at", TOO_SOON)])
    _schedule(issue, at, prepared, actor=actor, now=now, override_reason=override_reason.strip())
    if immediately:
        ring("launch_due_issues")


def send_now(issue: Issue, *, actor: Account | None, now: datetime, prepared: Prepared | None = None) -> datetime:
    """Schedule for ten minutes from now, time enough to cancel. Returns when. Raises as `schedule` does."""
    at = now + SEND_NOW_DELAY
    _schedule(issue, at, prepared, actor=actor, now=now, override_reason="")
    return at


def _schedule(
    issue: Issue, at: datetime, prepared: Prepared | None, *, actor: Account | None, now: datetime, override_reason: str
) -> None:
    lock(issue)
    if override_reason:
        require_override(actor, issue)
    in_the_way = [
        each for each in obstacles(issue, now, at=at, in_transaction=True) if each.firm or not override_reason
    ]
    if in_the_way:
        raise Refused(" ".join(obstacle.sentence for obstacle in in_the_way))
    approval = current_approval(issue)
    if prepared is not None and not issue.mailing_list.needs_approval and approval is None:
        approval = approve_by_scheduling(issue, prepared, actor=actor, now=now)
    if approval is None or issue.state is not IssueState.APPROVED:
        raise Refused("There is no approved mail to send. Approve the issue first.")
    move(
        issue, IssueState.SCHEDULED,
        scheduled_at=at, scheduled_by_id=actor.id if actor else None, rendition_id=approval.rendition_id,
    )  # fmt: skip
    keep_version(issue, "Scheduled", actor=actor, now=now)
    number, when = audience.count(issue), _when(at, issue.mailing_list)
    people = who_may(Permission.SCHEDULE_ISSUES, issue.mailing_list)
    tell("issue_scheduled", people, issue, now=now, by=_name(actor), at=when, recipients=number)
    activity.record(
        "issue.scheduled", actor=actor, actor_name=_name(actor), now=now, issue=issue,
        at=at.isoformat(), recipients=number, override_reason=override_reason,
    )  # fmt: skip
    protocols.tell(Happening.SCHEDULED, issue, now)
    _log.info("Issue %s goes out at %s to %d people", issue.id, at.isoformat(), number)


def cancel_schedule(issue: Issue, *, actor: Account | None, now: datetime) -> None:
    """Back to approved: nothing was sent. Raises Refused once the sending has begun."""
    lock(issue)
    if issue.state is not IssueState.SCHEDULED:
        raise Refused(f"{issue.title} is {STATE_WORDS[issue.state]}: there is no schedule to cancel.")
    move(issue, IssueState.APPROVED, scheduled_at=None, scheduled_by_id=None, rendition_id=None)
    activity.record("issue.schedule_cancelled", actor=actor, actor_name=_name(actor), now=now, issue=issue)
    _log.info("The schedule of issue %s was cancelled", issue.id)


def cancel_issue(issue: Issue, *, reason: str, actor: Account | None, now: datetime) -> None:
    """This issue will never go out. Not for one that is being sent: see delivery.control. Raises Invalid, Refused."""
    reason = reason.strip()
    if not reason:
        raise Invalid([Problem("reason", "Say why the issue is cancelled.")])
    lock(issue)
    if issue.state not in EDITABLE_STATES | {IssueState.SCHEDULED}:
        raise Refused(f"{issue.title} is {STATE_WORDS[issue.state]}: it cannot be cancelled here.")
    for approval in db.session.scalars(
        select(Approval).where(Approval.issue_id == issue.id, Approval.voided_at.is_(None))
    ):
        approval.voided_at, approval.void_reason = now, "The issue was cancelled."
    before = db.session.scalar(select(Issue).where(Issue.next_issue_id == issue.id))
    move(issue, IssueState.CANCELLED, cancelled_at=now, cancel_reason=reason)
    if before is not None and before.state in EDITABLE_STATES:
        before.next_issue_id = None
        db.session.flush()
        db.session.expire(before, ["next_issue"])
        touch(before, "The next issue was cancelled.", actor=actor, now=now)
    activity.record("issue.cancelled", actor=actor, actor_name=_name(actor), now=now, issue=issue, reason=reason)
    protocols.tell(Happening.CANCELLED, issue, now)
    _log.info("Issue %s was cancelled", issue.id)


def hold_unapproved(now: datetime) -> list[Issue]:
    """Tell the people concerned, once, of each issue whose planned date came and that nobody scheduled.

    Returns the issues told of. For a tick.
    """
    due = db.session.scalars(
        select(Issue).where(Issue.state.in_(EDITABLE_STATES), Issue.planned_at <= now).order_by(Issue.id)
    )
    held = [issue for issue in due if not _told_of_hold(issue)]
    for issue in held:
        why = {
            IssueState.DRAFT: "It is not approved yet.",
            IssueState.IN_REVIEW: "It waits for approval.",
            IssueState.APPROVED: "It is approved, and nobody has scheduled it.",
        }[issue.state]
        _tell_held(issue, why, now)
    return held


def _told_of_hold(issue: Issue) -> bool:
    since = select(Activity.id).where(
        Activity.issue_id == issue.id, Activity.action == "issue.held", Activity.at >= issue.planned_at
    )
    return db.session.scalar(since.limit(1)) is not None


def _tell_held(issue: Issue, why: str, now: datetime) -> None:
    people = who_may(Permission.SCHEDULE_ISSUES, issue.mailing_list)
    when = _when(issue.planned_at or now, issue.mailing_list)
    tell("schedule_held", people, issue, now=now, reason=why, at=when)
    activity.record("issue.held", actor=None, now=now, issue=issue, reason=why)
    _log.warning("Issue %s is held: %s", issue.id, why)


def _when(at: datetime, mailing_list: MailingList) -> str:
    return f"{dates.moment(at, mailing_list.timezone)} ({dates.zone_words(mailing_list.timezone)})"


def _things(number: int) -> str:
    return "1 thing stops" if number == 1 else f"{number} things stop"


def _named(stopping: list[Finding]) -> str:
    """The first few findings, each with the words it is about."""
    named = [f"{each.sentence} (“{each.excerpt}”)" if each.excerpt else each.sentence for each in stopping[:3]]
    return " ".join([*named, "See the checks."] if len(stopping) > len(named) else named)


def _name(actor: Account | None) -> str:
    return actor.name if actor else SYSTEM_ADMINISTRATOR
