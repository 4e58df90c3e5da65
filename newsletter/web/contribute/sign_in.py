"""Signing in without a password: ask for a mail, then press its button or type its six digits.

Whether an address is known shows nowhere: every address is sent the same mail by the same steps, and proving one that
nobody has invited makes somebody who may ask to be taken in.
"""

import uuid
from datetime import datetime
from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from ... import clock
from ...db import db, transaction
from ...domain.calls.handing_in import contributing
from ...domain.calls.partners import contributor_sessions, contributors, proving
from ...domain.calls.partners.proving import ProofState
from ...errors import Invalid, NotFound, Problem, Refused, TokenInvalid
from ...i18n import gettext as _
from ...models import AddressProof, Contribution, Contributor
from ...states import ProofPurpose
from ...tokens import Purpose
from ..access import public
from ..fields import put_problems
from ..public.form_tokens import NAME as FORM
from ..public.form_tokens import form_token, opened_at
from . import pressed_twice
from .access import current_contributor, own_page, session_id, sign_browser_in, sign_browser_out, start_session
from .proof_forms import AddressForm, CodeForm
from .proof_limits import may_ask, may_try_code
from .room import blueprint, kept_token, key_page, page, signer

#: What each state is on the web.
_STATUS = {ProofState.USED: 200}
_GONE = 410


