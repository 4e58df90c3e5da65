"""Part of a list, by saved conditions; and what staff did to many subscribers at once."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Model
from ._columns import JSON, BigKey, String, UTCDateTime
from .lists import MailingList


class Audience(Model):
    """Saved conditions over the subscribers of a list. They are evaluated when an issue's audience is frozen."""

    __tablename__ = "audience"
    __table_args__ = (Index(None, "list_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("mailing_list.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(120))
    #: [{"field", "is", "value"}], all of which must hold; see `newsletter.domain.subscribers.audiences`.
    conditions: Mapped[list[Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    mailing_list: Mapped[MailingList] = relationship()


class IssueAudience(Model):
    """Which part of its list an issue goes to: a copy of the conditions, so that what was approved is what is sent."""

    __tablename__ = "issue_audience"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"), primary_key=True)
    audience_id: Mapped[int | None] = mapped_column(ForeignKey("audience.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(String(120))
    conditions: Mapped[list[Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class BulkAction(Model):
    """What somebody on the staff did to many subscribers at once, with what is needed to undo it for a while."""

    __tablename__ = "bulk_action"
    __table_args__ = (Index(None, "at"),)

    id: Mapped[BigKey]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    list_id: Mapped[int | None] = mapped_column(ForeignKey("mailing_list.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(40))
    number: Mapped[int]
    undo: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
