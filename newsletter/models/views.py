"""Answers to a call for views: the built-in page that an ask-for-views section can lead to."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Model
from ._columns import BigKey, HasDeadline, String, Text, UTCDateTime, Uuid, deadline_whole, public_id
from .issues import Issue


class ViewsPage(HasDeadline, Model):
    """One question with its own deadline, made for a section of an issue. Its answers are purged after use."""

    __tablename__ = "views_page"
    __table_args__ = (Index(None, "issue_id"), deadline_whole())

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=public_id)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"))
    block_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("block.id", ondelete="SET NULL"), unique=True)
    question: Mapped[str] = mapped_column(Text)
    explanation: Mapped[str] = mapped_column(Text, default="")
    #: Whether an answer may come without a name and an address.
    anonymous: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    closed_early_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    purged_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: How many answers there were, kept when they are purged.
    answered: Mapped[int] = mapped_column(default=0, server_default="0")

    issue: Mapped[Issue] = relationship()


class ViewsAnswer(Model):
    """What somebody answered. `form_key` is a keyed hash of the form it came on: one form, one answer."""

    __tablename__ = "views_answer"
    __table_args__ = (UniqueConstraint("page_id", "form_key"),)

    id: Mapped[BigKey]
    page_id: Mapped[int] = mapped_column(ForeignKey("views_page.id", ondelete="CASCADE"))
    form_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    body: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(String(100), default="")
    organisation: Mapped[str] = mapped_column(String(150), default="")
    address: Mapped[str] = mapped_column(String(254), default="")
    in_grace: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