@blueprint.route("/contribute/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> Response:
    """Ask for an address; the answer is the same for all of them."""
    now, wanted = clock.now(), request.values.get("next", "")
    form = AddressForm(request.form)
    if request.method != "POST":
        return _ask_page(form, wanted, now)
    try:
        address, removed = contributors.typed_address(form.email.data or "", field="email")
    except Invalid as error:
        put_problems(form, error)
        return _ask_page(form, wanted, now, 422)
    if opened_at(request.form.get(FORM, ""), now) is None:
        return _ask_page(form, wanted, now, 400, _("This page was open for a long time. Press the button once more."))
    if not may_ask(address, now):
        return _ask_page(form, wanted, now, 429, _TOO_OFTEN)
    with transaction():
        proof = proving.send_proof(address, ProofPurpose.SIGN_IN, now=now)
    return _to_code_page(proof, wanted, removed)


_TOO_OFTEN = _(
    "Too many emails were asked for, for this address or from your network. "
    "Use the newest one you have, or wait an hour and try again."
)


def _ask_page(form: AddressForm, wanted: str, now: datetime, status: int = 200, sentence: str = "") -> Response:
    problems = [Problem("email", sentence)] if sentence else []
    return page("sign_in", status, form=form, problems=problems, next=wanted, **_form(now))


def _form(now: datetime) -> dict[str, Any]:
    return {"form_name": FORM, "form_token": form_token(now)}


def _to_code_page(proof: AddressProof, wanted: str, removed: str = "") -> Response:
    where = url_for(".enter_code", proof_id=proof.public_id, next=wanted or None, tidied="y" if removed else None)
    return redirect(where, 303)


@blueprint.route("/contribute/code/<uuid:proof_id>", methods=["GET", "POST"])
@public
def enter_code(proof_id: uuid.UUID) -> Response:
    """Where the code is typed: on whichever device asked for it. This address proves nothing."""
    proof, now = proving.find_proof(proof_id), clock.now()
    state, form = proving.state_of(proof, now), CodeForm(request.form)
    if state is not ProofState.OPEN:
        return _pressed_again(proof, now) or _over_page(proof, state)
    if request.method != "POST":
        return _code_page(proof, form)
    if not (form.code.data or "").strip():
        return _code_page(proof, form, 422, _("Enter the six digits from the email"))
    if not may_try_code(proof.address, now):
        return _code_page(proof, form, 429, _("Too many tries. Use the link in the email instead."))
    new_session = ""
    try:
        with transaction():
            contributor = proving.prove_by_code(proof, form.code.data or "", now=now)
            if contributor is not None:
                new_session = _let_in(proof, contributor, now)
    except Refused:
        return _pressed_again(proof, now) or _over_page(proof, proving.state_of(proof, now))
    if contributor is None:
        return _wrong_code(proof, form, now)
    return _signed_in(proof, contributor, new_session, request.form.get("next", ""))


def _wrong_code(proof: AddressProof, form: CodeForm, now: datetime) -> Response:
    state = proving.state_of(proof, now)
    if state is not ProofState.OPEN:
        return _over_page(proof, state)
    form.code.data = ""
    return _code_page(proof, form, 422, _("This is not the code in the newest email. Check the six digits"))


def _code_page(proof: AddressProof, form: CodeForm, status: int = 200, sentence: str = "") -> Response:
    problems = [Problem("code", sentence)] if sentence else []
    return key_page(
        "enter_code", status, form=form, proof=proof, problems=problems, tidied=bool(request.args.get("tidied")),
        contribution=_contribution(proof), next=request.values.get("next", ""),
        page_name=pressed_twice.PAGE, page_word=pressed_twice.page_word(),
    )  # fmt: skip


@blueprint.route("/contribute/prove/<token>", methods=["GET", "POST"])
@public
def prove(token: str) -> Response:
    """The link in the mail: one page with one button, because mail filters open links (RFC 9110, 9.2.1)."""
    proof, now = _by_token(token), clock.now()
    state = proving.state_of(proof, now)
    if state is not ProofState.OPEN:
        return _pressed_again(proof, now) or _over_page(proof, state)
    if request.method != "POST" or opened_at(request.form.get(FORM, ""), now) is None:
        return _button_page(proof, token, now, 200 if request.method != "POST" else 400)
    new_session = ""
    try:
        with transaction():
            contributor = proving.prove_by_link(proof, now=now)
            new_session = _let_in(proof, contributor, now)
    except Refused:
        return _pressed_again(proof, now) or _over_page(proof, proving.state_of(proof, now))
    return _signed_in(proof, contributor, new_session, "")


def _pressed_again(proof: AddressProof, now: datetime) -> Response | None:
    """The answer once more, to the browser that has just pressed this page's button; None for any other."""
    before = pressed_twice.signed_in_before(proof, now) if request.method == "POST" else None
    return _signed_in(proof, *before, request.form.get("next", "")) if before else None


def _button_page(proof: AddressProof, token: str, now: datetime, status: int) -> Response:
    invited = contributors.waits_for_first_visit(proof)
    return key_page(
        "prove", status, proof=proof, token=token, contribution=_contribution(proof), invited=invited,
        page_name=pressed_twice.PAGE, page_word=pressed_twice.page_word(), **_form(now)
    )  # fmt: skip


@blueprint.post("/contribute/proof/<uuid:proof_id>/again")
@public
def send_proof_again(proof_id: uuid.UUID) -> Response:
    """A new link and code in place of these, to the same address."""
    proof, now = proving.find_proof(proof_id), clock.now()
    if not may_ask(proof.address, now):
        return _over_page(proof, proving.state_of(proof, now), 429, _TOO_OFTEN)
    with transaction():
        new = proving.send_again(proof, now=now)
    return _to_code_page(new, request.form.get("next", ""))


def _over_page(proof: AddressProof, state: ProofState, status: int = 0, sentence: str = "") -> Response:
    """Why the link or code cannot be used, and the way on, in place."""
    signed_in = current_contributor()
    return key_page(
        "proof_over",
        status or _STATUS.get(state, _GONE),
        proof=proof,
        state=state.name,
        contribution=_contribution(proof),
        yours=signed_in is not None and signed_in.address_key == proof.address_key,
        problems=[Problem("", sentence)] if sentence else [],
        next=request.values.get("next", ""),
    )


@blueprint.post("/contribute/sign-out")
@public
def sign_out() -> Response:
    """This browser knows nobody any more. Whoever was not known to come from our page is signed out too: no harm."""
    if own_session := session_id():
        with transaction():
            contributor_sessions.end(own_session)
    return sign_browser_out(redirect(url_for(".signed_out"), 303))


def _let_in(proof: AddressProof, contributor: Contributor, now: datetime) -> str:
    """A session for who has proved the address, "" where their access has ended; and a copy of what they sent."""
    contribution = _contribution(proof)
    if contribution is not None:
        contributing.tell_proved(contribution, now)
    if contributor.ended_at is not None:
        return ""
    return start_session(contributor, now, pressed_twice.session_of(proof))


def _signed_in(proof: AddressProof, contributor: Contributor, new_session: str, wanted: str) -> Response:
    if not new_session:
        return key_page("access_ended", 403, proof=proof)
    contribution = _contribution(proof)
    where = own_page(wanted)
    if contribution is not None:
        where = url_for(".kept", token=kept_token(contribution))
    elif contributor.approved_at is None and not contributor.asked_words:
        where = url_for(".ask_in")
    elif not contributor.name:
        # Invited by address alone: the editors want to know whom they write to.
        where = url_for(".account")
    return sign_browser_in(redirect(where, 303), new_session)


def _contribution(proof: AddressProof) -> Contribution | None:
    return db.session.get(Contribution, proof.contribution_id) if proof.contribution_id else None


def _by_token(token: str) -> AddressProof:
    try:
        return proving.find_proof(signer().read_id(Purpose.ADDRESS_PROOF, token))
    except TokenInvalid:
        raise NotFound(_("This link is not complete. Copy the whole of it from the email.")) from None
