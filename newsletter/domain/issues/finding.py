"""One issue, by what people call it; and whether it stands in its list's rhythm."""

import re

from sqlalchemy import exists, select

from ...db import db
from ...errors import NotFound
from ...models import Block, Issue, MailingList, SlugRedirect


def find_issue(named: str) -> Issue:
    """The issue with this id or slug (a slug it once had will do). Raises NotFound."""
    slug, issue = named.lower(), None
    if re.fullmatch(r"[0-9]{1,9}", named):
        issue = db.session.get(Issue, int(named))
    elif re.fullmatch(r"[a-z0-9-]{1,80}", slug):
        former = select(SlugRedirect.issue_id).where(SlugRedirect.slug == slug)
        issue = db.session.scalar(select(Issue).where(Issue.slug == slug)) or db.session.scalar(
            select(Issue).where(Issue.id.in_(former))
        )
    if issue is None:
        raise NotFound(f"There is no issue “{named[:80]}”.")
    return issue


def is_out_of_turn(issue: Issue) -> bool:
    """Whether the issue stands outside its list's rhythm: it has no call of its own, and asks for no news.

    A correction is such an issue. It prints no next deadline, so it needs none.
    """
    return not issue.has_call and all(block.kind != "call" for block in issue.blocks)


def out_of_turn(mailing_list: MailingList) -> set[int]:
    """`is_out_of_turn`, of all issues of the list at once: their ids."""
    asks = exists().where(Block.issue_id == Issue.id, Block.kind == "call", Block.deleted_at.is_(None))
    return set(db.session.scalars(select(Issue.id).where(Issue.list_id == mailing_list.id, ~Issue.has_call, ~asks)))
