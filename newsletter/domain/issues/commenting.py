"""What people say about a section, or about the issue: said, settled, taken up again. No word of it enters the mail."""

import logging
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, or_, select

from ...db import db
from ...errors import Invalid, NotFound, Problem, Refused
from ...models import Account, Block, Comment, Contribution, DraftShare, Issue
from ...rendering import characters
from ...states import EDITABLE_STATES, IssueState
from ..notices import count_sent
from ..queries import accounts_on
from ..staff import activity
from ..staff.permissions import Permission, require
from .block_rows import name_of
from .people import tell
from .transitions import STATE_WORDS

_log = logging.getLogger(__name__)
LONGEST, LONGEST_NAME = 2_000, 100
#: While an issue may still become another one, there is something to say about it.
_OPEN_STATES = EDITABLE_STATES | {IssueState.SCHEDULED}
_AT = re.compile(r"(?<!\w)@(?=\w)")
#: Whoever shared a draft hears at most so often that somebody commented on it.
_TELL_AGAIN = timedelta(hours=1)


def comment(issue: Issue, body: str, *, block: Block | None = None, actor: Account, now: datetime) -> Comment:
    """Say something about a section, or about the issue as a whole.

    Whoever is named in it ("@Ewan") gets it by mail. Raises NotAllowed, Invalid at "body", Refused once the issue is
    on its way, NotFound for a section of another issue.
    """
    require(actor, Permission.EDIT_ISSUES, issue.mailing_list)
    said = _add(
        issue, Comment(body=checked(body), author_id=actor.id, author_name=actor.name[:LONGEST_NAME]), block, now
    )
    named = tell_named(said, issue, actor=actor, now=now)
    activity.record("issue.commented", actor=actor, now=now, issue=issue, subject=("comment", said.id), mentioned=named)
    _log.info("Comment %s on issue %s", said.id, issue.id)
    return said


def tell_named(said: Comment, issue: Issue, *, actor: Account, now: datetime, **values: Any) -> int:
    """Send it to whom it names beside its writer; returns how many they are. `values` go into the mail's own."""
    named = [person for person in mentioned(issue, said.body) if person is not actor]
    tell("comment_mention", named, issue, now=now, by=actor.name, comment=said.body, about=about(said), **values)
    return len(named)


def comment_as_guest(
    share: DraftShare, issue: Issue, body: str, name: str, *, block: Block | None = None, now: datetime
) -> Comment:
    """Say something by a link to the draft, under a name that nobody proved. Whoever made the link is told.

    Raises Invalid at "body" and "name", Refused where the link allows no comments or the issue is on its way.
    """
    if not share.may_comment:
        raise Refused("Comments are not asked for here.")
    problems = []
    name = characters.one_line(name)
    if not name:
        problems.append(Problem("name", "Enter your name, so that people know who asks."))
    elif len(name) > LONGEST_NAME:
        problems.append(Problem("name", f"Use {LONGEST_NAME} characters or fewer."))
    try:
        body = checked(body)
    except Invalid as invalid:
        problems += invalid.problems
    if problems:
        raise Invalid(problems)
    said = _add(issue, Comment(body=body, author_name=name, share_id=share.id), block, now)
    maker = db.session.get(Account, share.created_by_id) if share.created_by_id else None
    if maker and maker.active and not count_sent(["draft_commented"], maker.email, since=now - _TELL_AGAIN):
        tell("draft_commented", [maker], issue, now=now, by=name, comment=said.body, about=about(said))
    activity.record(
        "issue.commented", actor=None, actor_name="A reader of the draft", now=now, issue=issue,
        subject=("comment", said.id), share_id=share.id,
    )  # fmt: skip
    _log.info("Comment %s on issue %s by share %s", said.id, issue.id, share.id)
    return said


def resolve(said: Comment, *, actor: Account, now: datetime) -> None:
    """It is dealt with. A second time changes nothing. Raises NotAllowed."""
    issue = db.session.get_one(Issue, said.issue_id)
    require(actor, Permission.EDIT_ISSUES, issue.mailing_list)
    if said.resolved_at is not None:
        return
    said.resolved_at, said.resolved_by_id = now, actor.id
    db.session.flush()
    activity.record("issue.comment_resolved", actor=actor, now=now, issue=issue, subject=("comment", said.id))


