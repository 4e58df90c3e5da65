"""An issue begins with what comes back every time: the headings of the last one, its words beside to look at.

Nothing is copied that was said once: a section is taken to stand when its heading stood in two past issues, and
its words come only where somebody asks for them.
"""

import logging
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from ...db import db
from ...errors import NotFound, Refused
from ...i18n import gettext as _
from ...models import Account, Block, Issue
from ...rendering.blocks import kind as kind_of
from ...states import EDITABLE_STATES, IssueState
from ..queries import issue_before
from ..staff import activity
from .block_rows import begin, end_of_sections, issue_of, live_blocks, name_of, require_version
from .editing import BlockDraft, add_blocks, edit_block
from .versions import keep_before

_log = logging.getLogger(__name__)
#: How many past issues are asked what comes back.
_LOOK_BACK = 4
#: What every new issue has by itself.
_BY_ITSELF = frozenset({"in_this_issue", "key_dates", "call"})
#: What comes back by its nature, where only one past issue can be asked.
_BY_NATURE = frozenset({"contact"})
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Comeback:
    """A section of the last issue. `stands`: it seems to come back every time."""

    block: Block
    name: str
    kind_name: str
    stands: bool


def past_issues(issue: Issue) -> list[Issue]:
    """The issues of the list that were written before this one and not cancelled, the last first."""
    told = db.session.scalar(issue_before(issue.id))
    chosen = (
        select(Issue)
        .where(
            Issue.list_id == issue.list_id, Issue.id != issue.id, Issue.created_at <= issue.created_at,
            Issue.state != IssueState.CANCELLED,
        )
        .order_by(Issue.started_at.is_(None), Issue.started_at.desc(), Issue.published_at.desc(), Issue.id.desc())
    )  # fmt: skip
    found = [each for each in db.session.scalars(chosen.limit(_LOOK_BACK * 3)) if each.id != issue.next_issue_id]
    if told is not None and told.state is not IssueState.CANCELLED:
        found = [told, *(each for each in found if each.id != told.id)]
    return [each for each in found if _has_words(each)][:_LOOK_BACK]


def _has_words(issue: Issue) -> bool:
    """Whether it holds more than every new issue has by itself: the next one is often there before its words."""
    return any(not kind_of(block.kind).fixed and block.kind not in _BY_ITSELF for block in issue.blocks)


def last_issue(issue: Issue) -> Issue | None:
    """The issue before this one, if there is any."""
    return next(iter(past_issues(issue)), None)


def comebacks(issue: Issue) -> list[Comeback]:
    """The sections of the last issue that this one can begin with, in order; those that stand here already left out."""
    past = past_issues(issue)
    if not past:
        return []
    last, *others = past
    earlier = {_key(block) for each in others for block in each.blocks}
    here = {_key(block) for block in issue.blocks}
    found = []
    for block in last.blocks:
        kind = kind_of(block.kind)
        if kind.fixed or block.kind in _BY_ITSELF or _key(block) in here or "heading" not in kind.empty():
            continue
        stands = _key(block) in earlier if others else block.kind in _BY_NATURE
        found.append(Comeback(block, name_of(block), kind.name, stands and bool(_heading(block))))
    return found


def standing_sections(issue: Issue) -> list[Block]:
    """The sections of this (past) issue whose heading stood in one of those before it too."""
    earlier = {_key(block) for each in past_issues(issue) for block in each.blocks}
    return [block for block in issue.blocks if _heading(block) and _key(block) in earlier]


def start_from(issue: Issue, chosen: Collection[UUID], *, actor: Account | None, now: datetime) -> list[Block]:
    """Give the issue the headings of the chosen sections of the last one, in their order, and its call's words.

    Returns the new sections. Raises Refused where there is no last issue, or the words are locked.
    """
    begin(issue, now=now)
    last = last_issue(issue)
    if last is None:
        raise Refused(_("There is no issue before this one to start from."))
    blocks = [each.block for each in comebacks(issue) if each.block.id in set(chosen)]
    keep_before(issue, f"it was started from {last.title}", actor=actor, now=now)
    made = add_blocks(
        issue,
        [BlockDraft(block.kind, {"heading": block.data["heading"]}, block.continues) for block in blocks],
        position=end_of_sections(live_blocks(issue)), actor=actor, now=now,
    )  # fmt: skip
    _call_words(issue, last, actor, now)
    activity.record("issue.started_from", actor=actor, now=now, issue=issue, last=last.id, blocks=len(made))
    _log.info("Issue %s begins with %d sections of issue %s", issue.id, len(made), last.id)
    return made


def last_time(block: Block) -> Block | None:
    """The section of the same kind and heading in the issue before, if it says anything to look at."""
    heading = _heading(block)
    if not heading or kind_of(block.kind).fixed or block.kind in _BY_ITSELF:
        return None
    last = last_issue(issue_of(block))
    same = next((each for each in last.blocks if _key(each) == _key(block)), None) if last else None
    return same if same is not None and _says_more(same) else None


def is_only_a_heading(block: Block) -> bool:
    """Whether nothing but a heading is written in the section yet."""
    return bool(_heading(block)) and not _says_more(block)


def use_last_words(block: Block, *, expected_version: int, actor: Account | None, now: datetime) -> Block:
    """Write last time's words into the section. Raises NotFound where there are none, Conflict when it was changed."""
    issue = issue_of(block)
    begin(issue, block, now=now)
    require_version(block, expected_version)
    before = last_time(block)
    if before is None:
        raise NotFound(_("There are no words of last time for this section."))
    keep_before(issue, f"“{name_of(block)}” got last time’s words", actor=actor, now=now)
    return edit_block(block, before.data, expected_version=expected_version, actor=actor, now=now)


def can_start(issue: Issue) -> bool:
    """Whether nobody has written in the issue yet, and there is one to start from."""
    untouched = all(
        kind_of(block.kind).fixed or block.kind in _BY_ITSELF or not any(block.data.values())
        for block in issue.blocks
    )  # fmt: skip
    return untouched and issue.state in EDITABLE_STATES and bool(comebacks(issue))


def _call_words(issue: Issue, last: Issue, actor: Account | None, now: datetime) -> None:
    """The call asks in the same words as last time, unless somebody has written in it."""
    call = next((block for block in live_blocks(issue) if block.kind == "call"), None)
    before = next((block for block in last.blocks if block.kind == "call"), None)
    if call is not None and before is not None and call.version == 1:
        edit_block(call, before.data, expected_version=call.version, actor=actor, now=now)


def _heading(block: Block) -> str:
    return str(block.data.get("heading", "") or "")


def _key(block: Block) -> tuple[str, str]:
    """What two issues' sections have in common when they are the same one."""
    return block.kind, _SPACES.sub(" ", _heading(block)).strip(" .:").casefold() or str(block.id)


def _says_more(block: Block) -> bool:
    empty = kind_of(block.kind).empty()
    return any(value != empty.get(name) for name, value in block.data.items() if name != "heading")
