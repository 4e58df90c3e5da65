"""The outbox of notices: one row each, written with the change it tells of, sent from here, one after the other.

A row is claimed in a short transaction, its mail is made and handed over with no transaction open, and what came of
it is written in a second one. What cannot be handed over is tried again, after 1 minute first and 4 hours at most,
for 3 days; then it is refused, and staff can see why. A mail server that is down loses nothing.
"""

import logging
import time
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import CursorResult, and_, select, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from ... import addresses
from ...config import current_settings
from ...db import db, transaction
from ...errors import NewsletterError, RelayBusy, RelayDown, RelayError, RelayRefused, RelayRejectsUs, RelayUnsure
from ...i18n import gettext as _
from ...mail.local import LocalMailbox
from ...mail.relay import Envelope, Relay, send_one
from ...mail.replies import one_line
from ...models import Account, Invitation, Notice, Organisation
from ...states import NoticeState, SendingMode
from ...work.liveness import leaving
from ...work.queue import ring
from ..pace.budget import RelayBudget
from . import claims
from .notice_mail import write
from .notice_values import NoLongerNeeded

_log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=4)
#: While the server itself is away every notice waits for the same thing, and shall not wait long after it.
LONGEST_WAIT_FOR_SERVER = timedelta(minutes=15)
TRIED_FOR = timedelta(days=3)
_MOST_AT_ONCE = 500
#: What was handed over is worth being written down: the database may be on its way back.
_RECORD_AGAIN_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
#: What may leave an installation that sends to its team only, whoever the addressee is: staff typed the address.
_TEAM_TEMPLATES = frozenset({"test_issue"})


def deliver_notices(now: datetime) -> int:
    """Hand over every notice that is due at `now`. Returns how many the mail server accepted.

    Any number of workers may run it at once. Stops early while the server is away.
    """
    release_held(now)
    claims.give_up_lost_claims(now)
    accepted = 0
    for _turn in range(_MOST_AT_ONCE):
        if leaving.is_set():
            break
        with claims.claim_next(now) as claimed:
            if claimed is None:
                break
            outcome = _deliver(*claimed, now)
        accepted += outcome is NoticeState.ACCEPTED
        if outcome is None:
            break
    return accepted


def _deliver(key: int, claim: str, now: datetime) -> NoticeState | None:
    """Make the mail and hand it over. Returns the state it is in now, or None to stop: the server is away."""
    if not claim:
        return NoticeState.UNSURE
    relay: Relay = current_app.extensions["newsletter_relay"]
    notice = db.session.get_one(Notice, key)
    if not _may_leave(notice, relay, now):
        return _record(
            key, claim, state=NoticeState.HELD, reply=_("Held: this installation does not send to everyone.")
        )
    attempts, created_at, was_unsure = notice.attempts, notice.created_at, notice.unsure_at is not None
    try:
        envelope = write(notice, now)
    except NoLongerNeeded as gone:
        return _record(key, claim, state=NoticeState.DROPPED, reply=str(gone))
    except Exception as error:
        # One that cannot be written must not stand in the way of the others.
        _log.exception("Notice %d cannot be written", key)
        reason = str(error) if isinstance(error, NewsletterError) else type(error).__name__
        return _record(key, claim, state=NoticeState.REFUSED, reply=one_line([_("It could not be written:"), reason]))
    finally:
        db.session.rollback()  # no transaction is open while the network is waited for
    wait = _wait(attempts, key)
    outcome = _hand_over(relay, envelope, wait, was_unsure, now)
    if outcome.get("state") is NoticeState.DEFERRED and now + wait > created_at + TRIED_FOR:
        outcome = {**outcome, "state": NoticeState.REFUSED, "next_attempt_at": now}
    stop = outcome.pop("stop", False)
    state = _record(key, claim, **outcome)
    return None if stop else state


def _hand_over(relay: Relay, envelope: Envelope, wait: timedelta, was_unsure: bool, now: datetime) -> dict[str, Any]:
    """Send; what to write into the row afterwards, and whether to `stop` the run."""
    later = {"state": NoticeState.DEFERRED, "next_attempt_at": now + wait}
    soon = {"state": NoticeState.DEFERRED, "next_attempt_at": now + min(wait, LONGEST_WAIT_FOR_SERVER), "stop": True}
    try:
        receipt = send_one(relay, envelope)
    except RelayUnsure as error:
        _count(relay)
        if was_unsure:
            return {"state": NoticeState.UNSURE, "reply": _said(error)}
        return {**later, "unsure_at": now, "reply": _said(error)}
    except RelayRefused as error:
        return {"state": NoticeState.REFUSED, "reply": _said(error)}
    except RelayBusy as error:
        return {**later, "reply": _said(error)}
    except (RelayDown, RelayRejectsUs) as error:
        _log.warning("The mail server takes nothing: %s", error)
        return {**soon, "reply": _said(error)}
    _count(relay)
    return {"state": NoticeState.ACCEPTED, "accepted_at": now, "reply": one_line([receipt.reply])}


