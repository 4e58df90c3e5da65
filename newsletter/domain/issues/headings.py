"""Raising and lowering headings. A document says what is a heading and not of which level: one click mends that."""

import re
from datetime import datetime
from typing import Any

from ...errors import NotFound, Refused
from ...models import Account, Block
from .block_rows import begin, live_blocks, name_of, require_version
from .editing import add_block, delete_block, edit_block
from .finding import find_issue
from .versions import keep_before

_HEADING = re.compile(r"<h3>(.*?)</h3>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


def sub_headings(block: Block) -> list[str]:
    """The sub-headings in a block that can be raised, as plain words, in order."""
    if block.kind == "findings":
        return [str(item["subheading"]) for item in block.data["items"]]
    if block.kind == "section":
        return [_words(found) for found in _HEADING.findall(block.data["body"])]
    return []


def change_heading_level(
    block: Block, number: int | None = None, *, expected_version: int, actor: Account | None, now: datetime
) -> Block:
    """Raise sub-heading `number` (from 0) of `block` to a section of its own, with all that stands below it; or,
    without a number, lower the section `block` to a sub-heading at the end of the one before it.

    Returns the block that holds the heading now. Raises Refused where there is nothing to raise or lower,
    Conflict when the block was changed meanwhile.
    """
    issue = find_issue(str(block.issue_id))
    begin(issue, block, now=now)
    require_version(block, expected_version)
    keep_before(issue, f"“{name_of(block)}” changed its level", actor=actor, now=now)
    if number is None:
        return _lower(block, live_blocks(issue), actor, now)
    return _raise(block, number, actor, now)


def _raise(block: Block, number: int, actor: Account | None, now: datetime) -> Block:
    if not 0 <= number < len(sub_headings(block)):
        raise NotFound("There is no such sub-heading in this section.")
    if block.kind == "findings":
        kept, heading, body = _split_findings(block.data, number)
    else:
        kept, heading, body = _split_section(block.data, number)
    edit_block(block, kept, expected_version=block.version, actor=actor, now=now)
    return add_block(
        find_issue(str(block.issue_id)), "section", {"heading": heading, "body": body},
        position=block.position + 1, actor=actor, now=now,
    )  # fmt: skip


def _split_section(data: dict[str, Any], number: int) -> tuple[dict[str, Any], str, str]:
    found = list(_HEADING.finditer(data["body"]))[number]
    kept = {**data, "body": data["body"][: found.start()]}
    return kept, _words(found[1]), data["body"][found.end() :]


def _split_findings(data: dict[str, Any], number: int) -> tuple[dict[str, Any], str, str]:
    chosen, *below = data["items"][number:]
    body = str(chosen["text"]) + "".join(_as_html(item) for item in below)
    return {**data, "items": data["items"][:number]}, str(chosen["subheading"]), body


def _lower(block: Block, blocks: list[Block], actor: Account | None, now: datetime) -> Block:
    if block.kind != "section":
        raise Refused("Only a section can become a sub-heading.")
    above = blocks[block.position - 1] if block.position else None
    if above is None or above.kind not in ("section", "findings"):
        raise Refused("There is no section above that this one could become a part of.")
    heading, body, agency = block.data["heading"], block.data["body"], block.data["source_agency"]
    if agency:
        body = f"<p>{_escape(agency)}</p>{body}"
    if above.kind == "findings" and not _HEADING.search(body):
        data = {**above.data, "items": [*above.data["items"], {"subheading": heading, "text": body}]}
    elif above.kind == "findings":
        raise Refused("This section has sub-headings of its own: lower or remove those first.")
    else:
        data = {**above.data, "body": f"{above.data['body']}<h3>{_escape(heading)}</h3>{body}"}
    edit_block(above, data, expected_version=above.version, actor=actor, now=now)
    delete_block(block, actor=actor, now=now)
    return above


def _as_html(item: dict[str, Any]) -> str:
    return f"<h3>{_escape(str(item['subheading']))}</h3>{item['text']}"


def _escape(text: str) -> str:
    from html import escape

    return escape(text, quote=False)


def _words(html: str) -> str:
    from html import unescape

    return unescape(_TAG.sub("", html)).strip()
