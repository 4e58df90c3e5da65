"""A send that can be watched, stopped and read about afterwards, at one address."""

from typing import Any

from flask import Response as FlaskResponse
from flask import flash, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from newsletter import clock, dates
from newsletter.db import db, transaction
from newsletter.delivery import accounts, control
from newsletter.delivery.launch import is_late, launch_late
from newsletter.domain.issues import audience
from newsletter.domain.staff.permissions import Permission, may
from newsletter.errors import NotFound, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Delivery, Issue, Subscriber, Subscription
from newsletter.states import DeliveryState, IssueState
from newsletter.web.access import signed_in_account, staff
from newsletter.web.context import relay_local

from .forms import ReasonForm
from .progress import SKIPPED_WORDS, progress, report_rows, sent_words, story
from .room import blueprint, find_issue, page, to

_EVENTS = 12
_PEOPLE = 50
_UNDER_WAY = (IssueState.SENDING, IssueState.PAUSED)
_TO_DECIDE = 20


@blueprint.get("/desk/issues/<slug>/sending")
@staff(Permission.VIEW_ISSUES)
def sending(slug: str) -> Response | tuple[str, int]:
    """What is scheduled, what is being sent, and the report afterwards."""
    issue, now = find_issue(slug), clock.now()
    if issue.state is IssueState.SCHEDULED:
        return _waiting(issue)
    if issue.state in _UNDER_WAY:
        return page("sending.html", issue=issue, **_live(issue), local=relay_local())
    if not issue.started_at:
        return to("issue", slug=slug)
    counts = accounts.counts(issue)
    doubts = accounts.in_doubt(issue, undecided_only=True)
    return page(
        "report.html",
        issue=issue,
        progress=progress(issue, now),
        rows=report_rows(issue, counts),
        wrong=accounts.verify(issue),
        doubts=doubts[:_TO_DECIDE],
        doubts_in_all=len(doubts),
        retry_at=accounts.next_retry(issue) if counts.deferred else None,
        sentence=sent_words(issue),
        events=story(issue, accounts.recent_events(issue, _EVENTS)),
        see=may(signed_in_account(), Permission.SEE_ADDRESSES, issue.mailing_list),
    )


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
        "events": story(issue, accounts.recent_events(issue, _EVENTS)),
        "say": shown.bar_words if shown.quarter > before else "",
        "poll_url": url_for("editor.issue_sending_part", slug=issue.slug, told=max(before, shown.quarter)),
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


# --- those of whom nobody knows ----------------------------------------------------------------------------------


@blueprint.post("/desk/issues/<slug>/deliveries/<int:delivery_id>/<any(again, leave):answer>")
@staff(Permission.CONTROL_SENDING)
def issue_decide(slug: str, delivery_id: int, answer: str) -> Response:
    """Send an unsure one again, or leave it."""
    issue = find_issue(slug, Permission.CONTROL_SENDING)
    delivery = db.session.get(Delivery, delivery_id)
    if delivery is None or delivery.issue_id != issue.id:
        raise NotFound(_("There is no such message in this issue."))
    verb = control.send_again if answer == "again" else control.leave
    try:
        with transaction():
            verb(delivery, actor=signed_in_account(), now=clock.now())
    except Refused as error:
        flash(str(error), "problem")
    else:
        flash(_("It is sent once more.") if answer == "again" else _("Left as it is."), "success")
    return to("sending", slug=slug)


# --- who ---------------------------------------------------------------------------------------------------------


@blueprint.get("/desk/issues/<slug>/sending/<state>")
@staff(Permission.VIEW_SUBSCRIBERS)
def issue_recipients(slug: str, state: str) -> tuple[str, int]:
    """The people in one of the seven states, by the order they were frozen in."""
    issue = find_issue(slug, Permission.VIEW_SUBSCRIBERS)
    if state not in set(DeliveryState):
        raise NotFound(_("There is no such state."))
    after = request.args.get("after", "0")
    rows = db.session.execute(
        select(Delivery, Subscriber)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id, isouter=True)
        .where(
            Delivery.issue_id == issue.id,
            Delivery.state == DeliveryState(state),
            Delivery.id > (int(after) if after.isdecimal() and len(after) < 18 else 0),
        )
        .order_by(Delivery.id)
        .limit(_PEOPLE + 1)
    ).all()
    counts = accounts.counts(issue)
    more = len(rows) > _PEOPLE
    return page(
        "recipients.html",
        issue=issue,
        state=DeliveryState(state),
        number=getattr(counts, state),
        rows=rows[:_PEOPLE],
        next_url=url_for("editor.issue_recipients", slug=slug, state=state, after=rows[_PEOPLE - 1][0].id)
        if more
        else "",
        see=may(signed_in_account(), Permission.SEE_ADDRESSES, issue.mailing_list),
        skip_words=SKIPPED_WORDS,
    )
