"""What the mails to people who send in news say: the links and codes that prove an address, and who is taken in."""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from ... import dates
from ...config import current_settings
from ...db import db
from ...domain.calls.partners import proving
from ...domain.calls.reminding import concerned
from ...models import AddressProof, Contributor, Notice
from ...tokens import Purpose
from .links import link, token_link

Values = dict[str, Any]
_NO_ID = str(uuid.UUID(int=0))


def proof_values(notice: Notice, now: datetime) -> Values | None:
    """The link and the code that this mail carries; None where it carries none, or they are over."""
    chosen = select(AddressProof).where(AddressProof.public_id == _proof_of(notice))
    proof = db.session.scalar(chosen)
    if proof is None or proving.state_of(proof, now) is not proving.ProofState.OPEN:
        return None
    code = proving.code_of(notice.nonce)
    return {
        **notice.values,
        "prove_url": token_link("contribute.prove", Purpose.ADDRESS_PROOF, proof.public_id),
        # In two groups, as people read it aloud.
        "code": f"{code[:3]} {code[3:]}",
        "works_until": dates.moment(proof.expires_at, current_settings().timezone),
    }


def _invitation(notice: Notice, now: datetime) -> Values | None:
    """The way in, and the call that is open for what they send in, if there is one."""
    values = proof_values(notice, now)
    if values is None:
        return None
    person = db.session.scalar(
        select(Contributor).join(AddressProof).where(AddressProof.public_id == _proof_of(notice))
    )
    issue = concerned.opened_call(person, now) if person is not None else None
    if issue is not None and issue.deadline is not None:
        values |= {"issue": f"{issue.mailing_list.name}, {issue.title}", "deadline": issue.deadline.words_with_zone}
    return values


def _proof_of(notice: Notice) -> uuid.UUID:
    return uuid.UUID(notice.values.get("proof", _NO_ID))


def _to_the_calls(notice: Notice, _now: datetime) -> Values:
    return {**notice.values, "url": link("contribute.calls")}


def _as_written(notice: Notice, _now: datetime) -> Values:
    return dict(notice.values)


def _asked(notice: Notice, _now: datetime) -> Values:
    return {**notice.values, "url": link("editor.contributor", public_id=notice.values.get("contributor", _NO_ID))}


#: By template. None: the reason for the mail has gone.
MAKERS: Mapping[str, Callable[[Notice, datetime], Values | None]] = {
    "contributor_sign_in": proof_values,
    "contributor_invitation": _invitation,
    "contributor_welcome": _to_the_calls,
    "contributor_refused": _as_written,
    "contributor_asked": _asked,
}
