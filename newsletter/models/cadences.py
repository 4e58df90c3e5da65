"""The rhythm of a list: the rules that its days follow."""

from datetime import datetime, time
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Time
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Model
from ..states import IssueNaming
from ._columns import JSON, String, Text, UTCDateTime, states
from .lists import MailingList


class CadenceRule(Model):
    """When a list's issues go out and when its calls close, as recurrence rules (RFC 5545, 3.3.10).

    A rule is a text of one or more lines, each an RRULE without DTSTART; their days are taken together ("the 26th,
    and the 24th in February" is two lines). A day that falls on a weekend or a bank holiday of `region` moves to the
    working day before.
    """

    __tablename__ = "cadence_rule"
    __table_args__ = (CheckConstraint("approval_days_before >= 0", name="approval_days_not_negative"),)

    list_id: Mapped[int] = mapped_column(ForeignKey("mailing_list.id", ondelete="CASCADE"), primary_key=True)
    send_rule: Mapped[str] = mapped_column(Text)
    send_time: Mapped[time] = mapped_column(Time)
    deadline_rule: Mapped[str] = mapped_column(Text)
    deadline_time: Mapped[time] = mapped_column(Time)
    #: Working days before it goes out by which an issue should be approved.
    approval_days_before: Mapped[int] = mapped_column(default=2)
    #: Working days before the deadline on which people are reminded: a list of numbers, the largest first.
    reminder_days: Mapped[list[Any]] = mapped_column(JSON)
    #: Whose bank holidays: a code of ISO 3166-2 ("GB-ENG"), or "" for weekends alone.
    region: Mapped[str] = mapped_column(String(10), default="GB-ENG")
    naming: Mapped[IssueNaming] = mapped_column(states(IssueNaming, "naming_known"), default=IssueNaming.MONTH)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))

    mailing_list: Mapped[MailingList] = relationship()
