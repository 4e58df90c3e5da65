"""What editors say to each other about a contribution, before it is a section and after. Its sender never reads it."""

from datetime import datetime

from sqlalchemy import select

from ....db import db
from ....errors import NotFound
from ....i18n import gettext as _
from ....models import Account, Comment, Contribution
from ...issues import commenting
from ...staff.permissions import Permission, require
from . import deciding


def note(contribution: Contribution, words: str, *, actor: Account, now: datetime) -> Comment:
    """Say something about it to the other editors; whoever is named ("@Ewan") gets it by mail.

    The same words of the same person again, as by a second click, are the same note. Raises NotAllowed, Invalid at
    "body".
    """
    require(actor, Permission.TRIAGE_CONTRIBUTIONS, contribution.issue.mailing_list)
    body = commenting.checked(words)
    last = notes_on(contribution)[-1:]
    if last and (last[0].author_id, last[0].body) == (actor.id, body):
        return last[0]
    said = Comment(
        issue_id=contribution.issue_id, contribution_id=contribution.id, author_id=actor.id,
        author_name=actor.name[: commenting.LONGEST_NAME], body=body, at=now,
    )  # fmt: skip
    db.session.add(said)
    db.session.flush()
    named = commenting.tell_named(said, contribution.issue, actor=actor, now=now, contribution=contribution.id)
    deciding.record("contribution.noted", contribution, actor, now, comment=said.id, mentioned=named)
    return said


def notes_on(contribution: Contribution) -> list[Comment]:
    """The notes, oldest first."""
    chosen = select(Comment).where(Comment.contribution_id == contribution.id)
    return list(db.session.scalars(chosen.order_by(Comment.at, Comment.id)))


def find_note(contribution: Contribution, number: int) -> Comment:
    """The note with this number. Raises NotFound, also for another contribution's."""
    found = db.session.get(Comment, number)
    if found is None or found.contribution_id != contribution.id:
        raise NotFound(_("There is no such note on this contribution."))
    return found
