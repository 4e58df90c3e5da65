"""This quarter: where the issue that is being made stands between its call and the next, and what wants doing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from newsletter import clock, dates
from newsletter.db import db
from newsletter.delivery.reports import accounts
from newsletter.domain.issues.reviewing import EVENING, approval_day
from newsletter.domain.issues.working_days import region_of, working_days_before
from newsletter.domain.staff.permissions import Permission
from newsletter.i18n import gettext as _
from newsletter.models import Issue, MailingList, Subscription
from newsletter.states import Cadence, IssueState, SubscriptionState
from newsletter.web.access import signed_in_account, staff

from . import wants
from .room import blueprint, lists_for, page

_OVER = (IssueState.SENT, IssueState.CANCELLED)
#: Working days before it should be approved by which it should be edited.
_EDIT_BEFORE = 2


@blueprint.get("/desk")
@staff(Permission.VIEW_ISSUES)
def quarter() -> tuple[str, int]:
    account, now = signed_in_account(), clock.now()
    lists = lists_for(account, Permission.VIEW_ISSUES)
    issue = _issue_of_the_quarter(lists)
    begin = lists_for(account, Permission.EDIT_ISSUES)
    if issue is None:
        last = _last_sent(lists)
        return page("quarter_empty.html", lists=lists, last=last, may_begin=begin, today=_today(lists, now))
    zone = issue.mailing_list.timezone
    stops, current, part = line(issue, now)
    return page(
        "quarter.html",
        issue=issue,
        under="editor.quarter",
        today=dates.day(dates.local(now, zone).date()),
        sentence=_sentence(issue, now),
        stops=stops,
        current=current,
        part=part,
        todo=wants.wants(issue, lists, account, now),
        subscribers=_subscribers(issue.mailing_list),
        last=_report(_last_sent([issue.mailing_list])),
        others=_others(lists, issue),
        next_step=wants.next_step(issue, account),
    )


def _today(lists: Sequence[MailingList], now: datetime) -> str:
    return dates.day(dates.local(now, lists[0].timezone if lists else "Europe/London").date())


def _issue_of_the_quarter(lists: Sequence[MailingList]) -> Issue | None:
    """The issue that is made now: of a list with a rhythm before others, the one that goes out first."""
    open_issues = db.session.scalars(
        select(Issue)
        .where(Issue.list_id.in_([each.id for each in lists]), Issue.state.not_in(_OVER))
        .order_by(Issue.planned_at.is_(None), Issue.planned_at, Issue.id)
    ).all()
    rhythmic = [issue for issue in open_issues if issue.mailing_list.cadence is Cadence.QUARTERLY]
    followed = {issue.next_issue_id for issue in open_issues}
    first = [issue for issue in rhythmic if issue.id not in followed]
    return next(iter(first or rhythmic or open_issues), None)


def _others(lists: Sequence[MailingList], shown: Issue) -> Sequence[Issue]:
    """What else is under way, apart from the issue after this one."""
    return db.session.scalars(
        select(Issue)
        .where(
            Issue.list_id.in_([each.id for each in lists]),
            Issue.state.not_in(_OVER),
            Issue.id.not_in([shown.id, shown.next_issue_id or 0]),
        )
        .order_by(Issue.created_at.desc())
        .limit(5)
    ).all()


def _last_sent(lists: Sequence[MailingList]) -> Issue | None:
    return db.session.scalar(
        select(Issue)
        .where(Issue.list_id.in_([each.id for each in lists]), Issue.state == IssueState.SENT)
        .order_by(Issue.sent_at.desc())
        .limit(1)
    )


def _report(issue: Issue | None) -> dict[str, Any] | None:
    return {"issue": issue, "counts": accounts.counts(issue)} if issue else None


def _subscribers(mailing_list: MailingList) -> int:
    return (
        db.session.scalar(
            select(func.count()).where(
                Subscription.list_id == mailing_list.id, Subscription.state == SubscriptionState.ACTIVE
            )
        )
        or 0
    )


def _sentence(issue: Issue, now: datetime) -> str:
    """ "News closes in 3 days, at 5pm, Friday 15 January 2027. The issue goes out on Thursday 28 January 2027."."""
    parts = []
    deadline = issue.deadline
    if deadline and deadline.is_open(now):
        left = dates.in_words((deadline.instant - now).total_seconds()).removeprefix("about ")
        parts.append(_("News closes in {left}, at {when}.").format(left=left, when=deadline.words))
    elif deadline:
        parts.append(_("News closed at {when}.").format(when=deadline.words))
    out = issue.scheduled_at or issue.planned_at
    if issue.state in (IssueState.SENDING, IssueState.PAUSED):
        parts.append(_("It is being sent."))
    elif out:
        day = dates.day(dates.local(out, issue.mailing_list.timezone).date())
        parts.append(_("The issue goes out on {day}.").format(day=day))
    else:
        parts.append(_("It has no sending date yet."))
    return " ".join(parts)


# --- the line ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Stop:
    name: str
    when: str
    at: datetime | None


def line(issue: Issue, now: datetime) -> tuple[list[dict[str, Any]], int, float]:
    """The six stops, the index of the stretch that today is on, and how much of it has passed (0 to 1)."""
    stops = _stops(issue)
    current = max((number for number, stop in enumerate(stops) if stop.at and stop.at <= now), default=0)
    current = min(current, len(stops) - 2)
    shown = [
        {"name": stop.name, "when": stop.when, "done": number <= current and bool(stop.at and stop.at <= now)}
        for number, stop in enumerate(stops)
    ]
    return shown, current, _part(stops, current, now)


def _part(stops: list[_Stop], current: int, now: datetime) -> float:
    start, end = stops[current].at, stops[current + 1].at
    if start is None or end is None or end <= start:
        return 0.5
    # Kept off the ends, so that today never hides a stop.
    return min(0.92, max(0.08, (now - start) / (end - start)))


def _stops(issue: Issue) -> list[_Stop]:
    zone, deadline = issue.mailing_list.timezone, issue.deadline
    out = issue.started_at or issue.scheduled_at or issue.planned_at
    out_day = dates.local(out, zone).date() if out else None
    earliest = deadline.day if deadline else dates.local(issue.created_at, zone).date()
    day = approval_day(issue, out_day)
    edit = max(working_days_before(day, _EDIT_BEFORE, region_of(issue.mailing_list)), earliest) if day else None
    approve = max(day, earliest) if day else None
    opened = issue.call_opened_at or issue.created_at
    unknown = _("no date yet")

    def end_of(day: date | None) -> datetime | None:
        return dates.to_instant(day, EVENING, zone) if day else None

    return [
        _Stop(_("Call opened"), dates.day(dates.local(opened, zone).date()), opened),
        _Stop(
            _("Deadline"),
            f"{dates.clock_time(deadline.at)}, {_no_year(deadline.day)}" if deadline else unknown,
            deadline.instant if deadline else None,
        ),
        _Stop(_("Edit"), _("until {day}").format(day=_no_year(edit)) if edit else unknown, end_of(edit)),
        _Stop(_("Approve"), _("by {day}").format(day=_no_year(approve)) if approve else unknown, end_of(approve)),
        _Stop(
            _("Send"),
            f"{dates.clock_time(dates.local(out, zone))}, {_no_year(out_day)}" if out and out_day else unknown,
            out,
        ),
        _Stop(_("Next call"), _("with this issue"), out + timedelta(minutes=1) if out else None),
    ]


def _no_year(day: date) -> str:
    """ "Friday 15 January", with a space that does not break between day and month."""
    weekday, number, month, _year = dates.day(day).split()
    return f"{weekday} {number}\u00a0{month}"
