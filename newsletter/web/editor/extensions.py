"""More time, on the editors' side: answered, given unasked, taken back."""

import uuid
from datetime import datetime

from flask import flash, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.calls.reminding import board, extending, extension_mails
from newsletter.domain.staff.permissions import Permission
from newsletter.errors import Invalid, NotFound, Problem, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Contribution, Extension, Issue
from newsletter.rendering import characters
from newsletter.states import ExtensionState
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems
from newsletter.web.reading_dates import Chosen

from .forms import NewIssueForm
from .room import blueprint, find_issue, page, to


class TimeForm(NewIssueForm):
    """Until when, and a word to them."""

    title = None
    planned_day = planned_time = planned_fold = None
    note = TextAreaField(
        _("A few words to them (optional)"),
        validators=[Length(max=1000, message=_("Use 1,000 characters or fewer"))],
        render_kw={"rows": 3},
    )

    def suggest(self, issue: Issue, wished: Extension | None, now: datetime) -> None:
        """What they asked for, or noon on the next working day."""
        asked = wished.deadline if wished else None
        ahead = asked if asked and asked.instant > now else None
        self.put_deadline("deadline", ahead or extending.suggested_end(issue, now))


class ForForm(TimeForm):
    """For everybody of an agency, or for one of its people."""

    whom = RadioField(_("For whom?"), validators=[Optional()], validate_choice=False)


@blueprint.route("/desk/issues/<slug>/call/time/<uuid:extension>", methods=["GET", "POST"])
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def call_time(slug: str, extension: uuid.UUID) -> Response | tuple[str, int]:
    """A question for more time: one button gives it. Afterwards, what became of it."""
    issue = find_issue(slug, Permission.TRIAGE_CONTRIBUTIONS)
    found, now = extending.find_extension(issue, extension), clock.now()
    form = TimeForm()
    if request.method == "GET":
        form.suggest(issue, found, now)
        return _time_page(issue, found, form)
    actor, note, refuse = signed_in_account(), form.note.data or "", request.form.get("do") == "refuse"
    valid = form.validate()
    until = None if refuse else _until(form, issue)
    if not valid or (until is None and not refuse):
        return _time_page(issue, found, form, status=422)
    try:
        with transaction():
            if until is None:
                extending.refuse(found, note=note, actor=actor, now=now)
                flash(_("Refused. They get a mail that says so."), "success")
            else:
                extending.grant(found, until.deadline, note=note, actor=actor, now=now)
                flash(_("They have until {when}, and are told.").format(when=until.words), "success")
        return to("call", slug=slug)
    except Refused as error:
        _put(form, error)
    return _time_page(issue, extending.find_extension(issue, extension), form, status=422)


@blueprint.post("/desk/issues/<slug>/call/time/<uuid:extension>/revoke")
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def call_time_revoke(slug: str, extension: uuid.UUID) -> Response:
    """Take back time that nobody has used."""
    issue = find_issue(slug, Permission.TRIAGE_CONTRIBUTIONS)
    found = extending.find_extension(issue, extension)
    try:
        with transaction():
            extending.revoke(found, actor=signed_in_account(), now=clock.now())
        flash(_("Taken back. They get a mail that says so."), "success")
    except Refused as error:
        flash(str(error), "problem")
    return to("call", slug=slug)


@blueprint.route("/desk/issues/<slug>/call/give/<uuid:key>", methods=["GET", "POST"])
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def call_give(slug: str, key: uuid.UUID) -> Response | tuple[str, int]:
    """More time, unasked, for an agency or one of its people, or for somebody without one."""
    issue, now = find_issue(slug, Permission.TRIAGE_CONTRIBUTIONS), clock.now()
    row = board.find_row(board.board(issue), str(key))
    if row is None:
        raise NotFound(_("They do not send in news here any more."))
    form = ForForm()
    people = {str(person.public_id): person for person in row.party.people}
    choices = [SelectChoice(number, person.name or person.address) for number, person in people.items()]
    if row.party.agency is not None:
        choices.insert(0, SelectChoice("agency", _("Everybody of {name}").format(name=row.name)))
    form.whom.choices = choices
    if request.method == "GET":
        form.suggest(issue, None, now)
        form.whom.data = choices[0].value
        return _give_page(issue, form, row.name)
    person = people.get(form.whom.data or "")
    if person is None and row.party.agency is None:
        person = row.party.people[0]
    valid = form.validate()
    until = _until(form, issue)
    if not valid or until is None:
        return _give_page(issue, form, row.name, status=422)
    try:
        with transaction():
            extending.give(
                issue, until.deadline, contributor=person, agency=None if person else row.party.agency,
                note=form.note.data or "", actor=signed_in_account(), now=now,
            )  # fmt: skip
        flash(_("{name}: until {when}. They are told.").format(name=row.name, when=until.words), "success")
        return to("call", slug=slug)
    except Refused as error:
        _put(form, error)
    return _give_page(find_issue(slug, Permission.TRIAGE_CONTRIBUTIONS), form, row.name, status=422)


@blueprint.route("/desk/contributions/<reference>/more-time", methods=["GET", "POST"])
@staff(Permission.TRIAGE_CONTRIBUTIONS)
def contribution_time(reference: str) -> Response | tuple[str, int]:
    """More time, unasked, for one contribution, from its own page."""
    typed = characters.one_line(reference).upper()
    piece = db.session.scalar(select(Contribution).where(Contribution.reference == typed))
    if piece is None:
        raise NotFound(_("There is no contribution with this reference."))
    issue, now = find_issue(piece.issue.slug, Permission.TRIAGE_CONTRIBUTIONS), clock.now()
    form, name = TimeForm(), piece.title or piece.contact_name
    if request.method == "GET":
        form.suggest(issue, None, now)
        return _give_page(issue, form, name)
    valid = form.validate()
    until = _until(form, issue)
    if not valid or until is None:
        return _give_page(issue, form, name, status=422)
    try:
        with transaction():
            extending.give(
                issue, until.deadline, contribution=piece, note=form.note.data or "", actor=signed_in_account(), now=now
            )
        flash(_("{name}: until {when}. They are told.").format(name=name, when=until.words), "success")
        return to("call", slug=issue.slug)
    except Refused as error:
        _put(form, error)
    return _give_page(find_issue(issue.slug, Permission.TRIAGE_CONTRIBUTIONS), form, name, status=422)


def _until(form: TimeForm, issue: Issue) -> Chosen | None:
    return form.read_moment("deadline", issue.mailing_list.timezone, required=True)


def _put(form: TimeForm, error: Refused) -> None:
    """Problems of the time stand at its fields, all others in the summary."""
    if isinstance(error, Invalid):
        fields = {"until": "deadline_day"}
        error = Invalid([Problem(fields.get(each.field, each.field), each.sentence) for each in error.problems])
        put_problems(form, error)
    else:
        form.form_errors = [*form.form_errors, str(error)]


def _time_page(issue: Issue, found: Extension, form: TimeForm, status: int = 200) -> tuple[str, int]:
    return page(
        "extension.html",
        issue=issue,
        extension=found,
        asked=found.state is ExtensionState.ASKED,
        refused=found.state is ExtensionState.REFUSED,
        granted=found.state is ExtensionState.GRANTED,
        who=extension_mails.holder(found),
        form=form,
        status=status,
    )


def _give_page(issue: Issue, form: TimeForm, name: str, status: int = 200) -> tuple[str, int]:
    return page(
        "extension_give.html", issue=issue, form=form, name=name, status=status,
        back=url_for("editor.call", slug=issue.slug),
    )  # fmt: skip
