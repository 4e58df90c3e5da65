"""What calls add to an issue's life: no issue is scheduled over the head of somebody who sent something in."""

from datetime import datetime

from sqlalchemy import select

from ....db import db
from ....i18n import gettext as _
from ....i18n import ngettext
from ....models import Activity, Contribution, Issue
from ....states import ContributionState
from ...issues.protocols import (
    Happening,
    Obstacle,
    Waiting,
    register_issue_event,
    register_schedule_guard,
    register_waiting,
)
from ...staff import activity
from ..deadline.reading import CLOSED, contributions_to, is_proved, undecided
from . import outcomes, telling_out
from .deciding import is_open
from .outcomes import Decision
from .settling import asked_back
from .triage import carry_over

_NAME = "contributions"


def register() -> None:
    """Put guard and events in place; done when the application is made, and harmless a second time."""
    register_schedule_guard(_NAME, obstacles)
    register_issue_event(_NAME, when_out)
    register_waiting(_NAME, waiting_contributions)


def waiting_contributions(issue: Issue, now: datetime) -> list[Waiting]:  # noqa: ARG001 - a source is given both
    """What was sent in and waits for a decision, with what was kept from an issue before."""
    waiting = undecided(issue)
    carried = set(
        db.session.scalars(
            select(Activity.subject_id).where(
                Activity.issue_id == issue.id,
                Activity.action == "contribution.carried",
                Activity.subject_id.in_([str(one.id) for one in waiting]),
            )
        )
    )
    return [
        Waiting("contribution", one.reference, one.title, one.agency or one.contact_name, str(one.id) in carried)
        for one in waiting
    ]


def leftovers(issue: Issue) -> list[Contribution]:
    """What has to be settled before the issue is scheduled: what waits for an editor, and for its sender."""
    asked = [one for one in contributions_to(issue) if one.state is ContributionState.CHANGES_REQUESTED]
    return [*undecided(issue), *asked]


def obstacles(issue: Issue, now: datetime) -> list[Obstacle]:  # noqa: ARG001 - a guard is given both
    """ "3 contributions wait for a decision. …" and "Cara Lindqvist asks …", or nothing."""
    found = []
    if number := len(leftovers(issue)):
        sentence = ngettext(
            "%(number)s contribution waits for a decision. Use it, decline it, or keep it for the next issue.",
            "%(number)s contributions wait for a decision. Use them, decline them, or keep them for the next issue.",
            number,
        )
        found.append(Obstacle("contributions_undecided", sentence % {"number": number}))
    for one in asked_back(issue):
        who = one.contact_name or one.agency or _("Its sender")
        sentence = _("{who} asks you to take something out of “{title}”. Settle that first.")
        found.append(Obstacle("withdrawal_asked", sentence.format(who=who, title=one.title), firm=True))
    return found


def when_out(happening: Happening, issue: Issue, now: datetime) -> None:
    """The issue is out: whoever is in it hears so, and what came in too late for it waits in the next one."""
    if happening is not Happening.PUBLISHED:
        return
    telling_out.tell_contributors(issue, now)
    _keep_for_the_next(issue, now)


def _keep_for_the_next(issue: Issue, now: datetime) -> None:
    """What came in after the issue was scheduled, late or not. Its senders are told, where they are known."""
    following = issue.next_issue
    waiting = [one for one in contributions_to(issue) if is_open(one)]
    if following is None or following.state in CLOSED:
        if waiting:
            activity.record("contribution.left_over", actor=None, now=now, issue=issue, number=len(waiting))
        return
    why = _("It came when {issue} was finished.").format(issue=issue.title)
    for contribution in waiting:
        carry_over(contribution, following, actor=None, now=now)
        if is_proved(contribution):
            words = outcomes.suggested(Decision.MOVED, contribution, actor=None, why=why)
            outcomes.tell(Decision.MOVED, contribution, words, now=now)
