"""A year of a list is laid out: for each turn of its rhythm an issue, with its name, its days, and the one after it.

Doing it twice, or two people doing it, makes each issue once: a turn knows its issue by the turn's own day. An issue
that was begun by hand is taken for the turn that its dates are near to, and keeps its words and dates.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from sqlalchemy import extract, or_, select

from .... import dates
from ....db import db
from ....deadlines import Deadline
from ....errors import Refused
from ....i18n import gettext as _
from ....models import Account, Issue, MailingList
from ....states import IssueNaming, IssueState
from ...issues.creating import create_issue, set_next_issue
from ...issues.finding import out_of_turn
from ...queries import issue_before
from ...staff import activity
from ...staff.permissions import Permission, require
from .cadence import Rhythm, Turn, rhythm_of, turns
from .naming import next_number, title

_log = logging.getLogger(__name__)
#: The action under which the record keeps which issues were made.
LAID_OUT = "list.year_laid_out"
#: Nobody knows the bank holidays of later years for certain.
_YEARS_AHEAD = 3
#: An issue whose day is no further off than this is that of the turn, unless turns are closer together.
_NEAR = timedelta(days=21)


@dataclass(frozen=True)
class Planned:
    """One turn of a year: what it is called, its moments, and its issue where there is one.

    `over`: it would have gone out before now, and has no issue; none is made for it.
    """

    turn: Turn
    title: str
    number: int
    goes_out: datetime
    deadline: Deadline
    issue: Issue | None
    over: bool

    @property
    def to_make(self) -> bool:
        """Whether laying out the year makes an issue of it."""
        return self.issue is None and not self.over


def years(now: datetime) -> range:
    """The years that can be laid out."""
    return range(now.year, now.year + _YEARS_AHEAD + 1)


def plan(mailing_list: MailingList, year: int, now: datetime, *, first_number: int | None = None) -> list[Planned]:
    """The turns of the year, with the issues that are there for them. Reads only.

    `first_number` is that of the first issue that has to be made, where the list counts its issues. Raises Refused,
    in a sentence, for a list without a rhythm, a year out of reach, or a time that does not exist on one of the days.
    """
    rhythm = rhythm_of(mailing_list)
    if rhythm is None:
        raise Refused(_("{name} has no rhythm yet. Choose one first.").format(name=mailing_list.name))
    try:
        found = turns(rhythm, year)
    except ValueError as error:
        raise Refused(str(error)) from None
    issues = _matched(mailing_list, found)
    number = first_number if first_number is not None else next_number(mailing_list)
    planned = []
    for turn in found:
        issue = issues.get(turn.key)
        each = _planned(mailing_list, rhythm, turn, issue, number, now)
        number += each.to_make
        planned.append(each)
    return planned


def _planned(
    mailing_list: MailingList, rhythm: Rhythm, turn: Turn, issue: Issue | None, number: int, now: datetime
) -> Planned:
    zone = mailing_list.timezone
    try:
        goes_out = dates.to_instant(turn.send.day, rhythm.send_time, zone)
        deadline = Deadline.of(turn.deadline.day, rhythm.deadline_time, zone)
    except ValueError as error:
        raise Refused(_("{sentence}. Choose another time in the rhythm.").format(sentence=error)) from None
    name = title(rhythm.naming, turn.key, number)
    return Planned(turn, name, number, goes_out, deadline, issue, over=issue is None and goes_out <= now)


def lay_out(
    mailing_list: MailingList, year: int, *, first_number: int | None = None, actor: Account | None, now: datetime
) -> list[Issue]:
    """Make the issues of the year that are not there yet, and tie each to the one after it. Returns those made.

    Raises NotAllowed, and Refused as `plan` does.
    """
    if actor is not None:
        require(actor, Permission.EDIT_ISSUES, mailing_list)
    if year not in years(now):
        first, last = years(now)[0], years(now)[-1]
        raise Refused(_("Lay out a year from {first} to {last}.").format(first=first, last=last))
    # Two people who lay out one list come one after the other.
    db.session.refresh(mailing_list, with_for_update=True)
    made = []
    for each in plan(mailing_list, year, now, first_number=first_number):
        if each.issue is not None:
            each.issue.planned_key = each.turn.key.isoformat()
        elif each.to_make:
            made.append(_make(mailing_list, each, actor, now))
    db.session.flush()
    if not made:
        return []
    _tie(mailing_list, made, actor, now)
    activity.record(
        LAID_OUT, actor=actor, now=now, mailing_list=mailing_list, year=year, made=[issue.id for issue in made]
    )
    _log.info("%d issues of list %s were made for %d", len(made), mailing_list.slug, year)
    return made


def _make(mailing_list: MailingList, planned: Planned, actor: Account | None, now: datetime) -> Issue:
    issue = create_issue(
        mailing_list, title=planned.title, planned_at=planned.goes_out, deadline=planned.deadline, actor=actor, now=now
    )
    issue.planned_key = planned.turn.key.isoformat()
    rhythm = rhythm_of(mailing_list)
    if rhythm is not None and rhythm.naming is IssueNaming.NUMBER:
        issue.number = planned.number
    db.session.flush()
    return issue


def _tie(mailing_list: MailingList, made: Sequence[Issue], actor: Account | None, now: datetime) -> None:
    """Say of each issue beside those made which comes after it, where nobody has said so.

    A draft alone: the next issue's deadline is among the words of the one before, and an approval would end by it.
    """
    chosen = (
        select(Issue)
        .where(
            Issue.list_id == mailing_list.id, Issue.planned_at.is_not(None), ~Issue.archive_only,
            Issue.state != IssueState.CANCELLED,
        )
        .order_by(Issue.planned_at, Issue.id)
    )  # fmt: skip
    outside = out_of_turn(mailing_list)
    row = [issue for issue in db.session.scalars(chosen) if issue.id not in outside]
    for issue, following in pairwise(row):
        if issue not in made and following not in made:
            continue
        free = issue.next_issue_id is None and db.session.scalar(issue_before(following.id)) is None
        if free and issue.state is IssueState.DRAFT:
            set_next_issue(issue, following, actor=actor, now=now)


# --- which issue is whose turn -------------------------------------------------------------------------------------


def issues_of_year(mailing_list: MailingList, year: int) -> list[Issue]:
    """The list's issues with a date in the year or a turn of it, whoever began them; in order of their dates."""
    start, end = (datetime(each, 1, 1, tzinfo=dates.zone(mailing_list.timezone)) for each in (year, year + 1))
    in_year = or_(
        Issue.planned_key.startswith(f"{year}-"),
        Issue.planned_at.between(start, end),
        Issue.scheduled_at.between(start, end),
        Issue.planned_at.is_(None) & (extract("year", Issue.deadline_date) == year),
    )
    chosen = select(Issue).where(Issue.list_id == mailing_list.id, in_year)
    return sorted(db.session.scalars(chosen), key=lambda issue: (_day(issue) or date.max, issue.id))


