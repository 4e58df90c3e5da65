"""Subscribers that were taken out of here as a file."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Model
from ._columns import JSON, String, UTCDateTime
from .lists import MailingList
from .people import Account


class SubscriberExport(Model):
    """One export: who took whom out, when and why. The file itself is kept nowhere.

    `number` is how many lines there were when it began, `handed` how many were handed over: null while that goes on,
    or where the program ended in the middle of it. `complete` says that the last line was among them.
    """

    __tablename__ = "subscriber_export"
    __table_args__ = (CheckConstraint("reason <> ''", name="reason_given"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    #: What the file is called by, and every line of it carries.
    reference: Mapped[str] = mapped_column(String(12), unique=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    list_id: Mapped[int | None] = mapped_column(ForeignKey("mailing_list.id", ondelete="SET NULL"))
    #: "page" or "command".
    door: Mapped[str] = mapped_column(String(20))
    #: Which people, in words that name nobody: what was searched for is not kept.
    whom: Mapped[str] = mapped_column(String(200))
    columns: Mapped[list[str]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(String(200))
    number: Mapped[int] = mapped_column(BigInteger)
    handed: Mapped[int | None] = mapped_column(BigInteger)
    complete: Mapped[bool] = mapped_column(default=False)

    account: Mapped[Account | None] = relationship()
    mailing_list: Mapped[MailingList | None] = relationship()
