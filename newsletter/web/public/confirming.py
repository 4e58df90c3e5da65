"""The two links in a confirmation: "yes" and "this wasn't me". Looking changes nothing; a button acts.

The rule is RFC 9110 §9.2.1: mail filters open links.
"""

from typing import Any

from flask import current_app, request
from werkzeug.wrappers import Response

from ... import clock
from ...db import transaction
from ...domain.subscribers import sign_ups, subscribing
from ...domain.subscribers.sign_ups import SignUpState
from ...errors import NotFound, Refused, TokenInvalid
from ...models import MailingList, SignUp
from ...tokens import Purpose, Signer
from ..access import public
from ..limits import cut_short
from .form_tokens import NAME, opened_at
from .room import blueprint, page

#: What each state is on the web. A link that is over is gone; what is done already is no error.
_STATUS = {SignUpState.EXPIRED: 410, SignUpState.REPLACED: 410, SignUpState.DISOWNED: 410}


@blueprint.route("/confirm/<token>", methods=["GET", "POST"])
@public
def confirm(token: str) -> Response:
    """Name the lists and offer one button; pressed, it subscribes."""
    sign_up = _sign_up(token, Purpose.CONFIRM)
    if sign_up is None:
        return _unknown()
    now = clock.now()
    state = sign_ups.state_of(sign_up, now)
    if state is not SignUpState.OPEN or request.method != "POST":
        return _confirm_page(sign_up, state, token)
    if opened_at(request.form.get(NAME, ""), now) is None:
        return _confirm_page(sign_up, state, token, 400)
    try:
        with transaction():
            done = subscribing.confirm(sign_up, now=now)
    except Refused:
        return _confirm_page(sign_up, sign_ups.state_of(sign_up, now), token)
    lists = list(done.lists)
    return page("confirmed", mailing_list=lists[0], sign_up=sign_up, lists=lists, already=done.already)


@blueprint.post("/confirm/<token>/again")
@public
def confirm_again(token: str) -> Response:
    """A new link in place of one that is over. The answer says nothing about what was sent."""
    sign_up = _sign_up(token, Purpose.CONFIRM)
    if sign_up is None:
        return _unknown()
    now = clock.now()
    state = sign_ups.state_of(sign_up, now)
    if opened_at(request.form.get(NAME, ""), now) is None:
        return _confirm_page(sign_up, state, token, 400)
    if state in (SignUpState.EXPIRED, SignUpState.REPLACED):
        with transaction():
            subscribing.ask_again(sign_up, network=cut_short(request.remote_addr), now=now)
    return page("sent_again", mailing_list=_first(sign_up), sign_up=sign_up)


@blueprint.route("/not-me/<token>", methods=["GET", "POST"])
@public
def not_me(token: str) -> Response:
    """Stop asking an address that somebody else typed in."""
    sign_up = _sign_up(token, Purpose.NOT_ME)
    if sign_up is None:
        return _unknown()
    now = clock.now()
    done = sign_ups.state_of(sign_up, now) is SignUpState.DISOWNED
    status = 200
    if request.method == "POST" and not done:
        if opened_at(request.form.get(NAME, ""), now) is None:
            status = 400
        else:
            with transaction():
                subscribing.disown(sign_up, now=now)
            done = True
    return page("not_me", status, mailing_list=_first(sign_up), sign_up=sign_up, done=done, token=token)


def _confirm_page(sign_up: SignUp, state: SignUpState, token: str, status: int | None = None) -> Response:
    lists = sign_ups.lists_of(sign_up)
    values: dict[str, Any] = {"sign_up": sign_up, "lists": lists, "token": token}
    if state is SignUpState.CONFIRMED:
        return page("confirmed", mailing_list=lists[0], already=True, **values)
    if state is SignUpState.OPEN:
        return page("confirm", status or 200, mailing_list=lists[0], **values)
    return page("confirm_over", status or _STATUS[state], mailing_list=lists[0], state=state.value, **values)


def _sign_up(token: str, purpose: Purpose) -> SignUp | None:
    signer: Signer = current_app.extensions["newsletter_signer"]
    try:
        return sign_ups.find_sign_up(signer.read_id(purpose, token))
    except (TokenInvalid, NotFound):
        return None


def _first(sign_up: SignUp) -> MailingList:
    return sign_ups.lists_of(sign_up)[0]


def _unknown() -> Response:
    return page("unknown_link", 404)
