"""A lead looks after the people of the own agency: invites, ends, hands on what somebody sent."""

import uuid

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from ... import clock
from ...db import transaction
from ...domain.calls.partners import agencies, contributor_sessions, contributors
from ...errors import Invalid, NotFound, Refused
from ...i18n import gettext as _
from ...i18n import ngettext
from ...models import Agency, Contributor
from ..access import public
from ..fields import put_problems
from ..people_acts import ACTS, perform
from .access import for_contributors, signed_in_contributor
from .people_forms import InviteColleagueForm
from .proof_limits import may_invite
from .room import blueprint, key_page


def _own_agency() -> tuple[Contributor, Agency]:
    """The lead and their agency; for all others there is no such page. Raises NotFound."""
    lead = signed_in_contributor()
    if lead.agency is None or not agencies.may_manage(lead, lead.agency):
        raise NotFound(_("This page is for who leads an agency’s contributors."))
    return lead, lead.agency


def _colleague(person_id: uuid.UUID) -> tuple[Contributor, Contributor]:
    """The lead, and somebody of the same agency. Raises NotFound for anybody else."""
    lead, own = _own_agency()
    person = contributors.find(person_id)
    if person.agency_id != own.id:
        raise NotFound(_("There is no such person in your agency."))
    return lead, person


@blueprint.get("/contribute/agency")
@public
@for_contributors
def agency() -> Response:
    """Who sends in the agency's news."""
    lead, own = _own_agency()
    everybody = agencies.people_of(own, even_ended=True)
    return key_page(
        "agency",
        agency=own,
        lead=lead,
        people=[one for one in everybody if one.ended_at is None],
        ended=[one for one in everybody if one.ended_at is not None],
    )


@blueprint.route("/contribute/agency/invite", methods=["GET", "POST"])
@public
@for_contributors
def invite_colleague() -> Response:
    """Somebody more."""
    lead, own = _own_agency()
    form, now = InviteColleagueForm(request.form), clock.now()
    if request.method != "POST":
        return key_page("invite_colleague", form=form, agency=own)
    if not may_invite(own.id, now):
        form.email.errors = [_("That is a lot of invitations for one day. Go on tomorrow, or ask the editors.")]
        return key_page("invite_colleague", 429, form=form, agency=own)
    try:
        address, removed = contributors.typed_address(form.email.data or "", field="email")
        with transaction():
            contributors.invite(address, own, name=form.name.data or "", lead=bool(form.lead.data), by=lead, now=now)
    except Invalid as error:
        put_problems(form, error)
        return key_page("invite_colleague", 422, form=form, agency=own)
    except Refused as error:
        form.email.errors = [str(error)]
        return key_page("invite_colleague", 422, form=form, agency=own)
    sentence = _("An invitation is on its way to {address}.").format(address=address)
    flash(f"{sentence} {removed}".strip(), "success")
    return redirect(url_for(".agency"), 303)


@blueprint.get("/contribute/agency/<uuid:person_id>")
@public
@for_contributors
def colleague(person_id: uuid.UUID) -> Response:
    """One person, and what their lead can do about them."""
    lead, person = _colleague(person_id)
    others = [one for one in agencies.people_of(_own_agency()[1]) if one.id != person.id]
    return key_page(
        "colleague",
        person=person,
        lead=lead,
        others=[{"value": str(one.public_id), "text": one.name or one.address} for one in others],
        sent=contributors.number_sent(person),
        browsers=len(contributor_sessions.of(person, clock.now())),
    )


@blueprint.post("/contribute/agency/<uuid:person_id>/<word>")
@public
@for_contributors
def change_colleague(person_id: uuid.UUID, word: str) -> Response:
    """One button about one person (see people_acts)."""
    lead, person = _colleague(person_id)
    if word not in ACTS:
        raise NotFound(_("There is no such page."))
    try:
        with transaction():
            sentence = perform(word, person, by=lead, now=clock.now())
    except Refused as error:
        flash(str(error), "problem")
    else:
        flash(sentence, "success")
    return redirect(url_for(".colleague", person_id=person_id), 303)


@blueprint.post("/contribute/agency/<uuid:person_id>/hand-over")
@public
@for_contributors
def hand_over(person_id: uuid.UUID) -> Response:
    """What they sent becomes a colleague's."""
    lead, person = _colleague(person_id)
    try:
        to = contributors.find(uuid.UUID(request.form.get("to", "")))
    except ValueError:
        raise NotFound(_("Choose somebody of your agency.")) from None
    try:
        with transaction():
            number = contributors.hand_over(person, to, by=lead, now=clock.now())
    except Refused as error:
        flash(str(error), "problem")
    else:
        sentence = ngettext("%(number)s text is %(who)s’s now.", "%(number)s texts are %(who)s’s now.", number)
        flash(sentence % {"number": number, "who": to.name or to.address}, "success")
    return redirect(url_for(".colleague", person_id=person_id), 303)
