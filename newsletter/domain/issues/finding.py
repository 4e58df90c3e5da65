"""One issue, by what people call it."""

import re

from sqlalchemy import select

from ...db import db
from ...errors import NotFound
from ...models import Issue, SlugRedirect


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
