"""Checks that stop a bad issue. One room a family; each yields findings, a person answers them.

Only what would lead readers nowhere, break the mail or expose a person blocks; the rest is worth a look, and passed
with one click that is remembered for that very text. `registry` is the table of all of them.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import select

from ....db import db
from ....errors import NotFound, Refused
from ....models import Account, CheckPass, Issue
from ....rendering.content import BlockContent, IssueContent
from ...staff import activity
from ..content import issue_content
from ..memory import Memory, key_of_block
from .acronyms import check_acronyms
from .blocks import check_blocks, settings_problems
from .book_entries import check_book
from .dates import check_dates
from .findings import Finding
from .links import check_link
from .list_rules import ASKED_BY_THE_GATE, check_list_rules
from .lists import check_lists
from .mail import check_mail
from .passages import Passage, addresses, addresses_of, frame_passages, passages, passages_of
from .privacy import check_address, check_privacy
from .registry import FAMILY_WORDS, RULES
from .sentence_length import check_length
from .surroundings import Surroundings, surroundings
from .unfinished import check_unfinished
from .words import check_words

__all__ = [
    "ASKED_BY_THE_GATE",
    "FAMILY_WORDS",
    "RULES",
    "Finding",
    "check_content",
    "check_text",
    "check_words_only",
    "find_finding",
    "pass_check",
    "run_checks",
    "settings_problems",
]


#: A large issue has thirty sections; some people write in several.
_found: Memory[tuple[Finding, ...]] = Memory(1000)


def run_checks(issue: Issue, now: datetime) -> list[Finding]:
    """Everything there is to say of the issue as it stands: what blocks first, each in the order of the sections.

    Compiles the mail: not for use inside `transaction()`.
    """
    return check_content(issue, issue_content(issue), now)


def check_content(issue: Issue, content: IssueContent, now: datetime) -> list[Finding]:
    """`run_checks` of content that was read already."""
    return _sorted(issue, content, [*check_blocks(content), *_of_words(issue, content, now)])


def check_words_only(issue: Issue, now: datetime, at: datetime | None = None) -> list[Finding]:
    """The checks that need no mail to be made, for an issue that goes out `at` (the planned date when None): quick
    enough for a transaction, and dates may have passed since the others were made."""
    content = issue_content(issue)
    return _sorted(issue, content, list(_of_words(issue, content, now, at)))


def check_text(content: IssueContent, around: Surroundings) -> Iterator[Finding]:
    """The findings that come from the words alone, in no order.

    Each section is read once for the same words and the same surroundings: thirty sections take long to read, and
    whoever types changes one.
    """
    frame = list(frame_passages(content.frame))
    for passage in frame:
        yield from _of_passage(passage, around)
    for block in content.blocks:
        yield from _found.of((key_of_block(block), around.key), partial(_of_block, block, around))
    yield from check_acronyms([*frame, *passages(content)], around.acronyms)
    yield from check_mail(content.frame)


def _of_block(block: BlockContent, around: Surroundings) -> tuple[Finding, ...]:
    """The findings of one section's words that depend on no other section."""
    found = [finding for passage in passages_of(block) for finding in _of_passage(passage, around)]
    found += check_lists(block)
    for link in addresses_of(block):
        found += [*check_link(link, around), *check_address(link, around)]
    return tuple(found)


def _of_passage(passage: Passage, around: Surroundings) -> Iterator[Finding]:
    yield from check_words(passage)
    yield from check_unfinished(passage)
    yield from check_length(passage)
    yield from check_dates(passage, around)
    yield from check_privacy(passage, around)


def find_finding(issue: Issue, key: str, now: datetime) -> Finding:
    """The finding with this `key`. Raises NotFound when the words it was about have changed."""
    for finding in run_checks(issue, now):
        if finding.key == key:
            return finding
    raise NotFound("These words have changed since: look at the checks again.")


def pass_check(issue: Issue, finding: Finding, *, actor: Account | None, now: datetime, reason: str = "") -> None:
    """ "It is right": remember that a person passed this finding for exactly this text.

    Raises Refused for what cannot be passed. What stops the issue needs a person's name and a `reason`.
    """
    if not finding.passable:
        raise Refused("This stops the issue and cannot be passed: mend it.")
    if finding.blocking and (actor is None or not reason.strip()):
        raise Refused("Say why these words may be published.")
    known = select(CheckPass.id).where(
        CheckPass.issue_id == issue.id, CheckPass.code == finding.code, CheckPass.text_hash == finding.text_hash
    )
    if db.session.scalar(known) is not None:
        return
    db.session.add(
        CheckPass(
            issue_id=issue.id, code=finding.code, text_hash=finding.text_hash,
            actor_id=actor.id if actor else None, at=now,
        )
    )  # fmt: skip
    db.session.flush()
    activity.record("check.passed", actor=actor, now=now, issue=issue, code=finding.code, reason=reason.strip()[:500])


def _of_words(issue: Issue, content: IssueContent, now: datetime, at: datetime | None = None) -> Iterator[Finding]:
    around = surroundings(issue, (link.url for link in addresses(content)), now, at)
    yield from check_text(content, around)
    yield from check_list_rules(issue, content)
    planned = at or issue.scheduled_at or issue.planned_at
    yield from check_book(issue, max(planned, now) if planned else now)


def _sorted(issue: Issue, content: IssueContent, findings: list[Finding]) -> list[Finding]:
    """What stops it first; of findings that are word for word the same in one place, one."""
    rows = db.session.execute(select(CheckPass.code, CheckPass.text_hash).where(CheckPass.issue_id == issue.id))
    passes = {(code, text_hash) for code, text_hash in rows}
    order = {block.id: number for number, block in enumerate(content.blocks)}
    single = {(each.key, each.block_id, each.field): each for each in reversed(findings)}
    marked = [replace(each, passed=(each.code, each.text_hash) in passes) for each in reversed(single.values())]
    return sorted(marked, key=lambda each: (not each.stops, each.passed, order.get(each.block_id or "", -1)))
