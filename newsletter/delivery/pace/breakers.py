"""What an issue's breaker knows when a run begins: the sample is of the issue, not of the run.

A worker that starts anew goes on counting where the last one was. When a person resumes an issue the count begins
again; if it had stopped for its bad answers, twice the share is let pass from then on: somebody has looked.
"""

from itertools import pairwise

from sqlalchemy import select

from ...db import db
from ...models import Activity, Issue
from ...states import IssueState
from ..reports import accounts
from .pacing import BAD_SHARE, SAMPLE, Breaker

_MOST_BAD_SHARE = 0.5


def breaker_of(issue_id: int) -> Breaker:
    """The breaker for a run of the issue that begins now. Reads eight rows and the issue's resumptions."""
    issue = db.session.get(Issue, issue_id)
    if issue is None or issue.state is not IssueState.SENDING:
        # Of one that is sent only late ones are left, and those are not a sample of the list.
        return Breaker(answers=SAMPLE)
    looked_at = [(0, 0), *_resumptions(issue)]
    answers, bad = answered(issue)
    stopped_for_it = sum(
        after[1] - before[1] > BAD_SHARE * max(SAMPLE, after[0] - before[0]) for before, after in pairwise(looked_at)
    )
    # An unsure one that was sent again since is neither answered nor bad any more.
    return Breaker(
        answers=max(0, answers - looked_at[-1][0]),
        bad=max(0, bad - looked_at[-1][1]),
        bad_share=min(BAD_SHARE * 2**stopped_for_it, _MOST_BAD_SHARE),
    )


def answered(issue: Issue) -> tuple[int, int]:
    """How many messages of the issue have been answered for good, and how many of those badly."""
    counts = accounts.counts(issue)
    bad = counts.refused + counts.unsure
    return counts.accepted + bad, bad


def _resumptions(issue: Issue) -> list[tuple[int, int]]:
    """What had been answered, each time that a person resumed the issue."""
    lines = db.session.scalars(
        select(Activity).where(Activity.issue_id == issue.id, Activity.action == "issue.resumed").order_by(Activity.id)
    )
    return [(int(line.detail.get("answers", 0)), int(line.detail.get("bad", 0))) for line in lines]
