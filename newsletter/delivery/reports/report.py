"""The report of a sent issue: one document, made by a few SELECTs, kept when its deliveries are gone.

What the page shows at once is the kept document, with the moment it was made; only where people stand (the accounts)
is always read afresh.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, text

from ...db import conflict_aware_insert, db, transaction
from ...models import Delivery, Feedback, Issue, IssueReport
from ...states import DeliveryState, IssueState
from . import accounts
from .report_figures import (
    Cause,
    Domain,
    Series,
    accepted_over_time,
    came_back,
    causes,
    domains,
    unsubscribed_by_hour,
)

#: How old a kept document may become, and for how long after the sending it is made anew.
REFRESHED_EVERY = timedelta(hours=1)
REFRESHED_FOR = timedelta(days=7)


@dataclass(frozen=True)
class Report:
    """What is known of an issue that was sent, as of `made_at`. Instants are aware UTC; no person is named in it."""

    made_at: datetime
    started_at: datetime
    ended_at: datetime | None
    recipients: int
    counts: Mapping[str, int]
    skipped: Mapping[str, int]
    refused: tuple[Cause, ...]
    deferred: tuple[Cause, ...]
    domains: tuple[Domain, ...]
    others: Domain
    #: Reports by kind (`FeedbackKind`), and "bounced": the people behind the bounces of all kinds.
    came_back: Mapping[str, int]
    #: From the start to the end of the sending. Those who were put off and accepted later come on top.
    accepted: Series
    unsubscribed: Series

    @property
    def accepted_later(self) -> int:
        """How many were accepted after the sending as a whole had ended: those who had been put off."""
        return max(0, self.counts[DeliveryState.ACCEPTED] - self.accepted.total)

    def by_domain(self, most: int) -> list[Domain]:
        """The `most` largest domains, and last all others together, which has no name."""
        rest = (*self.domains[most:], self.others)
        numbers = ("people", "accepted", "refused", "bounced", "complained")
        others = Domain("", **{name: sum(getattr(each, name) for each in rest) for name in numbers})
        return [*self.domains[:most], others]

    def as_dict(self) -> dict[str, Any]:
        """The document for JSON: instants in ISO 8601 with their zone."""
        return _plain(asdict(self))  # type: ignore[no-any-return]  # a dictionary in, a dictionary out

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Report":
        """What `as_dict` gave."""
        ended = data["ended_at"]
        return cls(
            made_at=datetime.fromisoformat(data["made_at"]),
            started_at=datetime.fromisoformat(data["started_at"]),
            ended_at=datetime.fromisoformat(ended) if ended else None,
            recipients=data["recipients"],
            counts=data["counts"],
            skipped=data["skipped"],
            refused=tuple(Cause(**each) for each in data["refused"]),
            deferred=tuple(Cause(**each) for each in data["deferred"]),
            domains=tuple(Domain(**each) for each in data["domains"]),
            others=Domain(**data["others"]),
            came_back=data["came_back"],
            accepted=_series(data["accepted"]),
            unsubscribed=_series(data["unsubscribed"]),
        )


def build(issue: Issue, now: datetime) -> Report:
    """Make the document from the deliveries and what came back since. Reads only; `issue` has been started."""
    assert issue.started_at is not None
    counts = accounts.counts(issue)
    back = came_back(issue)
    named, others = domains(issue, counts, back)
    ended = issue.sent_at or issue.cancelled_at
    return Report(
        made_at=now,
        started_at=issue.started_at,
        ended_at=ended,
        recipients=issue.recipients,
        counts=counts.as_dict(),
        skipped={reason.value: people for reason, people in accounts.skipped(issue).items()},
        refused=causes(issue, DeliveryState.REFUSED),
        deferred=causes(issue, DeliveryState.DEFERRED),
        domains=named,
        others=others,
        came_back=back,
        accepted=accepted_over_time(issue, max(issue.started_at, ended or now)),
        unsubscribed=unsubscribed_by_hour(issue, now),
    )


def kept(issue: Issue) -> Report | None:
    """The document as it was last made; None before the first."""
    data = db.session.scalar(select(IssueReport.data).where(IssueReport.issue_id == issue.id))
    return Report.from_dict(data) if data else None


def current(issue: Issue, now: datetime) -> Report:
    """The kept document, or one made now, which is not kept: looking changes nothing."""
    return kept(issue) or build(issue, now)


def keep(report: Report, issue_id: int) -> None:
    """Store the document, in the running transaction, in the place of an older one.

    One whose deliveries are gone stays as it is: nothing better can be made of it.
    """
    values = {"made_at": report.made_at, "data": report.as_dict()}
    statement = conflict_aware_insert(IssueReport).values(issue_id=issue_id, **values)
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=["issue_id"], set_=values, where=IssueReport.aggregated_at.is_(None)
        )
    )


def refresh_due(now: datetime) -> list[int]:
    """Make the documents that are due, each kept in a transaction of its own. Returns the issues' ids.

    Due is an issue that has ended and has none; and one whose document is an hour old, for a week after the end,
    as long as somebody is put off, and when something came back since.
    """
    made = []
    for issue_id in _due(now):
        issue = db.session.get(Issue, issue_id)
        if issue is None or issue.started_at is None:
            continue
        report = build(issue, now)
        with transaction():
            keep(report, issue_id)
        made.append(issue_id)
    return made


def _due(now: datetime) -> list[int]:
    ended_at = func.coalesce(Issue.sent_at, Issue.cancelled_at, type_=Issue.sent_at.type)
    put_off = select(Delivery.id).where(Delivery.issue_id == Issue.id, text("delivery.state = 'deferred'")).exists()
    news = select(Feedback.id).where(Feedback.issue_id == Issue.id, Feedback.at > IssueReport.made_at).exists()
    rows = db.session.execute(
        select(Issue.id, ended_at, IssueReport.made_at, or_(put_off, news))
        .join(IssueReport, IssueReport.issue_id == Issue.id, isouter=True)
        .where(
            Issue.state.in_([IssueState.SENT, IssueState.CANCELLED]),
            Issue.started_at.is_not(None),
            IssueReport.aggregated_at.is_(None),
        )
        .order_by(Issue.id)
    ).all()
    db.session.rollback()
    return [
        issue_id
        for issue_id, ended, made_at, wanted in rows
        if made_at is None
        or (now - made_at >= REFRESHED_EVERY and (wanted or (ended is not None and made_at < ended + REFRESHED_FOR)))
    ]


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
    return value


def _series(data: Mapping[str, Any]) -> Series:
    return Series(datetime.fromisoformat(data["start"]), data["seconds"], tuple(data["numbers"]))
