"""One issue, by what people call it."""

from sqlalchemy import select

from ...db import db
from ...errors import NotFound
from ...models import Issue, SlugRedirect


def find_issue(named: str) -> Issue:
    """The issue with this id or slug (a slug it once had will do). Raises NotFound."""
    if named.isdecimal() and named.isascii() and len(named) < 10:
        issue = db.session.get(Issue, int(named))
    else:
        slug = named.lower()
        former = select(SlugRedirect.issue_id).where(SlugRedirect.slug == slug)
        issue = db.session.scalar(select(Issue).where(Issue.slug == slug)) or db.session.scalar(
            select(Issue).where(Issue.id.in_(former))
        )
    if issue is None:
        raise NotFound(f"There is no issue “{named[:80]}”.")
    return issue
