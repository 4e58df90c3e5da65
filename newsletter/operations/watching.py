"""Looking round, and telling the administrators: once when something has been wrong for a while, once when it is over.

Each trouble is a row, so it does not matter who looks, how often, or what died in between. A trouble that comes and
goes within ten minutes is one; one that comes back within six hours is not told of again.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, select

from .. import dates
from ..config import current_settings
from ..db import db, take_turn, transaction
from ..domain.notices import URGENT, send_notice
from ..domain.queries import administrators
from ..models import OperationTotal, ProcessSign, Trouble
from ..states import TroubleKind
from . import totals
from .judging import SILENT_AFTER, Found, judge
from .signs import Signs, gather

#: How long it must have been so before people are told: mail servers and workers are restarted.
TOLD_AFTER: Mapping[TroubleKind, timedelta] = {
    TroubleKind.WORKER: timedelta(minutes=2),
    TroubleKind.SCHEDULER: timedelta(0),
    TroubleKind.RELAY: timedelta(minutes=10),
    TroubleKind.NOTICES: timedelta(0),
    TroubleKind.MAILBOX: timedelta(hours=1),
    TroubleKind.DISK: timedelta(0),
    TroubleKind.CLOCK: timedelta(minutes=5),
    TroubleKind.JOB: timedelta(minutes=15),
    TroubleKind.BACKUP: timedelta(0),
}
#: It is over when it has not been found for so long.
QUIET = timedelta(minutes=10)
#: Of the same trouble nobody is told twice within this.
NOT_AGAIN_WITHIN = timedelta(hours=6)
_KEPT = timedelta(days=90)
#: What a process left behind that ended without taking its leave is of no interest after this.
_SIGN_KEPT = timedelta(days=1)


def watch(now: datetime) -> list[Trouble]:
    """Look round and write down what is wrong, in a transaction of its own. Returns the troubles that go on."""
    signs = gather(now)
    found = {(one.kind, one.subject): one for one in judge(signs)}
    db.session.rollback()
    with transaction() as session:
        take_turn("watch")
        going_on = {(one.kind, one.subject): one for one in session.scalars(open_troubles())}
        for key, one in found.items():
            if key not in going_on:
                going_on[key] = trouble = Trouble(
                    kind=one.kind, subject=one.subject, said=one.sentence[:600], began_at=now, seen_at=now
                )
                session.add(trouble)
        for key, trouble in going_on.items():
            if key in found:
                _goes_on(trouble, found[key], now)
            elif now - trouble.seen_at >= QUIET:
                _is_over(trouble, now)
        session.execute(delete(Trouble).where(Trouble.ended_at < now - _KEPT))
        session.execute(delete(ProcessSign).where(ProcessSign.worker_id.in_(_forgotten(signs))))
    return [one for one in going_on.values() if one.ended_at is None]


def watch_if_nobody_does(now: datetime) -> None:
    """Look round in place of the scheduler, when it has not rung for that for minutes."""
    last = db.session.scalar(
        select(OperationTotal.at).where(OperationTotal.name == totals.JOB, OperationTotal.label == "watch_over")
    )
    db.session.rollback()
    if last is not None and now - last > SILENT_AFTER:
        watch(now)


def open_troubles() -> Select[Trouble]:
    """What is wrong by the last look, the oldest first."""
    return select(Trouble).where(Trouble.ended_at.is_(None)).order_by(Trouble.began_at, Trouble.id)


def past_troubles(number: int) -> list[Trouble]:
    """The last `number` troubles that are over, newest first."""
    ended = select(Trouble).where(Trouble.ended_at.is_not(None))
    return list(db.session.scalars(ended.order_by(Trouble.ended_at.desc(), Trouble.id.desc()).limit(number)))


def _goes_on(trouble: Trouble, found: Found, now: datetime) -> None:
    trouble.seen_at, trouble.said = now, found.sentence[:600]
    if trouble.told_at is None and now - trouble.began_at >= TOLD_AFTER[trouble.kind] and not _told_lately(found, now):
        trouble.told_at = now
        _tell("trouble_began", trouble, now, what_to_do=found.what_to_do)


def _is_over(trouble: Trouble, now: datetime) -> None:
    trouble.ended_at = trouble.seen_at
    if trouble.told_at is not None:
        _tell("trouble_over", trouble, now, until=_moment(trouble.seen_at))


def _told_lately(found: Found, now: datetime) -> bool:
    same = (Trouble.kind == found.kind) & (Trouble.subject == found.subject)
    told = select(Trouble.id).where(same, Trouble.told_at > now - NOT_AGAIN_WITHIN)
    return db.session.scalar(told.limit(1)) is not None


def _tell(template: str, trouble: Trouble, now: datetime, **more: str) -> None:
    values = {"said": trouble.said, "since": _moment(trouble.began_at), **more}
    for account in db.session.scalars(administrators()).all():
        send_notice(template, account.email, now=now, values={**values, "name": account.name}, priority=URGENT)


def _forgotten(signs: Signs) -> list[int]:
    """Signs of processes that are gone and replaced, or gone for a day."""
    gone = [one for one in signs.processes if not one.alive and one.sign is not None]
    return [
        one.sign.worker_id
        for one in gone
        if one.sign is not None
        and (
            signs.now - one.sign.seen_at > _SIGN_KEPT
            or any(other.host == one.host and other.started_at > one.started_at for other in signs.living(one.part))
        )
    ]


def _moment(moment: datetime) -> str:
    return dates.moment(moment, current_settings().timezone)
