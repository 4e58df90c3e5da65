"""Around an approval: who is asked, what changed since they last looked, on which day, and how an approval ended."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import select

from ... import dates
from ...db import db
from ...deadlines import Deadline
from ...errors import Invalid, Problem, Refused
from ...models import Account, Activity, Approval, CadenceRule, Issue, IssueVersion, MailingList, Rendition
from ...states import IssueState
from ..staff import activity
from ..staff.permissions import Permission, require
from .comparing import SectionChange, What, changes, in_words
from .people import tell, who_may
from .transitions import STATE_WORDS, lock
from .versions import APPROVED, SENT_FOR_APPROVAL, kept_versions, latest
from .working_days import region_of, working_days_before

_log = logging.getLogger(__name__)
#: Without a rhythm that says otherwise, an issue should be approved on the working day before it goes out.
_DAYS_BEFORE = 1
#: When that day's work is over.
EVENING = time(17)
_MOST_LINES = 12
_ASKED = ("issue.submitted", "issue.asked_again")


def approvers(issue: Issue, besides: Account | None = None) -> list[Account]:
    """Who may be asked to approve the issue: all who may approve on its list, but for one."""
    return [person for person in who_may(Permission.APPROVE_ISSUES, issue.mailing_list) if person is not besides]


def chosen(issue: Issue, numbers: Sequence[int] | None, actor: Account | None) -> list[Account]:
    """Those of the approvers whose ids were chosen; all of them for None. Raises Invalid at "asked" for nobody."""
    may = approvers(issue, actor)
    people = may if numbers is None else [person for person in may if person.id in numbers]
    if not people and may:
        raise Invalid([Problem("asked", "Choose who should read it.")])
    return people


def ask(issue: Issue, rendition: Rendition, people: Sequence[Account], *, by: str, note: str, now: datetime) -> None:
    """The mail that asks: the whole issue is in it, and what changed since somebody last looked."""
    lines, until = change_lines(since_last_look(issue)[1]), approval_deadline(issue)
    tell(
        "approval_requested", list(people), issue, now=now, by=by, comment=note, changes=lines, rendition=rendition.id,
        until=until.words_with_zone if until else "",
    )  # fmt: skip


def ask_others(issue: Issue, numbers: Sequence[int], *, actor: Account, now: datetime) -> list[Account]:
    """Ask further people about an issue that waits for approval. Returns them. Raises Invalid, NotAllowed, Refused."""
    lock(issue)
    require(actor, Permission.EDIT_ISSUES, issue.mailing_list)
    if issue.state is not IssueState.IN_REVIEW:
        raise Refused(f"{issue.title} is {STATE_WORDS[issue.state]}: nobody is being asked.")
    people = chosen(issue, numbers, actor)
    rendition = db.session.scalar(
        select(Rendition).where(Rendition.issue_id == issue.id).order_by(Rendition.id.desc()).limit(1)
    )
    if rendition is None or rendition.content_version != issue.content_version:
        raise Refused("The words have changed since they were sent for approval. Send them again.")
    ask(issue, rendition, people, by=actor.name, note="", now=now)
    activity.record("issue.asked_again", actor=actor, now=now, issue=issue, asked=[person.id for person in people])
    return people


def asked(issue: Issue) -> list[Account]:
    """Who was asked since the issue was last sent for approval, and is still here."""
    rows = db.session.scalars(
        select(Activity).where(Activity.issue_id == issue.id, Activity.action.in_(_ASKED)).order_by(Activity.id.desc())
    )
    numbers: list[int] = []
    for row in rows:
        numbers += row.detail.get("asked", [])
        if row.action == "issue.submitted":
            break
    return [person for person in approvers(issue) if person.id in numbers]


def since_last_look(issue: Issue) -> tuple[IssueVersion | None, list[SectionChange]]:
    """The version that somebody was last asked about, or approved, before now, and what changed since.

    While an issue waits for approval that is the one before; (None, []) the first time.
    """
    looked = [each for each in kept_versions(issue) if each.reason.startswith((SENT_FOR_APPROVAL, APPROVED))]
    if issue.state is IssueState.IN_REVIEW:
        looked = looked[1:]
    return (looked[0], changes(looked[0], issue)) if looked else (None, [])


def change_lines(found: Sequence[SectionChange]) -> list[str]:
    """What changed, a section a line, for a mail."""
    words = {What.ADDED: "is new", What.REMOVED: "is gone", What.CHANGED: "has changed", What.MOVED: "has moved"}
    lines = [f"“{each.name}” {words[each.what]}" for each in found]
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = [f"and {len(lines) - _MOST_LINES} more"]
    return lines


# --- how an approval ended ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ended:
    """An approval that the issue had and has no longer. `what` is what changed since, in words; "" for no section."""

    approval: Approval
    by: str
    what: str


def ended(issue: Issue) -> Ended | None:
    """The approval that was taken from a draft by an edit, until it is sent for approval again; else None."""
    if issue.state is not IssueState.DRAFT:
        return None
    approval = db.session.scalar(
        select(Approval).where(Approval.issue_id == issue.id).order_by(Approval.id.desc()).limit(1)
    )
    if approval is None or approval.voided_at is None:
        return None
    last = db.session.scalar(
        select(Activity)
        .where(
            Activity.issue_id == issue.id,
            Activity.action.in_(("issue.approval_voided", "issue.submitted", "issue.returned")),
        )
        .order_by(Activity.id.desc())
        .limit(1)
    )
    if last is None or last.action != "issue.approval_voided" or last.detail.get("was") != IssueState.APPROVED.value:
        return None
    version = latest(issue, APPROVED)
    what = in_words(changes(version, issue)) if version else ""
    return Ended(approval, last.actor_name, what)


# --- the day of approval -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ApprovalRule:
    """How long before a list's issues go out they should be approved: working days, in the holidays of a region."""

    days_before: int
    region: str


