"""What stands around the words: subject, preview text, name, dates, the issue after this one."""

from flask import flash, request
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.issues import creating
from newsletter.domain.issues.content import masthead_words
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid, Problem, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Issue
from newsletter.rendering import when
from newsletter.states import EDITABLE_STATES, Cadence
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems
from newsletter.web.reading_dates import Chosen

from .forms import FrameForm
from .issues import flash_remarks
from .room import blueprint, find_issue, page, to


@blueprint.route("/desk/issues/<slug>/frame", methods=["GET", "POST"])
@staff(Permission.EDIT_ISSUES)
def issue_frame(slug: str) -> Response | tuple[str, int]:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    form = FrameForm()
    if request.method == "GET":
        _fill(form, issue)
        return _frame_page(form, issue)
    return _save(form, issue)


def _quarterly(issue: Issue) -> bool:
    return issue.mailing_list.cadence is Cadence.QUARTERLY


def _frame_page(form: FrameForm, issue: Issue, status: int = 200) -> tuple[str, int]:
    return page(
        "frame.html",
        issue=issue,
        status=status,
        form=form,
        quarterly=_quarterly(issue),
        editable=issue.state in EDITABLE_STATES,
        fixed_address=issue.published_at is not None,
    )


def _fill(form: FrameForm, issue: Issue) -> None:
    zone = issue.mailing_list.timezone
    form.title.data, form.slug.data = issue.title, issue.slug
    form.subject.data, form.preheader.data = issue.subject, issue.preheader
    form.strapline.data = masthead_words(issue)["strapline"]
    form.put_moment("planned", issue.planned_at, zone)
    form.put_deadline("deadline", issue.deadline)
    following = issue.next_issue
    form.next_title.data = following.title if following else ""
    form.put_deadline("next", following.deadline if following else None)
    if not form.next_time.data:
        form.next_time.data = "5pm"
    offered = request.args.get("next", "")
    if offered and not form.next_day.data:
        form.next_day.data = when.words(offered)


def _save(form: FrameForm, issue: Issue) -> Response | tuple[str, int]:
    zone, slug = issue.mailing_list.timezone, issue.slug
    valid = form.validate()
    planned = form.read_moment("planned", zone)
    deadline = form.read_moment("deadline", zone, required=issue.has_call) if _quarterly(issue) else None
    following = _read_next(form, zone) if _quarterly(issue) else None
    if not valid or form.errors:
        return _frame_page(form, issue, 422)
    now = clock.now()
    try:
        with transaction():
            _write(form, issue, planned, deadline, following)
            slug = issue.slug
    except Invalid as error:
        put_problems(form, error)
    except Refused as error:
        put_problems(form, Invalid([Problem("", str(error))]))
    if form.errors:
        return _frame_page(form, find_issue(slug, Permission.EDIT_ISSUES), 422)
    flash(_("Saved."), "success")
    flash_remarks(issue.mailing_list, now, planned=planned, deadline=deadline, following=following)
    return to("issue", slug=slug)


def _read_next(form: FrameForm, zone: str) -> Chosen | None:
    """The next issue's deadline: needed with its title, and the other way round."""
    title, day = (form.next_title.data or "").strip(), (form.next_day.data or "").strip()
    if not title and not day:
        return None
    if not title:
        form.next_title.errors = [*form.next_title.errors, _("Give the next issue a title, such as April 2027")]
    return form.read_moment("next", zone, required=True)


def _write(
    form: FrameForm, issue: Issue, planned: Chosen | None, deadline: Chosen | None, following: Chosen | None
) -> None:
    actor, now = signed_in_account(), clock.now()
    creating.change_frame(
        issue,
        title=form.title.data,
        subject=form.subject.data or "",
        preheader=form.preheader.data or "",
        slug=(form.slug.data or "").strip() or None,
        strapline=form.strapline.data or "",
        planned_at=planned.instant if planned else None,
        keep_planned_at=False,
        actor=actor,
        now=now,
    )
    if deadline:
        creating.change_deadline(
            issue, deadline.deadline, confirmation=form.confirmation.data or "", actor=actor, now=now
        )
    if following:
        creating.ensure_next_issue(
            issue,
            title=form.next_title.data,
            deadline=following.deadline,
            confirmation=form.confirmation.data or "",
            actor=actor,
            now=now,
        )
