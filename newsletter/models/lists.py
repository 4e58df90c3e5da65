"""The publisher, its lists, and who is subscribed to which."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, false, text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Model
from ..states import Cadence, LawfulBasis, SendingMode, SubscriptionState
from ._columns import BigKey, String, Text, UTCDateTime, Uuid, public_id, states


class Organisation(Model):
    """The publisher whose installation this is: one row, made by the first set-up."""

    __tablename__ = "organisation"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    name: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(Text, default="")
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(40), default="")
    sending_mode: Mapped[SendingMode] = mapped_column(
        states(SendingMode, "sending_mode_known"), default=SendingMode.TEAM
    )
    demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: When it was restored from a backup, and when that was made; null again once somebody said who may get mail.
    restored_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    backup_made_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class PrivacyNotice(Model):
    """One published version of the privacy notice; versions are never changed or removed."""

    __tablename__ = "privacy_notice"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)


class MailingList(Model):
    """A newsletter that people can subscribe to: the quarterly, or "policy changes, as they happen"."""

    __tablename__ = "mailing_list"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    strapline: Mapped[str] = mapped_column(String(200), default="")
    frequency: Mapped[str] = mapped_column(String(120), default="")
    language: Mapped[str] = mapped_column(String(35), default="en-GB")
    timezone: Mapped[str] = mapped_column(String(64), default="Europe/London")
    cadence: Mapped[Cadence] = mapped_column(states(Cadence, "cadence_known"), default=Cadence.NONE)
    lawful_basis: Mapped[LawfulBasis] = mapped_column(
        states(LawfulBasis, "lawful_basis_known"), default=LawfulBasis.CONSENT
    )
    sender_name: Mapped[str] = mapped_column(String(60))
    sender_address: Mapped[str] = mapped_column(String(254))
    contact_address: Mapped[str] = mapped_column(String(254))
    accent: Mapped[str] = mapped_column(String(7), default="#0e5a63")
    logo_id: Mapped[int | None] = mapped_column(ForeignKey("media.id", ondelete="SET NULL"))
    why: Mapped[str] = mapped_column(String(300), default="")
    public: Mapped[bool] = mapped_column(default=True)
    four_eyes: Mapped[bool] = mapped_column(default=False)
    #: Whether somebody must approve an issue before it can be scheduled.
    needs_approval: Mapped[bool] = mapped_column(default=True, server_default=true())
    #: Whether every issue must hold the section that says where to turn for help.
    requires_help_line: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: Whether agencies are invited, reminded and shown on a board. Off until somebody wants it.
    uses_agencies: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: How many words one contribution may have.
    contribution_words: Mapped[int] = mapped_column(default=400, server_default="400")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ConsentWording(Model):
    """The exact words a person is asked to agree to, for one list; a change makes a new version."""

    __tablename__ = "consent_wording"
    __table_args__ = (UniqueConstraint("list_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("mailing_list.id", ondelete="CASCADE"))
    version: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(35))
    published_at: Mapped[datetime] = mapped_column(UTCDateTime)


_PAUSED = text("paused_until IS NOT NULL")


class Subscriber(Model):
    """A person's address, proved to be theirs, or imported with evidence that they agreed."""

    __tablename__ = "subscriber"

    id: Mapped[BigKey]
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=public_id)
    address: Mapped[str] = mapped_column(String(254))
    address_key: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100), default="")
    organisation: Mapped[str] = mapped_column(String(150), default="")
    #: The slug of a Sector, or "".
    sector: Mapped[str] = mapped_column(String(40), default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    subscriptions: Mapped[list["Subscription"]] = relationship(back_populates="subscriber")


class Subscription(Model):
    """One person on one list.

    The row outlives the person: when a subscriber is erased, `subscriber_id` becomes null and the row stays
    with its `public_id`, so that an unsubscribe link in a mail of years ago still answers, and accounts of past
    issues still add up.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "list_id"),
        Index(None, "list_id", "state", "id"),
        # Few of many are paused: without it, all would be looked through for them.
        Index(None, "paused_until", sqlite_where=_PAUSED, postgresql_where=_PAUSED),
        CheckConstraint("(state = 'active') = (left_at IS NULL)", name="left_at_if_left"),
        CheckConstraint("subscriber_id IS NOT NULL OR state <> 'active'", name="active_has_subscriber"),
    )

    id: Mapped[BigKey]
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=public_id)
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscriber.id", ondelete="SET NULL"))
    list_id: Mapped[int] = mapped_column(ForeignKey("mailing_list.id"))
    state: Mapped[SubscriptionState] = mapped_column(states(SubscriptionState, "state_known"))
    joined_at: Mapped[datetime] = mapped_column(UTCDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    paused_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    source: Mapped[str] = mapped_column(String(200))
    #: Why they left, if they said so: a word of the form, and their own words.
    left_reason: Mapped[str] = mapped_column(String(40), default="", server_default="")
    left_words: Mapped[str] = mapped_column(Text, default="", server_default="")
    #: When the person last did something here that shows that they are there and want it; `joined_at` until then.
    renewed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    subscriber: Mapped[Subscriber | None] = relationship(back_populates="subscriptions")
    mailing_list: Mapped[MailingList] = relationship()


class Sector(Model):
    """What kind of body a subscriber works for: health, police, education … One that is no longer offered has ended."""

    __tablename__ = "sector"

    slug: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    position: Mapped[int]
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
