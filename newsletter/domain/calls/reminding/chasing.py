"""Reminders, by the rule's working days: before the deadline, when it has passed, and before somebody's own end.

All of it is worked out from rows and the clock, so a scheduler that stood still sends what still makes sense, once.
Nobody is asked for news twice on one day, and nobody who has sent some, or has said that there is none.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import select

from .... import dates
from ....db import db
from ....errors import Refused
from ....i18n import gettext as _
from ....models import Account, CadenceRule, Contribution, Extension, Issue
from ....states import ChaseKind, ContributionState, ExtensionState
from ...issues.transitions import lock
from ...issues.working_days import region_of, working_days_before
from ...staff import activity
from ...staff.permissions import Permission, require
from ..deadline.reading import CLOSED, deadline_set_at
from ..deadline.rights import Right, right
from . import chase_rows, extension_mails
from .concerned import Party, Person, Standing, persons

_log = logging.getLogger(__name__)
REMINDER, LAST_CALL, IS_CLOSED = "call_reminder", "call_last_call", "call_closed"
#: Working days before the deadline, where the list's rhythm names none.
USUAL_DAYS = (14, 3, 1)
#: Nobody reads a reminder in the night.
MORNING = time(8)
#: After that, "your text is saved" is no news any more.
_CLOSED_MAILS_END = timedelta(days=7)


def open_issues() -> Sequence[int]:
    """The ids of the issues that take news, or did until their deadline: what a tick looks at, one by one."""
    chosen = select(Issue.id).where(Issue.has_call, Issue.state.not_in(CLOSED), ~Issue.archive_only)
    return db.session.scalars(chosen.order_by(Issue.id)).all()


def chase(issue: Issue, now: datetime) -> int:
    """Write to whoever must be written to about the issue's call now; returns how many mails. For a tick."""
    lock(issue)
    deadline = issue.deadline
    if issue.state in CLOSED or not issue.has_call or deadline is None:
        return 0
    if deadline.is_open(now):
        sent = _remind(issue, now)
    else:
        sent = _say_closed(issue, now) if now >= deadline.grace_ends_at else 0
    sent += _say_that_time_ends(issue, now)
    if sent:
        activity.record("call.chased", actor=None, now=now, issue=issue, mails=sent)
        _log.info("%d mails about the call of issue %s", sent, issue.id)
    return sent


# --- before the deadline -----------------------------------------------------------------------------------------


def reminder_days(issue: Issue) -> list[tuple[int, date]]:
    """The working days before the deadline, and the day of each; the first to come first."""
    if issue.deadline is None:
        return []
    rule = db.session.get(CadenceRule, issue.list_id)
    numbers = {int(number) for number in (rule.reminder_days if rule else USUAL_DAYS) if int(number) > 0}
    region, day = region_of(issue.mailing_list), issue.deadline.day
    return [(number, working_days_before(day, number, region)) for number in sorted(numbers, reverse=True)]


@dataclass(frozen=True)
class _Due:
    """Which reminder is due: the nearest whose morning has come, of those after the call was opened and its deadline
    last set."""

    days: list[tuple[int, date]]
    after: date
    today: date

    def occasion(self, since: date | None = None) -> int | None:
        """Its working days before the deadline; None for none whose day is after `since`."""
        after = max(self.after, since) if since else self.after
        return min((number for number, day in self.days if after < day <= self.today), default=None)


def _due(issue: Issue, now: datetime) -> _Due | None:
    if issue.call_opened_at is None:
        return None
    zone = issue.mailing_list.timezone
    here = dates.local(now, zone)
    today = here.date() if here.time() >= MORNING else here.date() - timedelta(days=1)
    after = dates.local(max(issue.call_opened_at, deadline_set_at(issue)), zone).date()
    return _Due(reminder_days(issue), after, today)


def next_reminder(issue: Issue, now: datetime) -> date | None:
    """The day of the next reminder; None where there is none any more, or the call is not open."""
    due = _due(issue, now)
    if due is None:
        return None
    return next((day for _number, day in due.days if day > max(due.after, due.today)), None)


def _remind(issue: Issue, now: datetime) -> int:
    due = _due(issue, now)
    if due is None or due.occasion() is None:
        return 0
    asked, sent = chase_rows.last_asked(issue), 0
    for person in persons(issue):
        occasion = due.occasion(asked.get(person.address_key))
        if occasion is not None and wants_reminder(issue, person, now):
            sent += _ask(issue, person, occasion, now)
    return sent