def _matched(mailing_list: MailingList, found: Sequence[Turn]) -> dict[date, Issue]:
    """The issue of each turn: the one that was made for it, else the nearest one that stands in the list's rhythm."""
    if not found:
        return {}
    issues = list(db.session.scalars(select(Issue).where(Issue.list_id == mailing_list.id)))
    by_key = {issue.planned_key: issue for issue in issues if issue.planned_key}
    matched = {turn.key: by_key[turn.key.isoformat()] for turn in found if turn.key.isoformat() in by_key}
    taken = {issue.id for issue in matched.values()}
    near, outside = _reach(found), out_of_turn(mailing_list)
    # The nearest pairs first, so that of two issues near a turn the closer one is its.
    pairs = sorted(
        (off, turn.key, issue.id, issue)
        for turn in found
        if turn.key not in matched
        for issue in issues
        if issue.id not in taken
        if (off := _distance(issue, turn)) is not None and off <= near and _may_be_a_turn(issue, outside)
    )
    for _off, key, number, issue in pairs:
        if key not in matched and number not in taken:
            matched[key] = issue
            taken.add(number)
    return matched


def _may_be_a_turn(issue: Issue, outside: set[int]) -> bool:
    """A correction and an issue that was called off are nobody's turn; `outside` are the ids of `out_of_turn`."""
    return issue.state is not IssueState.CANCELLED and (issue.archive_only or issue.id not in outside)


def _reach(found: Sequence[Turn]) -> timedelta:
    gaps = [(later.key - turn.key) / 2 for turn, later in pairwise(found)]
    return min([_NEAR, *(gap - timedelta(days=1) for gap in gaps)])


def _distance(issue: Issue, turn: Turn) -> timedelta | None:
    """How far the issue's day is from the turn's; by its deadline where it has no day yet."""
    day = _day(issue)
    if day is not None:
        return abs(day - turn.send.day)
    return abs(issue.deadline.day - turn.deadline.day) if issue.deadline else None


def _day(issue: Issue) -> date | None:
    out = issue.started_at or issue.scheduled_at or issue.planned_at
    return dates.local(out, issue.mailing_list.timezone).date() if out else None
