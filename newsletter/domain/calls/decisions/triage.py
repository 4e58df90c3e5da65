"""Editors decide on what was sent in: it goes into an issue, waits for another one, comes back changed, or stays out.

The contribution stays as it was sent; what goes into the issue is a section of its own, which editors may shorten.
A decision may be changed: whoever does so must have seen it as it stands (`seen`, see `token`). Each verb tells the
sender by a mail that waits a little, unless its `Mail` says that nobody is told.
"""

from datetime import datetime

from ....db import db
from ....deadlines import Deadline
from ....errors import Refused
from ....i18n import gettext as _
from ....models import Account, Block, Contribution, Issue
from ....states import EDITABLE_STATES, ContributionState
from ...issues.transitions import lock
from ..deadline.reading import CLOSED, is_proved
from ..reminding import extending
from . import outcomes
from .deciding import (
    DECIDED,
    begin,
    decide,
    is_decided,
    is_open,
    record,
    require_same_list,
    state_words,
    token,
    undo,
    wait_again,
)
from .outcomes import Decision, Mail
from .placing import carry_section, put_in, section_of
from .replying import end_reply_time

__all__ = [
    "Mail",
    "carry",
    "carry_over",
    "decline",
    "is_decided",
    "is_open",
    "place",
    "reopen",
    "request_changes",
    "state_words",
    "take_in",
    "token",
]


def place(
    contribution: Contribution,
    *,
    issue: Issue | None = None,
    mail: Mail = Mail(),
    seen: str | None = None,
    actor: Account | None,
    now: datetime,
) -> Block:
    """Put it into an issue of its list (the one it was sent in for, unless `issue` is another) as a section.

    The section says which agency it is from and stands before the call for news. A late one, and one whose address
    nobody proved, is taken in by this. Raises NotAllowed, Invalid for words that are too long, Refused in a sentence.
    """
    target = issue or contribution.issue
    begin(contribution, actor, seen)
    require_same_list(contribution, target)
    words = outcomes.words_of(Decision.ACCEPTED, contribution, mail, actor=actor)
    late, unproved = contribution.late, not is_proved(contribution)
    undo(contribution, actor=actor, now=now)
    contribution.issue_id = target.id
    block = put_in(contribution, target, actor=actor, now=now)
    decide(contribution, ContributionState.ACCEPTED, words if mail.send else "", actor, now)
    if mail.send:
        outcomes.tell(Decision.ACCEPTED, contribution, words, now=now)
    record(
        "contribution.accepted", contribution, actor, now,
        block=str(block.id), told=mail.send, late=late, unproved=unproved,
    )  # fmt: skip
    return block


def decline(
    contribution: Contribution,
    reason: str = "",
    *,
    mail: Mail | None = None,
    seen: str | None = None,
    actor: Account | None,
    now: datetime,
) -> None:
    """Do not use it. The sender reads the reason as it is written, or the whole of `mail`.

    Raises Invalid without a reason for somebody who is told, Refused.
    """
    mail = mail or Mail(why=reason)
    begin(contribution, actor, seen)
    words = outcomes.words_of(Decision.DECLINED, contribution, mail, actor=actor)
    undo(contribution, actor=actor, now=now)
    decide(contribution, ContributionState.DECLINED, reason or (words if mail.send else ""), actor, now)
    if mail.send:
        outcomes.tell(Decision.DECLINED, contribution, words, now=now)
    record("contribution.declined", contribution, actor, now, told=mail.send)


def request_changes(
    contribution: Contribution,
    reply_by: Deadline,
    *,
    mail: Mail,
    seen: str | None = None,
    actor: Account | None,
    now: datetime,
) -> None:
    """Ask its sender to change something, and give them time of their own for it, until `reply_by`.

    Raises Invalid at "words" without what should change, at "until" for a time that does not help, Refused.
    """
    begin(contribution, actor, seen)
    issue = contribution.issue
    if issue.state not in EDITABLE_STATES:
        raise Refused(_("{issue} takes nothing more. Keep it for another issue.").format(issue=issue.title))
    words = outcomes.words_of(Decision.CHANGES, contribution, Mail(mail.words, mail.why), actor=actor)
    undo(contribution, actor=actor, now=now)
    extending.give(issue, reply_by, contribution=contribution, tell=False, actor=actor, now=now)
    # It has time of its own now; what is sent after that is late again.
    late, contribution.late = contribution.late, False
    decide(contribution, ContributionState.CHANGES_REQUESTED, words, actor, now)
    outcomes.tell(Decision.CHANGES, contribution, words, now=now)
    record("contribution.changes_requested", contribution, actor, now, until=reply_by.instant.isoformat(), late=late)


