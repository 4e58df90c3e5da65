"""Links that show a draft to people without an account: made, listed, taken back."""

from flask import current_app, flash, request
from werkzeug.wrappers import Response
from wtforms import BooleanField, RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.issues import commenting, sharing
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid, Refused
from newsletter.i18n import gettext as _
from newsletter.models import DraftShare, Issue
from newsletter.states import EDITABLE_STATES, IssueState
from newsletter.tokens import Purpose, Signer
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems
from newsletter.web.form_bases import GuardedForm
from newsletter.web.links import public_link

from .room import blueprint, find_issue, page, to

_DAYS = [
    SelectChoice("3", _("3 days")),
    SelectChoice("7", _("A week")),
    SelectChoice("14", _("Two weeks")),
    SelectChoice("30", _("30 days")),
]


class ShareForm(GuardedForm):
    """Whom a link is for, how long it works, and whether they may answer by it."""

    for_whom = StringField(
        _("Whom is it for?"),
        description=_("For your own list, such as: Helen at the Harbour School"),
        validators=[
            DataRequired(_("Say whom the link is for, so that you know which one to take back")),
            Length(max=150, message=_("Use 150 characters or fewer")),
        ],
        render_kw={"autocomplete": "off"},
    )
    days = RadioField(_("How long does it work?"), choices=_DAYS, default="7")
    may_comment = BooleanField(_("They may comment on sections"), default=True)


@blueprint.route("/desk/issues/<slug>/share", methods=["GET", "POST"])
@staff(Permission.EDIT_ISSUES)
def issue_shares(slug: str) -> Response | tuple[str, int]:
    """The list of links, and the form for a new one."""
    issue, form = find_issue(slug, Permission.EDIT_ISSUES), ShareForm()
    if request.method == "POST" and form.validate():
        try:
            with transaction():
                made = sharing.share(
                    issue,
                    for_whom=form.for_whom.data,
                    days=int(form.days.data),
                    may_comment=form.may_comment.data,
                    actor=signed_in_account(),
                    now=clock.now(),
                )
                number = made.id
            flash(_("The link is made. Copy it from the list and send it."), "success")
            return to("issue_shares", slug=slug, anchor=f"share-{number}")
        except Invalid as error:
            put_problems(form, error)
        except Refused as error:
            form.form_errors = [str(error)]
        issue = find_issue(slug, Permission.EDIT_ISSUES)
    return _shares_page(issue, form)


def _shares_page(issue: Issue, form: ShareForm) -> tuple[str, int]:
    now = clock.now()
    shares = sharing.shares_of(issue)
    return page(
        "share.html",
        issue=issue,
        status=422 if form.errors else 200,
        form=form,
        open_shares=[_shown(each) for each in shares if sharing.is_open(each, now)],
        ended=[_shown(each) for each in shares if not sharing.is_open(each, now)],
        shown=issue.state in EDITABLE_STATES | {IssueState.SCHEDULED},
    )


def _shown(made: DraftShare) -> dict[str, object]:
    return {"share": made, "url": share_url(made), "comments": len(commenting.comments_through(made))}


def share_url(made: DraftShare) -> str:
    """The whole address that the link is."""
    signer: Signer = current_app.extensions["newsletter_signer"]
    return public_link("public.draft", token=signer.sign_id(Purpose.DRAFT, made.public_id))


@blueprint.post("/desk/issues/<slug>/share/<int:number>/revoke")
@staff(Permission.EDIT_ISSUES)
def issue_share_revoke(slug: str, number: int) -> Response:
    """The link opens nothing any more."""
    made = sharing.find_share(find_issue(slug, Permission.EDIT_ISSUES), number)
    whom = made.for_whom
    with transaction():
        sharing.revoke(made, actor=signed_in_account(), now=clock.now())
    flash(_("The link for {whom} opens nothing any more.").format(whom=whom), "success")
    return to("issue_shares", slug=slug)
