"""The year of a list, to be read at a glance: when each call opens and closes, when issues are approved and sent."""

from dataclasses import dataclass
from datetime import date, datetime

from flask import flash, request, url_for
from werkzeug.wrappers import Response

from newsletter import clock, dates
from newsletter.db import transaction
from newsletter.domain.calls.rhythm import cadence, planning, replanning
from newsletter.domain.calls.rhythm.naming import next_number
from newsletter.domain.calls.rhythm.planning import Planned
from newsletter.domain.calls.rhythm.rule_pieces import in_words
from newsletter.domain.issues.reviewing import ApprovalRule, approval_day, approval_rule
from newsletter.domain.issues.working_days import region_of
from newsletter.domain.staff.mailing_lists import find_list
from newsletter.domain.staff.permissions import Permission, may, require
from newsletter.errors import NotFound, Problem, Refused
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Issue, MailingList
from newsletter.states import EDITABLE_STATES, Cadence, IssueNaming, IssueState
from newsletter.web.access import signed_in_account, staff
from newsletter.web.reading_dates import FIRST_YEAR, LAST_YEAR

from .planner_drawing import Days, draw
from .room import blueprint, page, to

_OVER = (IssueState.SENT, IssueState.CANCELLED)


@dataclass(frozen=True)
class Row:
    """One issue of the year, or a turn that has none yet: its days in words."""

    name: str
    stops: list[tuple[str, str]]
    days: Days
    issue: Issue | None = None
    may_move: bool = False


def planned_list(slug: str, permission: Permission) -> MailingList:
    """The list of this address, if the person may do this on it. Raises NotFound, NotAllowed."""
    # PostgreSQL takes no NUL in a text, not even to compare with.
    mailing_list = find_list(slug.replace("\0", "?"))
    require(signed_in_account(), permission, mailing_list)
    return mailing_list


@blueprint.get("/desk/lists/<slug>/year")
@staff(Permission.VIEW_ISSUES)
def planner_now(slug: str) -> Response:
    """The year that is being worked in: that of the next issue which is not out."""
    mailing_list = planned_list(slug, Permission.VIEW_ISSUES)
    now = clock.now()
    this = dates.local(now, mailing_list.timezone).year
    ahead = [each for year in (this, this + 1) for each in planning.issues_of_year(mailing_list, year)]
    following = next((each for each in ahead if each.state not in _OVER), None)
    days = [following.planned_at, following.deadline_at] if following else []
    found = next((dates.local(day, mailing_list.timezone).year for day in days if day), this)
    return to("planner", slug=slug, year=max(found, this))


@blueprint.get("/desk/lists/<slug>/year/<int:year>")
@staff(Permission.VIEW_ISSUES)
def planner(slug: str, year: int) -> tuple[str, int]:
    mailing_list, now = planned_list(slug, Permission.VIEW_ISSUES), clock.now()
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise NotFound(_("There is no planner for that year."))
    rhythm, today = cadence.rhythm_of(mailing_list), dates.local(now, mailing_list.timezone).date()
    may_edit = may(signed_in_account(), Permission.EDIT_ISSUES, mailing_list)
    rows = _rows(mailing_list, year, now, may_edit)
    return page(
        "planner.html",
        under="editor.quarter",
        mailing_list=mailing_list,
        timezone=mailing_list.timezone,
        accent=mailing_list.accent,
        year=year,
        rows=rows,
        current=next((row.issue for row in rows if row.issue and row.issue.state not in _OVER), None),
        drawing=draw(year, [row.days for row in rows], today, region_of(mailing_list)),
        rhythm=_rhythm_words(rhythm) if rhythm else "",
        rhythmic=mailing_list.cadence is Cadence.QUARTERLY,
        may_edit=may_edit,
        may_manage=may(signed_in_account(), Permission.MANAGE_LISTS, mailing_list),
        lay_out=_next_to_lay_out(mailing_list, year, now) if rhythm and may_edit else None,
        untouched=len(replanning.untouched(mailing_list, year)) if may_edit else 0,
        calendar_url=_calendar_url(mailing_list),
        earlier=year - 1 if year > FIRST_YEAR else None,
        later=year + 1 if year < LAST_YEAR else None,
    )


