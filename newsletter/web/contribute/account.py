"""A contributor's own account: who they are, where they are signed in; and asking to be taken in."""

from datetime import datetime

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from ... import clock
from ...db import transaction
from ...domain.calls.partners import asking_in, contributor_sessions, contributors
from ...errors import Invalid
from ...i18n import gettext as _
from ...models import Contributor
from ..access import public
from ..fields import put_problems
from .access import for_contributors, session_id, sign_browser_out, signed_in_contributor
from .people_forms import AskForm, OwnForm
from .room import blueprint, key_page, other_calls


@blueprint.route("/contribute/account", methods=["GET", "POST"])
@public
@for_contributors
def account() -> Response:
    """Name and phone to change; agency, browsers and the way out."""
    person, now = signed_in_contributor(), clock.now()
    if request.method != "POST":
        return _account_page(person, OwnForm(obj=person), now)
    form = OwnForm(request.form)
    try:
        with transaction():
            contributors.change_own(person, name=form.name.data or "", phone=form.phone.data or "", now=now)
    except Invalid as error:
        put_problems(form, error)
        return _account_page(person, form, now, 422)
    flash(_("Saved."), "success")
    return redirect(url_for(".account"), 303)


def _account_page(person: Contributor, form: OwnForm, now: datetime, status: int = 200) -> Response:
    here = session_id() or ""
    browsers = [(one, contributor_sessions.is_of(one, here)) for one in contributor_sessions.of(person, now)]
    return key_page("account", status, form=form, browsers=browsers, calls=other_calls(now))


@blueprint.post("/contribute/account/sign-out-everywhere")
@public
@for_contributors
def sign_out_everywhere() -> Response:
    """Every browser forgets them, this one too."""
    person = signed_in_contributor()
    with transaction():
        contributors.sign_out_everywhere(person, by=person, now=clock.now())
    return sign_browser_out(redirect(url_for(".signed_out"), 303))


@blueprint.get("/contribute/signed-out")
@public
def signed_out() -> Response:
    """What is left to do for somebody who has signed out."""
    return key_page("signed_out")


@blueprint.route("/contribute/ask", methods=["GET", "POST"])
@public
@for_contributors
def ask_in() -> Response:
    """Somebody whom nobody has invited says for whom they send news."""
    person = signed_in_contributor()
    if person.approved_at is not None:
        return redirect(url_for(".account"), 303)
    form = AskForm(request.form, name=person.name, words=person.asked_words)
    if request.method != "POST":
        return key_page("ask_in", form=form, asked=bool(person.asked_words))
    try:
        with transaction():
            asking_in.ask(person, name=form.name.data or "", words=form.words.data or "", now=clock.now())
    except Invalid as error:
        put_problems(form, error)
        return key_page("ask_in", 422, form=form, asked=bool(person.asked_words))
    flash(_("The editors are told. They write to you."), "success")
    return redirect(url_for(".account"), 303)
