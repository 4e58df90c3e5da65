"""Contributors' pictures: kept while what shows them may be used, and let go some weeks after."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import String, cast, or_, select

from ....db import db
from ....models import Contribution, Issue, Media
from ....states import ContributionState, IssueState
from ...issues import pictures

_log = logging.getLogger(__name__)

#: How long a picture stays that came with something nobody uses: somebody may change their mind.
KEPT_FOR = timedelta(days=30)
_UNUSED = (ContributionState.DECLINED, ContributionState.WITHDRAWN, ContributionState.MERGED)
_NEVER_SENT = (ContributionState.DRAFT, ContributionState.CHANGES_REQUESTED)


def forget_unused(now: datetime) -> int:
    """Throw away pictures of contributions that were declined or taken back 30 days ago, and of drafts whose issue
    is as long out; how many. What an issue or another contribution shows stays. The words stay in any case."""
    gone = 0
    for contribution in _over(now - KEPT_FOR):
        names = [*pictures.names_in(contribution.kind, contribution.data)]
        contribution.data = {each: "" if value in names else value for each, value in contribution.data.items()}
        names += [each["media"] for each in contribution.pictures]
        contribution.pictures = []
        db.session.flush()
        for media in db.session.scalars(select(Media).where(Media.name.in_(names), Media.deleted_at.is_(None))).all():
            if not pictures.is_held(media):
                pictures.delete_picture(media, actor=None, now=now)
                gone += 1
    return gone


def _over(before: datetime) -> Iterator[Contribution]:
    """What with a picture has been of no use since then."""
    kinds = [kind for kind, fields in pictures.PICTURE_FIELDS.items() if fields]
    unused = Contribution.state.in_(_UNUSED) & (
        or_(Contribution.decided_at < before, Contribution.withdrawn_at < before)
    )
    forgotten = (
        Contribution.state.in_(_NEVER_SENT) & Issue.state.in_((IssueState.SENT, IssueState.CANCELLED))
        & or_(Issue.sent_at < before, Issue.cancelled_at < before)
    )  # fmt: skip
    shown = Contribution.kind.in_(kinds) | (cast(Contribution.pictures, String) != "[]")
    chosen = select(Contribution).join(Issue).where(shown, or_(unused, forgotten))
    yield from db.session.scalars(chosen).all()
