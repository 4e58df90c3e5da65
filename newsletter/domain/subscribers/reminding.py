"""Whoever has not pressed the button after a day is reminded of it, once.

The reminder counts among the mails that an unproved address gets (see `sign_ups`): where it would be one too many,
there is none.
"""

import logging
from datetime import datetime, timedelta

from sqlalchemy import select, update

from ...db import db
from ...models import SignUp
from .. import notices
from . import suppressing
from .sign_ups import REMINDER, SignUpState, lists_of, mails_today, month_is_full, state_of

_log = logging.getLogger(__name__)
AFTER = timedelta(hours=24)
#: Nobody is reminded of a link that is about to end.
_LEFT = timedelta(hours=24)


def due(now: datetime, limit: int = 200) -> list[int]:
    """The ids of sign-ups that wait for their button since yesterday and nobody was reminded of, oldest first."""
    chosen = select(SignUp.id).where(
        SignUp.reminded_at.is_(None),
        SignUp.confirmed_at.is_(None),
        SignUp.replaced_at.is_(None),
        SignUp.created_at <= now - AFTER,
        SignUp.expires_at > now + _LEFT,
    )
    return list(db.session.scalars(chosen.order_by(SignUp.id).limit(limit)))


def remind(sign_up_id: int, now: datetime) -> bool:
    """Remind one, unless it was done, or the address has had its mails. Whether a mail was queued."""
    marked = db.session.execute(
        update(SignUp).where(SignUp.id == sign_up_id, SignUp.reminded_at.is_(None)).values(reminded_at=now)
    )
    sign_up = db.session.get(SignUp, sign_up_id)
    if marked.rowcount != 1 or sign_up is None:  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
        return False
    address = sign_up.address
    if state_of(sign_up, now) is not SignUpState.OPEN or suppressing.blocks_sign_up(address):
        return False
    if mails_today(address, now) or month_is_full(address, now):
        return False
    notices.send_notice(
        REMINDER, address, now=now, values={"sign_up": str(sign_up.public_id)}, mailing_list=lists_of(sign_up)[0]
    )
    _log.info("A sign-up was reminded of its button")
    return True
