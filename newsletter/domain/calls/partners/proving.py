"""Somebody proves that they read what is sent to an address: by the link in a mail, or by its six digits.

The code is derived from the nonce of the mail's own row and the secret keys, so neither the table nor a backup holds
it; the row of the proof keeps a keyed hash of it. A code is good for five wrong tries and as long as its link: a
million codes, so one guess in 200,000 succeeds. How often a mail may be asked for is the door's to limit.
"""

import hmac
import logging
import re
import uuid
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import CursorResult, delete, select, update

from .... import addresses
from ....config import current_settings
from ....db import db, kept_if, take_turn
from ....errors import NotFound, Refused
from ....i18n import gettext as _
from ....models import AddressProof, Contribution, Contributor, Notice
from ....states import ProofPurpose, SuppressionReason
from ....tokens import keyed_hash
from ... import notices
from ...staff import activity
from ...subscribers import suppressing
from ..deadline.counting import count_from_proof

_log = logging.getLogger(__name__)

SIGN_IN_NOTICE, PROVE_NOTICE = "contributor_sign_in", "prove_address"
SIGN_IN_LASTS, CONTRIBUTION_LASTS = timedelta(minutes=30), timedelta(hours=24)
#: How long a proof that is over is kept, so that its link can still say why it is.
_KEPT = timedelta(days=30)
MOST_TRIES = 5
_CODE, _CODE_KEPT = "proof-code.v1", "proof-code-kept.v1"
_UNWELCOME = frozenset({SuppressionReason.NOT_ME, SuppressionReason.COMPLAINT})


class ProofState(Enum):
    """Where a proof stands; computed."""

    OPEN = "open"
    USED = "used"
    REPLACED = "replaced"
    REVOKED = "revoked"
    TRIED_OUT = "tried out"
    EXPIRED = "expired"


def send_proof(
    address: str,
    purpose: ProofPurpose,
    *,
    contributor: Contributor | None = None,
    contribution: Contribution | None = None,
    notice: Notice | None = None,
    lasts: timedelta | None = None,
    now: datetime,
) -> AddressProof:
    """Mail a link and a code to the address, in place of those sent before for the same.

    For CONTRIBUTION name the contribution. `notice` is a mail that is queued already and carries link and code beside
    its own words (a receipt, an invitation); without it one of their own goes. Signing in has 30 minutes, or `lasts`;
    a contribution has until its `prove_by`, or, after that, 24 hours. An address that asked us not to write gets no
    mail and a row all the same, so nobody learns of it. Raises ValueError for CONTRIBUTION without one.
    """
    if (purpose is ProofPurpose.CONTRIBUTION) != (contribution is not None):
        raise ValueError("A proof is for a contribution where its purpose says so, and nowhere else")
    expires_at = now + (lasts or SIGN_IN_LASTS) if contribution is None else _prove_by(contribution, now)
    key = addresses.key(address)
    take_turn(f"proof:{key}")
    _replace(key, purpose, contribution, now)
    known = contributor or find_contributor(address)
    public_id = uuid.uuid4()
    if notice is not None:
        notice.values = {**notice.values, "proof": str(public_id)}
        nonce = notice.nonce
    else:
        nonce = _write_to(address, public_id, contribution, now)
    proof = AddressProof(
        public_id=public_id,
        purpose=purpose,
        address=address,
        address_key=key,
        contributor_id=known.id if known else None,
        contribution_id=contribution.id if contribution else None,
        code_hash=_kept(public_id, code_of(nonce)),
        created_at=now,
        expires_at=expires_at,
    )
    db.session.add(proof)
    db.session.flush()
    _log.info("Proof %s of an address was sent (%s)", proof.id, purpose.value)
    return proof


def _write_to(address: str, public_id: uuid.UUID, contribution: Contribution | None, now: datetime) -> bytes:
    """Mail link and code, unless the address asked us not to write: that shows in no answer. The mail's nonce."""
    unwelcome = any(one.reason in _UNWELCOME for one in suppressing.suppressions_of(address))
    with kept_if(not unwelcome):
        return notices.send_notice(
            SIGN_IN_NOTICE if contribution is None else PROVE_NOTICE,
            address,
            now=now,
            values={"proof": str(public_id), **({"contribution": contribution.id} if contribution else {})},
            issue=contribution.issue if contribution else None,
            priority=notices.URGENT,
        ).nonce


def send_again(proof: AddressProof, *, now: datetime) -> AddressProof:
    """A new link and code for what this one was for, whatever became of it."""
    contribution = db.session.get(Contribution, proof.contribution_id) if proof.contribution_id else None
    return send_proof(proof.address, proof.purpose, contribution=contribution, now=now)


def code_of(nonce: bytes) -> str:
    """The six digits in the mail with this nonce."""
    number = int.from_bytes(keyed_hash(current_settings().secret_keys, _CODE, nonce.hex())[:8], "big")
    return f"{number % 1_000_000:06d}"


def state_of(proof: AddressProof, now: datetime) -> ProofState:
    """What can be done with the proof at `now`."""
    if proof.used_at is not None:
        return ProofState.USED
    if proof.revoked_at is not None:
        return ProofState.REPLACED if _newest(proof) is not proof else ProofState.REVOKED
    if proof.tries >= MOST_TRIES:
        return ProofState.TRIED_OUT
    return ProofState.EXPIRED if now >= proof.expires_at else ProofState.OPEN


