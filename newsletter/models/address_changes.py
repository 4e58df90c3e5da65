"""A subscriber's wish to be written to at another address, from the asking to the undoing."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Model
from ._columns import BigKey, String, UTCDateTime, Uuid, public_id
from .lists import Subscriber


class AddressChange(Model):
    """Somebody with a fresh link entered a new address. Nothing changes until the owner of that one presses a button.

    The row binds the links of the change to the person and to both addresses. `link_hash` is the SHA-256 of the
    fresh link's nonce: one link, one change. The addresses are emptied once no link of the change works any more.
    """

    __tablename__ = "address_change"
    __table_args__ = (
        Index(None, "subscriber_id"),
        CheckConstraint("confirmed_at IS NULL OR replaced_at IS NULL", name="ended_once"),
        CheckConstraint("undone_at IS NULL OR confirmed_at IS NOT NULL", name="undone_if_confirmed"),
    )

    id: Mapped[BigKey]
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=public_id)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"))
    link_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    old_address: Mapped[str] = mapped_column(String(254))
    old_key: Mapped[str] = mapped_column(String(254))
    new_address: Mapped[str] = mapped_column(String(254))
    new_key: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    replaced_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    subscriber: Mapped[Subscriber] = relationship()
