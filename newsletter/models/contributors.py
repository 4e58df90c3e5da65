"""Agencies of the partnership, the people in them who send in news, and how these prove who they are."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Model
from ..states import ProofPurpose
from ._columns import String, Text, UTCDateTime, Uuid, public_id, states


class Agency(Model):
    """A partner that sends in news, to one list or to all (`list_id` null). One that has left keeps its row."""

    __tablename__ = "agency"
    __table_args__ = (Index(None, "list_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=public_id)
    name: Mapped[str] = mapped_column(String(150))
    #: The name as it is compared: one agency of a name.
    name_key: Mapped[str] = mapped_column(String(150), unique=True)
    list_id: Mapped[int | None] = mapped_column(ForeignKey("mailing_list.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Contributor(Model):
    """Somebody who sends in news. No password: they prove their address by a link or a code when it matters.

    Invited by staff or by their agency's lead, or has asked and waits (`approved_at` null). `ended_at` ends it all:
    signing in, invitations, reminders; what they sent stays.
    """

    __tablename__ = "contributor"
    __table_args__ = (Index(None, "agency_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=public_id)
    address: Mapped[str] = mapped_column(String(254))
    address_key: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id", ondelete="SET NULL"))
    lead: Mapped[bool] = mapped_column(default=False)
    #: What they wrote when they asked: the name of their agency, a word why.
    asked_words: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    invited_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    invited_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    approved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    proved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    agency: Mapped[Agency | None] = relationship()


class ContributorSession(Model):
    """One browser in which a contributor is signed in, for 20 hours. Only the SHA-256 of the cookie's id is kept."""

    __tablename__ = "contributor_session"
    __table_args__ = (Index(None, "contributor_id"), Index(None, "ends_at"))

    id_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    contributor_id: Mapped[int] = mapped_column(ForeignKey("contributor.id", ondelete="CASCADE"))
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class AddressProof(Model):
    """A link and a code that went to an address, to prove that it is read there: to sign in, or for what was sent.

    The link leads to `public_id`; of the code only a keyed hash is kept, and `tries` counts the wrong ones.
    """

    __tablename__ = "address_proof"
    __table_args__ = (
        Index(None, "address_key", "created_at"),
        CheckConstraint("tries >= 0", name="tries_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=public_id)
    purpose: Mapped[ProofPurpose] = mapped_column(states(ProofPurpose, "purpose_known"))
    address: Mapped[str] = mapped_column(String(254))
    address_key: Mapped[str] = mapped_column(String(254))
    contributor_id: Mapped[int | None] = mapped_column(ForeignKey("contributor.id", ondelete="CASCADE"))
    contribution_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id", ondelete="CASCADE"))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class AgencyAnswer(Model):
    """An agency has said that it has nothing this time: nobody asks it again for this issue."""

    __tablename__ = "agency_answer"

    agency_id: Mapped[int] = mapped_column(ForeignKey("agency.id", ondelete="CASCADE"), primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"), primary_key=True)
    nothing_at: Mapped[datetime] = mapped_column(UTCDateTime)
    contributor_id: Mapped[int | None] = mapped_column(ForeignKey("contributor.id", ondelete="SET NULL"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))


class ContributorAnswer(Model):
    """Somebody who speaks for no agency has nothing this time: they are not asked again for this issue."""

    __tablename__ = "contributor_answer"

    contributor_id: Mapped[int] = mapped_column(ForeignKey("contributor.id", ondelete="CASCADE"), primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"), primary_key=True)
    nothing_at: Mapped[datetime] = mapped_column(UTCDateTime)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