def _calendar_url(mailing_list: MailingList) -> str:
    if not mailing_list.public or mailing_list.cadence is Cadence.NONE:
        return ""
    return url_for("contribute.list_calendar", slug=mailing_list.slug)


def _rhythm_words(rhythm: cadence.Rhythm) -> str:
    return _("News closes at {deadline_time} on {deadline}. Issues go out at {send_time} on {send}.").format(
        deadline_time=dates.clock_time(rhythm.deadline_time), deadline=in_words(rhythm.deadline_rule),
        send_time=dates.clock_time(rhythm.send_time), send=in_words(rhythm.send_rule),
    )  # fmt: skip


def _next_to_lay_out(mailing_list: MailingList, shown: int, now: datetime) -> int | None:
    """The year that the button offers: the one shown, or the one after it."""
    for year in (shown, shown + 1):
        try:
            if year in planning.years(now) and any(each.to_make for each in planning.plan(mailing_list, year, now)):
                return year
        except Refused:
            # Pressed, it says why not.
            return year
    return None


# --- rows ----------------------------------------------------------------------------------------------------------


def _rows(mailing_list: MailingList, year: int, now: datetime, may_edit: bool) -> list[Row]:
    """The issues of the year, and the turns that nobody has laid out yet, in order of their days."""
    issues = planning.issues_of_year(mailing_list, year)
    before = planning.issues_of_year(mailing_list, year - 1)
    rows, rule = [], approval_rule(mailing_list)
    opened: date | None = next((_out(issue) for issue in reversed(before) if _out(issue)), None)
    for issue in issues:
        rows.append(_issue_row(issue, opened, now, may_edit, rule))
        opened = (_out(issue) if issue.has_call else None) or opened
    rows += [_turn_row(each) for each in _not_laid_out(mailing_list, year, now)]
    return sorted(rows, key=lambda row: row.days.send or row.days.closes or date.max)


def _not_laid_out(mailing_list: MailingList, year: int, now: datetime) -> list[Planned]:
    try:
        return [each for each in planning.plan(mailing_list, year, now) if each.to_make]
    except Refused:
        return []


def _out(issue: Issue) -> date | None:
    if issue.state is IssueState.CANCELLED:
        return None
    out = issue.started_at or issue.scheduled_at or issue.planned_at
    return dates.local(out, issue.mailing_list.timezone).date() if out else None


def _issue_row(issue: Issue, opened: date | None, now: datetime, may_edit: bool, rule: ApprovalRule) -> Row:
    zone, deadline, unknown = issue.mailing_list.timezone, issue.deadline, _("no date yet")
    opened = opened or dates.local(issue.created_at, zone).date()
    out = issue.started_at or issue.scheduled_at or issue.planned_at
    send = dates.local(out, zone).date() if out else None
    if issue.call_opened_at is not None:
        opened = dates.local(issue.call_opened_at, zone).date()
    approve = approval_day(issue, send, rule) if issue.mailing_list.needs_approval and not issue.archive_only else None
    stops = []
    if deadline:
        if opened < deadline.day:
            has = issue.call_opened_at is not None or opened <= dates.local(now, zone).date()
            stops.append((_("Call opened") if has else _("Call opens"), no_year(opened, deadline.day.year)))
        stops.append((_("Deadline"), f"{dates.clock_time(deadline.at)}, {no_year(deadline.day)}"))
    if approve:
        stops.append((_("Approve by"), no_year(approve)))
    stops.append(
        (_("Sent") if issue.started_at else _("Send"), f"{dates.clock_time(dates.local(out, zone))}, {no_year(send)}")
        if out and send
        else (_("Send"), unknown)
    )
    days = Days(issue.title, opened if deadline else None, deadline.day if deadline else None, approve, send)
    return Row(issue.title, stops, days, issue, may_edit and issue.state in EDITABLE_STATES)


def _turn_row(planned: Planned) -> Row:
    """A turn of the rhythm without an issue: what laying out the year would make."""
    turn = planned.turn
    stops = [
        (_("Deadline"), f"{dates.clock_time(planned.deadline.at)}, {no_year(turn.deadline.day)}"),
        (_("Approve by"), no_year(turn.approval)),
        (_("Send"), no_year(turn.send.day)),
    ]
    days = Days(planned.title, None, turn.deadline.day, turn.approval, turn.send.day, made=False)
    return Row(planned.title, stops, days)


