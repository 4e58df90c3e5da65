"""An issue that is out had something wrong: a dated note on its web page, and a small issue that says so by mail.

The mail that people have, and the bytes that were approved, never change.
"""

import html
import logging
from datetime import datetime

from sqlalchemy import select

from ...db import db
from ...errors import Invalid, NotFound, Problem, Refused
from ...models import Account, Block, Correction, Issue
from ...rendering import characters
from ..staff import activity
from ..staff.permissions import Permission, require
from . import creating, editing
from .content import web_address
from .transitions import STATE_WORDS

_log = logging.getLogger(__name__)
LONGEST = 2_000
#: A correction asks for no news, and prints no dates of its own.
_NOT_IN_A_CORRECTION = ("in_this_issue", "key_dates", "call", "section")


def correct(issue: Issue, body: str, *, block: Block | None = None, actor: Account, now: datetime) -> Correction:
    """Put a note on the web page of an issue that is out: at its top, and by the section it is about.

    Raises NotAllowed, Invalid at "body", Refused for an issue that is not out, NotFound for another's section.
    """
    require(actor, Permission.EDIT_ISSUES, issue.mailing_list)
    words = _words(body)
    if issue.published_at is None:
        raise Refused(f"{issue.title} is {STATE_WORDS[issue.state]}: change its words instead.")
    if block is not None and block.issue_id != issue.id:
        raise NotFound("There is no such section in this issue.")
    note = Correction(issue_id=issue.id, block_id=block.id if block else None, body=words, at=now, actor_id=actor.id)
    db.session.add(note)
    db.session.flush()
    activity.record("issue.corrected", actor=actor, now=now, issue=issue, subject=("correction", note.id))
    _log.info("Correction %s on the page of issue %s", note.id, issue.id)
    return note


def withdraw(note: Correction, *, actor: Account, now: datetime) -> None:
    """The note was wrong itself: the page shows it no more, the record keeps it. Raises NotAllowed."""
    issue = db.session.get_one(Issue, note.issue_id)
    require(actor, Permission.EDIT_ISSUES, issue.mailing_list)
    if note.withdrawn_at is not None:
        return
    note.withdrawn_at = now
    db.session.flush()
    activity.record("issue.correction_withdrawn", actor=actor, now=now, issue=issue, subject=("correction", note.id))


def corrections_of(issue: Issue, *, withdrawn: bool = False) -> list[Correction]:
    """The notes on the issue's page, oldest first; with `withdrawn`, those too that are shown no more."""
    chosen = select(Correction).where(Correction.issue_id == issue.id).order_by(Correction.at, Correction.id)
    if not withdrawn:
        chosen = chosen.where(Correction.withdrawn_at.is_(None))
    return list(db.session.scalars(chosen))


def find_correction(issue: Issue, number: int) -> Correction:
    """The note with this number. Raises NotFound, also for another issue's."""
    found = db.session.get(Correction, number)
    if found is None or found.issue_id != issue.id:
        raise NotFound("There is no such correction of this issue.")
    return found


def last_changed(issue: Issue) -> datetime | None:
    """When the issue's page last changed: as it came out, or by a correction that was put there or withdrawn."""
    times = [issue.published_at] if issue.published_at else []
    for note in corrections_of(issue, withdrawn=True):
        times += [note.at, *([note.withdrawn_at] if note.withdrawn_at else [])]
    return max(times, default=None)


def begin_correction_mail(issue: Issue, body: str, *, actor: Account, now: datetime) -> Issue:
    """A small new issue to the same list: "Correction: …", one section with the words, and the way to the page.

    It goes through the same checks, test and approval. Raises NotAllowed, Invalid at "body", Refused for an issue
    that nobody was sent.
    """
    require(actor, Permission.EDIT_ISSUES, issue.mailing_list)
    words = _words(body)
    if issue.started_at is None:
        raise Refused(f"{issue.title} was sent to nobody, so nobody needs a correction by mail.")
    made = creating.create_issue(issue.mailing_list, title=f"Correction to {issue.title}"[:120], actor=actor, now=now)
    for block in list(made.blocks):
        if block.kind in _NOT_IN_A_CORRECTION:
            editing.delete_block(block, actor=actor, now=now)
    page = html.escape(web_address(issue))
    link = f'<p><a href="{page}">Read {html.escape(issue.title)} as corrected</a></p>'
    text = "".join(f"<p>{html.escape(line)}</p>" for line in characters.paragraphs(words))
    editing.add_block(
        made, "section", {"heading": f"Correction to {issue.title}"[:120], "body": text + link}, position=1,
        actor=actor, now=now,
    )  # fmt: skip
    creating.change_frame(
        made,
        subject=f"Correction: {issue.subject}"[:200],
        preheader=f"What was wrong in {issue.title}, and what is right."[:200],
        actor=actor,
        now=now,
    )
    activity.record("issue.correction_begun", actor=actor, now=now, issue=made, of=issue.id)
    return made


def _words(typed: str) -> str:
    words = "\n\n".join(characters.paragraphs(typed))
    if not words:
        raise Invalid([Problem("body", "Say what was wrong, and what is right.")])
    if len(words) > LONGEST:
        raise Invalid([Problem("body", f"Use {LONGEST:,} characters or fewer; there are {len(words):,}.")])
    return words