def carry(
    contribution: Contribution,
    to: Issue,
    *,
    mail: Mail = Mail(),
    leave: bool = False,
    seen: str | None = None,
    actor: Account | None,
    now: datetime,
) -> None:
    """Keep it for another issue of the list, where it waits for a decision. A late one is in time for that issue.

    One that was accepted stays so: its section, as editors left it, goes to the other issue; here it goes into the
    bin, or, with `leave`, stays as the editors' own. Raises NotAllowed, Refused in a sentence.
    """
    begin(contribution, actor, seen)
    require_same_list(contribution, to)
    if to.id == contribution.issue_id:
        raise Refused(_("It is waiting in this issue already."))
    if to.state in CLOSED:
        raise Refused(_("{issue} takes nothing more. Choose another issue.").format(issue=to.title))
    words = outcomes.words_of(Decision.MOVED, contribution, Mail(mail.words, mail.why, send=False), actor=actor)
    lock(to)
    came_from = contribution.issue_id
    if contribution.state is ContributionState.ACCEPTED and section_of(contribution) is not None:
        carry_section(contribution, to, leave=leave, actor=actor, now=now)
        contribution.issue_id = to.id
        decide(contribution, ContributionState.ACCEPTED, contribution.decision_note, actor, now)
        record("contribution.carried", contribution, actor, now, came_from=came_from, left=leave)
    else:
        undo(contribution, actor=actor, now=now)
        carry_over(contribution, to, actor=actor, now=now)
    if mail.send:
        outcomes.tell(Decision.MOVED, contribution, words, now=now)


def carry_over(contribution: Contribution, to: Issue, *, actor: Account | None, now: datetime) -> None:
    """`carry`, of what was looked at already and is in no issue; nobody is told."""
    came_from = contribution.issue_id
    contribution.issue_id = to.id
    end_reply_time(contribution, actor=actor, now=now)
    contribution.late = False
    wait_again(contribution, now)
    record("contribution.carried", contribution, actor, now, came_from=came_from)


def reopen(
    contribution: Contribution,
    *,
    tell: bool = True,
    seen: str | None = None,
    actor: Account | None,
    now: datetime,
) -> None:
    """Take a decision back: it waits for one again. What stood in the issue goes into the bin.

    Its sender hears of it where the mail about the old decision has left. Raises Refused where nothing was decided.
    """
    begin(contribution, actor, seen, need_open=False)
    was = contribution.state
    if was not in DECIDED | {ContributionState.WITHDRAWN, ContributionState.CHANGES_REQUESTED}:
        raise Refused(_("It is {state}, so there is nothing to take back.").format(state=state_words(contribution)))
    if contribution.issue.state in CLOSED:
        raise Refused(
            _("{issue} takes nothing more. Keep it for another issue.").format(issue=contribution.issue.title)
        )
    # Who was told nothing, or nothing yet, is told nothing now.
    told = was is ContributionState.WITHDRAWN or outcomes.last(contribution) is not None
    heard_nothing = outcomes.call_back(contribution)
    undo(contribution, actor=actor, now=now)
    contribution.withdrawn_at = contribution.withdrawal_asked_at = None
    wait_again(contribution, now)
    if tell and told and not heard_nothing:
        words = outcomes.suggested(Decision.REOPENED, contribution, actor=actor)
        outcomes.tell(Decision.REOPENED, contribution, words, now=now)
    record("contribution.reopened", contribution, actor, now, was=was.value)


def take_in(contribution: Contribution, *, actor: Account | None, now: datetime) -> None:
    """Read it like any other, though nobody has proved its sender's address: the record says who decided so."""
    begin(contribution, actor, None, need_open=False)
    if not is_proved(contribution):
        contribution.proved_at = now
        db.session.flush()
        record("contribution.taken_in_unproved", contribution, actor, now)
