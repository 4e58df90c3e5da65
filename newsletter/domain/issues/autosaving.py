"""What is saved while somebody types: one revision for ten minutes of it, not one for each pause."""

from datetime import datetime, timedelta

from ...db import db
from ...models import Account, Block, BlockRevision
from .versions import is_held

_ONE_REVISION = timedelta(minutes=10)
_SINCE = "autosaved_since"


def make_way(block: Block, actor: Account | None, now: datetime) -> datetime | None:
    """Give up the block's present revision where an autosave of `actor` may take its place; the instant at which the
    typing began that it keeps, None where it must stay.

    It may go when it was autosaved too, by the same person, its typing began less than ten minutes ago, and no
    version of the issue holds it. What somebody asked to be saved is never given up.
    """
    kept = db.session.get(BlockRevision, (block.id, block.version))
    if kept is None or actor is None or kept.actor_id != actor.id or _SINCE not in kept.data:
        return None
    since = datetime.fromisoformat(kept.data[_SINCE])
    if now - since >= _ONE_REVISION or is_held(block.id, block.version):
        return None
    db.session.delete(kept)
    return since


def mark_autosaved(block: Block, since: datetime) -> None:
    """Mark the block's present revision as autosaved, in typing that began at `since`."""
    kept = db.session.get_one(BlockRevision, (block.id, block.version))
    kept.data = {**kept.data, _SINCE: since.isoformat()}
    db.session.flush()
