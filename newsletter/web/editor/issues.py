"""The issues of every list, and the beginning of a new one."""

from datetime import datetime

from flask import flash, request
from sqlalchemy import select
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.issues import creating, starting
from newsletter.domain.issues.working_days import region_of
from newsletter.domain.staff.permissions import Permission, require
from newsletter.errors import Invalid
from newsletter.i18n import gettext as _
from newsletter.models import Issue, MailingList
from newsletter.states import Cadence, IssueState
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems
from newsletter.web.reading_dates import Chosen, remark

from .forms import NewIssueForm
from .room import blueprint, lists_for, page, to

#: Most recent on top; enough for ten years of a quarterly.
_MOST = 200


@blueprint.get("/desk/issues")
@staff(Permission.VIEW_ISSUES)
def issues() -> tuple[str, int]:
    account = signed_in_account()
    lists = lists_for(account, Permission.VIEW_ISSUES)
    rows = db.session.scalars(
        select(Issue)
        .where(Issue.list_id.in_([each.id for each in lists]))
        .order_by(Issue.created_at.desc(), Issue.id.desc())
        .limit(_MOST)
    ).all()
    return page(
        "issues.html",
        under_way=[issue for issue in rows if issue.state not in (IssueState.SENT, IssueState.CANCELLED)],
        past=[issue for issue in rows if issue.state in (IssueState.SENT, IssueState.CANCELLED)],
        several_lists=len(lists) > 1,
        may_begin=lists_for(account, Permission.EDIT_ISSUES),
    )


@blueprint.route("/desk/issues/new", methods=["GET", "POST"])
@staff(Permission.EDIT_ISSUES)
def issue_new() -> Response | tuple[str, int]:
    lists = lists_for(signed_in_account(), Permission.EDIT_ISSUES)
    asked = request.values.get("list", "")
    chosen = next((each for each in lists if each.slug == asked), lists[0] if len(lists) == 1 else None)
    if chosen is None:
        choices = [{"value": each.slug, "text": each.name, "hint": {"text": each.frequency}} for each in lists]
        return page("issue_new_list.html", lists=lists, choices=choices)
    form = NewIssueForm()
    if request.method == "GET":
        form.planned_time.data, form.deadline_time.data = "10am", "5pm"
        return _new_page(form, chosen)
    return _create(form, chosen)


def _new_page(form: NewIssueForm, mailing_list: MailingList, status: int = 200) -> tuple[str, int]:
    return page(
        "issue_new.html",
        status=status,
        form=form,
        mailing_list=mailing_list,
        quarterly=mailing_list.cadence is Cadence.QUARTERLY,
        timezone=mailing_list.timezone,
    )


def _create(form: NewIssueForm, mailing_list: MailingList) -> Response | tuple[str, int]:
    require(signed_in_account(), Permission.EDIT_ISSUES, mailing_list)
    quarterly = mailing_list.cadence is Cadence.QUARTERLY
    valid = form.validate()
    if not (form.planned_day.data or "").strip():
        form.planned_time.data = ""
    planned = form.read_moment("planned", mailing_list.timezone)
    deadline = form.read_moment("deadline", mailing_list.timezone, required=True) if quarterly else None
    if not valid or form.errors:
        return _new_page(form, mailing_list, 422)
    now = clock.now()
    try:
        with transaction():
            issue = creating.create_issue(
                mailing_list,
                title=form.title.data,
                planned_at=planned.instant if planned else None,
                deadline=deadline.deadline if deadline else None,
                actor=signed_in_account(),
                now=now,
            )
            slug, can_start = issue.slug, starting.can_start(issue)
    except Invalid as error:
        put_problems(form, error)
        return _new_page(form, mailing_list, 422)
    flash_remarks(mailing_list, now, planned=planned, deadline=deadline)
    return to("issue_start" if can_start else "issue", slug=slug)


def flash_remarks(
    mailing_list: MailingList,
    now: datetime,
    *,
    planned: Chosen | None = None,
    deadline: Chosen | None = None,
    following: Chosen | None = None,
) -> None:
    """Say what is worth a second look about dates that were just saved."""
    named = ((_("The sending date"), planned), (_("The deadline"), deadline), (_("The next deadline"), following))
    for what, chosen in named:
        sentence = remark(what, chosen, now, region_of(mailing_list)) if chosen else ""
        if sentence:
            flash(sentence, "notice")
