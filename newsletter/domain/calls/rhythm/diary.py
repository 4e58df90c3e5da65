"""What stands in people's calendars: until when news is taken, and when issues go out. Reads only.

An entry keeps its name for good, and its number goes up whenever its moment may have moved, so that a calendar that
has an older copy takes the newer one (RFC 5545, 3.8.7.4). An issue that was called off stays, as called off.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import func, or_, select

from ....db import db
from ....deadlines import Deadline
from ....models import Activity, Contributor, Extension, Issue, MailingList
from ....states import Cadence, ExtensionState, IssueState

#: How long what is over stays.
_KEPT = timedelta(days=400)
_DEADLINE_ACTIONS = ("issue.deadline_changed",)
_EXTENSION_ACTIONS = ("extension.granted", "extension.revoked")
#: What is recorded when the day of a sending may have moved.
_SEND_ACTIONS = ("issue.frame_changed", "issue.replanned", "issue.scheduled", "issue.schedule_cancelled")


class What(Enum):
    """What an entry is about."""

    DEADLINE = "deadline"
    SEND = "send"


@dataclass(frozen=True)
class Entry:
    """One entry of a calendar. `deadline` is the one that counts: the call's own, or this person's longer one."""

    what: What
    issue: Issue
    at: datetime
    sequence: int
    changed_at: datetime
    deadline: Deadline | None = None
    #: Whether it is more time of their own.
    own: bool = False

    @property
    def name(self) -> str:
        """Its name for good; an id alone may come again when an empty issue was taken back."""
        began = int(self.issue.created_at.timestamp())
        return f"{'own-' if self.own else ''}{self.what.value}-{self.issue.id}-{began}"

    @property
    def called_off(self) -> bool:
        return self.issue.state is IssueState.CANCELLED


@dataclass(frozen=True)
class _Changes:
    """How often something was done with an issue, and when last."""

    number: dict[int, int] = field(default_factory=dict)
    last: dict[int, datetime] = field(default_factory=dict)


def of_list(mailing_list: MailingList, now: datetime) -> list[Entry]:
    """The deadlines and sending days of the list's calls, past and planned, in order of their moments."""
    issues = _issues([mailing_list.id], now)
    return _sorted([*deadlines(issues), *_sendings(issues)])


def of_contributor(contributor: Contributor, now: datetime) -> list[Entry]:
    """The deadlines of the lists that the person sends news to, each with the longest time that they have."""
    chosen = select(MailingList.id).where(MailingList.public, MailingList.cadence == Cadence.QUARTERLY)
    agency = contributor.agency
    if agency is not None and agency.list_id is not None:
        chosen = chosen.where(MailingList.id == agency.list_id)
    issues = _issues(db.session.scalars(chosen).all(), now)
    longer, changes = _own_time(contributor, issues), _changes(issues, _EXTENSION_ACTIONS)
    return _sorted(_own(entry, longer.get(entry.issue.id), changes) for entry in deadlines(issues))


def _own(call: Entry, longer: Deadline | None, changes: _Changes) -> Entry:
    """A call's deadline in somebody's own calendar, where more time may take its place."""
    number = call.sequence + changes.number.get(call.issue.id, 0)
    changed_at = max(call.changed_at, changes.last.get(call.issue.id, call.changed_at))
    until = longer if longer is not None and longer.instant > call.at else call.deadline
    return replace(
        call, sequence=number, changed_at=changed_at, deadline=until, own=True, at=until.instant if until else call.at
    )


def deadlines(issues: Iterable[Issue]) -> list[Entry]:
    """The deadlines of these issues; those without are left out."""
    issues = list(issues)
    changes = _changes(issues, _DEADLINE_ACTIONS)
    return [
        _entry(What.DEADLINE, issue, issue.deadline.instant, issue.deadline_version, changes, issue.deadline)
        for issue in issues
        if issue.deadline is not None
    ]


def _sendings(issues: Sequence[Issue]) -> list[Entry]:
    changes = _changes(issues, _SEND_ACTIONS)
    return [
        _entry(What.SEND, issue, out, changes.number.get(issue.id, 0), changes)
        for issue in issues
        # The scheduled minute, and not the second in which it really began: nothing moves when an issue goes out.
        if (out := issue.scheduled_at or issue.planned_at or issue.started_at) is not None
    ]


def _entry(
    what: What, issue: Issue, at: datetime, sequence: int, changes: _Changes, deadline: Deadline | None = None
) -> Entry:
    changed_at = max(changes.last.get(issue.id, issue.created_at), issue.cancelled_at or issue.created_at)
    return Entry(what, issue, at, sequence + (issue.state is IssueState.CANCELLED), changed_at, deadline)


def _issues(lists: Sequence[int], now: datetime) -> list[Issue]:
    """The issues with a call, of these lists, but for those that are long over."""
    since = now - _KEPT
    chosen = (
        select(Issue)
        .where(
            Issue.list_id.in_(lists), Issue.has_call, ~Issue.archive_only,
            or_(Issue.deadline_at > since, Issue.planned_at > since),
        )
        .order_by(Issue.id)
    )  # fmt: skip
    return list(db.session.scalars(chosen))


def _changes(issues: Sequence[Issue], actions: tuple[str, ...]) -> _Changes:
    """How often each issue was changed in this way."""
    rows = db.session.execute(
        select(Activity.issue_id, func.count(), func.max(Activity.at))
        .where(Activity.issue_id.in_([issue.id for issue in issues]), Activity.action.in_(actions))
        .group_by(Activity.issue_id)
    ).all()
    return _Changes({one: number for one, number, _at in rows if one}, {one: at for one, _number, at in rows if one})


def _own_time(contributor: Contributor, issues: Sequence[Issue]) -> dict[int, Deadline]:
    """More time that the person or their agency was given, by issue, the longest; time for one text alone is not meant.

    What was handed in under it may be changed until its end, so time that was used stands there too.
    """
    theirs = [(Extension.contributor_id == contributor.id)]
    if contributor.agency is not None and contributor.agency.ended_at is None:
        theirs.append(Extension.agency_id == contributor.agency_id)
    granted = (Extension.state == ExtensionState.GRANTED) & Extension.contribution_id.is_(None)
    rows = db.session.scalars(
        select(Extension).where(
            Extension.issue_id.in_([issue.id for issue in issues]),
            granted | (Extension.state == ExtensionState.USED),
            or_(*theirs),
        ).order_by(Extension.deadline_at)
    )  # fmt: skip
    return {row.issue_id: row.deadline for row in rows if row.deadline is not None}


def _sorted(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (entry.at, entry.name))
