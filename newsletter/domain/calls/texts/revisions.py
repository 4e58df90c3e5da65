"""Every text that was ever saved of a contribution: rows that are only added."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from ....db import db
from ....models import Contribution, ContributionRevision
from .items import Piece, as_block


def write(contribution: Contribution, piece: Piece, now: datetime, *, body: str | None = None) -> None:
    """Put the piece into the contribution's columns and keep it as its newest revision.

    `body` is the plain text as its sender wrote it; made of the piece where none is given.
    """
    contribution.kind, contribution.data = piece.kind, dict(piece.data)
    contribution.title, contribution.body = piece.title, piece.words if body is None else body
    contribution.updated_at = now
    keep(contribution, now)


def keep(contribution: Contribution, now: datetime) -> None:
    """Keep the contribution as it stands."""
    db.session.add(contribution)
    db.session.flush()
    db.session.add(
        ContributionRevision(
            contribution_id=contribution.id,
            revision=contribution.revision,
            state=contribution.state,
            title=contribution.title,
            kind=contribution.kind,
            data=contribution.data,
            body=contribution.body,
            at=now,
        )
    )
    db.session.flush()


def of(contribution: Contribution) -> list[ContributionRevision]:
    """All of them, oldest first. Number 0 is a mail as it came, before anything was made of it."""
    return list(
        db.session.scalars(
            select(ContributionRevision)
            .where(ContributionRevision.contribution_id == contribution.id)
            .order_by(ContributionRevision.revision, ContributionRevision.id)
        )
    )


def piece_of(contribution: Contribution) -> Piece:
    """What the contribution says, in the fields of its section."""
    if contribution.data:
        return Piece(contribution.kind, contribution.data)
    kind, data = as_block(contribution)
    made: dict[str, Any] = {**data, "source_agency": ""}
    return Piece(kind, made)
