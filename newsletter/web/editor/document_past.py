"""An issue that went out before: brought in as a document, looked at, and put in the archive under its own day."""

from collections.abc import Sequence
from datetime import date

from flask import flash, request, url_for
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length

from newsletter import clock, dates
from newsletter.db import transaction
from newsletter.domain.issues import past
from newsletter.domain.issues.approving import prepare
from newsletter.domain.issues.documents import keeping, remade, with_stored_pictures
from newsletter.domain.staff.permissions import Permission, require
from newsletter.errors import Invalid, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Issue, MailingList
from newsletter.states import EDITABLE_STATES
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems
from newsletter.web.reading_dates import Unreadable, read_day

from .document import DocumentForm
from .room import blueprint, find_issue, lists_for, page, to


class PastForm(DocumentForm):
    """A past issue: which list's, its title, its day, its words."""

    list = SelectField(_("List"))
    title = StringField(
        _("Title"),
        description=_("What it was called, such as December 2017"),
        validators=[DataRequired(_("Give the issue a title, such as December 2017")), Length(max=120)],
    )
    day = StringField(
        _("Day it went out"), description=_("For example, 4 December 2017"), render_kw={"autocomplete": "off"}
    )

    def read_day(self) -> date | None:
        """The day; None with the reason at its field."""
        try:
            return read_day(self.day.data or "")
        except Unreadable as error:
            self.day.errors = [*self.day.errors, str(error)]
            return None


@blueprint.route("/desk/past", methods=["GET", "POST"])
@staff(Permission.EDIT_ISSUES)
def past_new() -> Response | tuple[str, int]:
    lists = lists_for(signed_in_account(), Permission.EDIT_ISSUES)
    form = PastForm()
    form.list.choices = [(each.slug, each.name) for each in lists]
    if request.method == "GET" or not lists:
        return _new_page(form, lists)
    valid = form.validate()
    day, document = form.read_day(), form.read()
    chosen = next((each for each in lists if each.slug == form.list.data), None)
    if not valid or day is None or document is None or chosen is None:
        return _new_page(form, lists, 422)
    require(signed_in_account(), Permission.EDIT_ISSUES, chosen)
    made, actor, now = remade(document.pictures), signed_in_account(), clock.now()
    try:
        with transaction():
            issue = past.begin_past_issue(chosen, title=form.title.data, day=day, actor=actor, now=now)
            document = with_stored_pictures(document, made, actor=actor, now=now)
            row = keeping.keep_document(issue, document, name=form.name, actor=actor, now=now)
            slug, read_id = issue.slug, row.public_id
    except Invalid as error:
        put_problems(form, error)
        return _new_page(form, lists, 422)
    return to("issue_document_found", slug=slug, read_id=read_id)


def _new_page(form: PastForm, lists: Sequence[MailingList], status: int = 200) -> tuple[str, int]:
    return page("document_past_new.html", form=form, lists=lists, status=status, under="editor.issues")


@blueprint.get("/desk/issues/<slug>/past")
@staff(Permission.VIEW_ISSUES)
def issue_past(slug: str) -> Response | tuple[str, int]:
    """A past issue as it will stand in the archive, and the button that puts it there."""
    issue = find_issue(slug)
    return _past_page(issue) if issue.archive_only else to("issue", slug=slug)


@blueprint.post("/desk/issues/<slug>/past", endpoint="issue_past_publish")
@staff(Permission.SCHEDULE_ISSUES)
def publish(slug: str) -> Response | tuple[str, int]:
    issue = find_issue(slug, Permission.SCHEDULE_ISSUES)
    now = clock.now()
    try:
        prepared = prepare(issue, now)
        with transaction():
            past.publish_past(issue, prepared, actor=signed_in_account(), now=now)
    except (Refused, Invalid) as error:
        return _past_page(find_issue(slug), str(error), 422)
    flash(_("It is in the archive."), "success")
    return to("issue_past", slug=slug)


def _past_page(issue: Issue, problem: str = "", status: int = 200) -> tuple[str, int]:
    went_out = issue.published_at or issue.planned_at or issue.created_at
    return page(
        "document_past.html",
        issue=issue,
        status=status,
        problem=problem,
        day=dates.local(went_out, issue.mailing_list.timezone).date(),
        editable=issue.state in EDITABLE_STATES,
        written=len(issue.blocks) > len(("masthead", "in_this_issue", "footer")),
        preview_url=url_for("editor.issue_preview", slug=issue.slug, form="web", v=issue.content_version),
    )
