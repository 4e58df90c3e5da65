"""Browsers that are signed in, as rows: they end by themselves, and can be ended from here.

A row is found by the SHA-256 of the random id that the browser holds, so reading the table signs nobody in.
Idle time is extended by what a person does (a POST), never by what a page loads by itself (a GET).
Sources: OWASP ASVS 5.0, 7.2 to 7.4.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, delete, select, update

from ...db import db
from ...models import Account, WebSession

IDLE = timedelta(hours=20)
ABSOLUTE = timedelta(days=7)
#: Between the password and the code: long enough to find the phone.
STEP = timedelta(minutes=15)
#: How long somebody counts as having just proved who they are.
PROOF = timedelta(minutes=10)
_PROVED = "proved_at"

_LONGEST_USER_AGENT = 200
_THROUGH = "through"


def id_hash(session_id: str) -> bytes:
    """What the table knows of a session id."""
    return hashlib.sha256(session_id.encode()).digest()


def start(account: Account, *, user_agent: str = "", through: str = "", now: datetime) -> str:
    """Sign a browser in, in the running transaction. Returns the new random id, which only the browser keeps.

    `through`: by what they proved who they are, where that is a thing to be signed out of, too.
    """
    return _add(account.id, {_THROUGH: through} if through else {}, user_agent, now, IDLE, ABSOLUTE)


def came_through(session: WebSession | None) -> str:
    """What `start` was told, or ""."""
    return str(session.data.get(_THROUGH, "")) if session is not None else ""


def start_step(data: dict[str, Any], *, now: datetime) -> str:
    """Remember how far somebody is who is not signed in yet (JSON), for 15 minutes. Returns the id as `start`."""
    return _add(None, data, "", now, STEP, STEP)


def _add(
    account_id: int | None, data: dict[str, Any], user_agent: str, now: datetime, idle: timedelta, absolute: timedelta
) -> str:
    session_id = secrets.token_urlsafe(32)
    db.session.add(
        WebSession(
            id_hash=id_hash(session_id),
            account_id=account_id,
            data=data,
            user_agent=user_agent[:_LONGEST_USER_AGENT],
            created_at=now,
            idle_end=now + idle,
            absolute_end=now + absolute,
        )
    )
    db.session.flush()
    return session_id


def find(session_id: str, now: datetime) -> WebSession | None:
    """The row of this id, unless it has ended in one of the three ways."""
    found = db.session.get(WebSession, id_hash(session_id))
    if found is None or found.revoked_at is not None or now >= min(found.idle_end, found.absolute_end):
        return None
    return found


def of(account: Account, now: datetime) -> list[WebSession]:
    """The account's sessions that have not ended, newest first."""
    return list(
        db.session.scalars(
            select(WebSession)
            .where(
                WebSession.account_id == account.id,
                WebSession.revoked_at.is_(None),
                WebSession.idle_end > now,
                WebSession.absolute_end > now,
            )
            .order_by(WebSession.created_at.desc())
        )
    )


def extend(session: WebSession, now: datetime) -> None:
    """Move the idle end: somebody did something."""
    session.idle_end = now + IDLE


def note_proof(session_id: str, now: datetime) -> None:
    """Note that whoever sits at this browser has just proved anew who they are."""
    row = db.session.get_one(WebSession, id_hash(session_id))
    row.data = {**row.data, _PROVED: now.isoformat()}


def has_proved(session: WebSession, now: datetime) -> bool:
    """Whether they did so within the last ten minutes."""
    at = session.data.get(_PROVED)
    return at is not None and now - datetime.fromisoformat(at) < PROOF


def end(session_id: str) -> None:
    """Sign one browser out. A row that is gone cannot be used again."""
    db.session.execute(delete(WebSession).where(WebSession.id_hash == id_hash(session_id)))


def use_step(session_id: str, now: datetime) -> dict[str, Any] | None:
    """Take what a step remembers, and the step with it: of two who come at once, one is given it."""
    statement = delete(WebSession).where(
        WebSession.id_hash == id_hash(session_id), WebSession.account_id.is_(None), WebSession.absolute_end > now
    )
    return db.session.scalar(statement.returning(WebSession.data))


def revoke(account: Account, *, now: datetime, keep: str | None = None) -> int:
    """End every session of the account but the one whose id is `keep`; how many that were.

    Called for a changed password or second step, a changed role, and an account that is switched off (ASVS 7.4).
    """
    statement = (
        update(WebSession)
        .where(WebSession.account_id == account.id, WebSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    if keep is not None:
        statement = statement.where(WebSession.id_hash != id_hash(keep))
    result = db.session.execute(statement)
    return result.rowcount if isinstance(result, CursorResult) else 0


def forget_ended(now: datetime) -> int:
    """Delete the rows that can sign nobody in any more; how many. Called by a tick."""
    result = db.session.execute(delete(WebSession).where(WebSession.absolute_end <= now))
    return result.rowcount if isinstance(result, CursorResult) else 0
