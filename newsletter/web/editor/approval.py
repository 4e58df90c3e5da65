"""The word of a person that exactly this may go out: asked for, given, or held back with a comment."""

from flask import flash, request, url_for
from werkzeug.wrappers import Response
from wtforms import SelectMultipleField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.issues import approving, reviewing, testing
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Conflict, Invalid, Problem, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Account, Issue
from newsletter.states import IssueState
from newsletter.web.access import signed_in_account, staff
from newsletter.web.form_bases import GuardedForm

from .forms import CommentForm
from .room import blueprint, can, find_issue, page, to

_BEFORE_APPROVAL = (IssueState.DRAFT, IssueState.IN_REVIEW)


class AskForm(GuardedForm):
    """Who is asked to approve, and a word to them."""

    asked = SelectMultipleField(_("Who should read it?"), coerce=int, validate_choice=False)
    note = TextAreaField(
        _("A word to them (optional)"),
        validators=[Length(max=2000, message=_("Use 2,000 characters or fewer"))],
    )


@blueprint.app_template_global("approval_ended")
def approval_ended(issue: Issue) -> reviewing.Ended | None:
    """For the pages of a draft: the approval that an edit took away."""
    return reviewing.ended(issue)


@blueprint.get("/desk/issues/<slug>/approval")
@staff(Permission.VIEW_ISSUES)
def issue_approval(slug: str) -> tuple[str, int]:
    return _approval_page(find_issue(slug), CommentForm(formdata=None))


def _approval_page(
    issue: Issue, form: CommentForm, status: int = 200, problems: list[Problem] | None = None
) -> tuple[str, int]:
    broken, blocking, looking = "", 0, 0
    if issue.state in _BEFORE_APPROVAL:
        try:
            findings = approving.prepare(issue, clock.now()).findings
            blocking = sum(each.stops for each in findings)
            looking = sum(not each.stops and not each.passed for each in findings)
        except Invalid as error:
            broken = error.problems[0].sentence
    me = signed_in_account()
    since, changed = reviewing.since_last_look(issue)
    asked = reviewing.asked(issue) if issue.state is IssueState.IN_REVIEW else []
    others = [person for person in reviewing.approvers(issue, me) if person not in asked]
    until = reviewing.approval_deadline(issue)
    return page(
        "approval.html",
        issue=issue,
        status=status,
        form=form,
        problems=problems or [],
        ask_form=_ask_form(others, problems or []),
        approval=approving.current_approval(issue),
        comment=approving.last_comment(issue),
        blocking=blocking,
        looking=looking,
        broken=broken,
        why_not=approving.may_approve(issue, me),
        own=approving.worked_on(issue, me),
        may_submit=can(Permission.EDIT_ISSUES, issue),
        asked=asked,
        deputies=others,
        until=until,
        until_over=until is not None and not until.is_open(clock.now()),
        since=since,
        changed=changed,
        test=testing.last_test(issue, current=True),
        preview_url=url_for("editor.issue_preview", slug=issue.slug, form="html", v=issue.content_version),
    )


def _ask_form(others: list[Account], problems: list[Problem]) -> AskForm:
    """Everybody who may be asked is ticked at first; after a refusal, whoever was."""
    again = bool(problems)
    form = AskForm() if again else AskForm(formdata=None)
    form.asked.choices = [SelectChoice(person.id, person.name) for person in others]
    if not again:
        form.asked.data = [person.id for person in others]
    for problem in problems:
        form.asked.errors = [*form.asked.errors, problem.sentence]
    return form


def _chosen() -> list[int] | None:
    """The ids that were ticked; None where the form had no such question (a button elsewhere)."""
    if "note" not in request.form and "asked" not in request.form:
        return None
    return [int(typed) for typed in request.form.getlist("asked") if typed.isdecimal() and len(typed) < 10]


@blueprint.post("/desk/issues/<slug>/submit")
@staff(Permission.EDIT_ISSUES)
def issue_submit(slug: str) -> Response | tuple[str, int]:
    """Ask for approval."""
    issue, now = find_issue(slug, Permission.EDIT_ISSUES), clock.now()
    try:
        prepared = approving.prepare(issue, now)
        with transaction():
            approving.submit_for_review(
                issue, prepared, asked=_chosen(), note=request.form.get("note", ""), actor=signed_in_account(), now=now
            )
    except Invalid as error:
        if all(problem.field == "asked" for problem in error.problems):
            return _approval_page(find_issue(slug), CommentForm(formdata=None), 422, error.problems)
        flash(error.problems[0].sentence, "problem")
        return to("issue_approval", slug=slug)
    except Refused as error:
        flash(str(error), "problem")
        return to("issue_approval", slug=slug)
    flash(_("Those whom you asked get the issue by email, and may approve it there and then."), "success")
    return to("issue", slug=slug)


@blueprint.post("/desk/issues/<slug>/ask")
@staff(Permission.EDIT_ISSUES)
def issue_ask_others(slug: str) -> Response | tuple[str, int]:
    """Ask a deputy: somebody else who may approve."""
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    try:
        with transaction():
            people = reviewing.ask_others(issue, _chosen() or [], actor=signed_in_account(), now=clock.now())
            names = ", ".join(person.name for person in people)
    except Invalid as error:
        return _approval_page(find_issue(slug), CommentForm(formdata=None), 422, error.problems)
    except Refused as error:
        flash(str(error), "problem")
        return to("issue_approval", slug=slug)
    flash(_("Asked: {names}.").format(names=names), "success")
    return to("issue_approval", slug=slug)


@blueprint.post("/desk/issues/<slug>/approve")
@staff(Permission.APPROVE_ISSUES)
def issue_approve(slug: str) -> Response:
    """This may go out, exactly as it was shown: the number of the version that was read comes with the form."""
    issue, now = find_issue(slug, Permission.APPROVE_ISSUES), clock.now()
    try:
        if request.form.get("version") != str(issue.content_version):
            raise Conflict(_("The words changed while you were reading. Read them again, then approve."))
        prepared = approving.prepare(issue, now)
        with transaction():
            approving.approve(
                issue, prepared, actor=signed_in_account(), now=now, comment=request.form.get("comment", "")
            )
    except Refused as error:
        flash(str(error), "problem")
        return to("issue_approval", slug=slug)
    flash(_("Approved. Any change to the words ends the approval."), "success")
    return to("issue", slug=slug)


@blueprint.post("/desk/issues/<slug>/return")
@staff(Permission.APPROVE_ISSUES)
def issue_return(slug: str) -> Response | tuple[str, int]:
    """Back to its writers, with a comment."""
    issue = find_issue(slug, Permission.APPROVE_ISSUES)
    form = CommentForm()
    if not form.validate():
        return _approval_page(issue, form, 422)
    try:
        with transaction():
            approving.return_to_draft(issue, form.comment.data, actor=signed_in_account(), now=clock.now())
    except Refused as error:
        flash(str(error), "problem")
        return to("issue_approval", slug=slug)
    flash(_("Returned. Its writers get your comment by email."), "success")
    return to("issue", slug=slug)
