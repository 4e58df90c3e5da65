"""An editor opens a call: agencies' people, and everybody else who sends in news, are invited, once each."""

import logging
from datetime import datetime

from ....db import db
from ....errors import Refused
from ....i18n import gettext as _
from ....models import Account, Contributor, Issue
from ....states import ChaseKind
from ...issues.transitions import lock
from ...staff import activity
from ...staff.permissions import Permission, require
from ...subscribers import suppressing
from ..deadline.reading import CLOSED
from . import chase_rows
from .concerned import people_of

_log = logging.getLogger(__name__)
INVITATION = "call_invitation"


def to_invite(issue: Issue) -> list[Contributor]:
    """Whom opening the call, or inviting the rest, writes to: nobody twice, nobody whose address is suppressed."""
    had = {row.address_key for row in chase_rows.rows_of(issue) if row.kind is ChaseKind.INVITATION}
    people = [one for one in people_of(issue.mailing_list) if one.address_key not in had]
    unwelcome = suppressing.suppressed_keys(one.address_key for one in people) if people else set()
    return [one for one in people if one.address_key not in unwelcome]


def why_not(issue: Issue, now: datetime) -> str:
    """Why the call cannot be opened, in a sentence, or ""."""
    if not issue.has_call or issue.deadline is None:
        return _("{issue} has no deadline for news yet.").format(issue=issue.title)
    if issue.state in CLOSED:
        return _("{issue} takes nothing more.").format(issue=issue.title)
    if not issue.deadline.is_open(now):
        return _("The deadline has passed. Set a later one first.")
    return ""


def open_the_call(issue: Issue, *, actor: Account | None, now: datetime) -> int:
    """Invite everybody who is not invited yet; reminders follow by themselves from now on.

    Returns how many were invited; pressed twice, nobody gets a second mail. Raises NotAllowed, Refused.
    """
    lock(issue)
    if actor is not None:
        require(actor, Permission.TRIAGE_CONTRIBUTIONS, issue.mailing_list)
    if reason := why_not(issue, now):
        raise Refused(reason)
    first = issue.call_opened_at is None
    if first:
        issue.call_opened_at = now
        db.session.flush()
    people = to_invite(issue)
    invited = sum(_invite(issue, person, now) for person in people)
    if first or invited:
        activity.record("call.opened", actor=actor, now=now, issue=issue, invited=invited, first=first)
        _log.info("The call of issue %s is open: %d people invited", issue.id, invited)
    return invited


def _invite(issue: Issue, person: Contributor, now: datetime) -> bool:
    values = {"contributor": person.id, "name": person.name}
    return chase_rows.send_once(
        issue, ChaseKind.INVITATION, person.address, template=INVITATION, values=values, now=now
    )
