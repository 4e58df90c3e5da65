"""Putting a document's blocks into an issue."""

import logging
from datetime import datetime
from html import escape
from typing import Any

from ....models import Account, Block, Issue
from ....states import Cadence
from ...staff import activity
from ..content import masthead_words
from ..editing import BlockDraft, add_blocks, delete_block, edit_block, live_blocks, set_masthead_words
from ..transitions import lock, require_editable
from ..versions import keep_before, keep_version
from .picturing import take_up
from .proposing import KeyDate, ProposedBlock
from .reading import Document

_log = logging.getLogger(__name__)
_AT_THE_END = ("key_dates", "call", "footer")


def import_document(issue: Issue, document: Document, *, actor: Account | None, now: datetime) -> list[Block]:
    """Add what was read to the issue, before its standing sections at the end. Returns the blocks that hold it.

    The document's label and strapline become those of the masthead, its call for news that of the issue, its dates
    rows of Key dates. The deadline it names is only offered: the next issue gets it from `ensure_next_issue`.
    """
    lock(issue)
    require_editable(issue)
    keep_before(issue, "a document was imported", actor=actor, now=now)
    _masthead(issue, document, actor, now)
    _drop_placeholders(issue, actor, now)
    take_up(document.proposals)
    sections, call = _sorted_out(issue, document)
    made = add_blocks(
        issue, [BlockDraft(each.kind, each.data, each.continues) for each in sections],
        position=_end_of_sections(issue), actor=actor, now=now,
    )  # fmt: skip
    if call is not None:
        made.append(_fill_call(issue, call, actor, now))
    if document.dates and not issue.archive_only:
        _add_dates(issue, document.dates, actor, now)
    keep_version(issue, "Imported a document", actor=actor, now=now)
    activity.record("issue.imported", actor=actor, now=now, issue=issue, blocks=len(made))
    _log.info("A document became %d blocks of issue %s", len(made), issue.id)
    return made


def _masthead(issue: Issue, document: Document, actor: Account | None, now: datetime) -> None:
    publication = issue.mailing_list.name
    label = document.label
    if document.publication and document.publication.casefold() != publication.casefold():
        label = ": ".join(filter(None, (document.publication, label)))
    present = masthead_words(issue)
    words: dict[str, str] = {}
    if label and label != issue.title:
        words["label"] = label
    if document.strapline and document.strapline != (present["strapline"] or issue.mailing_list.strapline):
        words["strapline"] = document.strapline
    set_masthead_words(issue, words, actor=actor, now=now)


def _drop_placeholders(issue: Issue, actor: Account | None, now: datetime) -> None:
    """An empty section waits for words; a document brings its own."""
    for block in live_blocks(issue):
        if block.kind == "section" and not any(block.data.values()):
            delete_block(block, actor=actor, now=now)


def _sorted_out(issue: Issue, document: Document) -> tuple[list[ProposedBlock], ProposedBlock | None]:
    """The sections, and the call where the issue can have one: without a rhythm it is a section like others."""
    standing = any(block.kind == "call" for block in live_blocks(issue))
    # A call in an issue of the past is over: its words are history.
    has_call = standing or (issue.mailing_list.cadence is not Cadence.NONE and not issue.archive_only)
    sections: list[ProposedBlock] = []
    call = None
    for each in document.proposals:
        if each.kind == "call" and has_call and call is None:
            call = each
        elif each.kind == "call":
            data = {"heading": each.data["heading"], "body": each.data["intro"]}
            sections.append(ProposedBlock("section", data))
        else:
            sections.append(each)
    return sections, call


def _end_of_sections(issue: Issue) -> int:
    blocks = live_blocks(issue)
    end = len(blocks)
    while end and blocks[end - 1].kind in _AT_THE_END:
        end -= 1
    return end


def _fill_call(issue: Issue, call: ProposedBlock, actor: Account | None, now: datetime) -> Block:
    standing = next((block for block in live_blocks(issue) if block.kind == "call"), None)
    if standing is None:
        return add_blocks(
            issue, [BlockDraft("call", call.data)], position=len(live_blocks(issue)), actor=actor, now=now
        )[0]
    data: dict[str, Any] = {**standing.data, **call.data}
    if standing.version > 1:
        data["heading"] = standing.data["heading"] or call.data["heading"]
        lost = data["heading"] != call.data["heading"] and call.data["heading"]
        data["intro"] = standing.data["intro"] + (f"<h3>{escape(lost)}</h3>" if lost else "") + call.data["intro"]
    return edit_block(standing, data, expected_version=standing.version, actor=actor, now=now)


def _add_dates(issue: Issue, dates: tuple[KeyDate, ...], actor: Account | None, now: datetime) -> None:
    rows = [{"date": each.day.isoformat(), "what": each.what} for each in dates]
    standing = next((block for block in live_blocks(issue) if block.kind == "key_dates"), None)
    if standing is not None:
        known = {(row["date"], row["what"]) for row in standing.data["manual"]}
        new = [row for row in rows if (row["date"], row["what"]) not in known]
        data = {**standing.data, "manual": [*standing.data["manual"], *new][:150]}
        edit_block(standing, data, expected_version=standing.version, actor=actor, now=now)
    elif len(rows) > 1:
        add_blocks(
            issue, [BlockDraft("key_dates", {"manual": rows[:150]})],
            position=_end_of_sections(issue), actor=actor, now=now,
        )  # fmt: skip