def reopen(said: Comment, *, actor: Account, now: datetime) -> None:
    """It is not dealt with after all. Raises NotAllowed."""
    issue = db.session.get_one(Issue, said.issue_id)
    require(actor, Permission.EDIT_ISSUES, issue.mailing_list)
    if said.resolved_at is None:
        return
    said.resolved_at = said.resolved_by_id = None
    db.session.flush()
    activity.record("issue.comment_reopened", actor=actor, now=now, issue=issue, subject=("comment", said.id))


def find_comment(issue: Issue, number: int) -> Comment:
    """The comment with this number. Raises NotFound, also for another issue's."""
    found = db.session.get(Comment, number)
    if found is None or found.issue_id != issue.id:
        raise NotFound("There is no such comment on this issue.")
    return found


def comments_of(issue: Issue) -> list[Comment]:
    """All that was said about the issue and its sections, oldest first; not about what lies in the bin."""
    return list(db.session.scalars(_standing(issue).order_by(Comment.at, Comment.id)))


def comments_on(block: Block) -> list[Comment]:
    """What was said about one section, oldest first."""
    return list(
        db.session.scalars(select(Comment).where(Comment.block_id == block.id).order_by(Comment.at, Comment.id))
    )


def comments_through(share: DraftShare) -> list[Comment]:
    """What was said by this link, oldest first."""
    return list(
        db.session.scalars(select(Comment).where(Comment.share_id == share.id).order_by(Comment.at, Comment.id))
    )


def unresolved(issue: Issue) -> int:
    """How many comments nobody has dealt with."""
    waiting = _standing(issue).where(Comment.resolved_at.is_(None)).subquery()
    return db.session.scalar(select(func.count()).select_from(waiting)) or 0


def about(said: Comment) -> str:
    """The section or the contribution that a comment is about, by name; "" for the issue as a whole."""
    if said.contribution_id:
        return db.session.get_one(Contribution, said.contribution_id).title
    block = db.session.get(Block, said.block_id) if said.block_id else None
    return name_of(block) if block else ""


def mentioned(issue: Issue, body: str) -> list[Account]:
    """Staff of the list whom the words name: "@Ewan Marsh", or "@Ewan" where one person is called so."""
    people = db.session.scalars(accounts_on(issue.list_id)).all()
    found: dict[int, Account] = {}
    for sign in _AT.finditer(body):
        person = _person(body[sign.end() :].casefold(), people)
        if person is not None:
            found[person.id] = person
    return list(found.values())


def _person(words: str, people: Sequence[Account]) -> Account | None:
    """Whose name the words begin with: the longest whole name, else a first name that one person has."""
    whole = [person for person in people if _begins(words, person.name)]
    if whole:
        return max(whole, key=lambda person: len(person.name))
    first = [person for person in people if _begins(words, person.name.split(" ")[0])]
    return first[0] if len(first) == 1 else None


def _begins(words: str, name: str) -> bool:
    return bool(name) and re.match(rf"{re.escape(name.casefold())}(?!\w)", words) is not None


def _standing(issue: Issue) -> Select[Comment]:
    standing = select(Block.id).where(Block.issue_id == issue.id, Block.deleted_at.is_(None))
    return select(Comment).where(
        Comment.issue_id == issue.id,
        Comment.contribution_id.is_(None),
        or_(Comment.block_id.is_(None), Comment.block_id.in_(standing)),
    )


def _add(issue: Issue, said: Comment, block: Block | None, now: datetime) -> Comment:
    db.session.refresh(issue)
    if issue.state not in _OPEN_STATES:
        raise Refused(f"{issue.title} is {STATE_WORDS[issue.state]}: its words can no longer be changed.")
    if block is not None and block.issue_id != issue.id:
        raise NotFound("There is no such section in this issue.")
    said.issue_id, said.block_id, said.at = issue.id, block.id if block else None, now
    db.session.add(said)
    db.session.flush()
    return said


def checked(typed: str) -> str:
    """The words of a comment as they are kept. Raises Invalid at "body" for none, and for more than LONGEST."""
    body = "\n".join(characters.one_line(line) for line in typed.strip().splitlines())
    body = re.sub(r"\n{3,}", "\n\n", body).strip()
    if not body:
        raise Invalid([Problem("body", "Write what you want to say.")])
    if len(body) > LONGEST:
        raise Invalid([Problem("body", f"Use {LONGEST:,} characters or fewer; there are {len(body):,}.")])
    return body
