"""Who else is writing an issue now, and in which section: told by open pages, forgotten after a minute."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select

from ...db import conflict_aware_insert, db
from ...models import Account, Block, Issue, Presence
from .block_rows import name_of

#: Whoever was not heard of for so long has closed the page.
STALE = timedelta(seconds=60)
_FORGOTTEN = timedelta(days=1)


@dataclass(frozen=True)
class Here:
    """Somebody else who has the issue open. `section` names what they are in; "" for none."""

    name: str
    block_id: UUID | None
    section: str


def be_here(issue: Issue, block: Block | None, *, account: Account, now: datetime) -> None:
    """Note that this person has the issue open, and in which section. Nothing of it enters the activity record."""
    at = block.id if block is not None and block.issue_id == issue.id else None
    noted = conflict_aware_insert(Presence).values(
        issue_id=issue.id, account_id=account.id, block_id=at, seen_at=now
    )  # fmt: skip
    db.session.execute(
        noted.on_conflict_do_update(
            index_elements=[Presence.issue_id, Presence.account_id],
            set_={"block_id": noted.excluded.block_id, "seen_at": noted.excluded.seen_at},
        )
    )
    db.session.execute(delete(Presence).where(Presence.issue_id == issue.id, Presence.seen_at < now - _FORGOTTEN))


def others_here(issue: Issue, *, than: Account | None, now: datetime) -> list[Here]:
    """Who else has the issue open, by name."""
    rows = db.session.execute(
        select(Account.id, Account.name, Presence.block_id)
        .join(Account, Account.id == Presence.account_id)
        .where(Presence.issue_id == issue.id, Presence.seen_at > now - STALE, Account.active)
        .order_by(Account.name, Account.id)
    )
    sections = {block.id: name_of(block) for block in issue.blocks}
    others = [row for row in rows if than is None or row.id != than.id]
    return [
        Here(row.name, row.block_id, sections[row.block_id]) if row.block_id in sections else Here(row.name, None, "")
        for row in others
    ]
