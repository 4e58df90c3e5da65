"""One person who sends in news: invited, taken in, moved, signed out, ended; what they sent handed on."""

from uuid import UUID

from flask import flash, request
from werkzeug.wrappers import Response
from wtforms import SelectField

from newsletter import clock
from newsletter.db import transaction
from newsletter.domain.calls.partners import agencies, asking_in, contributor_sessions, contributors
from newsletter.domain.calls.partners.agencies import MANAGE
from newsletter.domain.staff.permissions import Permission, may
from newsletter.domain.subscribers import forgetting
from newsletter.errors import Invalid, NotAllowed, NotFound, Refused
from newsletter.i18n import gettext as _
from newsletter.i18n import ngettext
from newsletter.models import Agency, Contributor
from newsletter.web.access import signed_in_account, staff
from newsletter.web.fields import put_problems
from newsletter.web.people_acts import ACTS, perform

from .agencies import UNDER
from .people_forms import AcceptForm, InvitePersonForm, PersonForm, RefuseForm
from .room import blueprint, page, to


@blueprint.get("/desk/contributors", endpoint="contributors")
@staff(MANAGE)
def everybody() -> tuple[str, int]:
    """Everybody who sends in news, by agency, and whoever belongs to none."""
    me = signed_in_account()
    mine = [one for one in contributors.everybody() if agencies.asked_to_manage_by(one.agency, me)]
    return page(
        "contributors_people.html",
        under=UNDER,
        people=[one for one in mine if one.ended_at is None],
        ended=[one for one in mine if one.ended_at is not None],
    )


def _find(public_id: UUID) -> Contributor:
    found = contributors.find(public_id)
    contributors.require_manage(signed_in_account(), found)
    return found


def _choose_agency(field: SelectField) -> None:
    """Offer the agencies that this person looks after, and none at all."""
    mine = [one for one in agencies.agencies_for(signed_in_account()) if one.ended_at is None]
    field.choices = [("", _("None")), *((str(one.public_id), one.name) for one in mine)]


def _agency(chosen: str | None) -> Agency | None:
    return agencies.find(UUID(chosen)) if chosen else None


@blueprint.route("/desk/contributors/invite", methods=["GET", "POST"])
@staff(MANAGE)
def invite_contributor() -> tuple[str, int] | Response:
    """Somebody more; `?agency=` says for whom."""
    form = InvitePersonForm(request.form, agency=request.args.get("agency", ""))
    _choose_agency(form.agency)
    if request.method != "POST" or not form.validate():
        return page("contributor_invite.html", under=UNDER, form=form, status=200 if request.method != "POST" else 422)
    try:
        address, removed = contributors.typed_address(form.email.data or "", field="email")
        with transaction():
            person = contributors.invite(
                address,
                _agency(form.agency.data),
                name=form.name.data or "",
                lead=bool(form.lead.data),
                by=signed_in_account(),
                now=clock.now(),
            )
    except Invalid as error:
        put_problems(form, error)
        return page("contributor_invite.html", under=UNDER, form=form, status=422)
    sentence = _("An invitation is on its way to %(address)s.") % {"address": address}
    flash(f"{sentence} {removed}".strip(), "success")
    if person.agency is not None:
        return to("agency", public_id=person.agency.public_id)
    return to("contributors")


@blueprint.route("/desk/contributors/<uuid:public_id>", methods=["GET", "POST"])
@staff(MANAGE)
def contributor(public_id: UUID) -> tuple[str, int] | Response:
    """One person. While they ask to be taken in: whether to."""
    person = _find(public_id)
    if person.approved_at is None and person.ended_at is None and person.asked_words:
        return _asking_page(person)
    form = PersonForm(
        request.form,
        name=person.name,
        agency=str(person.agency.public_id) if person.agency else "",
        lead=person.lead,
    )
    _choose_agency(form.agency)
    if request.method != "POST" or not form.validate():
        return _person_page(person, form, 200 if request.method != "POST" else 422)
    try:
        with transaction():
            contributors.change(
                person,
                name=form.name.data or "",
                agency=_agency(form.agency.data),
                lead=bool(form.lead.data),
                by=signed_in_account(),
                now=clock.now(),
            )
    except Invalid as error:
        put_problems(form, error)
        return _person_page(person, form, 422)
    flash(_("Saved."), "success")
    return to("contributor", public_id=public_id)


