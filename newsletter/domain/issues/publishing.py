"""An issue is out: its page is on the web from the moment its first mail leaves."""

import logging
from datetime import datetime

from sqlalchemy import select

from ...db import db
from ...errors import NotFound
from ...models import Issue, MailingList
from ..staff import activity
from . import protocols
from .finding import find_issue
from .protocols import Happening

_log = logging.getLogger(__name__)


def publish(issue: Issue, now: datetime) -> None:
    """Put the issue's page on the web. Part of the launch, in its transaction; a second time changes nothing."""
    if issue.published_at is not None:
        return
    issue.published_at = now
    db.session.flush()
    activity.record("issue.published", actor=None, now=now, issue=issue)
    protocols.tell(Happening.PUBLISHED, issue, now)
    _log.info("Issue %s was published at /news/%s", issue.id, issue.slug)


def published_issues(mailing_list: MailingList | None = None, *, limit: int | None = None) -> list[Issue]:
    """What anybody may read, newest first; of one list, or of all public ones."""
    query = (
        select(Issue)
        .join(MailingList, MailingList.id == Issue.list_id)
        .where(Issue.published_at.is_not(None), Issue.rendition_id.is_not(None), MailingList.public)
        .order_by(Issue.published_at.desc(), Issue.id.desc())
    )
    if mailing_list is not None:
        query = query.where(Issue.list_id == mailing_list.id)
    return list(db.session.scalars(query.limit(limit) if limit else query))


def published_issue(slug: str) -> Issue:
    """The published issue at /news/<slug>. Where its `slug` differs, it has moved: redirect there.

    Raises NotFound for drafts and for what does not exist, alike.
    """
    try:
        issue = None if slug.isdecimal() else find_issue(slug)
    except NotFound:
        issue = None
    if issue is None or issue.published_at is None or issue.rendition_id is None or not issue.mailing_list.public:
        raise NotFound("There is no issue at this address.")
    return issue