def no_year(day: date, shown: int | None = None) -> str:
    """ "Friday 15 January", with a space that does not break; with the year where it is not the one shown."""
    weekday, number, month, year = dates.day(day).split()
    plain = f"{weekday} {number}\u00a0{month}"
    return plain if shown is None or day.year == shown else f"{plain}\u00a0{year}"


# --- laying out, and taking back -----------------------------------------------------------------------------------


@blueprint.route("/desk/lists/<slug>/year/<int:year>/lay-out", methods=["GET", "POST"])
@staff(Permission.EDIT_ISSUES)
def planner_lay_out(slug: str, year: int) -> Response | tuple[str, int]:
    """What would be made, and the button that makes it."""
    mailing_list, now = planned_list(slug, Permission.EDIT_ISSUES), clock.now()
    if cadence.rhythm_of(mailing_list) is None:
        return to("planner_rhythm", slug=slug)
    if year not in planning.years(now):
        raise NotFound(_("That year cannot be laid out now."))
    number, problem = _first_number(mailing_list)
    try:
        if request.method == "POST" and not problem:
            return _lay_out(mailing_list, year, number, now)
        planned = planning.plan(mailing_list, year, now, first_number=number)
    except Refused as error:
        flash(str(error), "problem")
        return to("planner", slug=slug, year=year)
    rhythm = cadence.rhythm_of(mailing_list)
    return page(
        "planner_lay_out.html",
        under="editor.quarter",
        status=422 if problem else 200,
        mailing_list=mailing_list,
        year=year,
        planned=planned,
        to_make=sum(each.to_make for each in planned),
        words=_planned_words,
        problems=[Problem("first_number", problem)] if problem else [],
        problem=problem,
        first_number=request.form.get("first_number", str(number)),
        counted=rhythm is not None and rhythm.naming is IssueNaming.NUMBER,
    )


def _lay_out(mailing_list: MailingList, year: int, number: int, now: datetime) -> Response:
    with transaction():
        made = planning.lay_out(mailing_list, year, first_number=number, actor=signed_in_account(), now=now)
        slug = mailing_list.slug
    sentence = ngettext("%(number)s issue is laid out.", "%(number)s issues are laid out.", len(made))
    flash(sentence % {"number": len(made)} if made else _("They were all there already."), "success")
    return to("planner", slug=slug, year=year)


def _first_number(mailing_list: MailingList) -> tuple[int, str]:
    """The number of the first issue that is made, as typed; and what is wrong with it, or ""."""
    typed = request.form.get("first_number", "").strip()
    if typed.isascii() and typed.isdecimal() and 0 < int(typed[:7]) < 100_000:
        return int(typed), ""
    usual = next_number(mailing_list)
    return usual, _("Enter a number, such as 42") if typed else ""


def _planned_words(each: Planned) -> dict[str, str | list[str]]:
    """What the preview says of one turn: its days, and what was moved and why."""
    turn, over = each.turn, not each.deadline.is_open(clock.now())
    return {
        "deadline": each.deadline.words,
        "send": dates.day(turn.send.day),
        "approve": dates.day(turn.approval),
        "moved": [rule.moved for rule in (turn.deadline, turn.send) if rule.moved],
        "over": _("This deadline is over: move it once the issue is there, so that people can write.") if over else "",
    }


@blueprint.post("/desk/lists/<slug>/year/<int:year>/take-back")
@staff(Permission.EDIT_ISSUES)
def planner_take_back(slug: str, year: int) -> Response:
    """Delete what laying out has made and nobody has begun with."""
    mailing_list = planned_list(slug, Permission.EDIT_ISSUES)
    try:
        with transaction():
            names = replanning.take_back(mailing_list, year, actor=signed_in_account(), now=clock.now())
    except Refused as error:
        flash(str(error), "problem")
    else:
        flash(_("Taken back: {names}.").format(names=", ".join(names)), "success")
    return to("planner", slug=slug, year=year)
