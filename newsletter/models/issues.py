"""Issues and their words: blocks with every revision, versions, what was approved and what was tested."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Model
from ..states import IssueState, Where
from ._columns import JSON, BigKey, HasDeadline, String, Text, UTCDateTime, Uuid, deadline_whole, states
from .lists import MailingList


class Issue(HasDeadline, Model):
    """One issue of a list, from its first date to its report.

    An issue whose list has a cadence has a call, and a call has a deadline: the table does not allow a call
    that never ends. The deadline is kept as people said it (date, time, zone) and as the instant it names.
    """

    __tablename__ = "issue"
    __table_args__ = (
        Index(None, "list_id", "state"),
        Index("uq_issue_list_id_planned_key", "list_id", "planned_key", unique=True),
        CheckConstraint("NOT has_call OR deadline_at IS NOT NULL", name="call_has_deadline"),
        deadline_whole(),
        CheckConstraint("state <> 'scheduled' OR scheduled_at IS NOT NULL", name="scheduled_at_if_scheduled"),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_at_if_sent"),
        CheckConstraint(
            "state NOT IN ('sending', 'paused', 'sent') OR (started_at IS NOT NULL AND rendition_id IS NOT NULL)",
            name="started_at_if_started",
        ),
        CheckConstraint("recipients >= 0", name="recipients_not_negative"),
        CheckConstraint(
            "NOT archive_only OR (recipients = 0 AND state IN ('draft', 'sent', 'cancelled'))",
            name="archive_only_never_sent",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("mailing_list.id"))
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    state: Mapped[IssueState] = mapped_column(states(IssueState, "state_known"), default=IssueState.DRAFT)
    language: Mapped[str] = mapped_column(String(35), default="en-GB")
    subject: Mapped[str] = mapped_column(String(200), default="")
    preheader: Mapped[str] = mapped_column(String(200), default="")
    #: Goes up with every change of words, order or frame; an approval or a test holds for one number only.
    content_version: Mapped[int] = mapped_column(default=1)
    planned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: The day by which it should be approved; without one, some working days before it goes out.
    approval_on: Mapped[date | None] = mapped_column(Date)
    #: Which turn of the list's rhythm it is: the local day that its rule names. Laying a year out twice makes one.
    planned_key: Mapped[str | None] = mapped_column(String(10))
    #: Its number, where the list counts its issues.
    number: Mapped[int | None]
    has_call: Mapped[bool] = mapped_column(default=False)
    call_opened_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    deadline_version: Mapped[int] = mapped_column(default=0)
    next_issue_id: Mapped[int | None] = mapped_column(ForeignKey("issue.id", ondelete="SET NULL"), unique=True)
    scheduled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    scheduled_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    paused_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    pause_reason: Mapped[str] = mapped_column(Text, default="")
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancel_reason: Mapped[str] = mapped_column(Text, default="")
    recipients: Mapped[int] = mapped_column(default=0)
    #: Went out before this installation was: it stands in the archive under its own date, and is never sent.
    archive_only: Mapped[bool] = mapped_column(default=False, server_default=false())
    rendition_id: Mapped[int | None] = mapped_column(
        ForeignKey("rendition.id", use_alter=True, name="fk_issue_rendition_id")
    )
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))

    mailing_list: Mapped[MailingList] = relationship()
    next_issue: Mapped["Issue | None"] = relationship(remote_side=[id], foreign_keys=[next_issue_id])
    blocks: Mapped[list["Block"]] = relationship(
        primaryjoin="and_(Block.issue_id == Issue.id, Block.deleted_at.is_(None))",
        order_by="Block.position",
        viewonly=True,
    )
    rendition: Mapped["Rendition | None"] = relationship(foreign_keys=[rendition_id], post_update=True)

    def _deadline_was_set(self) -> None:
        self.deadline_version = (self.deadline_version or 0) + 1

    def accepts_contributions(self, now: datetime, opened_at: datetime) -> bool:
        """Whether a contribution posted now, on a form opened at `opened_at`, is taken for this issue."""
        closed = {IssueState.SENDING, IssueState.PAUSED, IssueState.SENT, IssueState.CANCELLED}
        return self.deadline is not None and self.state not in closed and self.deadline.accepts(now, opened_at)


class Block(Model):
    """One section of an issue as it stands now. `version` goes up with every change; see BlockRevision."""

    __tablename__ = "block"
    __table_args__ = (Index(None, "issue_id", "position"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"))
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(32))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[int] = mapped_column(default=1)
    schema_version: Mapped[int] = mapped_column(default=1)
    continues: Mapped[bool] = mapped_column(default=False)
    diary: Mapped[str] = mapped_column(String(160), default="")
    where: Mapped[Where] = mapped_column(states(Where, "where_known"), default=Where.BOTH)
    language: Mapped[str | None] = mapped_column(String(35))
    audience_note: Mapped[str] = mapped_column(String(160), default="")
    contribution_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id", ondelete="SET NULL"))
    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))


class BlockRevision(Model):
    """A block as it stood at one version; never changed. `data` holds kind, data and the common fields."""

    __tablename__ = "block_revision"

    block_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("block.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))


class IssueVersion(Model):
    """Which blocks, at which version, in which order: the issue at one moment."""

    __tablename__ = "issue_version"
    __table_args__ = (UniqueConstraint("issue_id", "number"),)

    id: Mapped[BigKey]
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"))
    number: Mapped[int]
    reason: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(200), default="", server_default="")
    preheader: Mapped[str] = mapped_column(String(200), default="", server_default="")
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))

    entries: Mapped[list["IssueVersionBlock"]] = relationship(
        order_by="IssueVersionBlock.position", cascade="all, delete-orphan"
    )


class IssueVersionBlock(Model):
    """One place in an issue version."""

    __tablename__ = "issue_version_block"

    issue_version_id: Mapped[int] = mapped_column(ForeignKey("issue_version.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    block_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("block.id", ondelete="CASCADE"))
    block_version: Mapped[int]


class Rendition(Model):
    """The bytes that were approved and are sent: HTML, text, web page, subject and headers, with their hash.

    `content_hash` is SHA-256 over the rendition, its headers, the hashes of its pictures and the definition of
    the audience; see `newsletter.domain.issues.approving`.
    """

    __tablename__ = "rendition"
    __table_args__ = (Index(None, "issue_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"))
    content_version: Mapped[int]
    subject: Mapped[str] = mapped_column(String(200))
    headers: Mapped[dict[str, str]] = mapped_column(JSON)
    html: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    web: Mapped[str] = mapped_column(Text)
    media: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    audience: Mapped[dict[str, Any]] = mapped_column(JSON)
    content_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Approval(Model):
    """Who said that exactly this may go out, or asked for changes. An approval ends by being voided."""

    __tablename__ = "approval"
    __table_args__ = (Index(None, "issue_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"))
    rendition_id: Mapped[int] = mapped_column(ForeignKey("rendition.id"))
    approver_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    approver_name: Mapped[str] = mapped_column(String(100))
    own_work: Mapped[bool] = mapped_column(default=False)
    override_reason: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    voided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    void_reason: Mapped[str] = mapped_column(String(200), default="")
    comment: Mapped[str] = mapped_column(Text, default="", server_default="")


class TestSend(Model):
    """A test copy went to one address; it counts for the content version it was made from."""

    __test__ = False
    __tablename__ = "test_send"
    __table_args__ = (Index(None, "issue_id", "content_version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"))
    content_version: Mapped[int]
    address: Mapped[str] = mapped_column(String(254))
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id", ondelete="SET NULL"))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class CheckPass(Model):
    """ "It is right": a warning passed by a person, for exactly that text."""

    __tablename__ = "check_pass"
    __table_args__ = (UniqueConstraint("issue_id", "code", "text_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(String(40))
    text_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class SlugRedirect(Model):
    """An address an issue once had; it leads to the present one."""

    __tablename__ = "slug_redirect"

    slug: Mapped[str] = mapped_column(String(80), primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"))
