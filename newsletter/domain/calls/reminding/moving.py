"""A call's deadline has moved: what was promised is kept, and whoever is still writing hears the new time."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from ....db import db
from ....models import Activity, Chase, Contribution, Issue, Notice
from ....states import ChaseKind, ContributionState, NoticeState
from ... import notices
from ...issues.call_deadline import MOVED
from ...issues.protocols import Happening, register_issue_event
from ..deadline.reading import CLOSED
from . import chase_rows
from .concerned import Person, Standing, persons

_log = logging.getLogger(__name__)
#: An editor who corrects a slip has this long before anybody is told of it.
_SETTLES = timedelta(minutes=10)


def register() -> None:
    """Hear of every move; done when the application is made, and harmless a second time."""
    register_issue_event("deadline", tell_of_move)


def tell_of_move(happening: Happening, issue: Issue, now: datetime) -> None:
    """An IssueEvent: tells people that the deadline moved, in ten minutes; a move meanwhile calls the mail back."""
    if happening is not Happening.DEADLINE_MOVED or issue.deadline is None or issue.state in CLOSED:
        return
    before, before_at = _before(issue)
    if before_at is not None:
        _keep_promises(issue, before_at)
    if not issue.deadline.is_open(now):
        return
    called_back = _call_back(issue, now)
    # A deadline of which every mail was called back is one that nobody knows.
    known = next(iter(called_back.values()), before)
    instants, sent = _instants(issue), 0
    for person in persons(issue):
        was = called_back.get(person.address_key, known)
        earlier = was in instants and issue.deadline.instant < instants[was]
        if was == issue.deadline.words or not _concerns(person, issue, earlier=earlier):
            continue
        values = {
            "name": person.name,
            "contributor": person.contributor.id if person.contributor else None,
            "contributions": [one.id for one in person.drafts],
            "was": was,
            "is_in": person.standing is Standing.IN,
        }
        sent += chase_rows.send_once(
            issue, ChaseKind.MOVED, person.address, template=MOVED, values=values, now=now, leaves_at=now + _SETTLES
        )
    _log.info("The deadline of issue %s moved: %d people are told", issue.id, sent)


def _before(issue: Issue) -> tuple[str, datetime | None]:
    """The deadline as it was until now, in words and as an instant."""
    last = db.session.scalar(
        select(Activity)
        .where(Activity.issue_id == issue.id, Activity.action == "issue.deadline_changed")
        .order_by(Activity.id.desc())
        .limit(1)
    )
    if last is None or not last.detail.get("before_at"):
        return "", None
    return last.detail["before"], datetime.fromisoformat(last.detail["before_at"])


def _instants(issue: Issue) -> dict[str, datetime]:
    """The instants of the deadlines that it had, by their words."""
    moves = select(Activity.detail).where(Activity.issue_id == issue.id, Activity.action == "issue.deadline_changed")
    details = [each for each in db.session.scalars(moves) if each.get("before_at")]
    return {each["before"]: datetime.fromisoformat(each["before_at"]) for each in details}


def _keep_promises(issue: Issue, before: datetime) -> None:
    """Whoever handed in by the old deadline may change it until then, whatever the new one is."""
    handed_in = (ContributionState.SUBMITTED, ContributionState.CHANGES_REQUESTED)
    db.session.execute(
        update(Contribution)
        .where(
            Contribution.issue_id == issue.id, Contribution.state.in_(handed_in), ~Contribution.late,
            Contribution.edit_until.is_(None),
        )
        .values(edit_until=before)
    )  # fmt: skip


def _call_back(issue: Issue, now: datetime) -> dict[str, str]:
    """Drop the mails of a move that have not left; by key of the address, the deadline that its owner knows."""
    waiting = select(Notice).where(
        Notice.issue_id == issue.id, Notice.template == MOVED, Notice.state == NoticeState.QUEUED
    )
    called_back = {
        notice.address_key: str(notice.values.get("was", ""))
        for notice in db.session.scalars(waiting)
        if notices.call_back(notice.id, reason="The deadline moved again.")
    }
    # What did not go is not on record as gone.
    db.session.execute(
        delete(Chase).where(
            Chase.issue_id == issue.id, Chase.kind == ChaseKind.MOVED, Chase.address_key.in_(called_back),
            Chase.at > now - _SETTLES,
        )
    )  # fmt: skip
    return called_back


def _concerns(person: Person, issue: Issue, *, earlier: bool) -> bool:
    """Whoever has a draft, and, once they were invited, those of whom nothing has come; of an `earlier` one those of
    whom something has come as well, for they may have more to send."""
    if person.standing is Standing.NOTHING:
        return False
    waited_for = earlier or person.standing in (Standing.SILENT, Standing.WRITING)
    return bool(person.drafts) or (issue.call_opened_at is not None and waited_for)
