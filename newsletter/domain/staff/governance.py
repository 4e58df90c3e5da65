"""The texts that an organisation answers for (accessibility, processing, impact, breach, complaints), by version."""

from datetime import datetime

from sqlalchemy import func, select

from ...db import db
from ...models import Account, GovernanceVersion
from ...states import GovernanceText
from . import installation, wording
from .activity import record
from .governance_texts import DEFAULTS

LONGEST = 40_000


def current(kind: GovernanceText) -> GovernanceVersion | None:
    """The newest published version; None while the text that comes with the program stands."""
    chosen = select(GovernanceVersion).where(GovernanceVersion.kind == kind)
    return db.session.scalar(chosen.order_by(GovernanceVersion.version.desc()).limit(1))


def text_of(kind: GovernanceText) -> str:
    """The words in force: the newest version, or ours with the publisher's name, address and email in it."""
    published = current(kind)
    if published is not None:
        return published.text
    publisher = installation.organisation()
    name, address, email = (publisher.name, publisher.address, publisher.email) if publisher else ("", "", "")
    text = DEFAULTS[kind].replace("{name}", name or "the publisher")
    return text.replace("{address}", ", ".join(address.splitlines()) or "…").replace("{email}", email or "…")


def versions(kind: GovernanceText) -> list[GovernanceVersion]:
    """Every published version, newest first."""
    chosen = select(GovernanceVersion).where(GovernanceVersion.kind == kind)
    return list(db.session.scalars(chosen.order_by(GovernanceVersion.version.desc())))


def publish(kind: GovernanceText, typed: str, *, actor: Account | None, now: datetime) -> GovernanceVersion:
    """A new version, unless the words are those of the newest. Earlier ones are never changed. Raises Invalid."""
    words = wording.text(typed, field="text", longest=LONGEST, missing="Enter the text")
    newest = current(kind)
    if newest is not None and newest.text == words:
        return newest
    number = select(func.max(GovernanceVersion.version)).where(GovernanceVersion.kind == kind)
    made = GovernanceVersion(
        kind=kind,
        version=1 + (db.session.scalar(number) or 0),
        text=words,
        published_at=now,
        published_by_id=actor.id if actor else None,
    )
    db.session.add(made)
    db.session.flush()
    record("governance.published", actor=actor, now=now, subject=("governance", kind.value), version=made.version)
    return made
