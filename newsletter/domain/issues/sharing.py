"""A draft for somebody without an account: by a link that ends by itself, and that can be taken back before."""

import logging
import uuid
from datetime import datetime, timedelta

from sqlalchemy import select

from ...db import db
from ...errors import Invalid, NotFound, Problem, Refused, TokenExpired
from ...models import Account, DraftShare, Issue
from ...rendering import characters
from ...states import EDITABLE_STATES, IssueState
from ..staff import activity
from ..staff.permissions import Permission, require
from .transitions import STATE_WORDS

_log = logging.getLogger(__name__)
SHORTEST_DAYS, LONGEST_DAYS = 1, 30
_LONGEST_NAME = 150
#: So many links to one draft at a time: more are no longer looked after by anybody.
MOST_OPEN = 20
_SHOWN_STATES = EDITABLE_STATES | {IssueState.SCHEDULED}


def share(
    issue: Issue, *, for_whom: str, days: int, may_comment: bool = True, actor: Account, now: datetime
) -> DraftShare:
    """A link to the draft that ends after `days` (1 to 30). Raises NotAllowed, Invalid, Refused."""
    require(actor, Permission.EDIT_ISSUES, issue.mailing_list)
    problems, for_whom = [], characters.one_line(for_whom)
    if not for_whom:
        problems.append(Problem("for_whom", "Say whom the link is for, so that you know which one to take back."))
    elif len(for_whom) > _LONGEST_NAME:
        problems.append(Problem("for_whom", f"Use {_LONGEST_NAME} characters or fewer."))
    if not SHORTEST_DAYS <= days <= LONGEST_DAYS:
        problems.append(Problem("days", f"Choose between {SHORTEST_DAYS} and {LONGEST_DAYS} days."))
    if problems:
        raise Invalid(problems)
    if issue.state not in _SHOWN_STATES:
        raise Refused(f"{issue.title} is {STATE_WORDS[issue.state]}: there is no draft to show.")
    if sum(1 for each in shares_of(issue) if is_open(each, now)) >= MOST_OPEN:
        raise Refused(f"There are {MOST_OPEN} links to this draft. Take one back first.")
    made = DraftShare(
        issue_id=issue.id, for_whom=for_whom, may_comment=may_comment, created_at=now, created_by_id=actor.id,
        expires_at=now + timedelta(days=days),
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    activity.record(
        "issue.shared", actor=actor, now=now, issue=issue, subject=("share", made.id), days=days,
        may_comment=may_comment,
    )  # fmt: skip
    _log.info("Share %s of issue %s until %s", made.id, issue.id, made.expires_at.isoformat())
    return made


def revoke(made: DraftShare, *, actor: Account, now: datetime) -> None:
    """The link opens nothing any more; what was said by it stays. A second time changes nothing. Raises NotAllowed."""
    issue = db.session.get_one(Issue, made.issue_id)
    require(actor, Permission.EDIT_ISSUES, issue.mailing_list)
    if made.revoked_at is not None:
        return
    made.revoked_at = now
    db.session.flush()
    activity.record("issue.share_revoked", actor=actor, now=now, issue=issue, subject=("share", made.id))
    _log.info("Share %s was taken back", made.id)


def is_open(made: DraftShare, now: datetime) -> bool:
    """Whether the link shows the draft now."""
    return made.revoked_at is None and now < made.expires_at


def shares_of(issue: Issue) -> list[DraftShare]:
    """Every link to the draft, newest first; those that ended too."""
    return list(
        db.session.scalars(select(DraftShare).where(DraftShare.issue_id == issue.id).order_by(DraftShare.id.desc()))
    )


def find_share(issue: Issue, number: int) -> DraftShare:
    """The link with this number. Raises NotFound, also for another issue's."""
    found = db.session.get(DraftShare, number)
    if found is None or found.issue_id != issue.id:
        raise NotFound("There is no such link to this issue.")
    return found


def shared_issue(public_id: uuid.UUID, now: datetime) -> tuple[DraftShare, Issue]:
    """What a link leads to. It may be out by now: see `published_at`.

    Raises NotFound for a link that never was, TokenExpired for one that ended, or whose issue was cancelled.
    """
    made = db.session.scalar(select(DraftShare).where(DraftShare.public_id == public_id))
    if made is None:
        raise NotFound("There is no draft at this address.")
    if not is_open(made, now):
        raise TokenExpired("This link to a draft has ended. Ask whoever sent it to you for a new one.")
    issue = db.session.get_one(Issue, made.issue_id)
    if issue.state is IssueState.CANCELLED:
        raise TokenExpired("This issue was cancelled, so its draft is no longer shown.")
    return made, issue
