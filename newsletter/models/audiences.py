"""Part of a list, by saved conditions; and what staff did to many subscribers at once."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Model
from ..states import BulkState
from ._columns import JSON, BigKey, String, UTCDateTime, states
from .lists import MailingList


class Audience(Model):
    """Saved conditions over the subscribers of a list. They are evaluated when an issue's audience is frozen."""

    __tablename__ = "audience"
    __table_args__ = (Index(None, "list_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("mailing_list.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(120))
    #: [{"field", "is", "value"}], all of which must hold; see `newsletter.domain.subscribers.audiences`.
    conditions: Mapped[list[Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    mailing_list: Mapped[MailingList] = relationship()


class IssueAudience(Model):
    """Which part of its list an issue goes to: a copy of the conditions, so that what was approved is what is sent."""

    __tablename__ = "issue_audience"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"), primary_key=True)
    audience_id: Mapped[int | None] = mapped_column(ForeignKey("audience.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(String(120))
    conditions: Mapped[list[Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


class BulkAction(Model):
    """What somebody on the staff did to many subscribers at once. Whom it is about is frozen when it is pressed.

    `asked` is what was chosen (a reason, a day, where they agreed); `counts` what came of them, by outcome.
    """

    __tablename__ = "bulk_action"
    __table_args__ = (Index(None, "at"),)

    id: Mapped[BigKey]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    list_id: Mapped[int | None] = mapped_column(ForeignKey("mailing_list.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(40))
    number: Mapped[int]
    #: The same by outcome, of having taken it back.
    undo: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    asked: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    state: Mapped[BulkState] = mapped_column(
        states(BulkState, "state_known"), default=BulkState.RUNNING, server_default="done"
    )
    counts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    mailing_list: Mapped[MailingList | None] = relationship()


class BulkMember(Model):
    """One person of such an action: what came of them ("" while they wait), and what stood there before."""

    __tablename__ = "bulk_member"
    __table_args__ = (Index(None, "subscriber_id"),)

    action_id: Mapped[int] = mapped_column(ForeignKey("bulk_action.id", ondelete="CASCADE"), primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id", ondelete="CASCADE"), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(20), default="")
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
