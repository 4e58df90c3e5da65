"""Sending in news: the open calls, and what became of it."""

from datetime import datetime

from flask import redirect, url_for
from werkzeug.wrappers import Response

from ... import clock
from ...db import transaction
from ...domain.calls.deadline import reading
from ...domain.calls.handing_in import contributing, drafting
from ...domain.calls.partners import proving
from ...domain.calls.partners.proving import ProofState
from ...domain.calls.texts import advising, revisions
from ...domain.calls.texts.sent_pictures import shown_with
from ...domain.issues.checking import Finding
from ...errors import NotFound, Refused, TokenInvalid
from ...i18n import gettext as _
from ...models import AddressProof, Contribution
from ...states import ProofPurpose
from ...tokens import Purpose
from ..access import public

# Each of these rooms puts its pages on the blueprint.
from . import (  # noqa: F401 - they add their pages
    account,
    agency,
    calendar,
    mine,
    more_time,
    nothing,
    outcome,
    questions,
    sent_pictures,
    sign_in,
    views_page,
    write_now,
)
from .access import current_contributor
from .proof_limits import may_ask
from .room import blueprint, key_page, other_calls, page, signer
from .standing import known_state

__all__ = ["blueprint"]


@blueprint.get("/contribute")
@public
def calls() -> Response:
    """The open calls, the nearest deadline first."""
    return page("calls", calls=other_calls(clock.now()))


@blueprint.get("/contribution/<token>")
@public
def kept(token: str) -> Response:
    """What was sent, and what happens to it; for its sender, by a link that is a key."""
    contribution = _kept(token)
    now, contributor = clock.now(), current_contributor()
    return key_page(
        "kept",
        issue=contribution.issue,
        contribution=contribution,
        arrival=contributing.arrival_of(contribution).name,
        copied=contributing.copy_was_sent(contribution),
        token=token,
        told=known_state(contribution),
        proof=_open_proof(contribution, now),
        overdue=contribution.prove_by is not None and now >= contribution.prove_by,
        proved=reading.is_proved(contribution),
        advice=_advice(contribution, now),
        pictures=shown_with(contribution),
        yours=contributor is not None and contribution.contributor_id == contributor.id,
        calls=other_calls(now, contribution.issue),
    )


@blueprint.post("/contribution/<token>/prove")
@public
def send_proof(token: str) -> Response:
    """Mail a link and a code for what was sent, to the address that it names: where none went, or it was lost."""
    contribution, now = _kept(token), clock.now()
    if reading.is_proved(contribution) or not may_ask(contribution.contact_address, now):
        return redirect(url_for(".kept", token=token), 303)
    try:
        with transaction():
            proof = proving.send_proof(
                contribution.contact_address, ProofPurpose.CONTRIBUTION, contribution=contribution, now=now
            )
            made = proof.public_id
    except Refused:
        return redirect(url_for(".kept", token=token), 303)
    return redirect(url_for(".enter_code", proof_id=made), 303)


def _advice(contribution: Contribution, now: datetime) -> list[Finding]:
    """What is worth a look while its words may still be changed; nothing once an editor has decided."""
    if drafting.may_change(contribution, now) is None:
        return []
    return advising.advice(contribution.issue, revisions.piece_of(contribution), now)


def _open_proof(contribution: Contribution, now: datetime) -> AddressProof | None:
    """The code that its sender may type now; None where the address is proved, or no code would do."""
    proof = None if reading.is_proved(contribution) else reading.proof_of(contribution)
    return proof if proof is not None and proving.state_of(proof, now) is ProofState.OPEN else None


def _kept(token: str) -> Contribution:
    try:
        return reading.find_contribution(signer().read_id(Purpose.CONTRIBUTION, token))
    except TokenInvalid:
        raise NotFound(_("There is nothing at this address.")) from None