def approval_rule(mailing_list: MailingList) -> ApprovalRule:
    """The list's rule, as its rhythm has it."""
    rhythm = db.session.get(CadenceRule, mailing_list.id)
    return ApprovalRule(rhythm.approval_days_before if rhythm else _DAYS_BEFORE, region_of(mailing_list))


def approval_day(issue: Issue, goes_out: date | None = None, rule: ApprovalRule | None = None) -> date | None:
    """The day by which the issue should be approved: its own, or some working days before it goes out.

    It goes out on `goes_out`, or when it is planned to, in its list's zone. None for an issue without a date. `rule` is
    the list's, where it was read already.
    """
    if goes_out is None and issue.planned_at is not None:
        goes_out = dates.local(issue.planned_at, issue.mailing_list.timezone).date()
    if goes_out is None:
        return None
    if issue.approval_on is not None:
        return min(issue.approval_on, goes_out)
    rule = rule or approval_rule(issue.mailing_list)
    return working_days_before(goes_out, rule.days_before, rule.region)


def approval_deadline(issue: Issue) -> Deadline | None:
    """Until when the issue should be approved: 5pm on its day, or when it goes out, if that is earlier.

    It bars nobody: until the issue goes out, an approval is better late than not at all. None without a date.
    """
    day, zone = approval_day(issue), issue.mailing_list.timezone
    if day is None or issue.planned_at is None:
        return None
    goes_out = dates.local(issue.planned_at, zone)
    return Deadline.of(day, min(EVENING, goes_out.time()) if day == goes_out.date() else EVENING, zone)


def remind(now: datetime) -> list[Issue]:
    """On the day of approval, tell once who should approve, or, where nobody was asked, who should ask.

    Returns the issues reminded of. For a tick.
    """
    unapproved = (IssueState.DRAFT, IssueState.IN_REVIEW)
    soon = select(Issue).where(Issue.state.in_(unapproved), Issue.planned_at > now, ~Issue.archive_only)
    due = [
        issue
        for issue in db.session.scalars(soon.order_by(Issue.id))
        if issue.mailing_list.needs_approval and _is_today(issue, now) and not _reminded(issue)
    ]
    for issue in due:
        _remind(issue, now)
    return due


def _is_today(issue: Issue, now: datetime) -> bool:
    here = dates.local(now, issue.mailing_list.timezone)
    day = approval_day(issue)
    # Nobody reads it at midnight; and an outage on the day is made good on the days after.
    return day is not None and (here.date() > day or (here.date() == day and here.hour >= 7))


def _reminded(issue: Issue) -> bool:
    """Whether somebody was reminded for the date that the issue is planned for now."""
    last = db.session.scalar(
        select(Activity)
        .where(Activity.issue_id == issue.id, Activity.action == "issue.approval_reminded")
        .order_by(Activity.id.desc())
        .limit(1)
    )
    return last is not None and last.detail.get("planned") == (issue.planned_at and issue.planned_at.isoformat())


def _remind(issue: Issue, now: datetime) -> None:
    assert issue.planned_at is not None
    if issue.state is IssueState.IN_REVIEW:
        people, reason = asked(issue) or approvers(issue), ""
    else:
        people = who_may(Permission.EDIT_ISSUES, issue.mailing_list)
        reason = "Nobody has been asked to approve it yet."
    at = dates.moment(issue.planned_at, issue.mailing_list.timezone)
    until = approval_deadline(issue)
    tell(
        "approval_reminder", people, issue, now=now, at=at, reason=reason, until=until.words_with_zone if until else ""
    )
    activity.record(
        "issue.approval_reminded", actor=None, now=now, issue=issue, planned=issue.planned_at.isoformat(),
        told=len(people),
    )  # fmt: skip
    _log.info("Issue %s should be approved today: %d people told", issue.id, len(people))
