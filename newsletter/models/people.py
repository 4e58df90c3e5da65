"""Staff: accounts, what each may do on which list, their sessions and the invitations that made them."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Model
from ..states import Role
from ._columns import JSON, String, UTCDateTime, states


class Account(Model):
    """A member of staff. Fields that begin with `tf_`, `mf_` or `fs_` are Flask-Security's.

    What Flask-Login asks of a user stands here, not in Flask-Security's mixin: that brings passkeys and X.509 along, 20
    megabytes in every process that knows these tables.
    """

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    tf_primary_method: Mapped[str | None] = mapped_column(String(64))
    tf_totp_secret: Mapped[str | None] = mapped_column(String(255))
    tf_last_step: Mapped[int | None]
    tf_phone_number: Mapped[str | None] = mapped_column(String(128))
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(MutableList.as_mutable(JSON()))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sign_ins: Mapped[int] = mapped_column(default=0)

    memberships: Mapped[list["Membership"]] = relationship(back_populates="account", cascade="all, delete-orphan")

    @property
    def is_active(self) -> bool:
        return self.active

    @property
    def is_authenticated(self) -> bool:
        return self.active

    @property
    def is_anonymous(self) -> bool:
        return False

    def get_id(self) -> str:
        return self.fs_uniquifier


class Membership(Model):
    """What an account may do: one role on one list, or on all lists where `list_id` is null."""

    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("account_id", "list_id"),
        # NULLs are distinct in a UNIQUE: "all lists" needs its own.
        Index(
            "uq_membership_account_id_all_lists",
            "account_id",
            unique=True,
            sqlite_where=text("list_id IS NULL"),
            postgresql_where=text("list_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    list_id: Mapped[int | None] = mapped_column(ForeignKey("mailing_list.id", ondelete="CASCADE"))
    role: Mapped[Role] = mapped_column(states(Role, "role_known"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    account: Mapped[Account] = relationship(back_populates="memberships")


class Invitation(Model):
    """A one-time link that makes an account, or sets the first one up. Only the nonce's hash is kept."""

    __tablename__ = "invitation"
    __table_args__ = (CheckConstraint("NOT (accepted_at IS NOT NULL AND revoked_at IS NOT NULL)", name="ended_once"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20), default="staff")
    email: Mapped[str | None] = mapped_column(String(254))
    role: Mapped[Role] = mapped_column(states(Role, "role_known"))
    list_id: Mapped[int | None] = mapped_column(ForeignKey("mailing_list.id", ondelete="CASCADE"))
    nonce_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    invited_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class WebSession(Model):
    """One signed-in browser. The cookie holds a random id; here is its SHA-256, so the table signs nobody in."""

    __tablename__ = "web_session"
    __table_args__ = (Index(None, "account_id"), Index(None, "absolute_end"))

    id_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    idle_end: Mapped[datetime] = mapped_column(UTCDateTime)
    absolute_end: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Identity(Model):
    """An account at the organisation's own sign-in service that may sign in as one of ours.

    `issuer` and `subject` together name it for good (OpenID Connect Core 1.0, §2): addresses and names may change.
    """

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"), UniqueConstraint("account_id", "issuer"))

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    linked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime] = mapped_column(UTCDateTime)
