"""More time: asked for by somebody who is late, or given unasked; to a person, an agency, or for one contribution.

Its end is a deadline like any other. It is used up by handing in, not by a draft (see `rights`); an agency's stays
until its end.
"""

import logging
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select

from .... import dates
from ....db import db
from ....deadlines import Deadline
from ....errors import Invalid, NotFound, Problem, Refused
from ....i18n import gettext as _
from ....models import Account, Agency, Contribution, Contributor, Extension, Issue
from ....states import ExtensionState
from ...issues.transitions import lock
from ...issues.working_days import is_working_day, region_of
from ...staff import activity
from ...staff.permissions import Permission, require
from ...staff.wording import text
from ..deadline.reading import CLOSED
from . import extension_mails as mails
from .answering import CONTRIBUTOR

_log = logging.getLogger(__name__)
_LONGEST = 1_000
#: More time that is worth having is at least this long.
_SHORTEST = timedelta(hours=2)


def ask(
    issue: Issue,
    *,
    contributor: Contributor | None = None,
    contribution: Contribution | None = None,
    reason: str = "",
    wished: Deadline | None = None,
    now: datetime,
) -> Extension:
    """Somebody asks for more time: a signed-in contributor, or whoever holds the key to `contribution`.

    One question is open at a time: asking again changes what it says. The editors are told at once. Raises Invalid,
    Refused in a sentence: where they have time, were answered, or the issue takes nothing more.
    """
    reason = text(reason, field="reason", longest=_LONGEST)
    lock(issue)
    _require_taking(issue)
    if contributor is None and contribution is not None:
        contributor = contribution.contributor
    # Time for the person is worth more than time for one text: they may begin anew.
    target = {"contributor_id": contributor.id} if contributor else {"contribution_id": _id(contribution)}
    last = _last(issue, **target)
    if last is not None and last.state is ExtensionState.ASKED:
        last.reason, last.deadline = reason or last.reason, wished or last.deadline
        db.session.flush()
        return last
    if last is not None and last.deadline and last.state is ExtensionState.GRANTED and last.deadline.is_open(now):
        raise Refused(_("You have until {when}.").format(when=last.deadline.words_with_zone))
    if last is not None and last.state is ExtensionState.REFUSED:
        raise Refused(_("The editors have answered. To talk about it, answer their email."))
    made = Extension(issue_id=issue.id, state=ExtensionState.ASKED, reason=reason, asked_at=now, **target)
    made.deadline = wished
    db.session.add(made)
    db.session.flush()
    mails.tell_editors_of_question(made, now)
    _record("extension.asked", made, None, now)
    return made


def grant(extension: Extension, until: Deadline, *, note: str = "", actor: Account | None, now: datetime) -> None:
    """Give what was asked for, until `until`; a refusal may be thought better of. Both sides are told.

    Pressed twice it is one grant. Raises Invalid, NotAllowed, Refused.
    """
    note = _begin(extension, note, actor)
    if extension.state is ExtensionState.GRANTED and extension.deadline == until:
        return
    if extension.state not in (ExtensionState.ASKED, ExtensionState.REFUSED):
        raise Refused(_already(extension))
    _require_taking(extension.issue)
    _require_ahead(until, extension.issue, now, beyond_call=extension.contribution_id is None)
    _grant(extension, until, note, actor, now, tell=True)


def give(
    issue: Issue,
    until: Deadline,
    *,
    contributor: Contributor | None = None,
    agency: Agency | None = None,
    contribution: Contribution | None = None,
    note: str = "",
    tell: bool = True,
    actor: Account | None,
    now: datetime,
) -> Extension:
    """Give more time unasked, to one of the three. What they asked for, or had, becomes this. Raises as `grant` does.

    `tell=False` sends nothing: another mail says it.
    """
    note = text(note, field="note", longest=_LONGEST)
    lock(issue)
    if actor is not None:
        require(actor, Permission.TRIAGE_CONTRIBUTIONS, issue.mailing_list)
    _require_taking(issue)
    _require_ahead(until, issue, now, beyond_call=contribution is None)
    target = _target(contributor, agency, contribution)
    last = _last(issue, **target)
    if last is None or last.state not in (ExtensionState.ASKED, ExtensionState.GRANTED):
        last = Extension(issue_id=issue.id, state=ExtensionState.ASKED, **target)
        db.session.add(last)
    elif last.state is ExtensionState.GRANTED and last.deadline == until:
        return last
    _grant(last, until, note, actor, now, tell=tell)
    return last


def refuse(extension: Extension, *, note: str = "", actor: Account | None, now: datetime) -> None:
    """Do not give more time. Whoever asked reads `note`. Raises Invalid, NotAllowed, Refused."""
    note = _begin(extension, note, actor)
    if extension.state is ExtensionState.REFUSED:
        return
    if extension.state is not ExtensionState.ASKED:
        raise Refused(_already(extension))
    _decide(extension, ExtensionState.REFUSED, note, actor, now)
    mails.tell_holder(extension, mails.REFUSED, now)
    _record("extension.refused", extension, actor, now)


def revoke(extension: Extension, *, note: str = "", actor: Account | None, now: datetime) -> None:
    """Take back time that nobody has used yet. What was handed in under it stays handed in. Raises as `refuse`."""
    note = _begin(extension, note, actor)
    if extension.state is ExtensionState.REVOKED:
        return
    if extension.state is not ExtensionState.GRANTED:
        raise Refused(_already(extension))
    _decide(extension, ExtensionState.REVOKED, note, actor, now)
    mails.tell_holder(extension, mails.TAKEN_BACK, now)
    _record("extension.revoked", extension, actor, now)


