"""What an organisation must be able to show: its published texts, complaints about data, what was taken down."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Model
from ..states import GovernanceText
from ._columns import JSON, BigKey, String, Text, UTCDateTime, Uuid, public_id, states


class GovernanceVersion(Model):
    """One version of a text that staff keep up to date (the privacy notice has a table of its own)."""

    __tablename__ = "governance_version"

    kind: Mapped[GovernanceText] = mapped_column(states(GovernanceText, "kind_known"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))


class DataComplaint(Model):
    """A complaint about how somebody's data were handled, with the dates by which it must be taken up and answered."""

    __tablename__ = "data_complaint"
    __table_args__ = (
        Index(None, "answered_at"),
        CheckConstraint("answered_at IS NULL OR answer <> ''", name="answer_if_answered"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=public_id)
    reference: Mapped[str] = mapped_column(String(12), unique=True)
    name: Mapped[str] = mapped_column(String(100), default="")
    address: Mapped[str] = mapped_column(String(254), default="")
    words: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    acknowledge_by: Mapped[datetime] = mapped_column(UTCDateTime)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))


class TakeDown(Model):
    """Words or a picture that were removed for good, wherever they stood. What is left says when, why and by whom.

    `digest` is SHA-256 of what was removed; `places` says where it stood, and how often.
    """

    __tablename__ = "take_down"
    __table_args__ = (Index(None, "at"), CheckConstraint("reason <> ''", name="reason_given"))

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=public_id)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    places: Mapped[dict[str, Any]] = mapped_column(JSON)


class SealedCopy(Model):
    """A rendition as it was sent, put away when words were taken out of it. Its hash still proves what went."""

    __tablename__ = "sealed_copy"
    __table_args__ = (Index(None, "rendition_id"),)

    id: Mapped[BigKey]
    rendition_id: Mapped[int] = mapped_column(ForeignKey("rendition.id"))
    take_down_id: Mapped[int] = mapped_column(ForeignKey("take_down.id"))
    content_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    #: The parts, encrypted with a key that is made for it and given to the administrator once.
    body: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class Examination(Model):
    """What `doctor` found, the last time somebody asked: the page before sending shows what is wrong."""

    __tablename__ = "examination"

    id: Mapped[BigKey]
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    worst: Mapped[str] = mapped_column(String(20))
    findings: Mapped[list[Any]] = mapped_column(JSON)
