"""The demo's two issues, as the renderer takes them."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from newsletter.rendering.blocks import KINDS
from newsletter.rendering.content import BlockContent, Frame, IssueContent, Joinable

ISSUES = ("december-2026", "march-2027")

_STORED = Path(__file__).parents[2] / "newsletter" / "demo" / "larkmere.json"
_BASE = "https://larkmere.example.org/media/"
#: What the seed does with the placeholders: pictures get rows, and the rows have names.
_PLACEHOLDERS = {'"media:mark"': f'"{_BASE}mark-112.png"', '"media:boathouse"': '"boathouse-1200.png"'}


@cache
def issue(name: str) -> IssueContent:
    text = _STORED.read_text(encoding="utf-8")
    for placeholder, stored in _PLACEHOLDERS.items():
        text = text.replace(placeholder, stored)
    stored_issue = json.loads(text)[name]
    blocks = tuple(map(BlockContent.from_json, stored_issue["blocks"]))
    frame = Frame.from_json(stored_issue["frame"])
    return IssueContent(
        blocks, replace(frame, joinable=(Joinable("policy-changes", "Policy changes", "As they happen"),))
    )


_PAGE = "https://larkmere.example.org"
#: Good data of the kinds that the demo's issues need not have.
_MORE: dict[str, dict[str, Any]] = {
    "image_text": {
        "heading": "A quiet room", "media": "hq2v7a-600x400.jpg", "alt": "Two armchairs by a window",
        "text": "<p>Families can wait in a room of their own.</p>",
    },
    "steps": {
        "heading": "How to book", "intro": "<p>It takes a minute.</p>",
        "items": [
            {"step": "Choose a day", "detail": f"<p>The days are in the <a href='{_PAGE}/days'>calendar</a>.</p>"},
            {"step": "Tell your manager"},
        ],
    },
    "news_in_brief": {
        "heading": "News in brief",
        "items": [
            {"headline": "New clinic hours", "text": "The clinic opens at 8am on Mondays.", "agency": "Larkmere Health",
             "url": f"{_PAGE}/clinic"},
            {"headline": "Library cards for carers", "text": "Foster carers borrow without fees."},
        ],
    },
    "table": {
        "heading": "Who decides what", "caption": "Decisions and who takes them",
        "columns": {"a": "Decision", "b": "Who", "c": "Within"},
        "rows": [
            {"a": "Strategy meeting", "b": "Team manager", "c": "1 day"},
            {"a": "Conference", "b": "Chair", "c": "15 days"},
        ],
    },
    "video": {
        "title": "Listening to a baby", "url": f"{_PAGE}/film", "length": "4 minutes, with subtitles",
        "transcript": f"{_PAGE}/film-in-words", "media": "x7-1200x675.jpg",
    },
    "join_list": {"heading": "Hear when policies change", "list": "policy-changes", "button": "Join this list"},
    "divider": {},
}  # fmt: skip


def good_data(kind: str) -> dict[str, Any]:
    """Data of a block of this kind that is ready to go out."""
    found = [block.data for name in ISSUES for block in issue(name).blocks if block.kind == kind]
    return KINDS[kind].clean(found[0] if found else _MORE[kind])
