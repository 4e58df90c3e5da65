"""What is known of the running of the installation: its processes, what they counted, and what is wrong."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Model
from ..states import TroubleKind
from ._columns import String, UTCDateTime, states

_OPEN = text("ended_at IS NULL")


class ProcessSign(Model):
    """What a process of ours sees around it, beside the row of `Worker` that says whether it lives.

    `disk_free` is the room left for its data directory, in bytes; `clock_ahead` by how many seconds its machine's clock
    is ahead of the database's.
    """

    __tablename__ = "process_sign"

    worker_id: Mapped[int] = mapped_column(ForeignKey("worker.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[str] = mapped_column(String(40))
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    disk_free: Mapped[int] = mapped_column(BigInteger)
    clock_ahead: Mapped[float]


class OperationTotal(Model):
    """How often something was done since the installation began, by all processes together: it only grows.

    `name` says what ("job", "relay") and `label` which; `total` adds up what was measured (seconds), `latest` is the
    last of it, and `said` the words that came with it, which name nobody.
    """

    __tablename__ = "operation_total"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    label: Mapped[str] = mapped_column(String(80), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[float]
    latest: Mapped[float]
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    said: Mapped[str] = mapped_column(String(300), default="")


class Trouble(Model):
    """Something that is wrong with the installation, or was. One row at a time for each kind and thing.

    `seen_at` is when it was last found so; `told_at` when the administrators were told.
    """

    __tablename__ = "trouble"
    __table_args__ = (
        Index("uq_trouble_open", "kind", "subject", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        CheckConstraint("ended_at IS NULL OR ended_at >= began_at", name="in_order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[TroubleKind] = mapped_column(states(TroubleKind, "kind_known"))
    subject: Mapped[str] = mapped_column(String(255), default="")
    said: Mapped[str] = mapped_column(String(600))
    began_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
