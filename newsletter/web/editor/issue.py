"""One issue: what it wants, as it stands, its dates."""

from flask import flash, request, url_for
from werkzeug.wrappers import Response

from newsletter import clock, dates
from newsletter.db import transaction
from newsletter.domain.issues import scheduling
from newsletter.domain.issues.checking import run_checks
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Issue
from newsletter.rendering import typography
from newsletter.states import EDITABLE_STATES, IssueState
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems

from . import tasks
from .forms import ReasonForm
from .room import blueprint, find_issue, page, to


@blueprint.get("/desk/issues/<slug>")
@staff(Permission.VIEW_ISSUES)
def issue(slug: str) -> Response | tuple[str, int]:
    found, now = find_issue(slug), clock.now()
    if found.archive_only:
        return to("issue_past", slug=found.slug)
    editable = found.state in EDITABLE_STATES
    try:
        findings = run_checks(found, now) if editable else []
        obstacles = scheduling.obstacles(found, now) if editable else []
        broken = ""
    except Invalid as error:
        findings, obstacles, broken = [], [], error.problems[0].sentence
    return page(
        "issue.html",
        issue=found,
        editable=editable,
        tasks=tasks.tasks(found, findings, obstacles) if editable else None,
        sentence=tasks.when_words(found, now),
        broken=broken,
        facts=_facts(found),
        preview_url=url_for("editor.issue_preview", slug=found.slug, form="html", v=found.content_version),
        may_cancel=found.state in EDITABLE_STATES | {IssueState.SCHEDULED},
    )


def _facts(found: Issue) -> list[tuple[str, str]]:
    """The dates, for the aside: narrow, so that a day must not lose its month."""
    zone = found.mailing_list.timezone
    facts = []
    if found.deadline:
        facts.append((_("Deadline"), found.deadline.words))
    if found.scheduled_at or found.planned_at:
        instant = found.started_at or found.scheduled_at or found.planned_at
        assert instant is not None
        facts.append((_("Send"), dates.moment(instant, zone)))
    following = found.next_issue
    if following and following.deadline:
        facts.append((_("Next deadline"), following.deadline.words))
    return [(name, typography.tied(words)) for name, words in facts]


# --- this issue will never go out --------------------------------------------------------------------------------


@blueprint.route("/desk/issues/<slug>/cancel", methods=["GET", "POST"])
@staff(Permission.SCHEDULE_ISSUES)
def issue_cancel(slug: str) -> Response | tuple[str, int]:
    found = find_issue(slug, Permission.SCHEDULE_ISSUES)
    form = ReasonForm()
    if request.method == "POST" and form.validate():
        try:
            with transaction():
                scheduling.cancel_issue(
                    found, reason=form.reason.data or "", actor=signed_in_account(), now=clock.now()
                )
            flash(_("Cancelled. Nothing was sent, and its words are kept."), "success")
            return to("issue", slug=slug)
        except Invalid as error:
            put_problems(form, error)
        except Refused as error:
            form.form_errors = [str(error)]
        found = find_issue(slug, Permission.SCHEDULE_ISSUES)
    return page("cancel_issue.html", issue=found, form=form, status=422 if form.errors else 200)
