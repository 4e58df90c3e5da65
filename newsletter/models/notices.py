"""Mails to one person: confirmations, receipts, invitations, alerts. The transactional outbox."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Model
from ..states import NoticeState
from ._columns import JSON, BigKey, String, UTCDateTime, states

_WAITING = text("state IN ('queued', 'deferred')")


class Notice(Model):
    """One mail to one person, written in the transaction of the change it tells of.

    It stores which template, and ids and words to fill it with; never a link that acts. A token in the mail is
    derived from `nonce` when the mail is made, so neither the table nor a backup of it can sign anybody up.
    `unsure_at` says that its final dot left once and no answer came: it goes a second time, and no third.
    """

    __tablename__ = "notice"
    __table_args__ = (
        Index(
            "ix_notice_waiting",
            "priority",
            "next_attempt_at",
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
        Index(None, "address_key", "template", "created_at"),
        Index(None, "nonce"),
        CheckConstraint("(state = 'accepted') = (accepted_at IS NOT NULL)", name="accepted_at_if_accepted"),
    )

    id: Mapped[BigKey]
    template: Mapped[str] = mapped_column(String(60))
    template_version: Mapped[int] = mapped_column(default=1)
    address: Mapped[str] = mapped_column(String(254))
    address_key: Mapped[str] = mapped_column(String(254))
    list_id: Mapped[int | None] = mapped_column(ForeignKey("mailing_list.id", ondelete="SET NULL"))
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issue.id", ondelete="SET NULL"))
    values: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    nonce: Mapped[bytes] = mapped_column(LargeBinary(16))
    message_id: Mapped[str] = mapped_column(String(255), unique=True)
    state: Mapped[NoticeState] = mapped_column(states(NoticeState, "state_known"), default=NoticeState.QUEUED)
    priority: Mapped[int] = mapped_column(default=5)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    claimed_by: Mapped[str | None] = mapped_column(String(80))
    claim_ends_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    unsure_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reply: Mapped[str] = mapped_column(String(500), default="")


class MailboxMessage(Model):
    """A mail that went nowhere: the built-in mailbox, used while no relay is set."""

    __tablename__ = "mailbox_message"
    __table_args__ = (Index(None, "recipient"),)

    id: Mapped[BigKey]
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    sender: Mapped[str] = mapped_column(String(320))
    recipient: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(998))
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"))
    source: Mapped[bytes] = mapped_column(LargeBinary)
