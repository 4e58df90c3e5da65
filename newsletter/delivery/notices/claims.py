"""Who has a notice in hand. A claim ends with its process, or else after half an hour.

It is named after the process that made it (its epoch, then a token), so that a notice does not wait for a process that
is dead, nor for one that lives but has lost the claim: the database may take a claim down and break off before it says
so. Whoever has had it in hand may have gone after the final dot, so one that is taken over counts as in doubt.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from ...db import db, transaction
from ...i18n import gettext as _
from ...models import Notice
from ...states import NoticeState
from ...work.liveness import own_epoch

#: Longer than all the steps of one SMTP conversation may take (RFC 5321 §4.5.3.2).
_CLAIM = timedelta(minutes=30)
_WAITING = (NoticeState.QUEUED, NoticeState.DEFERRED)

#: The claims that this process has in hand.
_in_hand: set[str] = set()
#: Those of which it never heard whether they were written down: nothing can have been done under them.
_unknown: set[str] = set()


@contextmanager
def claim_next(now: datetime) -> Iterator[tuple[int, str] | None]:
    """Take the next notice in hand for as long as the block: its key, and the claim's name. None if nothing is due.

    The name is empty when the notice was found in doubt for the second time: then no third copy goes. Opens its own
    transaction, and only if something is due.
    """
    epoch = own_epoch()
    claim = f"{epoch}:{secrets.token_hex(8)}" if epoch else secrets.token_hex(8)
    _in_hand.add(claim)
    _unknown.add(claim)
    try:
        claimed = _claim(claim, now) if _anything_due(now) else None
        _unknown.discard(claim)
        yield claimed
    finally:
        _in_hand.discard(claim)


def give_up_claims_of(epoch: int, now: datetime) -> None:
    """Within a running transaction: what a process that is gone had in hand is free."""
    _free(db.session(), Notice.claimed_by.startswith(f"{epoch}:"), now)


def give_up_lost_claims(now: datetime) -> None:
    """What stands under the name of this process, and is not in its hands, is free. Opens its own transaction."""
    epoch = own_epoch()
    if epoch is None:
        return
    ours = Notice.claimed_by.startswith(f"{epoch}:"), Notice.state.in_(_WAITING), Notice.claim_ends_at > now
    named = set(db.session.scalars(select(Notice.claimed_by).where(*ours)))
    db.session.rollback()
    # Asked after the look: what was claimed since is not among the named.
    if lost := named - _in_hand:
        with transaction() as session:
            untouched = update(Notice).where(Notice.claimed_by.in_(lost & _unknown), Notice.state.in_(_WAITING))
            session.execute(untouched.values(claimed_by=None, claim_ends_at=None, attempts=Notice.attempts - 1))
            _free(session, Notice.claimed_by.in_(lost), now)
    # Of the others the claim never came to stand there.
    _unknown.intersection_update(_in_hand)


def _free(session: Session, whose: ColumnElement[bool], now: datetime) -> None:
    rows = update(Notice).where(whose, Notice.state.in_(_WAITING), Notice.claim_ends_at > now)
    session.execute(rows.values(claim_ends_at=now).execution_options(synchronize_session=False))


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    free = or_(Notice.claimed_by.is_(None), Notice.claim_ends_at <= now)
    return Notice.state.in_(_WAITING), Notice.next_attempt_at <= now, free


def _anything_due(now: datetime) -> bool:
    """A look that keeps no writer waiting: most of the time there is nothing."""
    found = db.session.scalar(select(Notice.id).where(*_due(now)).limit(1))
    db.session.rollback()
    return found is not None


def _claim(claim: str, now: datetime) -> tuple[int, str] | None:
    with transaction() as session:
        notice = session.scalar(
            select(Notice)
            .where(*_due(now))
            .order_by(Notice.priority, Notice.next_attempt_at, Notice.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if notice is None:
            return None
        if notice.claimed_by is not None and _had_doubt(notice, now):
            # Whoever had it in hand is gone, and may have gone after the final dot.
            notice.state, notice.reply = NoticeState.UNSURE, _("Interrupted twice while it was being handed over.")
            notice.claimed_by = notice.claim_ends_at = None
            return notice.id, ""
        notice.claimed_by, notice.claim_ends_at = claim, now + _CLAIM
        notice.attempts += 1
        return notice.id, claim


def _had_doubt(notice: Notice, now: datetime) -> bool:
    """Note that the notice may have reached its reader; True if that was so before (then no third copy goes)."""
    before, notice.unsure_at = notice.unsure_at, notice.unsure_at or now
    return before is not None
