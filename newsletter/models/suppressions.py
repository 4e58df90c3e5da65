"""Addresses and domains that get no mail, and the counters that keep a public form from becoming a weapon."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Model
from ..states import SuppressionReason
from ._columns import BigKey, String, Text, UTCDateTime, states


class Suppression(Model):
    """An address that must not be written to: its keyed hash, the reason, the date, and nothing else of it.

    It wins over every import, form and restore (ICO: suppress instead of deleting).
    """

    __tablename__ = "suppression"
    __table_args__ = (
        Index("ix_suppression_address_hash", "address_hash"),
        CheckConstraint("lifted_at IS NULL OR lift_reason <> ''", name="reason_if_lifted"),
    )

    id: Mapped[BigKey]
    address_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    reason: Mapped[SuppressionReason] = mapped_column(states(SuppressionReason, "reason_known"))
    note: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    lifted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lift_reason: Mapped[str] = mapped_column(Text, default="")


class LimitCounter(Model):
    """How often something was done in one window of time. `key` holds a hash where it would name a person."""

    __tablename__ = "limit_counter"
    __table_args__ = (Index(None, "ends_at"),)

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True)
    count: Mapped[int]


class MailDomain(Model):
    """Whether a domain takes mail, as the DNS said. `takes_mail` is unknown (NULL) where nobody answered.

    A note for a while, not a fact about anybody: it is asked anew, and goes when it is old.
    """

    __tablename__ = "mail_domain"
    __table_args__ = (Index(None, "looked_at"),)

    domain: Mapped[str] = mapped_column(String(255), primary_key=True)
    takes_mail: Mapped[bool | None]
    looked_at: Mapped[datetime] = mapped_column(UTCDateTime)
