"""A send that can be watched and stopped; afterwards its report is at the same address."""

from typing import Any

from flask import Response as FlaskResponse
from flask import flash, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from newsletter import addresses, clock, dates
from newsletter.db import db, transaction
from newsletter.delivery import control
from newsletter.delivery.launch import is_late, launch_late
from newsletter.delivery.reports import accounts
from newsletter.domain.issues import audience
from newsletter.domain.staff.permissions import Permission, may
from newsletter.errors import Refused
from newsletter.i18n import gettext as _
from newsletter.models import Activity, Issue
from newsletter.states import IssueState
from newsletter.web.access import signed_in_account, staff
from newsletter.web.context import relay_local

from .forms import ReasonForm
from .progress import EVENTS, progress, story
from .room import blueprint, find_issue, page, to
from .sending_advice import advice
from .sending_report import report_page

_UNDER_WAY = (IssueState.SENDING, IssueState.PAUSED)


@blueprint.get("/desk/issues/<slug>/sending")
@staff(Permission.VIEW_ISSUES)
def sending(slug: str) -> Response | tuple[str, int]:
    """What is scheduled, what is being sent, and the report afterwards."""
    issue = find_issue(slug)
    if issue.archive_only:
        return to("issue_past", slug=slug)
    if issue.state is IssueState.SCHEDULED:
        return _waiting(issue)
    if issue.state in _UNDER_WAY:
        stopped = _stop(issue) if issue.state is IssueState.PAUSED else None
        return page("sending.html", issue=issue, **_live(issue), stopped=stopped, local=relay_local())
    if not issue.started_at:
        return to("issue", slug=slug)
    return report_page(issue, clock.now())


def _waiting(issue: Issue) -> tuple[str, int]:
    """Scheduled: a large Cancel, and the question whether one that is late should still go out."""
    now, at = clock.now(), issue.scheduled_at
    assert at is not None
    return page(
        "scheduled.html",
        issue=issue,
        number=audience.count(issue),
        at=at,
        soon=dates.in_words((at - now).total_seconds()) if at > now else "",
        seconds=max(0, int((at - now).total_seconds())),
        late=is_late(issue, now),
    )


def _live(issue: Issue) -> dict[str, Any]:
    told = request.args.get("told", "0")
    shown = progress(issue, clock.now())
    before = int(told) if told.isdecimal() and len(told) < 4 else 0
    return {
        "progress": shown,
        "events": story(issue, accounts.recent_events(issue, EVENTS)),
        "say": shown.bar_words if shown.quarter > before else "",
        "poll_url": url_for("editor.issue_sending_part", slug=issue.slug, told=max(before, shown.quarter)),
    }


def _stop(issue: Issue) -> dict[str, Any]:
    """Who paused it, when and why; and, where nobody did, what is wrong and what to do."""
    event = db.session.scalar(
        select(Activity)
        .where(Activity.issue_id == issue.id, Activity.action == "issue.paused")
        .order_by(Activity.id.desc())
        .limit(1)
    )
    may_see = may(signed_in_account(), Permission.SEE_ADDRESSES, issue.mailing_list)
    by = event.actor_name if event is not None and event.actor_id is not None else ""
    return {
        "by": by,
        "at": issue.paused_at,
        "reason": issue.pause_reason if may_see else addresses.mask_within(issue.pause_reason),
        "advice": advice(issue.pause_reason) if not by else None,
    }


@blueprint.get("/desk/issues/<slug>/sending/part")
@staff(Permission.VIEW_ISSUES)
def issue_sending_part(slug: str) -> FlaskResponse:
    """The part that fetches itself again. When the state has changed the whole page is asked for instead."""
    issue = find_issue(slug)
    if issue.state not in _UNDER_WAY or request.args.get("state", issue.state.value) != issue.state.value:
        return FlaskResponse("", headers={"HX-Refresh": "true"})
    values = {"issue": issue, "timezone": issue.mailing_list.timezone, **_live(issue)}
    return FlaskResponse(render_template("editor/_progress.html", **values))


# --- what may be done --------------------------------------------------------------------------------------------


def _control(slug: str, verb: Any, done: str, **values: Any) -> Response:
    """Do one thing to a send, and say so."""
    issue = find_issue(slug, Permission.CONTROL_SENDING)
    try:
        with transaction():
            verb(issue, actor=signed_in_account(), now=clock.now(), **values)
    except Refused as error:
        flash(str(error), "problem")
    else:
        flash(done, "success")
    return to("sending", slug=slug)


@blueprint.post("/desk/issues/<slug>/sending/pause")
@staff(Permission.CONTROL_SENDING)
def issue_pause(slug: str) -> Response:
    return _control(
        slug, control.pause, _("Paused. Those already with the mail server arrive; nobody else until you resume.")
    )


@blueprint.post("/desk/issues/<slug>/sending/resume")
@staff(Permission.CONTROL_SENDING)
def issue_resume(slug: str) -> Response:
    return _control(slug, control.resume, _("Resumed exactly where it stopped."))


@blueprint.post("/desk/issues/<slug>/sending/retry")
@staff(Permission.CONTROL_SENDING)
def issue_retry(slug: str) -> Response:
    return _control(slug, control.retry_deferred, _("Those who were put off are tried again now."))


@blueprint.route("/desk/issues/<slug>/sending/cancel", methods=["GET", "POST"])
@staff(Permission.CONTROL_SENDING)
def issue_sending_cancel(slug: str) -> Response | tuple[str, int]:
    """A page that says how many have it already, then the deed."""
    issue = find_issue(slug, Permission.CONTROL_SENDING)
    form = ReasonForm()
    if request.method == "POST" and form.validate():
        return _control(slug, control.cancel, _("The rest is cancelled."), reason=form.reason.data or "")
    if issue.state not in _UNDER_WAY:
        return to("sending", slug=slug)
    return page("cancel_sending.html", issue=issue, form=form, counts=accounts.counts(issue))


@blueprint.post("/desk/issues/<slug>/sending/launch")
@staff(Permission.SCHEDULE_ISSUES)
def issue_launch_late(slug: str) -> Response:
    """Yes, send it although it is late."""
    issue = find_issue(slug, Permission.SCHEDULE_ISSUES)
    if not launch_late(issue.id, actor=signed_in_account(), now=clock.now()):
        flash(_("It could not be sent. Its page says why."), "problem")
        return to("issue", slug=slug)
    return to("sending", slug=slug)
