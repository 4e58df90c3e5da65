"""What the team says about an issue and its sections, and settles, beside the words that go out."""

from flask import flash, request
from werkzeug.wrappers import Response
from wtforms import SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.issues import commenting, editing
from newsletter.domain.queries import accounts_on
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid, NotFound, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Block, Comment, DraftShare, Issue
from newsletter.states import EDITABLE_STATES, IssueState
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems
from newsletter.web.form_bases import GuardedForm

from .room import blueprint, can, find_issue, page, to
from .words import name_of

#: What comments are about (a section, or the issue as None), its name, and they.
_Group = tuple[Block | None, str, list[Comment]]


class SayForm(GuardedForm):
    """Something to say, and about what."""

    about = SelectField(_("About"), validate_choice=False)
    body = TextAreaField(
        _("Your comment"),
        validators=[
            DataRequired(_("Write what you want to say")),
            Length(max=commenting.LONGEST, message=_("The comment must have 2,000 characters or fewer")),
        ],
    )


@blueprint.app_template_global("comments_on")
def comments_on(block: Block) -> list[Comment]:
    """For the desk's sheet: what was said about the open section, oldest first."""
    return commenting.comments_on(block)


@blueprint.app_template_global("unresolved_comments")
def unresolved_comments(issue: Issue) -> int:
    """For the desk and the approver: how many comments wait."""
    return commenting.unresolved(issue)


@blueprint.app_template_global("may_comment")
def may_comment(issue: Issue) -> bool:
    """Whether the person may say something now."""
    return issue.state in EDITABLE_STATES | {IssueState.SCHEDULED} and can(Permission.EDIT_ISSUES, issue)


@blueprint.app_template_global("names_to_mention")
def names_to_mention(issue: Issue) -> list[str]:
    """The names of whom "@" can call: the staff of the list."""
    return [account.name for account in db.session.scalars(accounts_on(issue.list_id))]


@blueprint.get("/desk/issues/<slug>/comments")
@staff(Permission.VIEW_ISSUES)
def issue_comments(slug: str) -> tuple[str, int]:
    """All of them: the open ones by section, those that are settled below."""
    issue = find_issue(slug)
    form = SayForm(formdata=None)
    form.about.data = request.args.get("about", "")
    return _comments_page(issue, form)


def _comments_page(issue: Issue, form: SayForm, status: int = 200) -> tuple[str, int]:
    form.about.choices = [
        SelectChoice("", _("The issue as a whole")),
        *(SelectChoice(str(each.id), name_of(each)) for each in issue.blocks),
    ]
    found = commenting.comments_of(issue)
    shares = {each.share_id for each in found if each.share_id}
    return page(
        "comments.html",
        issue=issue,
        status=status,
        form=form,
        groups=_groups(issue, [each for each in found if each.resolved_at is None]),
        settled=_groups(issue, [each for each in found if each.resolved_at is not None]),
        through={number: db.session.get_one(DraftShare, number).for_whom for number in shares},
    )


def _groups(issue: Issue, comments: list[Comment]) -> list[_Group]:
    """Comments by what they are about: the issue first, then its sections in their order."""
    groups: list[_Group] = [(None, _("The issue as a whole"), [each for each in comments if each.block_id is None])]
    groups += [
        (block, name_of(block), [each for each in comments if each.block_id == block.id]) for block in issue.blocks
    ]
    return [group for group in groups if group[2]]


@blueprint.post("/desk/issues/<slug>/comments")
@staff(Permission.EDIT_ISSUES)
def issue_comment(slug: str) -> Response | tuple[str, int]:
    """Say something; from the desk one comes back to the desk."""
    issue, form = find_issue(slug, Permission.EDIT_ISSUES), SayForm()
    about = form.about.data or ""
    if form.validate():
        try:
            block = editing.find_block(issue, about) if about else None
            with transaction():
                said = commenting.comment(
                    issue, form.body.data, block=block, actor=signed_in_account(), now=clock.now()
                )
                number = said.id
            return _back(slug, about, f"comment-{number}")
        except Invalid as error:
            put_problems(form, error)
        except Refused as error:
            form.form_errors = [str(error)]
        except NotFound:
            form.about.errors = [_("This section is gone. Choose another, or the issue as a whole.")]
    return _comments_page(find_issue(slug), form, 422)


@blueprint.post("/desk/issues/<slug>/comments/<int:number>/<any(resolve, reopen):verb>")
@staff(Permission.EDIT_ISSUES)
def issue_comment_settle(slug: str, number: int, verb: str) -> Response:
    """It is dealt with, or it is not after all."""
    said = commenting.find_comment(find_issue(slug, Permission.EDIT_ISSUES), number)
    about = str(said.block_id or "")
    with transaction():
        (commenting.resolve if verb == "resolve" else commenting.reopen)(
            said, actor=signed_in_account(), now=clock.now()
        )
    if request.form.get("from") != "desk":
        flash(_("Resolved.") if verb == "resolve" else _("It is open again."), "success")
    return _back(slug, about, "comments")


def _back(slug: str, about: str, anchor: str) -> Response:
    """To where the comment was made: the desk's open section, or the page of all comments."""
    if request.form.get("from") == "desk" and about:
        return to("compose", slug=slug, block_id=about, anchor=anchor)
    return to("issue_comments", slug=slug, anchor=anchor)
