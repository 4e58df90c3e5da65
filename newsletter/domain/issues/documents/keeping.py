"""A document that was read waits a day for a person's choices: one for each person and issue, nobody else's to see."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from ....db import db
from ....errors import NotFound
from ....i18n import gettext as _
from ....models import Account, Issue, ReadDocument
from .choosing import Choice, Decision
from .formats import Format
from .leaving_out import Left, LeftOut
from .proposing import KeyDate, ProposedBlock
from .reading import Document

KEPT_FOR = timedelta(days=1)


def keep_document(issue: Issue, document: Document, *, name: str, actor: Account, now: datetime) -> ReadDocument:
    """Keep what was read of a document called `name`; what the person kept before for this issue goes."""
    db.session.execute(
        delete(ReadDocument).where(ReadDocument.issue_id == issue.id, ReadDocument.account_id == actor.id)
    )
    data = {"document": _to_json(document), "choices": [], "unplaced": True}
    row = ReadDocument(
        issue_id=issue.id, account_id=actor.id, name=name[:200], data=data, day=document.next_deadline, at=now
    )
    db.session.add(row)
    db.session.flush()
    return row


def find_document(issue: Issue, public_id: UUID, *, actor: Account, now: datetime) -> ReadDocument:
    """What this person kept for this issue, if the day is not over. Raises NotFound."""
    row = db.session.scalar(
        select(ReadDocument).where(
            ReadDocument.public_id == public_id, ReadDocument.issue_id == issue.id,
            ReadDocument.account_id == actor.id, ReadDocument.at > now - KEPT_FOR,
        )
    )  # fmt: skip
    if row is None:
        raise NotFound(_("This document was read more than a day ago, or brought in already. Bring it in again."))
    return row


def document_of(row: ReadDocument) -> Document:
    """The document in the row."""
    kept = row.data["document"]
    return Document(
        proposals=tuple(ProposedBlock(each["kind"], each["data"], each["continues"]) for each in kept["proposals"]),
        unplaced=tuple(kept["unplaced"]),
        label=kept["label"],
        strapline=kept["strapline"],
        publication=kept["publication"],
        dates=tuple(KeyDate(date.fromisoformat(day), what) for day, what in kept["dates"]),
        next_deadline=row.day,
        left_out=tuple(LeftOut(Left(what), number, tuple(words)) for what, number, words in kept["left_out"]),
        format=Format(kept["format"]),
    )


def choices_of(row: ReadDocument) -> list[Choice]:
    """What was decided so far."""
    return [Choice(Decision(decision), kind) for decision, kind in row.data["choices"]]


def wants_unplaced(row: ReadDocument) -> bool:
    """Whether the words without a place become a last section: yes, until somebody says no."""
    return bool(row.data["unplaced"])


def keep_choices(row: ReadDocument, choices: Sequence[Choice], *, with_unplaced: bool) -> None:
    """Write down what was decided."""
    decided = [[each.decision, each.kind] for each in choices]
    row.data = {**row.data, "choices": decided, "unplaced": with_unplaced}
    db.session.flush()


def let_go(row: ReadDocument) -> None:
    """The document is brought in, or not wanted."""
    db.session.delete(row)
    db.session.flush()


def forget_old(now: datetime) -> None:
    """Let go of what waited for longer than a day. Run daily."""
    db.session.execute(delete(ReadDocument).where(ReadDocument.at <= now - KEPT_FOR))


def _to_json(document: Document) -> dict[str, Any]:
    return {
        "proposals": [
            {"kind": each.kind, "data": each.data, "continues": each.continues} for each in document.proposals
        ],
        "unplaced": list(document.unplaced),
        "label": document.label,
        "strapline": document.strapline,
        "publication": document.publication,
        "dates": [[each.day.isoformat(), each.what] for each in document.dates],
        "left_out": [[each.what, each.number, list(each.words)] for each in document.left_out],
        "format": document.format,
    }