def _person_page(person: Contributor, form: PersonForm, status: int) -> tuple[str, int]:
    colleagues = agencies.people_of(person.agency) if person.agency else []
    return page(
        "contributor_person.html",
        under=UNDER,
        status=status,
        person=person,
        form=form,
        browsers=contributor_sessions.of(person, clock.now()),
        sent=contributors.number_sent(person),
        may_forget=may(signed_in_account(), Permission.MANAGE_SUBSCRIBERS),
        others=[
            {"value": str(one.public_id), "text": one.name or one.address} for one in colleagues if one.id != person.id
        ],
    )


def _asking_page(person: Contributor, refuse: RefuseForm | None = None, status: int = 200) -> tuple[str, int]:
    likely = asking_in.likely_agency(person)
    accept = AcceptForm(agency=str(likely.public_id) if likely else "")
    _choose_agency(accept.agency)
    return page(
        "contributor_asks.html",
        under=UNDER,
        status=status,
        person=person,
        accept=accept,
        form=refuse or RefuseForm(),
    )


@blueprint.post("/desk/contributors/<uuid:public_id>/accept")
@staff(MANAGE)
def accept_contributor(public_id: UUID) -> Response:
    """Take them in."""
    person = _find(public_id)
    form = AcceptForm(request.form)
    _choose_agency(form.agency)
    if not form.validate():
        raise NotFound(_("There is no such agency."))
    try:
        with transaction():
            asking_in.accept(person, _agency(form.agency.data), actor=signed_in_account(), now=clock.now())
    except Refused as error:
        flash(str(error), "problem")
    else:
        flash(_("%(name)s is taken in, and told so.") % {"name": person.name or person.address}, "success")
    return to("contributor", public_id=public_id)


@blueprint.post("/desk/contributors/<uuid:public_id>/refuse")
@staff(MANAGE)
def refuse_contributor(public_id: UUID) -> tuple[str, int] | Response:
    """Do not take them in."""
    person, form = _find(public_id), RefuseForm(request.form)
    try:
        with transaction():
            asking_in.refuse(person, form.reason.data or "", actor=signed_in_account(), now=clock.now())
    except Invalid as error:
        put_problems(form, error)
        return _asking_page(person, form, 422)
    except Refused as error:
        flash(str(error), "problem")
    else:
        flash(_("%(name)s is not taken in, and told why.") % {"name": person.name or person.address}, "success")
    return to("agencies")


@blueprint.post("/desk/contributors/<uuid:public_id>/hand-over")
@staff(MANAGE)
def hand_over_contributions(public_id: UUID) -> Response:
    """What they sent becomes a colleague's."""
    person = _find(public_id)
    try:
        heir = contributors.find(UUID(request.form.get("to", "")))
    except ValueError:
        raise NotFound(_("Choose somebody of the same agency.")) from None
    try:
        with transaction():
            number = contributors.hand_over(person, heir, by=signed_in_account(), now=clock.now())
    except Refused as error:
        flash(str(error), "problem")
    else:
        sentence = ngettext("%(number)s text is %(who)s’s now.", "%(number)s texts are %(who)s’s now.", number)
        flash(sentence % {"number": number, "who": heir.name or heir.address}, "success")
    return to("contributor", public_id=public_id)


@blueprint.route("/desk/contributors/<uuid:public_id>/forget", methods=["GET", "POST"])
@staff(MANAGE)
def forget_contributor(public_id: UUID) -> tuple[str, int] | Response:
    """Erase a person, after a page that says what goes and what stays."""
    person, me = _find(public_id), signed_in_account()
    if not may(me, Permission.MANAGE_SUBSCRIBERS):
        raise NotAllowed(_("Only somebody with a role on all lists may erase a person."))
    if request.method != "POST":
        return page("contributor_forget.html", under=UNDER, person=person)
    with transaction():
        forgetting.erase_address(person.address, route="staff", now=clock.now(), actor=me)
    flash(_("Forgotten. What they sent in is kept, without their name."), "success")
    return to("contributors")


@blueprint.post("/desk/contributors/<uuid:public_id>/<word>")
@staff(MANAGE)
def change_contributor(public_id: UUID, word: str) -> Response:
    """One button about one person (see people_acts)."""
    person = _find(public_id)
    if word not in ACTS:
        raise NotFound(_("There is no such page."))
    try:
        with transaction():
            sentence = perform(word, person, by=signed_in_account(), now=clock.now())
    except Refused as error:
        flash(str(error), "problem")
    else:
        flash(sentence, "success")
    return to("contributor", public_id=public_id)
