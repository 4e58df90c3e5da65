"""What people in partner agencies send in."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Model
from ..states import ContributionSource, ContributionState
from ._columns import JSON, BigKey, String, Text, UTCDateTime, Uuid, public_id, states
from .contributors import Agency, Contributor
from .issues import Issue


class Contribution(Model):
    """One piece of news for one issue, kept from its first POST whatever the hour.

    `late` says that it came after the deadline; `in_grace` that its form was opened before, so it counts. Its words
    are `kind` and `data`, those of the section it may become (`data` empty: a section made of `title` and `body`);
    `title` names it in lists and `body` holds the same words as plain text. One of which nobody has proved yet that
    its address is its sender's has no `proved_at`.
    """

    __tablename__ = "contribution"
    __table_args__ = (
        Index(None, "issue_id", "state"),
        CheckConstraint("state = 'draft' OR submitted_at IS NOT NULL", name="submitted_at_if_submitted"),
        CheckConstraint("NOT (late AND in_grace)", name="grace_is_not_late"),
        CheckConstraint("(state = 'merged') = (merged_into_id IS NOT NULL)", name="merged_into_if_merged"),
        Index(None, "contributor_id"),
        Index(None, "agency_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True, default=public_id)
    reference: Mapped[str] = mapped_column(String(12), unique=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"))
    state: Mapped[ContributionState] = mapped_column(states(ContributionState, "state_known"))
    title: Mapped[str] = mapped_column(String(160))
    body: Mapped[str] = mapped_column(Text)
    agency: Mapped[str] = mapped_column(String(150), default="")
    contact_name: Mapped[str] = mapped_column(String(100), default="")
    contact_address: Mapped[str] = mapped_column(String(254))
    contact_phone: Mapped[str] = mapped_column(String(40), default="")
    late: Mapped[bool] = mapped_column(default=False)
    in_grace: Mapped[bool] = mapped_column(default=False)
    opened_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
    decision_note: Mapped[str] = mapped_column(Text, default="")
    contributor_id: Mapped[int | None] = mapped_column(ForeignKey("contributor.id", ondelete="SET NULL"))
    agency_id: Mapped[int | None] = mapped_column(ForeignKey("agency.id", ondelete="SET NULL"))
    source: Mapped[ContributionSource] = mapped_column(
        states(ContributionSource, "source_known"), default=ContributionSource.WEB, server_default="web"
    )
    inbound_id: Mapped[int | None] = mapped_column(ForeignKey("inbound_message.id", ondelete="SET NULL"))
    kind: Mapped[str] = mapped_column(String(32), default="section", server_default="section")
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    #: What came with it: [{"media": name, "alt": what it shows, "" while nobody has said}], each a section of its own.
    pictures: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list, server_default="[]")
    #: Goes up with each save: a second tab that saves over a newer text is told.
    revision: Mapped[int] = mapped_column(default=1, server_default="1")
    updated_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    declared_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    proved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    prove_by: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: Until when its sender was told that they may change it; a deadline that is brought forward takes nothing back.
    edit_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id"))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    withdrawal_asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    withdrawal_words: Mapped[str] = mapped_column(Text, default="", server_default="")
    #: Its sender was shown the edited section (at this version) and asked to say by then whether it is right.
    confirm_by: Mapped[datetime | None] = mapped_column(UTCDateTime)
    confirm_version: Mapped[int | None]
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: What its sender would like changed in the edited section.
    suggested: Mapped[str] = mapped_column(Text, default="", server_default="")
    #: The mail that tells of the last decision: one that has not left is dropped when the decision changes.
    outcome_notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id", ondelete="SET NULL"))

    issue: Mapped[Issue] = relationship()
    contributor: Mapped[Contributor | None] = relationship()
    partner: Mapped[Agency | None] = relationship()


class ContributionRevision(Model):
    """A contribution as it was saved at one moment; never changed, so no text is ever lost."""

    __tablename__ = "contribution_revision"

    id: Mapped[BigKey]
    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id", ondelete="CASCADE"), index=True)
    revision: Mapped[int]
    state: Mapped[ContributionState] = mapped_column(states(ContributionState, "state_known"))
    title: Mapped[str] = mapped_column(String(160))
    kind: Mapped[str] = mapped_column(String(32))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