def wants_reminder(issue: Issue, person: Person, now: datetime) -> bool:
    """Whether they have a draft, or have sent nothing; not in time of their own, which has a reminder of its own."""
    waits = person.standing in (Standing.SILENT, Standing.WRITING)
    if person.standing is Standing.NOTHING or not (waits or person.drafts):
        return False
    return right(issue, now, now, contributor=person.contributor).until == issue.deadline


def _ask(issue: Issue, person: Person, occasion: int, now: datetime) -> bool:
    kind, template = (ChaseKind.LAST_CALL, LAST_CALL) if person.drafts else (ChaseKind.REMINDER, REMINDER)
    return chase_rows.send_once(
        issue, kind, person.address, template=template, values=_values(person), now=now, occasion=occasion
    )


def _values(person: Person) -> dict[str, object]:
    return {
        "name": person.name,
        "contributor": person.contributor.id if person.contributor else None,
        "contributions": [one.id for one in person.drafts],
    }


def remind_now(issue: Issue, party: Party, *, actor: Account | None, now: datetime) -> int:
    """An editor reminds one agency, or one person, at once; at most once a day. Raises NotAllowed, Refused."""
    lock(issue)
    if actor is not None:
        require(actor, Permission.TRIAGE_CONTRIBUTIONS, issue.mailing_list)
    if issue.state in CLOSED or issue.deadline is None or not issue.deadline.is_open(now):
        raise Refused(_("The deadline has passed: nobody is reminded any more."))
    today = dates.local(now, issue.mailing_list.timezone).date()
    theirs, asked = {one.address_key for one in party.people}, chase_rows.last_asked(issue)
    people = [each for each in persons(issue) if each.address_key in theirs and wants_reminder(issue, each, now)]
    if not people:
        raise Refused(_("There is nobody to remind there."))
    # The day's own number is the occasion: none of the rule's is as large.
    sent = sum(_ask(issue, each, today.toordinal(), now) for each in people if asked.get(each.address_key) != today)
    if not sent:
        raise Refused(_("{name} was written to today already. Remind them again tomorrow.").format(name=party.name))
    activity.record("call.reminded", actor=actor, now=now, issue=issue, who=party.name, mails=sent)
    return sent


# --- after it ----------------------------------------------------------------------------------------------------


def _say_closed(issue: Issue, now: datetime) -> int:
    """ "It is closed, and your text is saved": to whoever has a draft, when the call ends, or their own time does."""
    if issue.deadline is None or now >= issue.deadline.closes_at + _CLOSED_MAILS_END:
        return 0
    sent = 0
    for person in persons(issue):
        rights_left = [
            right(issue, now, draft.opened_at, contributor=person.contributor, contribution=draft)
            for draft in person.drafts
        ]
        if not rights_left or any(_runs_still(one, now) for one in rights_left):
            continue
        occasion = max(one.extension.id if one.extension else 0 for one in rights_left)
        sent += chase_rows.send_once(
            issue, ChaseKind.CLOSED, person.address, template=IS_CLOSED, values=_values(person), now=now,
            occasion=occasion,
        )  # fmt: skip
    return sent


def _runs_still(given: Right, now: datetime) -> bool:
    return given.counts or (given.until is not None and now < given.until.grace_ends_at)


def _say_that_time_ends(issue: Issue, now: datetime) -> int:
    """A working day before the end of somebody's own time, unless it was given later than that."""
    zone, region = issue.mailing_list.timezone, region_of(issue.mailing_list)
    here = dates.local(now, zone)
    if here.time() < MORNING:
        return 0
    granted = select(Extension).where(Extension.issue_id == issue.id, Extension.state == ExtensionState.GRANTED)
    sent = 0
    for extension in db.session.scalars(granted.order_by(Extension.id)):
        end, since = extension.deadline, extension.decided_at
        if end is None or not end.is_open(now) or _is_settled(extension):
            continue
        day = working_days_before(end.day, 1, region)
        if here.date() < day or (since is not None and dates.local(since, zone).date() >= day):
            continue
        for address, name in extension_mails.addresses_of(extension):
            sent += chase_rows.send_once(
                issue, ChaseKind.EXTENSION_ENDS, address, template=extension_mails.ENDS,
                values={"extension": extension.id, "name": name}, now=now, occasion=extension.id,
            )  # fmt: skip
    return sent


def _is_settled(extension: Extension) -> bool:
    """Whether nothing is waited for: the contribution it is for has come, or is decided."""
    waiting = (ContributionState.DRAFT, ContributionState.CHANGES_REQUESTED)
    piece = db.session.get(Contribution, extension.contribution_id) if extension.contribution_id else None
    return piece is not None and piece.state not in waiting
