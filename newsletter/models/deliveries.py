"""The ledger of an issue: one row for each frozen recipient, and the worker that has it in hand."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Model
from ..states import DeliveryState, SkipReason
from ._columns import JSON, Any, BigKey, String, UTCDateTime, states

_QUEUED = text("state = 'queued'")
_CLAIMED = text("state = 'claimed'")
_DEFERRED = text("state = 'deferred'")


class Delivery(Model):
    """One recipient of one issue. Frozen at launch; from then on it changes state and nothing else.

    No address stands here: it is read from the subscriber when the row is claimed, so whoever left, moved or was
    erased in between is not sent to, and erasing a person leaves the accounts whole.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("issue_id", "subscription_id"),
        # Partial, so that an accepted row, which is nearly all of them, stands in none of the three.
        Index("ix_delivery_queued", "issue_id", "id", sqlite_where=_QUEUED, postgresql_where=_QUEUED),
        Index("ix_delivery_claimed", "issue_id", "owner", sqlite_where=_CLAIMED, postgresql_where=_CLAIMED),
        Index("ix_delivery_deferred", "issue_id", "retry_at", sqlite_where=_DEFERRED, postgresql_where=_DEFERRED),
        CheckConstraint("state <> 'claimed' OR owner IS NOT NULL", name="owner_if_claimed"),
        CheckConstraint("state <> 'deferred' OR retry_at IS NOT NULL", name="retry_at_if_deferred"),
        CheckConstraint("(state = 'skipped') = (skip_reason IS NOT NULL)", name="reason_if_skipped"),
        # Every row is updated twice, and its new version finds room on its page: the table does not grow with sending.
        # The indexes are written all the same: no update is HOT, since each changes `state`, on which three depend.
        {"postgresql_with": {"fillfactor": 50}},
    )

    id: Mapped[BigKey]
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"))
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"))
    state: Mapped[DeliveryState] = mapped_column(states(DeliveryState, "state_known"), default=DeliveryState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    owner: Mapped[int | None] = mapped_column(ForeignKey("worker.id"))
    retry_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    first_tried_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    skip_reason: Mapped[SkipReason | None] = mapped_column(states(SkipReason, "skip_reason_known"))
    code: Mapped[int | None]
    enhanced: Mapped[str | None] = mapped_column(String(12))
    reply: Mapped[str | None] = mapped_column(String(500))
    #: When a person looked at an unsure one and left it as it is.
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Worker(Model):
    """One sending run of a process, or the process itself. Its id is the epoch of every claim it makes: a restarted one
    is another. `part` says which: "run", "worker", "scheduler", "web".

    `boot_id`, `pid_namespace`, `pid` and `process_start` tell on the same machine whether it lives; `beat` is the
    machine's monotonic clock in microseconds on SQLite, where all processes share a machine, and the database's
    clock on PostgreSQL. `wire_log` is a file name in the folder `wire` of the data directory.
    """

    __tablename__ = "worker"

    id: Mapped[int] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(String(20), default="run", server_default="run")
    host: Mapped[str] = mapped_column(String(255))
    boot_id: Mapped[str] = mapped_column(String(64))
    pid_namespace: Mapped[str] = mapped_column(String(40), default="")
    pid: Mapped[int]
    process_start: Mapped[str] = mapped_column(String(40), default="")
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    beat: Mapped[int] = mapped_column(BigInteger)
    wire_log: Mapped[str] = mapped_column(String(500), default="")
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class DeliveryTally(Model):
    """How many of an issue's deliveries are in one state: kept in the transaction that moves them.

    So a page that watches half a million rows reads seven. `newsletter issues verify` counts the rows themselves
    and says where the two differ.
    """

    __tablename__ = "delivery_tally"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[DeliveryState] = mapped_column(states(DeliveryState, "state_known"), primary_key=True)
    number: Mapped[int]


class DeliveryProgress(Model):
    """How many messages came to one state within one slot of ten seconds: the rate, and the chart of the report."""

    __tablename__ = "delivery_progress"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"), primary_key=True)
    slot: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True)
    state: Mapped[DeliveryState] = mapped_column(states(DeliveryState, "state_known"), primary_key=True)
    number: Mapped[int]


class RelayPace(Model):
    """How much a relay has been given: one row a relay, shared by all who send through it.

    `at` is the clock of `work.liveness` in microseconds (never people's clock), `tokens` what may leave at once,
    `used` the number of messages by slot, for the limits of an hour and of a day.
    """

    __tablename__ = "relay_pace"

    relay: Mapped[str] = mapped_column(String(255), primary_key=True)
    boot_id: Mapped[str] = mapped_column(String(64), default="")
    at: Mapped[int] = mapped_column(BigInteger)
    tokens: Mapped[float]
    used: Mapped[dict[str, int]] = mapped_column(JSON)


class IssueReport(Model):
    """What is known of an issue that was sent, in one document: it outlives the deliveries it was made from."""

    __tablename__ = "issue_report"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"), primary_key=True)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: When the deliveries themselves were deleted; from then on the document is all there is.
    aggregated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
