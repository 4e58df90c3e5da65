"""Asking for consent, and the evidence of it."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Model
from ..states import ConsentEvent
from ._columns import BigKey, String, Text, UTCDateTime, Uuid, public_id, states
from .lists import ConsentWording, MailingList


class SignUp(Model):
    """Somebody entered an address in the form. Nobody is subscribed until its owner presses the button."""

    __tablename__ = "sign_up"
    __table_args__ = (
        Index(None, "address_key", "created_at"),
        CheckConstraint("confirmed_at IS NULL OR replaced_at IS NULL", name="ended_once"),
    )

    id: Mapped[BigKey]
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=public_id)
    address: Mapped[str] = mapped_column(String(254))
    address_key: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(100), default="")
    organisation: Mapped[str] = mapped_column(String(150), default="")
    source: Mapped[str] = mapped_column(String(200))
    network: Mapped[str] = mapped_column(String(45), default="")
    sector: Mapped[str] = mapped_column(String(40), default="", server_default="")
    #: When they were reminded, once, that the button waits.
    reminded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    privacy_version: Mapped[int] = mapped_column(ForeignKey("privacy_notice.version"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    replaced_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    choices: Mapped[list["SignUpChoice"]] = relationship(cascade="all, delete-orphan")


class SignUpChoice(Model):
    """One list ticked on the form, and the wording that stood beside the box."""

    __tablename__ = "sign_up_choice"

    sign_up_id: Mapped[int] = mapped_column(ForeignKey("sign_up.id", ondelete="CASCADE"), primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("mailing_list.id", ondelete="CASCADE"), primary_key=True)
    wording_id: Mapped[int] = mapped_column(ForeignKey("consent_wording.id"))

    mailing_list: Mapped[MailingList] = relationship()
    wording: Mapped[ConsentWording] = relationship()


class Consent(Model):
    """One event in the history of one person's consent to one list (UK GDPR art. 7(1)). Only ever added to.

    `wording` is the text as shown, not a reference to it: the evidence stands on its own. `digest` is SHA-256 of the
    row's facts and a `salt`, made when the row is sealed (see ConsentSeal).
    """

    __tablename__ = "consent"
    __table_args__ = (Index(None, "subscription_id", "at"),)

    id: Mapped[BigKey]
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"))
    event: Mapped[ConsentEvent] = mapped_column(states(ConsentEvent, "event_known"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    wording_id: Mapped[int | None] = mapped_column(ForeignKey("consent_wording.id"))
    wording: Mapped[str] = mapped_column(Text, default="")
    privacy_version: Mapped[int | None] = mapped_column(ForeignKey("privacy_notice.version"))
    route: Mapped[str] = mapped_column(String(40))
    source: Mapped[str] = mapped_column(String(200), default="")
    network: Mapped[str] = mapped_column(String(45), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    salt: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class ConsentSeal(Model):
    """A link of the chain over the consent events: the rows `first_id` to `last_id`, each with its salted digest.

    `chain` is SHA-256 of the chain before and the digests in order, so no event can be changed, added between or
    taken away unseen; the salted digests stay when somebody's words are erased, and say nothing of them.
    """

    __tablename__ = "consent_seal"
    __table_args__ = (UniqueConstraint("first_id"), CheckConstraint("last_id >= first_id", name="in_order"))

    id: Mapped[BigKey]
    first_id: Mapped[int] = mapped_column(BigInteger)
    last_id: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    chain: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
