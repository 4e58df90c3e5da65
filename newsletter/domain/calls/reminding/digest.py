"""One mail in the morning to the editors of a list: what came in since the last one. None where nothing did."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from .... import addresses, dates
from ....db import conflict_aware_insert, db
from ....models import Activity, Chase, Contribution, Extension, Issue, MailingList
from ....states import ChaseKind, ContributionState, ExtensionState
from ... import notices
from ...issues.people import who_may
from ...staff.permissions import Permission
from ..deadline.reading import CLOSED, is_private, is_proved
from .chasing import MORNING

_log = logging.getLogger(__name__)
DIGEST = "call_digest"
_DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Came:
    """What came in for one issue: new ones in time, too late, with an address that nobody has proved yet; those sent
    again after changes were asked for; those that their senders took back; questions for more time that wait; and
    whether the call closed meanwhile, with how many in."""

    issue_id: int
    title: str
    new: int = 0
    late: int = 0
    unproved: int = 0
    asked: int = 0
    closed: bool = False
    total: int = 0
    changed: int = 0
    withdrawn: int = 0

    def __bool__(self) -> bool:
        return any((self.new, self.late, self.unproved, self.asked, self.closed, self.changed, self.withdrawn))


def lists_to_look_at() -> Sequence[int]:
    """The ids of the lists that have an issue that takes news, or did until its deadline."""
    chosen = select(Issue.list_id).where(Issue.has_call, Issue.state.not_in(CLOSED), ~Issue.archive_only)
    return db.session.scalars(chosen.distinct().order_by(Issue.list_id)).all()


def send_digest(mailing_list: MailingList, now: datetime) -> int:
    """At 8am in the list's zone, once a day: tell its editors what came in until then. Returns how many mails.

    For a tick. What comes later in the day waits for the next morning, whenever a tick looks.
    """
    today = dates.local(now, mailing_list.timezone).date()
    until = _morning_of(now, mailing_list)
    last = _last(mailing_list)
    if now < until or (last is not None and last >= until):
        return 0
    since = _morning_of(last, mailing_list) if last is not None else until - _DAY
    issues = _issues(mailing_list)
    came = [found for issue in issues if (found := came_in(issue, since, until))]
    if not came:
        return 0
    sent = 0
    for editor in who_may(Permission.TRIAGE_CONTRIBUTIONS, mailing_list):
        # Whichever issue is named first: the list has one digest a day.
        made = conflict_aware_insert(Chase).values(
            issue_id=issues[0].id, kind=ChaseKind.DIGEST, occasion=today.toordinal(), deadline_version=0,
            address_key=addresses.key(editor.email), at=now,
        )  # fmt: skip
        if db.session.execute(made.on_conflict_do_nothing().returning(Chase.id)).first() is None:
            continue
        values = {"name": editor.name, "came": [asdict(one) for one in came]}
        notices.send_notice(
            DIGEST, editor.email, now=now, values=values, mailing_list=mailing_list, priority=notices.DIGEST
        )
        sent += 1
    _log.info("A digest of list %s went to %d editors", mailing_list.id, sent)
    return sent


def _morning_of(instant: datetime, mailing_list: MailingList) -> datetime:
    """8am of that day in the list's zone."""
    zone = mailing_list.timezone
    return dates.to_instant(dates.local(instant, zone).date(), MORNING, zone)


def came_in(issue: Issue, since: datetime, until: datetime) -> Came:
    """What came in for the issue after `since`, up to `until`."""
    rows = db.session.scalars(select(Contribution).where(Contribution.issue_id == issue.id)).all()
    sent = [one for one in rows if one.submitted_at is not None and one.state is not ContributionState.WITHDRAWN]
    fresh = [one for one in sent if one.submitted_at is not None and since < one.submitted_at <= until]
    kept = [one for one in rows if one.state is ContributionState.DRAFT and one.late]
    again = _sent_again(issue, rows, since, until)
    asked = select(func.count()).where(
        Extension.issue_id == issue.id,
        Extension.state == ExtensionState.ASKED,
        Extension.asked_at > since,
        Extension.asked_at <= until,
    )
    deadline = issue.deadline
    return Came(
        issue_id=issue.id,
        title=issue.title,
        new=sum(is_proved(one) for one in fresh),
        late=sum(since < one.created_at <= until for one in kept) + sum(one.late for one in again),
        unproved=sum(not is_proved(one) for one in fresh),
        asked=db.session.scalar(asked) or 0,
        closed=deadline is not None and since < deadline.grace_ends_at <= until,
        total=sum(is_proved(one) for one in sent),
        changed=sum(not one.late for one in again),
        withdrawn=sum(_taken_back(one, since, until) for one in rows),
    )


def _sent_again(issue: Issue, rows: Iterable[Contribution], since: datetime, until: datetime) -> list[Contribution]:
    """What came back changed after `since`, of which editors knew before: it waits for them, or came too late."""
    received = select(Activity.subject_id).where(
        Activity.issue_id == issue.id, Activity.action == "contribution.received",
        Activity.at > since, Activity.at <= until,
    )  # fmt: skip
    ids = set(db.session.scalars(received))
    known = [one for one in rows if one.submitted_at is not None and one.submitted_at <= since and str(one.id) in ids]
    return [
        one
        for one in known
        if one.state is ContributionState.SUBMITTED or (one.state is ContributionState.CHANGES_REQUESTED and one.late)
    ]


def _taken_back(one: Contribution, since: datetime, until: datetime) -> bool:
    """Whether its sender took it back in that time; not what editors took out, nor a draft that nobody else read."""
    if one.withdrawn_at is None or one.decided_at == one.withdrawn_at or is_private(one):
        return False
    return since < one.withdrawn_at <= until and one.state is ContributionState.WITHDRAWN


def _issues(mailing_list: MailingList) -> list[Issue]:
    chosen = select(Issue).where(
        Issue.list_id == mailing_list.id, Issue.has_call, Issue.state.not_in(CLOSED), ~Issue.archive_only
    )
    return list(db.session.scalars(chosen.order_by(Issue.id)))


def _last(mailing_list: MailingList) -> datetime | None:
    """When the list's editors had their last digest."""
    return db.session.scalar(
        select(func.max(Chase.at))
        .join(Issue, Issue.id == Chase.issue_id)
        .where(Issue.list_id == mailing_list.id, Chase.kind == ChaseKind.DIGEST)
    )