def find_extension(issue: Issue, public_id: Any) -> Extension:
    """The issue's extension of this id. Raises NotFound."""
    found = db.session.scalar(select(Extension).where(Extension.issue_id == issue.id, Extension.public_id == public_id))
    if found is None:
        raise NotFound(_("There is no such question for more time."))
    return found


def extensions_of(issue: Issue) -> list[Extension]:
    """All of the issue's, those that wait for an answer first, then the newest."""
    found = list(db.session.scalars(select(Extension).where(Extension.issue_id == issue.id).order_by(Extension.id)))
    return sorted(found, key=lambda one: (one.state is not ExtensionState.ASKED, -one.id))


def own_extension(
    issue: Issue, *, contributor: Contributor | None = None, contribution: Contribution | None = None
) -> Extension | None:
    """The last that this person asked for, or was given; for their own pages."""
    if contributor is None and contribution is not None:
        contributor = contribution.contributor
    if contributor is not None:
        return _last(issue, contributor_id=contributor.id)
    return _last(issue, contribution_id=contribution.id) if contribution else None


def suggested_end(issue: Issue, now: datetime, *, days: int = 1, at: time = time(12)) -> Deadline:
    """Noon, on the `days`th working day after the deadline, or after today where that is later."""
    zone, region = issue.mailing_list.timezone, region_of(issue.mailing_list)
    day = max(dates.local(now, zone).date(), issue.deadline.day if issue.deadline else dates.local(now, zone).date())
    while days > 0:
        day += timedelta(days=1)
        days -= is_working_day(day, region)
    return Deadline.of(day, at, zone)


def _grant(
    extension: Extension, until: Deadline, note: str, actor: Account | None, now: datetime, *, tell: bool
) -> None:
    extension.deadline = until
    _decide(extension, ExtensionState.GRANTED, note, actor, now)
    if tell:
        mails.tell_holder(extension, mails.GIVEN, now)
        mails.tell_editors_of_grant(extension, actor, now)
    _record("extension.granted", extension, actor, now, until=until.words)


def _decide(extension: Extension, state: ExtensionState, note: str, actor: Account | None, now: datetime) -> None:
    extension.state, extension.decided_at, extension.note = state, now, note
    extension.decided_by_id = actor.id if actor else None
    db.session.flush()


def _begin(extension: Extension, note: str, actor: Account | None) -> str:
    note = text(note, field="note", longest=_LONGEST)
    lock(extension.issue)
    db.session.refresh(extension, with_for_update=True)
    if actor is not None:
        require(actor, Permission.TRIAGE_CONTRIBUTIONS, extension.issue.mailing_list)
    return note


def _require_taking(issue: Issue) -> None:
    if issue.state in CLOSED or not issue.has_call or issue.deadline is None:
        raise Refused(_("{issue} takes nothing more.").format(issue=issue.title))


def _require_ahead(until: Deadline, issue: Issue, now: datetime, *, beyond_call: bool) -> None:
    if until.instant < now + _SHORTEST:
        raise Invalid([Problem("until", _("Choose a time at least two hours from now"))])
    call = issue.deadline
    if beyond_call and call is not None and until.instant <= call.instant:
        sentence = _("Everybody has until {when}. Choose a later time").format(when=call.words)
        raise Invalid([Problem("until", sentence)])
    if issue.planned_at is not None and issue.planned_at > now and until.instant >= issue.planned_at:
        when = dates.moment(issue.planned_at, issue.mailing_list.timezone)
        raise Invalid([Problem("until", _("The issue goes out at {when}. Choose an earlier time").format(when=when))])


def _target(
    contributor: Contributor | None, agency: Agency | None, contribution: Contribution | None
) -> dict[str, int]:
    if contribution is not None:
        return {"contribution_id": contribution.id}
    return {"agency_id": agency.id} if agency is not None else {"contributor_id": _id(contributor)}


def _id(owner: Contributor | Contribution | None) -> int:
    if owner is None:
        raise ValueError("More time is for somebody")
    return owner.id


def _last(issue: Issue, **target: int) -> Extension | None:
    """The newest for exactly this target; one that was used names its contribution, too."""
    holds: list[ColumnElement[bool]] = [getattr(Extension, name) == value for name, value in target.items()]
    if "contribution_id" in target:
        holds.append(Extension.contributor_id.is_(None))
    chosen = select(Extension).where(Extension.issue_id == issue.id, *holds)
    return db.session.scalar(chosen.order_by(Extension.id.desc()).limit(1))


def _already(extension: Extension) -> str:
    until = extension.deadline.words if extension.deadline else ""
    return {
        ExtensionState.ASKED: _("It waits for an answer."),
        ExtensionState.GRANTED: _("They have until {when}. Somebody was quicker.").format(when=until),
        ExtensionState.REFUSED: _("It was refused. Somebody was quicker."),
        ExtensionState.USED: _("They have sent in their news by it."),
        ExtensionState.REVOKED: _("It was taken back."),
    }[extension.state]


def _record(action: str, extension: Extension, actor: Account | None, now: datetime, **detail: Any) -> None:
    by_contributor = CONTRIBUTOR if action == "extension.asked" else None
    activity.record(
        action, actor=actor, actor_name=None if actor else by_contributor, now=now, issue=extension.issue,
        subject=("extension", extension.id), **detail,
    )  # fmt: skip
    _log.info("%s for issue %s (extension %s)", action, extension.issue_id, extension.id)
