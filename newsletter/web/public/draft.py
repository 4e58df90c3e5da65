"""A draft, for whoever was sent its link: to read it, and to comment on its sections where that is asked for."""

from datetime import datetime, timedelta

from flask import current_app, redirect, request, url_for
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from ... import clock
from ...db import transaction
from ...domain.issues import commenting, sharing
from ...domain.issues.block_rows import find_block, name_of
from ...domain.issues.content import issue_content
from ...errors import Invalid, NotFound, Problem, Refused
from ...i18n import gettext as _
from ...models import DraftShare, Issue
from ...rendering.assembly import web_parts
from ...rendering.blocks import kind as kind_of
from ...tokens import Purpose, Signer
from ..access import public
from ..fields import put_problems
from ..form_bases import PlainForm
from ..limits import Limit, hashed, network_of, within
from .form_tokens import NAME, opened_at
from .forms import TRAP
from .room import blueprint, page

_HOUR = timedelta(hours=1)


class RemarkForm(PlainForm):
    """What a reader of the draft has to say, about what, and under which name."""

    about = SelectField(_("About"), validate_choice=False)
    body = TextAreaField(_("Your comment"))
    name = StringField(_("Your name"), render_kw={"autocomplete": "name"})


@blueprint.get("/draft/<token>")
@public
def draft(token: str) -> Response:
    """The draft as it stands, by the renderer of the web page. Once the issue is out, the way to its page."""
    share, issue = _shared(token)
    if issue.published_at is not None:
        return redirect(url_for("archive.issue", slug=issue.slug), 303)
    form = RemarkForm(about=request.args.get("about", ""))
    return _draft_page(token, share, issue, form, said="said" in request.args)


@blueprint.post("/draft/<token>")
@public
def comment_on_draft(token: str) -> Response:
    """A comment. A form that is wrong or one too many comes back with every word."""
    share, issue = _shared(token)
    now, form = clock.now(), RemarkForm(request.form)
    if opened_at(request.form.get(NAME, ""), now) is None:
        return _draft_page(
            token, share, issue, form, 400, [Problem("", _("The page was open for long. Send it again."))]
        )
    if request.form.get(TRAP):
        return redirect(url_for(".draft", token=token, said=1, _anchor="said-here"), 303)
    if not _within_limits(share, now):
        problem = Problem("", _("That is a lot of comments in an hour. Wait a while, then send this one again."))
        return _draft_page(token, share, issue, form, 429, [problem])
    try:
        about = form.about.data or ""
        block = find_block(issue, about) if about else None
        with transaction():
            commenting.comment_as_guest(share, issue, form.body.data or "", form.name.data or "", block=block, now=now)
    except Invalid as error:
        put_problems(form, error)
        return _draft_page(token, share, issue, form, 422)
    except (Refused, NotFound) as error:
        share, issue = _shared(token)
        return _draft_page(token, share, issue, form, 422, [Problem("", str(error))])
    return redirect(url_for(".draft", token=token, said=1, _anchor="said-here"), 303)


def _shared(token: str) -> tuple[DraftShare, Issue]:
    """Raises TokenInvalid, TokenExpired, NotFound."""
    signer: Signer = current_app.extensions["newsletter_signer"]
    return sharing.shared_issue(signer.read_id(Purpose.DRAFT, token), clock.now())


def _within_limits(share: DraftShare, now: datetime) -> bool:
    limits: list[Limit] = [
        (f"draft comments link:{share.id}", 30, _HOUR),
        (f"draft comments network:{hashed(network_of(request.remote_addr))}", 60, _HOUR),
    ]
    return within(limits, now)


def _draft_page(
    token: str,
    share: DraftShare,
    issue: Issue,
    form: RemarkForm,
    status: int = 200,
    problems: list[Problem] | None = None,
    *,
    said: bool = False,
) -> Response:
    listed = {str(block.id): name_of(block) for block in issue.blocks if not kind_of(block.kind).fixed}
    form.about.choices = [
        SelectChoice("", _("The issue as a whole")),
        *(SelectChoice(number, name) for number, name in listed.items()),
    ]
    try:
        parts, broken = web_parts(issue_content(issue)), ""
    except Invalid as error:
        parts, broken = [], error.problems[0].sentence
    return page(
        "draft",
        status,
        mailing_list=issue.mailing_list,
        issue=issue,
        share=share,
        token=token,
        form=form,
        problems=problems or [],
        said=said,
        names=listed,
        parts=parts,
        broken=broken,
        comments=commenting.comments_through(share),
        trap=TRAP,
    )
