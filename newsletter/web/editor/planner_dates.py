"""The days of one issue, moved by hand."""

from datetime import date

from flask import flash, request
from werkzeug.wrappers import Response
from wtforms import StringField

from newsletter import clock, dates
from newsletter.db import transaction
from newsletter.domain.calls.rhythm import cadence, planning, replanning
from newsletter.domain.issues.reviewing import approval_day
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid, NotAllowed, Problem, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Issue
from newsletter.states import EDITABLE_STATES, Cadence
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems
from newsletter.web.reading_dates import Chosen, Unreadable, read_planned_day

from .forms import NewIssueForm
from .issues import flash_remarks
from .room import blueprint, find_issue, page, to

#: The verb names what is wrong by its own words; these are the fields it stands at.
_FIELDS = {"planned": "planned_day", "deadline": "deadline_day", "approval": "approval_on"}


class DatesForm(NewIssueForm):
    """When news closes, by when it is approved, when it goes out."""

    title = None
    approval_on = StringField(_("Approve by"), render_kw={"autocomplete": "off"})
    confirmation = StringField(
        _("Bring the deadline forward, though people were told the later one"), render_kw={"autocomplete": "off"}
    )


@blueprint.route("/desk/issues/<slug>/dates", methods=["GET", "POST"])
@staff(Permission.EDIT_ISSUES)
def planner_dates(slug: str) -> Response | tuple[str, int]:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    form = DatesForm()
    if request.method == "GET":
        _fill(form, issue)
        return _dates_page(issue, form)
    return _save(issue, form)


def _fill(form: DatesForm, issue: Issue) -> None:
    zone = issue.mailing_list.timezone
    form.put_moment("planned", issue.planned_at, zone)
    form.put_deadline("deadline", issue.deadline)
    day = approval_day(issue)
    form.approval_on.data = dates.day(day) if day else ""
    form.planned_time.data = form.planned_time.data or "10am"
    form.deadline_time.data = form.deadline_time.data or "5pm"


def _dates_page(issue: Issue, form: DatesForm, status: int = 200, problem: str = "") -> tuple[str, int]:
    return page(
        "planner_dates.html",
        issue=issue,
        status=status,
        form=form,
        problems=[Problem("", problem)] if problem else [],
        has_call=_asks_for_deadline(issue),
        needs_approval=issue.mailing_list.needs_approval,
        editable=issue.state in EDITABLE_STATES,
        by_rule=_by_rule(issue),
        year=_year(issue),
        in_zone=dates.zone_words(issue.mailing_list.timezone),
    )


def _asks_for_deadline(issue: Issue) -> bool:
    return issue.has_call or issue.mailing_list.cadence is Cadence.QUARTERLY


def _year(issue: Issue) -> int:
    """The year on whose planner the issue stands."""
    at = issue.planned_at or issue.deadline_at
    return dates.local(at or clock.now(), issue.mailing_list.timezone).year


def _by_rule(issue: Issue) -> str:
    """What the list's rhythm says for this issue, in a sentence; "" where it says nothing."""
    if not issue.planned_key or cadence.rhythm_of(issue.mailing_list) is None:
        return ""
    try:
        planned = planning.plan(issue.mailing_list, int(issue.planned_key[:4]), clock.now())
    except Refused:
        return ""
    turn = next((each for each in planned if each.issue is not None and each.issue.id == issue.id), None)
    if turn is None:
        return ""
    return _("By the rhythm: news by {deadline}, out on {day}.").format(
        deadline=turn.deadline.words, day=dates.day(turn.turn.send.day)
    )


def _save(issue: Issue, form: DatesForm) -> Response | tuple[str, int]:
    zone, slug, now = issue.mailing_list.timezone, issue.slug, clock.now()
    valid = form.validate()
    planned = form.read_moment("planned", zone, required=True)
    deadline = form.read_moment("deadline", zone, required=issue.has_call) if _asks_for_deadline(issue) else None
    approval = _approval(form)
    if not valid or form.errors or planned is None:
        return _dates_page(issue, form, 422)
    try:
        _move(issue, form, planned, deadline, approval)
    except Invalid as error:
        put_problems(
            form, Invalid([Problem(_FIELDS.get(each.field, each.field), each.sentence) for each in error.problems])
        )
        return _dates_page(find_issue(slug, Permission.EDIT_ISSUES), form, 422)
    except (NotAllowed, Refused) as error:
        return _dates_page(find_issue(slug, Permission.EDIT_ISSUES), form, 422, str(error))
    flash(_("The dates of {title} are kept.").format(title=issue.title), "success")
    flash_remarks(issue.mailing_list, now, planned=planned, deadline=deadline)
    return to("planner", slug=issue.mailing_list.slug, year=_year(issue), anchor=f"issue-{issue.id}")


def _move(issue: Issue, form: DatesForm, planned: Chosen, deadline: Chosen | None, approval: date | None) -> None:
    with transaction():
        replanning.move(
            issue,
            planned_at=planned.instant,
            deadline=deadline.deadline if deadline else None,
            approval_on=approval,
            confirmation=form.confirmation.data or "",
            actor=signed_in_account(),
            now=clock.now(),
        )


def _approval(form: DatesForm) -> date | None:
    typed = (form.approval_on.data or "").strip()
    if not typed:
        return None
    try:
        return read_planned_day(typed)
    except Unreadable as error:
        form.approval_on.errors = [*form.approval_on.errors, str(error)]
        return None