def _count(relay: Relay) -> None:
    """What one person waits for is never held back by the relay's limits, but leaves less to an issue."""
    try:
        RelayBudget(relay.name, current_settings()).count(1)
    except SQLAlchemyError:
        # It has left: that must be recorded, and is worth more than the count.
        _log.exception("A notice could not be counted against the limits of %s", relay.name)


def _said(error: RelayError) -> str:
    return one_line([str(error), error.reply])


def _wait(attempts: int, key: int) -> timedelta:
    """1 minute, then twice as long each time, 4 hours at most; spread a little, the same for the same notice."""
    doubled = FIRST_WAIT * (1 << min(attempts - 1, 20))
    return min(doubled, LONGEST_WAIT) * (1 + (key % 10) / 100)


def _record(key: int, claim: str, *, state: NoticeState, **values: Any) -> NoticeState:
    """Write what came of it, if the claim still holds: after half an hour somebody else may have taken over.

    Tried for half a minute while the database is away: without this the notice would have to go a second time.
    """
    for wait in _RECORD_AGAIN_SECONDS:
        try:
            return _write_down(key, claim, state=state, **values)
        except OperationalError:
            _log.warning("What came of notice %d cannot be written down; again in %s seconds", key, wait)
            time.sleep(wait)
    return _write_down(key, claim, state=state, **values)


def _write_down(key: int, claim: str, *, state: NoticeState, **values: Any) -> NoticeState:
    with transaction() as session:
        result = session.execute(
            update(Notice)
            .where(Notice.id == key, Notice.claimed_by == claim)
            .values(state=state, claimed_by=None, claim_ends_at=None, **values)
        )
        assert isinstance(result, CursorResult)
    if result.rowcount == 0:
        _log.warning("Notice %d was taken over while it was handed over", key)
    else:
        _log.info("Notice %d is %s", key, state.value)
    return state


# --- who may get mail at all ---------------------------------------------------------------------------------


def _may_leave(notice: Notice, relay: Relay, now: datetime) -> bool:
    """Whether this installation sends to this address at all; its own mailbox takes everything."""
    if isinstance(relay, LocalMailbox):
        return True
    organisation = db.session.get(Organisation, 1)
    mode = organisation.sending_mode if organisation else SendingMode.TEAM
    if mode is not SendingMode.TEAM:
        return mode is SendingMode.EVERYONE
    return notice.template in _TEAM_TEMPLATES or _is_team(notice.address, now)


def _is_team(address: str, now: datetime) -> bool:
    key = addresses.key(address)
    if db.session.scalar(select(Account.id).where(Account.email_key == key, Account.active)) is not None:
        return True
    invited = db.session.scalars(
        select(Invitation.email).where(
            Invitation.email.is_not(None), Invitation.revoked_at.is_(None), Invitation.expires_at > now
        )
    )
    return any(address is not None and addresses.key(address) == key for address in invited)


def release_held(now: datetime) -> int:
    """Queue what was held and may leave by now; drop what has been held for three days. Returns how many moved."""
    relay: Relay = current_app.extensions["newsletter_relay"]
    held = db.session.scalars(select(Notice).where(Notice.state == NoticeState.HELD)).all()
    old = [notice.id for notice in held if notice.created_at + TRIED_FOR <= now]
    free = [notice.id for notice in held if notice.id not in old and _may_leave(notice, relay, now)]
    if old or free:
        with transaction():
            _move(old, NoticeState.DROPPED, reply=_("Held for three days, then dropped."))
            _move(free, NoticeState.QUEUED, next_attempt_at=now)
    return len(old) + len(free)


def _move(keys: list[int], state: NoticeState, **values: Any) -> None:
    held = and_(Notice.id.in_(keys), Notice.state == NoticeState.HELD)
    db.session.execute(update(Notice).where(held).values(state=state, **values))


def try_again(notice: Notice, now: datetime) -> None:
    """Queue a refused or unsure notice once more, in the running transaction: a person decided so."""
    notice.state, notice.unsure_at, notice.next_attempt_at = NoticeState.QUEUED, None, now
    ring("deliver_notices")
