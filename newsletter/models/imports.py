"""Imports of subscribers that run in the background."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Model
from ..states import ImportState
from ._columns import JSON, String, Text, UTCDateTime, Uuid, public_id, states
from .lists import MailingList


class ImportRun(Model):
    """One file of people for one list, from its upload to its report. The file lies in the data folder until it is old.

    `done_rows` is written in the transaction of the rows, so a run that died goes on where it was.
    """

    __tablename__ = "import_run"
    __table_args__ = (
        Index(None, "list_id"),
        Index(None, "state"),
        CheckConstraint("done_rows >= 0", name="done_rows_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=public_id)
    list_id: Mapped[int] = mapped_column(ForeignKey("mailing_list.id", ondelete="CASCADE"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    state: Mapped[ImportState] = mapped_column(states(ImportState, "state_known"))
    file_name: Mapped[str] = mapped_column(String(200))
    #: What the file is ("csv", "mailchimp", "govdelivery"), how it is written, and which column is what.
    mapping: Mapped[dict[str, Any]] = mapped_column(JSON)
    source: Mapped[str] = mapped_column(String(200), default="")
    basis_note: Mapped[str] = mapped_column(Text, default="")
    #: Whether they are asked to confirm, instead of being taken as having agreed.
    ask_them: Mapped[bool] = mapped_column(default=False)
    rows: Mapped[int] = mapped_column(default=0)
    done_rows: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    problem: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    mailing_list: Mapped[MailingList] = relationship()
