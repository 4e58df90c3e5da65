"""When an issue goes out: check the answers, then say so. Until it goes out it can be taken back."""

from datetime import datetime

from flask import flash, request, url_for
from werkzeug.wrappers import Response

from newsletter import clock, dates
from newsletter.db import db, transaction
from newsletter.domain.issues import approving, audience, commenting, scheduling
from newsletter.domain.issues.approving import current_approval
from newsletter.domain.issues.content import web_address
from newsletter.domain.issues.testing import last_test
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Conflict, Invalid, Problem, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Issue, Organisation
from newsletter.states import IssueState, SendingMode
from newsletter.web.access import signed_in_account, staff
from newsletter.web.context import relay_local
from newsletter.web.reading_dates import Chosen

from .examined import examined
from .forms import NewIssueForm
from .room import blueprint, find_issue, page, to


@blueprint.route("/desk/issues/<slug>/schedule", methods=["GET", "POST"])
@staff(Permission.SCHEDULE_ISSUES)
def issue_schedule(slug: str) -> Response | tuple[str, int]:
    issue = find_issue(slug, Permission.SCHEDULE_ISSUES)
    if issue.state is IssueState.SCHEDULED:
        return to("sending", slug=slug)
    form = WhenForm()
    if request.method == "GET":
        form.put_moment("planned", _suggested(issue), issue.mailing_list.timezone)
        return _schedule_page(issue, form)
    return _schedule(issue, form)


class WhenForm(NewIssueForm):
    """The moment it goes out."""

    title = None
    deadline_day = deadline_time = deadline_fold = None


def _suggested(issue: Issue) -> datetime | None:
    """The planned date, while it is ahead."""
    earliest = clock.now() + scheduling.SHORTEST_NOTICE
    return issue.planned_at if issue.planned_at and issue.planned_at >= earliest else None


def _schedule_page(
    issue: Issue, form: WhenForm, problems: list[Problem] | None = None, chosen: datetime | None = None
) -> tuple[str, int]:
    """Everything about the sending on one page, to be read before it is said; or the question when it goes out."""
    now = clock.now()
    zone = issue.mailing_list.timezone
    suggested = None if problems or form.errors else chosen or _suggested(issue)
    test, approval = last_test(issue, current=True), current_approval(issue)
    organisation = db.session.get(Organisation, 1)
    return page(
        "schedule.html",
        issue=issue,
        status=422 if problems or form.errors else 200,
        form=form,
        problems=problems or [],
        number=audience.count(issue),
        obstacles=scheduling.obstacles(issue, now, at=chosen),
        planned=suggested,
        change=bool(form.errors) or suggested is None or "change" in request.args,
        web_url=web_address(issue),
        comments=commenting.unresolved(issue),
        in_words=dates.in_words((suggested - now).total_seconds()) if suggested else "",
        test=test,
        approval=approval,
        in_zone=dates.zone_words(zone),
        team_only=organisation is not None and organisation.sending_mode is SendingMode.TEAM and not relay_local(),
        nothing=organisation is not None and organisation.sending_mode is SendingMode.NOTHING and not relay_local(),
        local=relay_local(),
        examined=None if relay_local() else examined(now),
        preview_url=url_for("editor.issue_preview", slug=issue.slug, form="html", v=issue.content_version),
    )


def _schedule(issue: Issue, form: WhenForm) -> Response | tuple[str, int]:
    slug, now, actor = issue.slug, clock.now(), signed_in_account()
    at_once = request.form.get("do") == "now"
    chosen: Chosen | None = None
    if not at_once:
        form.validate()
        chosen = form.read_moment("planned", issue.mailing_list.timezone, required=True)
        if chosen is None or form.errors:
            return _schedule_page(issue, form)
        if chosen.instant < now + scheduling.SHORTEST_NOTICE:
            return _schedule_page(issue, form, [Problem("planned_day", scheduling.TOO_SOON)])
        if request.form.get("do") != "schedule":
            # A time was chosen: everything is read once more before anything is done.
            return _schedule_page(issue, form, chosen=chosen.instant)
    problems = []
    try:
        if request.form.get("version") != str(issue.content_version):
            raise Conflict(_("The words changed while you were reading. Look at it again."))
        # On a list that asks for no approval, what is scheduled is what is made now.
        prepared = None if issue.mailing_list.needs_approval else approving.prepare(issue, now)
        with transaction():
            if chosen is None:
                scheduling.send_now(issue, actor=actor, now=now, prepared=prepared)
            else:
                scheduling.schedule(issue, chosen.instant, actor=actor, now=now, prepared=prepared)
    except Invalid as error:
        problems = [Problem("planned_day", problem.sentence) for problem in error.problems]
    except Refused as error:
        problems = [Problem("", str(error))]
    if problems:
        return _schedule_page(find_issue(slug, Permission.SCHEDULE_ISSUES), form, problems)
    return to("sending", slug=slug)


@blueprint.post("/desk/issues/<slug>/schedule/cancel")
@staff(Permission.SCHEDULE_ISSUES)
def issue_schedule_cancel(slug: str) -> Response:
    issue = find_issue(slug, Permission.SCHEDULE_ISSUES)
    try:
        with transaction():
            scheduling.cancel_schedule(issue, actor=signed_in_account(), now=clock.now())
    except Refused as error:
        flash(str(error), "problem")
        return to("sending", slug=slug)
    flash(_("The schedule is cancelled. Nothing was sent, and the approval still holds."), "success")
    return to("issue", slug=slug)
