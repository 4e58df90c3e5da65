"""After the sending: a correction on the web page, and, where people must hear of it, a small issue by mail."""

from flask import flash, request
from werkzeug.wrappers import Response
from wtforms import SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.issues import correcting, editing
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid, NotFound, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Issue
from newsletter.rendering.blocks import kind as kind_of
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems
from newsletter.web.form_bases import GuardedForm

from .room import blueprint, can, find_issue, page, to
from .words import name_of


class CorrectionForm(GuardedForm):
    """What was wrong, what is right, and where."""

    about = SelectField(_("In"), validate_choice=False)
    body = TextAreaField(
        _("What was wrong, and what is right?"),
        description=_("Such as: The clinic is on Tuesday 9 March. We had written Monday."),
        validators=[
            DataRequired(_("Say what was wrong, and what is right")),
            Length(max=correcting.LONGEST, message=_("Use 2,000 characters or fewer")),
        ],
    )


@blueprint.route("/desk/issues/<slug>/corrections", methods=["GET", "POST"])
@staff(Permission.VIEW_ISSUES)
def issue_corrections(slug: str) -> Response | tuple[str, int]:
    """The notes on the page; a new one; or, by the other button, an issue that carries it."""
    posted = request.method == "POST"
    issue = find_issue(slug, Permission.EDIT_ISSUES if posted else Permission.VIEW_ISSUES)
    form = CorrectionForm()
    if posted and form.validate():
        done = _correct(issue, form)
        if done is not None:
            return done
        issue = find_issue(slug)
    form.about.choices = [
        SelectChoice("", _("The issue as a whole")),
        *(SelectChoice(str(each.id), name_of(each)) for each in issue.blocks if not kind_of(each.kind).fixed),
    ]
    return page(
        "corrections.html",
        issue=issue,
        status=422 if form.errors else 200,
        form=form,
        notes=[(each, _where(issue, each.block_id)) for each in correcting.corrections_of(issue, withdrawn=True)],
        may=can(Permission.EDIT_ISSUES, issue),
    )


def _where(issue: Issue, block_id: object) -> str:
    return next((name_of(block) for block in issue.blocks if block.id == block_id), "")


def _correct(issue: Issue, form: CorrectionForm) -> Response | None:
    """Put the note on the page, and begin the mail where that was pressed; None with the reasons in the form."""
    slug, about, actor, now = issue.slug, form.about.data or "", signed_in_account(), clock.now()
    by_mail = request.form.get("do") == "mail"
    try:
        block = editing.find_block(issue, about) if about else None
        with transaction():
            correcting.correct(issue, form.body.data, block=block, actor=actor, now=now)
            if by_mail:
                slug = correcting.begin_correction_mail(issue, form.body.data, actor=actor, now=now).slug
    except Invalid as error:
        put_problems(form, error)
    except Refused as error:
        form.form_errors = [str(error)]
    except NotFound:
        form.about.errors = [_("This section is not in the issue")]
    if form.errors:
        return None
    if by_mail:
        flash(
            _("The correction is on the web page. Here is the mail about it: check it, test it, have it approved."),
            "success",
        )
        return to("issue", slug=slug)
    flash(_("The correction is on the web page, with today’s date."), "success")
    return to("issue_corrections", slug=slug)


@blueprint.post("/desk/issues/<slug>/corrections/<int:number>/withdraw")
@staff(Permission.EDIT_ISSUES)
def issue_correction_withdraw(slug: str, number: int) -> Response:
    """The note was wrong itself."""
    note = correcting.find_correction(find_issue(slug, Permission.EDIT_ISSUES), number)
    with transaction():
        correcting.withdraw(note, actor=signed_in_account(), now=clock.now())
    flash(_("The page no longer shows it."), "success")
    return to("issue_corrections", slug=slug)
