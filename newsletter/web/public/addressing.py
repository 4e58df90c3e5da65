"""The three links of a change of address: enter the new one, say yes at the new one, take it back at the old one.

Looking changes nothing; a button acts (RFC 9110 §9.2.1: mail filters open links). What becomes of the address that
is entered shows in the mail alone (ASVS 6.3.8).
"""

import uuid
from datetime import datetime
from typing import Any

from flask import current_app, request
from werkzeug.wrappers import Response

from ... import clock
from ...db import transaction
from ...domain.subscribers import addressing, preferences
from ...domain.subscribers.addressing import ChangeState
from ...errors import Invalid, NotFound, Refused, TokenError, TokenExpired
from ...models import AddressChange, Subscriber
from ...tokens import Purpose, Signer
from ..access import public
from .asking import may_ask
from .form_tokens import NAME, QUICK, opened_at
from .forms import AddressForm
from .room import blueprint, page


@blueprint.route("/new-address/<token>", methods=["GET", "POST"])
@public
def new_address(token: str) -> Response:
    """The form for a new address, behind a link that was mailed to the present one within the hour."""
    now = clock.now()
    try:
        nonce = _id(Purpose.NEW_ADDRESS, token)
        link = addressing.find_link(nonce, now)
    except TokenExpired:
        return page("address_link_expired", 410)
    except (TokenError, NotFound):
        return page("unknown_link", 404)
    if link.change is not None:
        return _page("new_address_sent", link.subscriber, address="", used=True)
    form = AddressForm(request.form)
    if request.method != "POST":
        return _form_page(form, link.subscriber, token)
    valid, opened = form.validate(), opened_at(request.form.get(NAME, ""), now)
    if opened is None:
        return _form_page(form, link.subscriber, token, 400, again=valid)
    if not valid:
        return _form_page(form, link.subscriber, token, 422)
    try:
        _ask(nonce, form.address, opened, now)
    except Invalid as error:
        form.email.errors = [problem.sentence for problem in error.problems]
        return _form_page(form, link.subscriber, token, 422)
    except TokenError:
        return _page("new_address_sent", link.subscriber, address="", used=True)
    return _page("new_address_sent", link.subscriber, address=form.address, used=False)


def _ask(nonce: uuid.UUID, address: str, opened: datetime, now: datetime) -> None:
    if may_ask(address, quick=now - opened < QUICK, now=now):
        with transaction():
            addressing.ask(nonce, address, now=now)


def _form_page(
    form: AddressForm, subscriber: Subscriber, token: str, status: int = 200, *, again: bool = False
) -> Response:
    return _page("new_address", subscriber, status, form=form, present=subscriber.address, token=token, again=again)


@blueprint.route("/confirm-address/<token>", methods=["GET", "POST"])
@public
def confirm_address(token: str) -> Response:
    """Name the new address and offer one button; pressed, the emails go there."""
    change = _change(Purpose.CONFIRM_ADDRESS, token)
    if change is None:
        return page("unknown_link", 404)
    now = clock.now()
    state = addressing.state_of(change, now)
    if state is not ChangeState.OPEN or request.method != "POST":
        return _confirm_page(change, state, token)
    if opened_at(request.form.get(NAME, ""), now) is None:
        return _confirm_page(change, state, token, 400)
    try:
        with transaction():
            made = addressing.confirm(change, now=now)
    except Refused:
        return _confirm_page(change, addressing.state_of(change, now), token)
    return _page("address_confirmed", change.subscriber, address=change.new_address, already=not made)


def _confirm_page(change: AddressChange, state: ChangeState, token: str, status: int = 200) -> Response:
    subscriber, address = change.subscriber, change.new_address
    if state is ChangeState.CONFIRMED:
        return _page("address_confirmed", subscriber, address=address, already=True)
    if state is ChangeState.OPEN:
        lists = preferences.lists_of(subscriber)
        return _page("confirm_address", subscriber, status, address=address, lists=lists, token=token)
    return _page("address_change_over", subscriber, 410, state=state.value)


@blueprint.route("/undo-address/<token>", methods=["GET", "POST"])
@public
def undo_address(token: str) -> Response:
    """For the address that was left: one button takes it back."""
    change = _change(Purpose.UNDO_ADDRESS, token)
    if change is None or change.confirmed_at is None:
        return page("unknown_link", 404)
    now, status = clock.now(), 200
    if change.undone_at is None and not addressing.can_be_undone(change, now):
        return _page("address_undo_expired", change.subscriber, 410)
    if request.method == "POST" and change.undone_at is None:
        if opened_at(request.form.get(NAME, ""), now) is None:
            status = 400
        else:
            with transaction():
                addressing.undo(change, now=now)
    ends = addressing.undo_ends(change)
    return _page("undo_address", change.subscriber, status, change=change, ends=ends, token=token)


def _page(template: str, subscriber: Subscriber, status: int = 200, **values: Any) -> Response:
    """A page in the colours of the one list that the person gets, if it is one."""
    lists = preferences.lists_of(subscriber)
    return page(template, status, mailing_list=lists[0] if len(lists) == 1 else None, **values)


def _id(purpose: Purpose, token: str) -> uuid.UUID:
    signer: Signer = current_app.extensions["newsletter_signer"]
    return signer.read_id(purpose, token)


def _change(purpose: Purpose, token: str) -> AddressChange | None:
    try:
        return addressing.find_change(_id(purpose, token))
    except (TokenError, NotFound):
        return None
