"""The email that a contribution came by: when it came, and all its words as they were. Reads only."""

from dataclasses import dataclass
from datetime import datetime

from ....db import db
from ....models import Contribution, InboundMessage
from ..texts import revisions


@dataclass(frozen=True)
class SourceMail:
    """`note` says what was made of it and what was left out; `text` are its words, with those of its Word files."""

    received_at: datetime
    source: str
    subject: str
    note: str
    text: str


def source_of(contribution: Contribution) -> SourceMail | None:
    """The mail, as far as it is kept; None for what came another way."""
    row = db.session.get(InboundMessage, contribution.inbound_id) if contribution.inbound_id else None
    if row is None:
        return None
    text = next((each.body for each in revisions.of(contribution) if each.revision == 0), "")
    return SourceMail(row.received_at, row.source, row.subject, row.note, text)
