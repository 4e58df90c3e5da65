"""Partner agencies: which there are, who sends in their news, who asks to."""

from uuid import UUID

from flask import flash, request, url_for
from werkzeug.wrappers import Response

from newsletter import clock
from newsletter.db import db, transaction
from newsletter.domain.calls.partners import agencies as the_agencies
from newsletter.domain.calls.partners import asking_in, contributors
from newsletter.domain.calls.partners.agencies import MANAGE
from newsletter.domain.staff import mailing_lists
from newsletter.domain.staff.permissions import Permission, may_anywhere
from newsletter.errors import Invalid, NotFound, Refused
from newsletter.i18n import gettext as _
from newsletter.models import Account, Agency, MailingList
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems

from .people_forms import AgencyForm
from .room import blueprint, page, to

UNDER = "editor.contributions"


@blueprint.get("/desk/agencies")
@staff(MANAGE)
def agencies() -> tuple[str, int]:
    """All of them, with who asks to be taken in above."""
    me = signed_in_account()
    everyone = the_agencies.agencies_for(me)
    return page(
        "agencies.html",
        under=UNDER,
        rows=[_row(one) for one in everyone if one.ended_at is None],
        ended=[one for one in everyone if one.ended_at is not None],
        asking=asking_in.waiting(),
        without_agency=len(contributors.without_agency()),
        in_use=the_agencies.in_use(),
        may_switch_on=may_anywhere(me, Permission.MANAGE_LISTS),
        lists=mailing_lists.all_lists(),
    )


def way_to_agencies(me: Account) -> str:
    """The address of the page above, for whoever may open it once a list uses agencies or somebody asks; else ""."""
    wanted = the_agencies.in_use() or bool(asking_in.waiting())
    return url_for("editor.agencies") if wanted and may_anywhere(me, MANAGE) else ""


def _row(agency: Agency) -> dict[str, object]:
    people = the_agencies.people_of(agency)
    return {
        "agency": agency,
        "people": len(people),
        "here": sum(person.proved_at is not None for person in people),
        "leads": [person.name or person.address for person in people if person.lead],
        "list": db.session.get(MailingList, agency.list_id) if agency.list_id else None,
    }


def scopes() -> list[tuple[str, str]]:
    """Which lists an agency may be for: "" for all, and each one's slug, as far as this person may say."""
    return [("", _("All newsletters")), *((one.slug, one.name) for one in the_agencies.lists_of(signed_in_account()))]


def scope(slug: str | None) -> MailingList | None:
    """The list of a scope; None for all of them."""
    return mailing_lists.find_list(slug) if slug else None


def find(public_id: UUID) -> Agency:
    """The agency, if this person may look after it. Raises NotFound, NotAllowed."""
    found = the_agencies.find(public_id)
    the_agencies.require_manage(signed_in_account(), found)
    return found


@blueprint.route("/desk/agencies/new", methods=["GET", "POST"])
@staff(MANAGE)
def new_agency() -> tuple[str, int] | Response:
    """One more."""
    form = AgencyForm(request.form)
    form.scope.choices = scopes()
    if request.method != "POST" or not form.validate():
        return _form_page(form, status=200 if request.method != "POST" else 422)
    try:
        with transaction():
            made = the_agencies.create(
                form.name.data or "", scope(form.scope.data), actor=signed_in_account(), now=clock.now()
            )
    except Invalid as error:
        put_problems(form, error)
        return _form_page(form, status=422)
    flash(_("%(name)s is there. Invite the people who send in its news.") % {"name": made.name}, "success")
    return to("agency", public_id=made.public_id)


@blueprint.route("/desk/agencies/<uuid:public_id>/change", methods=["GET", "POST"])
@staff(MANAGE)
def change_agency(public_id: UUID) -> tuple[str, int] | Response:
    """Another name, other lists."""
    agency = find(public_id)
    own = db.session.get(MailingList, agency.list_id) if agency.list_id else None
    form = AgencyForm(request.form, name=agency.name, scope=own.slug if own else "")
    form.scope.choices = scopes()
    if request.method != "POST" or not form.validate():
        return _form_page(form, agency, status=200 if request.method != "POST" else 422)
    try:
        with transaction():
            the_agencies.change(
                agency, form.name.data or "", scope(form.scope.data), actor=signed_in_account(), now=clock.now()
            )
    except Invalid as error:
        put_problems(form, error)
        return _form_page(form, agency, status=422)
    flash(_("Saved."), "success")
    return to("agency", public_id=public_id)


def _form_page(form: AgencyForm, agency: Agency | None = None, *, status: int) -> tuple[str, int]:
    return page("agency_form.html", under=UNDER, status=status, form=form, agency=agency)


@blueprint.get("/desk/agencies/<uuid:public_id>")
@staff(MANAGE)
def agency(public_id: UUID) -> tuple[str, int]:
    """One agency and its people."""
    found = find(public_id)
    everybody = the_agencies.people_of(found, even_ended=True)
    mailing_list = db.session.get(MailingList, found.list_id) if found.list_id else None
    return page(
        "agency.html",
        under=UNDER,
        agency=found,
        list=mailing_list,
        people=[one for one in everybody if one.ended_at is None],
        ended=[one for one in everybody if one.ended_at is not None],
    )


@blueprint.post("/desk/agencies/<uuid:public_id>/<word>")
@staff(MANAGE)
def end_or_resume_agency(public_id: UUID, word: str) -> Response:
    """It has left; or it is back."""
    found = find(public_id)
    act = {"end": the_agencies.end, "resume": the_agencies.resume}.get(word)
    if act is None:
        raise NotFound(_("There is no such page."))
    try:
        with transaction():
            act(found, actor=signed_in_account(), now=clock.now())
    except Refused as error:
        flash(str(error), "problem")
    else:
        sentence = _("%(name)s has left.") if word == "end" else _("%(name)s is back, with its people.")
        flash(sentence % {"name": found.name}, "success")
    return to("agency", public_id=public_id)
