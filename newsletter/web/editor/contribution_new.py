"""Somebody rang, or wrote a letter: an editor enters their news for them."""

from flask import flash, request
from werkzeug.wrappers import Response
from wtforms import BooleanField, EmailField, HiddenField, StringField, TelField, TextAreaField

from newsletter import clock
from newsletter.config import current_settings
from newsletter.db import transaction
from newsletter.domain.calls.handing_in import contributing
from newsletter.domain.calls.handing_in.contributing import Way
from newsletter.domain.calls.partners.senders import Sender
from newsletter.domain.calls.texts.items import Piece
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid, NotFound, TokenInvalid
from newsletter.i18n import gettext as _
from newsletter.models import Issue
from newsletter.tokens import Purpose, Signer
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems
from newsletter.web.form_bases import GuardedForm
from newsletter.web.lightmarkup import from_posted

from .room import blueprint, find_issue, page, to

_NEW = "/desk/issues/<slug>/contributions/new"


class EnterForm(GuardedForm):
    """A heading, a text, and whose it is."""

    opened = HiddenField()
    heading = StringField(_("Heading"))
    body = TextAreaField(
        _("Text"),
        description=_("An empty line starts a new paragraph. Begin a line with “- ” for a point in a list."),
        render_kw={"rows": 12},
    )
    agency = StringField(_("Their agency or team"), description=_("It is printed with the news."))
    contact_name = StringField(_("Their name"))
    contact_address = EmailField(_("Their email address"), description=_("They hear there what becomes of it."))
    contact_phone = TelField(_("Their phone number (optional)"))
    copy = BooleanField(_("Send them a copy now"))


@blueprint.route(_NEW, methods=["GET", "POST"])
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def contribution_new(slug: str) -> Response | tuple[str, int]:
    """Enter it. After the deadline it is kept as late, like anybody's, and can be taken in all the same."""
    issue = find_issue(slug, Permission.TRIAGE_CONTRIBUTIONS)
    if not issue.has_call:
        raise NotFound(_("No news is collected for this issue."))
    now, signer = clock.now(), Signer(current_settings().secret_keys)
    if request.method != "POST":
        form = EnterForm(formdata=None, copy=True, opened=signer.sign_instant(Purpose.CONTRIBUTION_FORM, now))
        return _page(issue, form)
    form = EnterForm()
    try:
        opened = min(signer.read_instant(Purpose.CONTRIBUTION_FORM, form.opened.data or ""), now)
    except TokenInvalid:
        opened = now
    sender = Sender(
        form.contact_name.data or "", form.contact_address.data or "", form.agency.data or "",
        form.contact_phone.data or "",
    )  # fmt: skip
    piece = Piece("section", {"heading": form.heading.data or "", "body": from_posted(form.body.data or "")})
    valid: bool = form.validate()
    try:
        if not valid:
            return _page(issue, form, 422)
        with transaction():
            outcome = contributing.hand_in(
                issue, piece, sender, opened_at=opened, now=now, copy=bool(form.copy.data),
                way=Way(actor=signed_in_account(), declared=True),
            )  # fmt: skip
            reference, late = outcome.contribution.reference, outcome.contribution.late
    except Invalid as error:
        put_problems(form, error)
        return _page(find_issue(slug), form, 422)
    said = _("It is kept as late: the deadline has passed. You can use it all the same.") if late else _("Entered.")
    flash(said, "notice" if late else "success")
    return to("contribution", reference=reference)


def _page(issue: Issue, form: EnterForm, status: int = 200) -> tuple[str, int]:
    return page("contribution_new.html", issue=issue, under="editor.contributions", status=status, form=form)
