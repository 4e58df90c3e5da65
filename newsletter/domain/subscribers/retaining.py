"""What is not kept for ever: sign-ups nobody confirmed, old addresses, where requests came from, who got which notice.

The rule is UK GDPR art. 5(1)(e).
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, Delete, Update, delete, select, update

from ...db import db
from ...models import AddressChange, Consent, InboundMessage, LimitCounter, Notice, SignUp, SignUpChoice
from ...states import InboundState, NoticeState
from ..staff import activity

_log = logging.getLogger(__name__)

#: A week for the link, and three more in which it still explains itself and offers a new one.
SIGN_UP_KEPT = timedelta(days=30)
#: A week for the link to the new address, and two in which the old one can undo what was confirmed on its last day.
ADDRESS_CHANGE_KEPT = timedelta(days=30)
NETWORK_KEPT = timedelta(days=90)
NOTICE_KEPT = timedelta(days=90)


@dataclass(frozen=True)
class Tidied:
    """How many rows each rule took hold of."""

    sign_ups: int
    networks: int
    notices: int
    address_changes: int = 0


def purge_unconfirmed(now: datetime) -> Tidied:
    """Forget what is over. Run daily; a second run finds nothing.

    A confirmed sign-up keeps its row without the address, so that its link goes on saying "already confirmed"; so does
    a change of address, which is part of the person's story.
    """
    old = SignUp.created_at <= now - SIGN_UP_KEPT
    over = select(SignUp.id).where(old, SignUp.confirmed_at.is_(None))
    _count(delete(SignUpChoice).where(SignUpChoice.sign_up_id.in_(over)))
    nameless = {"address": "", "address_key": "", "name": "", "organisation": "", "network": ""}
    confirmed = update(SignUp).where(old, SignUp.confirmed_at.is_not(None), SignUp.address != "").values(nameless)
    finished = (NoticeState.ACCEPTED, NoticeState.REFUSED, NoticeState.UNSURE, NoticeState.DROPPED)
    tidied = Tidied(
        sign_ups=_count(delete(SignUp).where(old, SignUp.confirmed_at.is_(None))) + _count(confirmed),
        networks=_count(
            update(Consent).where(Consent.at <= now - NETWORK_KEPT, Consent.network != "").values(network="")
        ),
        notices=_count(
            update(Notice)
            .where(Notice.created_at <= now - NOTICE_KEPT, Notice.state.in_(finished), Notice.address != "")
            .values(address="", address_key="", values={}, reply="")
        ),
        address_changes=_forget_old_addresses(now),
    )
    _forget_inbound(now)
    _count(delete(LimitCounter).where(LimitCounter.ends_at <= now))
    if any(vars(tidied).values()):
        activity.record(
            "records.tidied",
            actor=None,
            now=now,
            **vars(tidied),
        )
    _log.info("Tidied away: %s", tidied)
    return tidied


def _forget_old_addresses(now: datetime) -> int:
    old = AddressChange.created_at <= now - ADDRESS_CHANGE_KEPT
    made = AddressChange.confirmed_at.is_not(None)
    nameless = {"old_address": "", "old_key": "", "new_address": "", "new_key": ""}
    return _count(delete(AddressChange).where(old, ~made)) + _count(
        update(AddressChange).where(old, made, AddressChange.old_key != "").values(nameless)
    )


def _forget_inbound(now: datetime) -> None:
    """Of what came back, what it said of whom stays with the reader; its subject goes, and its text if it was kept."""
    old = InboundMessage.received_at <= now - NOTICE_KEPT
    _count(update(InboundMessage).where(old, InboundMessage.subject != "").values(subject=""))
    kept = InboundMessage.raw.is_not(None)
    _count(update(InboundMessage).where(old, kept).values(raw=None, state=InboundState.IGNORED))


def _count(statement: Update | Delete) -> int:
    result = db.session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    return result.rowcount
