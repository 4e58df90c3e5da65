"""Signing in with the organisation's account: there, and back here.

The way there is a page of its own that moves on by itself: a form that was redirected to another site would be stopped
by our policy (form-action), at whatever site the service sends people on to. The way back is a GET, which changes
nothing: its page has one button, which our script presses.
"""

import hmac
import logging

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue

from ... import clock
from ...config import current_settings
from ...db import transaction
from ...domain.staff import browser_sessions, identities
from ...errors import NotAllowed, NotFound, ProviderError
from ...i18n import gettext as _
from ...oidc.claims import Claims
from ...oidc.provider import Attempt, Provider
from ..access import public
from ..headers import private_page
from ..links import public_link
from ..sessions import browser_session
from . import steps, throttle
from .room import blueprint

_log = logging.getLogger(__name__)
_ATTEMPT, _NEXT = "organisation", "next"


@blueprint.post("/sign-in/organisation")
@public
def to_organisation() -> ResponseReturnValue:
    """Remember who we are talking to, and send them on."""
    provider, now = _provider(), clock.now()
    if not throttle.may_begin_elsewhere(request.remote_addr, now):
        return _failed(_(throttle.TOO_OFTEN), 429)
    attempt = Attempt(anew="anew" in request.form)
    try:
        address = provider.where_to(attempt, _way_back())
    except ProviderError as error:
        return _failed(str(error), 502)
    with transaction():
        step = browser_sessions.start_step(
            {_ATTEMPT: attempt.as_json(), _NEXT: steps.safe_path(request.form.get("next", ""))}, now=now
        )
    browser_session().begin(step)
    page = private_page(render_template("account/to_organisation.html", address=address))
    page.headers["Refresh"] = f"0; url={address}"
    return page


@blueprint.get("/sign-in/organisation/back")
@public
def back_from_organisation() -> ResponseReturnValue:
    """They are back. Nothing happens yet: whoever looks at this address only looks."""
    _provider()
    if request.args.get("error"):
        return _failed(_("You were not signed in there. Nothing has changed here; try again."), 422)
    code, state = request.args.get("code", "")[:4096], request.args.get("state", "")[:200]
    return private_page(render_template("account/from_organisation.html", code=code, state=state))


@blueprint.post("/sign-in/organisation/back")
@public
def arrive() -> ResponseReturnValue:
    """Ask the service who it is, and sign them in here."""
    provider = _provider()
    attempt, next_path = _attempt()
    if attempt is None or not hmac.compare_digest(attempt.state.encode(), request.form.get("state", "").encode()):
        return _failed(_("This sign-in was not begun in this browser, or too long ago. Start again."), 422)
    try:
        claims = provider.who_came(request.form.get("code", ""), attempt, _way_back())
        return _sign_in(claims, next_path, anew=attempt.anew)
    except ProviderError as error:
        _log.warning("A sign-in by the organisation's service failed: %s", error)
        return _failed(str(error), 502)
    except NotAllowed as error:
        return _failed(str(error), 403)


@blueprint.get("/sign-out/done")
@public
def signed_out() -> ResponseReturnValue:
    """Signed out here, and maybe not there: the way there, if the service has one, is the person's to take."""
    try:
        address = _provider().where_to_sign_out(public_link("account.sign_in"))
    except ProviderError as error:
        _log.warning("The organisation's service cannot be asked where to sign out: %s", error)
        address = ""
    return private_page(render_template("account/signed_out.html", address=address))


def _sign_in(claims: Claims, next_path: str, *, anew: bool) -> ResponseReturnValue:
    """In, or on to our own second step where the service did not take two."""
    with transaction():
        account = identities.sign_in_as(claims, clock.now())
        enough = claims.two_steps or current_settings().oidc_second_step == "there"
        session_id = steps.finish(account, how=steps.ORGANISATION) if enough else None
        if session_id is not None and anew:
            browser_sessions.note_proof(session_id, clock.now())
    if session_id is None:
        return steps.begin(account, next_path, through=steps.ORGANISATION)
    browser_session().begin(session_id)
    return steps.on_the_way(next_path)


def _attempt() -> tuple[Attempt | None, str]:
    """What this browser began, taken for good: a code that comes twice finds nothing."""
    session_id = browser_session().id
    if session_id is None:
        return None, ""
    with transaction():
        data = browser_sessions.use_step(session_id, clock.now())
    browser_session().end()
    if data is None or _ATTEMPT not in data:
        return None, ""
    return Attempt(**data[_ATTEMPT]), str(data.get(_NEXT, ""))


def _failed(sentence: str, status: int) -> ResponseReturnValue:
    return private_page(render_template("account/organisation_failed.html", sentence=sentence), status)


def _provider() -> Provider:
    settings = current_settings()
    if settings.oidc_issuer is None:
        raise NotFound(_("There is no such page here."))
    known: Provider | None = current_app.extensions.get("newsletter_sign_in_service")
    if known is None:
        known = current_app.extensions["newsletter_sign_in_service"] = Provider(settings)
    return known


def _way_back() -> str:
    return public_link("account.back_from_organisation")
