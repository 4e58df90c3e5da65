"""Bringing in a list of agencies and people: looked through first, taken in whole, undone by one button."""

from flask import flash, request
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.calls.partners import agency_import
from newsletter.domain.calls.partners.agencies import MANAGE
from newsletter.domain.calls.partners.agency_import import Plan
from newsletter.errors import Invalid, NotFound, Problem, Refused
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Activity
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems

from .agencies import UNDER, scope, scopes
from .people_forms import ImportForm
from .room import blueprint, page, to

_LARGEST = 1024 * 1024


@blueprint.route("/desk/agencies/import", methods=["GET", "POST"])
@staff(MANAGE)
def import_agencies() -> tuple[str, int] | Response:
    """Paste or choose a file; what it would do; and do it."""
    form = ImportForm(request.form)
    form.scope.choices = scopes()
    if request.method != "POST":
        form.invite.data = True
        return _page(form)
    try:
        form.text.data = _text(form)
        found = agency_import.plan(form.text.data, signed_in_account())
    except Invalid as error:
        put_problems(form, error)
        return _page(form, status=422)
    if not form.validate() or found.problems or request.form.get("do") != "take-in":
        return _page(form, found, 422 if found.problems else 200)
    try:
        with transaction():
            done, entry = agency_import.take_in(
                form.text.data,
                scope(form.scope.data),
                invite=bool(form.invite.data),
                actor=signed_in_account(),
                now=clock.now(),
            )
    except Invalid as error:
        put_problems(form, error)
        return _page(form, status=422)
    flash(words(done), "success")
    return to("imported_agencies", number=entry.id)


def _text(form: ImportForm) -> str:
    """What was pasted, or stands in the file. Raises Invalid for a file that is too large."""
    upload = request.files.get("file")
    raw = upload.read(_LARGEST + 1) if upload is not None and upload.filename else b""
    if len(raw) > _LARGEST:
        raise Invalid([Problem("file", _("The file is larger than 1 MB. Save it as CSV"))])
    return agency_import.text_of(raw) if raw else form.text.data or ""


def words(found: Plan) -> str:
    """ "4 agencies and 12 people." """
    agencies = ngettext("%(num)s new agency", "%(num)s new agencies", len(found.new_agencies))
    people = ngettext("%(num)s new person", "%(num)s new people", len(found.new_people))
    return _("{agencies} and {people}.").format(
        agencies=agencies % {"num": len(found.new_agencies)}, people=people % {"num": len(found.new_people)}
    )


def _page(form: ImportForm, found: Plan | None = None, status: int = 200) -> tuple[str, int]:
    return page(
        "agencies_import.html",
        under=UNDER,
        status=status,
        form=form,
        found=found,
        sentence=words(found) if found else "",
        problems=[
            Problem("text", _("Line {number}: {why}").format(number=number, why=why))
            for number, why in (found.problems if found else [])
        ],
    )


def _entry(number: int) -> Activity:
    entry = db.session.get(Activity, number)
    me = signed_in_account()
    if entry is None or entry.action != agency_import.IMPORTED or entry.actor_id != me.id:
        raise NotFound(_("There is no such list of yours."))
    return entry


@blueprint.get("/desk/agencies/imported/<int:number>")
@staff(MANAGE)
def imported_agencies(number: int) -> tuple[str, int]:
    """What came in, and the way back."""
    entry = _entry(number)
    return page("agencies_imported.html", under=UNDER, entry=entry)


@blueprint.post("/desk/agencies/imported/<int:number>/undo")
@staff(MANAGE)
def undo_import(number: int) -> Response:
    """End what came in."""
    entry = _entry(number)
    try:
        with transaction():
            ended = agency_import.undo(entry, actor=signed_in_account(), now=clock.now())
    except Refused as error:
        flash(str(error), "problem")
    else:
        sentence = ngettext("Undone: %(num)s person has no access.", "Undone: %(num)s people have no access.", ended)
        flash(sentence % {"num": ended}, "success")
    return to("agencies")
