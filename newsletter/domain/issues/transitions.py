"""Moving an issue from state to state: one table of allowed moves, one guarded UPDATE."""

from typing import Any

from sqlalchemy import update

from ...db import db
from ...errors import Conflict, Refused
from ...models import Issue
from ...states import EDITABLE_STATES, ISSUE_TRANSITIONS, IssueState

#: How people say each state, in "The issue is …".
STATE_WORDS = {
    IssueState.DRAFT: "a draft",
    IssueState.IN_REVIEW: "waiting for approval",
    IssueState.APPROVED: "approved",
    IssueState.SCHEDULED: "scheduled",
    IssueState.SENDING: "being sent",
    IssueState.PAUSED: "paused",
    IssueState.SENT: "sent",
    IssueState.CANCELLED: "cancelled",
}


def lock(issue: Issue) -> None:
    """Read the issue again and hold its row until the transaction ends.

    Two people's verbs on one issue so run one after the other. On SQLite the transaction itself is the lock.
    """
    db.session.flush()
    db.session.refresh(issue, with_for_update=True)
    db.session.expire(issue, ["blocks", "next_issue"])


def move(issue: Issue, to: IssueState, **values: Any) -> None:
    """Change the state, and the columns that go with it, in one UPDATE that demands the state we know of.

    Raises Refused, in a sentence, for a move that the table does not allow, and Conflict when somebody else
    moved the issue meanwhile.
    """
    if issue.archive_only and to is not IssueState.CANCELLED:
        require_sendable(issue)
    if to not in ISSUE_TRANSITIONS[issue.state]:
        raise Refused(f"{issue.title} is {STATE_WORDS[issue.state]}, so it cannot become {STATE_WORDS[to]}.")
    db.session.flush()
    moved = db.session.execute(
        update(Issue).where(Issue.id == issue.id, Issue.state == issue.state).values(state=to, **values)
    )
    if moved.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE answers with a CursorResult
        raise Conflict(f"{issue.title} was changed by somebody else. Look at it again before you go on.")
    db.session.refresh(issue)


def require_sendable(issue: Issue) -> None:
    """Raise Refused for an issue of the past, of which no mail is ever made."""
    if issue.archive_only:
        raise Refused(f"{issue.title} went out before this installation was. It can be published, and never sent.")


def require_editable(issue: Issue) -> None:
    """Raise Refused, saying what to do, unless the words may be edited now."""
    if issue.state in EDITABLE_STATES:
        return
    if issue.state is IssueState.SCHEDULED:
        raise Refused(f"{issue.title} is scheduled, so its words are locked. Cancel the schedule to edit it.")
    raise Refused(f"{issue.title} is {STATE_WORDS[issue.state]}: its words can no longer be changed.")
