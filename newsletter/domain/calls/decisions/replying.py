"""Time for a sender to make the changes that were asked for: an extension for one contribution, see `extending`."""

from datetime import datetime

from sqlalchemy import Select, select

from ....db import db
from ....deadlines import Deadline
from ....models import Account, Contribution, Extension
from ....states import ExtensionState

_HOLDS = (ExtensionState.GRANTED, ExtensionState.USED)


def end_reply_time(contribution: Contribution, *, actor: Account | None, now: datetime) -> None:
    """What was asked of its sender is not asked any longer. More time that is theirs for other reasons stays."""
    for extension in db.session.scalars(_asked_for(contribution)):
        extension.state, extension.decided_at = ExtensionState.REVOKED, now
        extension.decided_by_id = actor.id if actor else None
    db.session.flush()


def reply_time(contribution: Contribution) -> Deadline | None:
    """Until when its sender may make the changes that were asked for."""
    extension = db.session.scalars(_asked_for(contribution).order_by(Extension.id.desc()).limit(1)).first()
    return extension.deadline if extension else None


def _asked_for(contribution: Contribution) -> Select[Extension]:
    return select(Extension).where(
        Extension.contribution_id == contribution.id,
        Extension.contributor_id.is_(None),
        Extension.agency_id.is_(None),
        Extension.state.in_(_HOLDS),
    )
