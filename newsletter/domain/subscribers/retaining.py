"""What is not kept for ever: sign-ups nobody confirmed, where requests came from, who got which notice.

The rule is UK GDPR art. 5(1)(e).
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, Delete, Update, delete, select, update

from ...db import db
from ...models import Consent, LimitCounter, Notice, SignUp, SignUpChoice
from ...states import NoticeState
from ..staff import activity

_log = logging.getLogger(__name__)

#: A week for the link, and three more in which it still explains itself and offers a new one.
SIGN_UP_KEPT = timedelta(days=30)
NETWORK_KEPT = timedelta(days=90)
NOTICE_KEPT = timedelta(days=90)


@dataclass(frozen=True)
class Tidied:
    """How many rows each rule took hold of."""

    sign_ups: int
    networks: int
    notices: int


def purge_unconfirmed(now: datetime) -> Tidied:
    """Forget what is over. Run daily; a second run finds nothing.

    A confirmed sign-up keeps its row without the address, so that its link goes on saying "already confirmed".
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
    )
    _count(delete(LimitCounter).where(LimitCounter.ends_at <= now))
    if any((tidied.sign_ups, tidied.networks, tidied.notices)):
        activity.record(
            "records.tidied",
            actor=None,
            now=now,
            sign_ups=tidied.sign_ups,
            networks=tidied.networks,
            notices=tidied.notices,
        )
    _log.info("Tidied away: %s", tidied)
    return tidied


def _count(statement: Update | Delete) -> int:
    result = db.session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    return result.rowcount
