"""What surrounds a call for news: more time for somebody, and which mails about it went to whom."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Model
from ..states import ChaseKind, ExtensionState
from ._columns import BigKey, HasDeadline, String, Text, UTCDateTime, Uuid, deadline_whole, public_id, states
from .issues import Issue


class Extension(HasDeadline, Model):
    """More time for one issue: for a person, for an agency, or for one contribution (changes that were asked for).

    Asked for by its owner or given unasked. Its own deadline says until when; it obeys the same rules as the call's.
    """

    __tablename__ = "extension"
    __table_args__ = (
        Index(None, "issue_id", "state"),
        Index(None, "contributor_id"),
        Index(None, "contribution_id"),
        deadline_whole(),
        CheckConstraint("state IN ('asked', 'refused') OR deadline_at IS NOT NULL", name="end_if_granted"),
        CheckConstraint(
            "contributor_id IS NOT NULL OR agency_id IS NOT NULL OR contribution_id IS NOT NULL", name="for_somebody"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=public_id)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"))
    contributor_id: Mapped[int | None] = mapped_column(ForeignKey("contributor.id", ondelete="CASCADE"))
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id", ondelete="CASCADE"))
    contribution_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id", ondelete="CASCADE"))
    state: Mapped[ExtensionState] = mapped_column(states(ExtensionState, "state_known"))
    reason: Mapped[str] = mapped_column(Text, default="")
    asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    note: Mapped[str] = mapped_column(Text, default="")
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    issue: Mapped[Issue] = relationship()


class Chase(Model):
    """A mail about a call that went to an address: once for its kind, occasion and the deadline as it was then.

    The row is written with the mail in one transaction, so two schedulers and any restart send one. `occasion` is the
    working days before the deadline for a reminder, the day's number (`date.toordinal`) for a digest, else 0.
    """

    __tablename__ = "chase"
    __table_args__ = (UniqueConstraint("issue_id", "kind", "occasion", "deadline_version", "address_key"),)

    id: Mapped[BigKey]
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"))
    kind: Mapped[ChaseKind] = mapped_column(states(ChaseKind, "kind_known"))
    occasion: Mapped[int] = mapped_column(default=0)
    deadline_version: Mapped[int]
    address_key: Mapped[str] = mapped_column(String(254))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
