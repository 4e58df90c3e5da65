"""A test in one's own inbox, and the word of a person that exactly this may go out."""

from flask import flash, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.issues import approving, testing
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Conflict, Invalid, Refused
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Issue, TestSend
from newsletter.states import EDITABLE_STATES, IssueState
from newsletter.web.access import signed_in_account, staff
from newsletter.web.context import relay_local
from newsletter.web.fields import put_problems

from .forms import AddressesForm, CommentForm
from .room import blueprint, can, find_issue, page, to

_RECENT = 5


# --- a test email ------------------------------------------------------------------------------------------------


@blueprint.route("/desk/issues/<slug>/test", methods=["GET", "POST"])
@staff(Permission.EDIT_ISSUES)
def issue_test(slug: str) -> Response | tuple[str, int]:
    issue = find_issue(slug, Permission.EDIT_ISSUES)
    form = AddressesForm()
    if request.method == "GET":
        form.addresses.data = signed_in_account().email
    elif form.validate():
        done = _send_test(issue, form)
        if done:
            return done
        issue = find_issue(slug, Permission.EDIT_ISSUES)
    return page(
        "test.html",
        issue=issue,
        status=422 if form.errors else 200,
        form=form,
        current=testing.last_test(issue, current=True),
        sent=_sent(issue),
        editable=issue.state in EDITABLE_STATES,
        local=relay_local(),
    )


def _sent(issue: Issue) -> list[TestSend]:
    query = select(TestSend).where(TestSend.issue_id == issue.id).order_by(TestSend.id.desc()).limit(_RECENT)
    return list(db.session.scalars(query))


def _send_test(issue: Issue, form: AddressesForm) -> Response | None:
    """Render outside the transaction, queue inside; None with the reasons in the form when it is refused."""
    slug, now = issue.slug, clock.now()
    try:
        prepared = approving.prepare(issue, now)
        with transaction():
            sent = len(
                testing.send_test(
                    issue, prepared, (form.addresses.data or "").splitlines(), actor=signed_in_account(), now=now
                )
            )
    except Invalid as error:
        put_problems(form, error)
        return None
    except (Conflict, Refused) as error:
        form.form_errors = [str(error)]
        return None
    words = ngettext("%(number)s test email is on its way.", "%(number)s test emails are on their way.", sent)
    flash(words % {"number": sent}, "success")
    return to("issue_test", slug=slug)


# --- approval ----------------------------------------------------------------------------------------------------


@blueprint.get("/desk/issues/<slug>/approval")
@staff(Permission.VIEW_ISSUES)
def issue_approval(slug: str) -> tuple[str, int]:
    return _approval_page(find_issue(slug), CommentForm(formdata=None))


def _approval_page(issue: Issue, form: CommentForm, status: int = 200) -> tuple[str, int]:
    broken, blocking = "", 0
    if issue.state in (IssueState.DRAFT, IssueState.IN_REVIEW):
        try:
            blocking = len(approving.prepare(issue, clock.now()).blocking)
        except Invalid as error:
            broken = error.problems[0].sentence
    why_not = approving.may_approve(issue, signed_in_account())
    return page(
        "approval.html",
        issue=issue,
        status=status,
        form=form,
        approval=approving.current_approval(issue),
        comment=approving.last_comment(issue),
        blocking=blocking,
        broken=broken,
        why_not=why_not,
        own=approving.worked_on(issue, signed_in_account()),
        may_submit=can(Permission.EDIT_ISSUES, issue),
        preview_url=url_for("editor.issue_preview", slug=issue.slug, form="html", v=issue.content_version),
    )


@blueprint.post("/desk/issues/<slug>/submit")
@staff(Permission.EDIT_ISSUES)
def issue_submit(slug: str) -> Response:
    """Ask for approval."""
    issue, now = find_issue(slug, Permission.EDIT_ISSUES), clock.now()
    try:
        prepared = approving.prepare(issue, now)
        with transaction():
            approving.submit_for_review(issue, prepared, actor=signed_in_account(), now=now)
    except Refused as error:
        flash(str(error), "problem")
        return to("issue_approval", slug=slug)
    flash(_("Those who may approve it get an email."), "success")
    return to("issue", slug=slug)


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
            approving.approve(issue, prepared, actor=signed_in_account(), now=now)
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
