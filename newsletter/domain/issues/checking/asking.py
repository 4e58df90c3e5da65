"""Asking for the links of drafts, in the background: a minute after the words came to rest, and again after a day.

No request waits for it and no transaction is open while it asks. What came of it is kept, and the checks read that.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy import func, select

from ....config import current_settings
from ....db import db, transaction
from ....models import Block, Issue
from ....states import EDITABLE_STATES
from ..content import issue_content
from .link_answers import forget, forget_old, note, stale
from .passages import addresses
from .reach import Answer, ask

_log = logging.getLogger(__name__)
#: The words have come to rest when nobody saved for so long.
REST = timedelta(seconds=60)
_MOST_AT_ONCE = 100
_SIDE_BY_SIDE = 8


def links_of(issue: Issue) -> list[str]:
    """The web addresses that the issue leads to, each once, in order."""
    urls = (link.url for link in addresses(issue_content(issue)))
    return list(dict.fromkeys(url for url in urls if url.startswith(("https://", "http://"))))


def check_due_links(now: datetime, *, asking: Callable[[str], Answer] = ask) -> int:
    """Ask for the links of every draft at rest that were not asked for within a day. Returns how many.

    Opens transactions of its own, and none while it asks. Nothing is asked where the setting says so.
    """
    if not current_settings().check_links:
        return 0
    with transaction():
        forget_old(now)
        due = stale(_urls_at_rest(now), now)[:_MOST_AT_ONCE]
    if not due:
        return 0
    with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="links") as pool:
        answers = list(zip(due, pool.map(asking, due), strict=True))
    with transaction():
        for url, answer in answers:
            note(url, answer.state, answer.detail, now)
    _log.info("%d links were asked for", len(answers))
    return len(answers)


def ask_again(issue: Issue) -> None:
    """Forget what is known of the issue's links: the next look asks for all of them."""
    forget(links_of(issue))


def _urls_at_rest(now: datetime) -> list[str]:
    last = select(func.max(Block.updated_at)).where(Block.issue_id == Issue.id).scalar_subquery()
    issues = db.session.scalars(
        select(Issue).where(Issue.state.in_(EDITABLE_STATES), last <= now - REST).order_by(Issue.planned_at, Issue.id)
    )
    return [url for issue in issues for url in links_of(issue)]
