"""How the installation is at this moment, from a few rows: what the page, the metrics and the alarms all read.

Every question is answered by an index or by a table of few rows, so asking every few seconds costs nothing that a
sending worker would notice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from ..config import current_settings
from ..db import db
from ..models import (
    DeliveryProgress,
    DeliveryTally,
    Issue,
    Lease,
    MailSource,
    Notice,
    OperationTotal,
    ProcessSign,
    Worker,
)
from ..states import DeliveryState, IssueState, NoticeState
from ..work.liveness import Fate, processes
from .totals import totals

_WAITING = (NoticeState.QUEUED, NoticeState.DEFERRED)
#: What the sending rate is taken over.
RATE_SECONDS = 60


@dataclass(frozen=True)
class ProcessFound:
    """A process that lasts: which part of the installation it is, whether it lives, and what it last said."""

    part: str
    host: str
    pid: int
    alive: bool
    started_at: datetime
    sign: ProcessSign | None


@dataclass(frozen=True)
class Signs:
    """What is known at `now`. Instants are aware; None is for what has never been."""

    now: datetime
    timezone: str
    backup_hours: int
    processes: list[ProcessFound]
    leader: str
    totals: dict[tuple[str, str], OperationTotal]
    notices: dict[NoticeState, int]
    oldest_notice_due: datetime | None
    oldest_issue_due: datetime | None
    sending: int
    deliveries: dict[DeliveryState, int]
    per_second: dict[DeliveryState, float]
    mail_source: MailSource | None

    def living(self, part: str) -> list[ProcessFound]:
        """The processes of this part that live."""
        return [one for one in self.processes if one.alive and one.part == part]

    def last(self, name: str, label: str) -> datetime | None:
        """When this was last counted."""
        found = self.totals.get((name, label))
        return found.at if found else None


def gather(now: datetime) -> Signs:
    """Read everything. Reads only."""
    session = db.session
    signs = {one.worker_id: one for one in session.scalars(select(ProcessSign))}
    notices = session.execute(
        select(Notice.state, func.count()).where(Notice.state.in_(_WAITING)).group_by(Notice.state)
    )
    sums = session.execute(
        select(DeliveryTally.state, func.sum(DeliveryTally.number))
        .join(Issue, Issue.id == DeliveryTally.issue_id)
        .where(Issue.state.in_((IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)))
        .group_by(DeliveryTally.state)
    )
    due_issue = select(func.min(Issue.scheduled_at)).where(Issue.state == IssueState.SCHEDULED)
    waiting = select(func.min(Notice.next_attempt_at)).where(Notice.state.in_(_WAITING))
    leader = session.scalar(select(Lease.holder).where(Lease.name == "scheduler", Lease.ends > 0))
    return Signs(
        now=now,
        timezone=current_settings().timezone,
        backup_hours=current_settings().backup_hours,
        processes=_processes(signs),
        leader=(leader or "").partition(" ")[0],
        totals=totals(),
        notices={row[0]: row[1] for row in notices},
        oldest_notice_due=_past(session.scalar(waiting), now),
        oldest_issue_due=_past(session.scalar(due_issue), now),
        sending=session.scalar(select(func.count()).where(Issue.state == IssueState.SENDING)) or 0,
        deliveries={state: int(number) for state, number in sums},
        per_second=_rates(now),
        mail_source=_mail_source(),
    )


def _processes(signs: dict[int, ProcessSign]) -> list[ProcessFound]:
    """Those that live, and those that went without taking their sign back."""
    found = [(worker, fate is Fate.ALIVE) for worker, fate in processes()]
    known = {worker.id for worker, _alive in found}
    gone = db.session.scalars(select(Worker).where(Worker.id.in_(signs.keys() - known))) if signs.keys() - known else ()
    return [
        ProcessFound(one.part, one.host, one.pid, alive, one.started_at, signs.get(one.id))
        for one, alive in [*found, *((one, False) for one in gone)]
        if alive or one.id in signs
    ]


def _rates(now: datetime) -> dict[DeliveryState, float]:
    slots = (
        select(DeliveryProgress.state, func.sum(DeliveryProgress.number))
        .join(Issue, Issue.id == DeliveryProgress.issue_id)
        .where(
            Issue.state.in_((IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)),
            DeliveryProgress.slot > now - timedelta(seconds=RATE_SECONDS),
        )
        .group_by(DeliveryProgress.state)
    )
    return {state: int(number) / RATE_SECONDS for state, number in db.session.execute(slots)}


def _mail_source() -> MailSource | None:
    """The row of the mailbox that is read now; of those that the settings named before, rows remain."""
    if current_settings().inbound_url is None:
        return None
    return db.session.scalar(select(MailSource).order_by(MailSource.looked_at.desc()).limit(1))


def _past(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment is not None and moment <= now else None
