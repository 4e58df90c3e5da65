"""What people in partner agencies send in."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Model
from ..states import ContributionState
from ._columns import String, Text, UTCDateTime, Uuid, public_id, states
from .issues import Issue


class Contribution(Model):
    """One piece of news for one issue, kept from its first POST whatever the hour.

    `late` says that it came after the deadline; `in_grace` that its form was opened before, so it counts.
    """

    __tablename__ = "contribution"
    __table_args__ = (
        Index(None, "issue_id", "state"),
        CheckConstraint("state = 'draft' OR submitted_at IS NOT NULL", name="submitted_at_if_submitted"),
        CheckConstraint("NOT (late AND in_grace)", name="grace_is_not_late"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=public_id)
    reference: Mapped[str] = mapped_column(String(12), unique=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"))
    state: Mapped[ContributionState] = mapped_column(states(ContributionState, "state_known"))
    title: Mapped[str] = mapped_column(String(160))
    body: Mapped[str] = mapped_column(Text)
    agency: Mapped[str] = mapped_column(String(150), default="")
    contact_name: Mapped[str] = mapped_column(String(100), default="")
    contact_address: Mapped[str] = mapped_column(String(254))
    contact_phone: Mapped[str] = mapped_column(String(40), default="")
    late: Mapped[bool] = mapped_column(default=False)
    in_grace: Mapped[bool] = mapped_column(default=False)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    decision_note: Mapped[str] = mapped_column(Text, default="")

    issue: Mapped[Issue] = relationship()
