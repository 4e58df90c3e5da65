"""Sending an issue from its ledger, and going on after whatever interrupted it."""

import logging
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Flask, current_app
from sqlalchemy import exists, literal, or_, select, text, update

from ... import clock
from ...config import current_settings
from ...db import db, transaction
from ...domain.issues.people import tell
from ...domain.staff import activity
from ...domain.subscribers import sealing
from ...mail.relay import Relay
from ...models import Delivery, Issue
from ...states import IssueState
from ...work.liveness import end, life
from .. import control
from ..ledger.batches import release, skip_the_rest
from ..ledger.wirelog import WireLog
from ..ledger.writer import OutcomeWriter
from ..pace.breakers import breaker_of
from ..pace.pacing import Breaker
from ..reports import accounts
from . import loop
from .letters import Letter, compile_letter
from .recovery import recover
from .running import Ending, Run

_log = logging.getLogger(__name__)

#: Less room on the disk than this, and no run begins: what is sent must be recorded.
LEAST_FREE_BYTES = 50_000_000
#: Rows of an issue that is sent already wait this long after a run that broke off.
_AFTER_A_BREAK = timedelta(hours=1)
_WRITER_PATIENCE_SECONDS = 4.0

_QUEUED = text("delivery.state = 'queued'")
_CLAIMED = text("delivery.state = 'claimed'")
_DEFERRED = text("delivery.state = 'deferred'")


def send_issue(
    issue_id: int,
    *,
    read_clock: Callable[[], datetime] = clock.now,
    relay: Relay | None = None,
    breaker: Breaker | None = None,
) -> Ending:
    """Send what is queued or due of the issue until nothing is left, it is held, or something is wrong.

    Any number of processes may do this at once: each claims other rows. Blocks for as long as it takes; opens its
    own transactions, short ones. What goes wrong pauses the issue and tells its people why; nothing is lost, and
    nothing is called sent that the relay did not accept.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy
    ending, reason = Ending.DONE, ""
    if _has_work(issue_id, read_clock()):
        letter, reason = _letter(issue_id)
        if letter is None:
            ending = Ending.BROKEN
        else:
            relay = relay or app.extensions["newsletter_relay"]
            ending, reason = _run(app, letter, relay, breaker or _breaker(issue_id), read_clock)
    if ending is Ending.BROKEN:
        _break_off(issue_id, reason, read_clock())
    if ending is not Ending.LEAVING:
        _finish(issue_id, read_clock())
    return ending


def continue_sending(now: datetime) -> list[int]:
    """Settle what dead runs left. Returns the ids of the issues that have something to send."""
    recover(now)
    return _issues_with_work(now)


def _letter(issue_id: int) -> tuple[Letter | None, str]:
    """The compiled letter, or why nothing may be sent."""
    issue = db.session.get(Issue, issue_id)
    if issue is None:
        return None, "The issue is gone"
    if shutil.disk_usage(current_settings().data_dir).free < LEAST_FREE_BYTES:
        return None, "The disk is nearly full, so what is sent could not be recorded"
    try:
        return compile_letter(issue, current_settings(), current_app.extensions["newsletter_signer"]), ""
    except ValueError as error:
        _log.exception("The mail of issue %d cannot be made", issue_id)
        return None, f"The mail cannot be made: {error}"
    finally:
        db.session.rollback()


def _breaker(issue_id: int) -> Breaker:
    try:
        return breaker_of(issue_id)
    finally:
        db.session.rollback()


def _run(
    app: Flask, letter: Letter, relay: Relay, breaker: Breaker, read_clock: Callable[[], datetime]
) -> tuple[Ending, str]:
    with life(read_clock()) as our_life:
        wire = WireLog(our_life.wire_log)
        writer = OutcomeWriter(app, letter.issue_id, our_life)
        writer.start()
        run = Run(app, letter, relay, our_life, writer, wire, breaker, read_clock)
        try:
            loop.run(run.go())
        finally:
            recorded = writer.close(_WRITER_PATIENCE_SECONDS)
            wire.close()
            if recorded:
                release(letter.issue_id, our_life.epoch, read_clock())
                end(our_life, read_clock())
            else:
                _log.error("Not all outcomes could be recorded; the wire log of run %d has them", our_life.epoch)
    return run.ending, run.reason


def _break_off(issue_id: int, reason: str, now: datetime) -> None:
    """Pause an issue that is being sent. One that is sent already has only late ones left: they wait."""
    with transaction() as session:
        issue = session.get(Issue, issue_id)
        if issue is None:
            return
        if issue.state is IssueState.SENDING:
            control.pause(issue, reason=reason, actor=None, now=now)
        elif issue.state is IssueState.SENT:
            session.execute(
                update(Delivery)
                .where(Delivery.issue_id == issue_id, _DEFERRED, Delivery.retry_at <= now)
                .values(retry_at=now + _AFTER_A_BREAK)
                .execution_options(synchronize_session=False)
            )
            activity.record("issue.retries_postponed", actor=None, now=now, issue=issue, reason=reason)


def _finish(issue_id: int, now: datetime) -> None:
    """The issue is sent once nothing of it is queued or claimed. Of a cancelled one the rest is skipped."""
    with transaction() as session:
        state = session.scalar(select(Issue.state).where(Issue.id == issue_id).with_for_update())
        if state is IssueState.CANCELLED:
            skip_the_rest(session, issue_id, now)
        if state is not IssueState.SENDING or _left(issue_id):
            return
        issue = session.get_one(Issue, issue_id)
        issue.state, issue.sent_at = IssueState.SENT, now
        session.flush()
        counts = accounts.counts(issue)
        head = sealing.head()
        activity.record("issue.sent", actor=None, now=now, issue=issue, counts=counts.as_dict(), consent_head=head)
        tell(
            "sending_finished",
            control.people_concerned(issue),
            issue,
            now=now,
            recipients=counts.recipients,
            consent_head=head,
            **counts.as_dict(),
        )


def _left(issue_id: int) -> bool:
    rows = select(literal(1)).where(Delivery.issue_id == issue_id)
    return any(db.session.scalar(rows.where(state).limit(1)) for state in (_QUEUED, _CLAIMED))


def _has_work(issue_id: int, now: datetime) -> bool:
    return issue_id in _issues_with_work(now, issue_id)


def _issues_with_work(now: datetime, only: int | None = None) -> list[int]:
    """Issues that go and have rows to send, or that only want finishing."""
    rows = select(literal(1)).where(Delivery.issue_id == Issue.id)
    due = exists(rows.where(_DEFERRED, Delivery.retry_at <= now))
    chosen = select(Issue.id).where(or_(Issue.state == IssueState.SENDING, (Issue.state == IssueState.SENT) & due))
    if only is not None:
        chosen = chosen.where(Issue.id == only, or_(exists(rows.where(_QUEUED)), due))
    found = list(db.session.scalars(chosen.order_by(Issue.id)))
    db.session.rollback()
    return found
