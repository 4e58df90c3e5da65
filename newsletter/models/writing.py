"""What stands around the words of an issue: comments, shared drafts, who is here, the book, follow-ups, corrections."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Model
from ..states import BookKind, FollowUpState, LinkState
from ._columns import JSON, BigKey, String, Text, UTCDateTime, Uuid, public_id, states


class DraftShare(Model):
    """A link that shows a draft to somebody without an account, until it expires or is taken back."""

    __tablename__ = "draft_share"
    __table_args__ = (Index(None, "issue_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=public_id)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"))
    for_whom: Mapped[str] = mapped_column(String(150))
    may_comment: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Comment(Model):
    """What somebody says about a section, about a contribution, or about the issue. It never enters the mail."""

    __tablename__ = "comment"
    __table_args__ = (Index(None, "issue_id", "block_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"))
    block_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("block.id", ondelete="CASCADE"))
    contribution_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id", ondelete="CASCADE"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    author_name: Mapped[str] = mapped_column(String(100))
    share_id: Mapped[int | None] = mapped_column(ForeignKey("draft_share.id", ondelete="SET NULL"))
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    resolved_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))


class Presence(Model):
    """Who is writing which issue, and in which section: renewed while the page is open, of no interest afterwards."""

    __tablename__ = "presence"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    block_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)


class BookEntry(Model):
    """A person, a link or an acronym that sections use again and again; of one list, or of all (`list_id` null)."""

    __tablename__ = "book_entry"
    __table_args__ = (
        Index(None, "list_id", "kind"),
        CheckConstraint("ended_at IS NULL OR end_reason <> ''", name="reason_if_ended"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int | None] = mapped_column(ForeignKey("mailing_list.id", ondelete="CASCADE"))
    kind: Mapped[BookKind] = mapped_column(states(BookKind, "kind_known"))
    #: A person's name, a link's title, the letters of an acronym.
    name: Mapped[str] = mapped_column(String(160))
    #: The fields of the section kind that the entry fills ("role", "email", "phone", "url", "meaning" …).
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    end_reason: Mapped[str] = mapped_column(String(300), default="")


class FollowUp(Model):
    """A promise to come back to something next time, with the words it was made in."""

    __tablename__ = "follow_up"
    __table_args__ = (Index(None, "list_id", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("mailing_list.id", ondelete="CASCADE"))
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issue.id", ondelete="SET NULL"))
    block_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    kind: Mapped[str] = mapped_column(String(32))
    heading: Mapped[str] = mapped_column(String(200))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    note: Mapped[str] = mapped_column(String(300), default="")
    state: Mapped[FollowUpState] = mapped_column(states(FollowUpState, "state_known"), default=FollowUpState.WAITING)
    #: Carried on: it waits for the issue after this one.
    not_before_issue_id: Mapped[int | None] = mapped_column(ForeignKey("issue.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Correction(Model):
    """A dated note on the web page of an issue that was sent. The mail and its kept bytes never change."""

    __tablename__ = "correction"
    __table_args__ = (Index(None, "issue_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"))
    block_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class TestAddress(Model):
    """An address that gets test copies of a list's issues, named as such: never a subscriber by accident."""

    __test__ = False
    __tablename__ = "test_address"
    __table_args__ = (UniqueConstraint("list_id", "address_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("mailing_list.id", ondelete="CASCADE"))
    address: Mapped[str] = mapped_column(String(254))
    address_key: Mapped[str] = mapped_column(String(254))
    note: Mapped[str] = mapped_column(String(100), default="")
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)
    added_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))


class LinkCheck(Model):
    """What came of asking for a link's page, the last time; `url_hash` is SHA-256 of the address."""

    __tablename__ = "link_check"

    url_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    state: Mapped[LinkState] = mapped_column(states(LinkState, "state_known"))
    detail: Mapped[str] = mapped_column(String(300), default="")
    checked_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ReadDocument(Model):
    """A document that was read and waits for a person's choices before it is imported; kept for a day."""

    __tablename__ = "read_document"
    __table_args__ = (Index(None, "at"),)

    id: Mapped[BigKey]
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=public_id)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200), default="")
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    day: Mapped[date | None] = mapped_column(Date)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
