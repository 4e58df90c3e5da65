"""Asking people, after a long time, whether they still want a list."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Model
from ..states import RenewalState
from ._columns import BigKey, String, UTCDateTime, Uuid, public_id, states
from .lists import Subscription
from .notices import Notice

_OPEN = text("state = 'asked'")


class RenewalRule(Model):
    """What an administrator decided for a list: after how many months people are asked, or why they never are.

    A list without a row is undecided, and nobody on it is asked.
    """

    __tablename__ = "renewal_rule"
    __table_args__ = (
        CheckConstraint("months = 0 OR months BETWEEN 6 AND 60", name="months_known"),
        CheckConstraint("months > 0 OR off_reason <> ''", name="off_for_a_reason"),
    )

    list_id: Mapped[int] = mapped_column(
        ForeignKey("mailing_list.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    #: 0: nobody is asked, for the reason that is given.
    months: Mapped[int]
    off_reason: Mapped[str] = mapped_column(String(200), default="", server_default="")
    decided_at: Mapped[datetime] = mapped_column(UTCDateTime)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))


class Renewal(Model):
    """One asking of one person about one list, from the mail to what came of it. There is one at a time."""

    __tablename__ = "renewal"
    __table_args__ = (
        Index(None, "subscription_id", "asked_at"),
        Index(
            "uq_renewal_subscription_id_open",
            "subscription_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(None, "asked_at"),
        Index(None, "notice_id"),
        CheckConstraint("(state = 'asked') = (ended_at IS NULL)", name="ended_at_if_ended"),
    )

    id: Mapped[BigKey]
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=public_id)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id", ondelete="CASCADE"))
    state: Mapped[RenewalState] = mapped_column(states(RenewalState, "state_known"), default=RenewalState.ASKED)
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reminded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: The mail that went last: the question, or the reminder. Nobody leaves for one that was not accepted.
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id", ondelete="SET NULL"))

    subscription: Mapped[Subscription] = relationship()
    notice: Mapped[Notice | None] = relationship()
