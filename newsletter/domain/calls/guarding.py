"""What calls add to an issue's life: no issue is scheduled over the head of somebody who sent something in."""

from datetime import datetime

from sqlalchemy import select

from ...db import db
from ...i18n import ngettext
from ...models import Activity, Issue
from ..issues.protocols import (
    Happening,
    Obstacle,
    Waiting,
    register_issue_event,
    register_schedule_guard,
    register_waiting,
)
from ..staff import activity
from .reading import CLOSED, undecided
from .triage import carry_over

_NAME = "contributions"


def register() -> None:
    """Put guard and event in place; done when the application is made, and harmless a second time."""
    register_schedule_guard(_NAME, undecided_contributions)
    register_issue_event(_NAME, keep_for_the_next)
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


def undecided_contributions(issue: Issue, now: datetime) -> list[Obstacle]:  # noqa: ARG001 - a guard is given both
    """ "3 contributions wait for a decision. …", or nothing."""
    number = len(undecided(issue))
    if not number:
        return []
    sentence = ngettext(
        "%(number)s contribution waits for a decision. Use it, decline it, or keep it for the next issue.",
        "%(number)s contributions wait for a decision. Use them, decline them, or keep them for the next issue.",
        number,
    )
    return [Obstacle("contributions_undecided", sentence % {"number": number})]


def keep_for_the_next(happening: Happening, issue: Issue, now: datetime) -> None:
    """What came in after the issue was scheduled waits in the next one, as soon as this one is out."""
    following = issue.next_issue
    if happening is not Happening.PUBLISHED:
        return
    waiting = undecided(issue)
    if following is None or following.state in CLOSED:
        if waiting:
            activity.record("contribution.left_over", actor=None, now=now, issue=issue, number=len(waiting))
        return
    for contribution in waiting:
        carry_over(contribution, following, actor=None, now=now)
