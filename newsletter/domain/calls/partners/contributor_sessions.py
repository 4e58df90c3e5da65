"""Browsers in which a contributor is signed in, as rows: for 20 hours, and no longer than anybody wants.

A row is found by the SHA-256 of the random id that the browser holds, so reading the table signs nobody in.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, select, update

from ....db import db
from ....models import Contributor, ContributorSession

#: A working day and the evening: whoever begins in the morning is not asked again before it is sent.
LASTS = timedelta(hours=20)
_LONGEST_USER_AGENT = 200


def _id_hash(session_id: str) -> bytes:
    return hashlib.sha256(session_id.encode()).digest()


def start(contributor: Contributor, *, user_agent: str = "", session_id: str | None = None, now: datetime) -> str:
    """Sign a browser in, in the running transaction. Returns the id, which only the browser keeps: a new random one,
    or `session_id`, which nobody can have guessed."""
    session_id = session_id or secrets.token_urlsafe(32)
    db.session.add(
        ContributorSession(
            id_hash=_id_hash(session_id),
            contributor_id=contributor.id,
            user_agent=user_agent[:_LONGEST_USER_AGENT],
            created_at=now,
            ends_at=now + LASTS,
        )
    )
    db.session.flush()
    return session_id


def signed_in_by(session_id: str, now: datetime) -> Contributor | None:
    """Whom this id signs in: nobody once it has ended or was revoked, or where the person's access has ended."""
    row = db.session.get(ContributorSession, _id_hash(session_id))
    if row is None or row.revoked_at is not None or now >= row.ends_at:
        return None
    contributor = db.session.get(Contributor, row.contributor_id)
    return contributor if contributor is not None and contributor.ended_at is None else None


def of(contributor: Contributor, now: datetime) -> list[ContributorSession]:
    """The contributor's sessions that have not ended, newest first."""
    return list(
        db.session.scalars(
            select(ContributorSession)
            .where(
                ContributorSession.contributor_id == contributor.id,
                ContributorSession.revoked_at.is_(None),
                ContributorSession.ends_at > now,
            )
            .order_by(ContributorSession.created_at.desc())
        )
    )


def is_of(session: ContributorSession, session_id: str) -> bool:
    """Whether this row is the one of the id."""
    return session.id_hash == _id_hash(session_id)


def end(session_id: str) -> None:
    """Sign one browser out. A row that is gone cannot be used again."""
    db.session.execute(delete(ContributorSession).where(ContributorSession.id_hash == _id_hash(session_id)))


def revoke(contributor: Contributor, *, now: datetime, keep: str | None = None) -> int:
    """End every session of the contributor but the one whose id is `keep`; how many that were."""
    theirs = [ContributorSession.contributor_id == contributor.id, ContributorSession.revoked_at.is_(None)]
    if keep is not None:
        theirs.append(ContributorSession.id_hash != _id_hash(keep))
    result = db.session.execute(
        update(ContributorSession).where(*theirs, ContributorSession.ends_at > now).values(revoked_at=now)
    )
    return result.rowcount if isinstance(result, CursorResult) else 0


def forget_ended(now: datetime) -> int:
    """Delete the rows that can sign nobody in any more; how many."""
    result = db.session.execute(delete(ContributorSession).where(ContributorSession.ends_at <= now))
    return result.rowcount if isinstance(result, CursorResult) else 0