def prove_by_link(proof: AddressProof, *, now: datetime) -> Contributor:
    """The link's button was pressed. Returns who it is, made if nobody has the address.

    What it was sent with counts as proved. Raises Refused unless the proof is open.
    """
    db.session.refresh(proof, with_for_update=True)
    if state_of(proof, now) is not ProofState.OPEN:
        raise Refused(_("This link cannot be used any more."))
    return _use(proof, now)


def prove_by_code(proof: AddressProof, typed: str, *, now: datetime) -> Contributor | None:
    """As `prove_by_link`, by the six digits, however they are grouped. None for wrong ones: that is counted.

    Raises Refused unless the proof is open. (A wrong code raises nothing, because the count has to be committed.)
    """
    db.session.refresh(proof, with_for_update=True)
    if state_of(proof, now) is not ProofState.OPEN:
        raise Refused(_("This code cannot be used any more."))
    digits = re.sub(r"[\s.-]", "", typed)
    if not hmac.compare_digest(_kept(proof.public_id, digits), proof.code_hash):
        proof.tries += 1
        db.session.flush()
        _log.info("A wrong code for proof %s, number %d", proof.id, proof.tries)
        return None
    return _use(proof, now)


def prove_own(contribution: Contribution, contributor: Contributor, *, now: datetime) -> None:
    """A signed-in contributor says that they sent this under their own address: it counts as proved.

    Signing in alone says nothing of it, since anybody may have typed the address. Raises Refused for what was sent
    under another address.
    """
    if addresses.key(contribution.contact_address) != contributor.address_key:
        raise Refused(_("This was sent under another address."))
    _give(contribution, contributor, now)


def find_proof(public_id: uuid.UUID) -> AddressProof:
    """The proof of this id. Raises NotFound."""
    found = db.session.scalar(select(AddressProof).where(AddressProof.public_id == public_id))
    if found is None:
        raise NotFound(_("There is no such link."))
    return found


def find_contributor(address: str) -> Contributor | None:
    """Who has this address, even one whose access has ended."""
    return db.session.scalar(select(Contributor).where(Contributor.address_key == addresses.key(address)))


def revoke_proofs(address_key: str, *, now: datetime) -> None:
    """End every link and code that went to the address."""
    db.session.execute(
        update(AddressProof)
        .where(AddressProof.address_key == address_key, AddressProof.used_at.is_(None))
        .where(AddressProof.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def forget_old(now: datetime) -> int:
    """Delete the proofs that have been over for 30 days; how many."""
    result = db.session.execute(delete(AddressProof).where(AddressProof.expires_at <= now - _KEPT))
    return result.rowcount if isinstance(result, CursorResult) else 0


def _kept(public_id: uuid.UUID, code: str) -> bytes:
    """What the table keeps of a code; with the proof's id, so that equal codes look different."""
    return keyed_hash(current_settings().secret_keys, _CODE_KEPT, f"{public_id}:{code}")


def _prove_by(contribution: Contribution, now: datetime) -> datetime:
    """How long a proof sent now is good: as long as the text counts from its first hour, or a day from now."""
    prove_by = contribution.prove_by
    return prove_by if prove_by is not None and now < prove_by else now + CONTRIBUTION_LASTS


def _replace(key: str, purpose: ProofPurpose, contribution: Contribution | None, now: datetime) -> None:
    same = [AddressProof.address_key == key, AddressProof.purpose == purpose]
    if contribution is not None:
        same.append(AddressProof.contribution_id == contribution.id)
    db.session.execute(
        update(AddressProof)
        .where(*same, AddressProof.used_at.is_(None), AddressProof.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def _newest(proof: AddressProof) -> AddressProof | None:
    same = [AddressProof.address_key == proof.address_key, AddressProof.purpose == proof.purpose]
    if proof.contribution_id is not None:
        same.append(AddressProof.contribution_id == proof.contribution_id)
    return db.session.scalar(select(AddressProof).where(*same).order_by(AddressProof.id.desc()).limit(1))


def _use(proof: AddressProof, now: datetime) -> Contributor:
    # Two proofs of one address, used at once, make one contributor.
    take_turn(f"contributor:{proof.address_key}")
    proof.used_at = now
    contributor = find_contributor(proof.address) or _new(proof, now)
    first = contributor.proved_at is None
    contributor.proved_at = contributor.proved_at or now
    proof.contributor_id = contributor.id
    contribution = db.session.get(Contribution, proof.contribution_id) if proof.contribution_id else None
    if contribution is not None:
        _give(contribution, contributor, now)
    db.session.flush()
    if first:
        activity.record(
            "contributor.proved", actor=None, actor_name=_("A contributor"), now=now,
            subject=("contributor", contributor.id),
        )  # fmt: skip
    _log.info("Contributor %s proved their address", contributor.id)
    return contributor


def _new(proof: AddressProof, now: datetime) -> Contributor:
    """Somebody nobody has invited: they keep what they sent, and may ask to be taken into an agency."""
    contribution = db.session.get(Contribution, proof.contribution_id) if proof.contribution_id else None
    made = Contributor(
        address=proof.address,
        address_key=proof.address_key,
        name=contribution.contact_name if contribution else "",
        phone=contribution.contact_phone if contribution else "",
        created_at=now,
    )
    db.session.add(made)
    db.session.flush()
    return made


def _give(contribution: Contribution, contributor: Contributor, now: datetime) -> None:
    contribution.contributor_id = contributor.id
    contribution.agency_id = contribution.agency_id or contributor.agency_id
    count_from_proof(contribution, now)
    activity.record(
        "contribution.proved", actor=None, actor_name=_("A contributor"), now=now, issue=contribution.issue,
        subject=("contribution", contribution.id), reference=contribution.reference,
    )  # fmt: skip
