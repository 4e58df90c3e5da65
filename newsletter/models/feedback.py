"""What comes back: mails to our own addresses, and what they say about messages we sent."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Model
from ..states import FeedbackKind, InboundState
from ._columns import BigKey, String, Text, UTCDateTime, states


class InboundMessage(Model):
    """A mail that was read from a mailbox, a folder or a pipe. `digest` is SHA-256 of its bytes: read once, ever.

    `raw` is kept while somebody may have to look at it (quarantined), and for what is to be handled again.
    """

    __tablename__ = "inbound_message"
    __table_args__ = (UniqueConstraint("digest"), Index(None, "state", "received_at"))

    id: Mapped[BigKey]
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    source: Mapped[str] = mapped_column(String(255))
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    state: Mapped[InboundState] = mapped_column(states(InboundState, "state_known"))
    #: What it turned out to be, as a word of the program ("dsn", "arf", "automatic", "unknown" …).
    kind: Mapped[str] = mapped_column(String(32), default="")
    subject: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)


class Feedback(Model):
    """One thing that came back about one message: a bounce or a complaint. Only ever added.

    One of a kind for each subscription and issue: the same report by two ways, or twice, is one event. `delivery_id`
    is a plain number, for the deliveries of old issues are deleted and this stays.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        UniqueConstraint("subscription_id", "issue_id", "kind"),
        Index(None, "issue_id", "kind"),
    )

    id: Mapped[BigKey]
    kind: Mapped[FeedbackKind] = mapped_column(states(FeedbackKind, "kind_known"))
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id", ondelete="SET NULL"))
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issue.id", ondelete="CASCADE"))
    delivery_id: Mapped[int | None] = mapped_column(BigInteger)
    inbound_id: Mapped[int | None] = mapped_column(ForeignKey("inbound_message.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    enhanced: Mapped[str] = mapped_column(String(12), default="")
    #: What the other side said, as text from outside: one line, cut, to be escaped wherever it is shown.
    reply: Mapped[str] = mapped_column(String(500), default="")
    reporter: Mapped[str] = mapped_column(String(255), default="")
    #: Whether the address was suppressed because of it.
    suppressed: Mapped[bool] = mapped_column(default=False)


class MailSource(Model):
    """When a source of inbound mail was last read, and what went wrong: for the page that shows what is alive."""

    __tablename__ = "mail_source"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    looked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    worked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    problem: Mapped[str] = mapped_column(Text, default="")
