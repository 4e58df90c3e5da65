"""The demo's two issues, as the renderer takes them."""

import json
from functools import cache
from pathlib import Path

from newsletter.rendering.content import BlockContent, Frame, IssueContent

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
    return IssueContent(blocks, Frame.from_json(stored_issue["frame"]))
