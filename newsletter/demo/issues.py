"""The demo's issues, written into the product block by block."""

import hashlib
import json
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..db import db
from ..domain.calls.decisions import triage
from ..domain.calls.handing_in import contributing
from ..domain.calls.texts.news import News
from ..domain.issues import creating, editing
from ..models import Account, Issue, Media
from ..rendering import rich
from ..rendering.picture_names import new_name
from . import words
from .quarters import Quarter
from .shifting import Shift

_HERE = Path(__file__).parent
_PICTURES = {"boathouse": ("boathouse-1200.png", 1200, 560), "mark": ("mark-112.png", 112, 112)}
_COMMON = ("continues", "diary", "where", "language", "audience_note")
#: The headings in the second issue of larkmere.json that do not tell the end of the first one's stories.
_EARLIER = frozenset({
    "Taxi drivers must hold a safeguarding certificate", "Learning from a review: two young brothers",
    "Training programme: April to June 2027", "People", "Who to contact", "",
})  # fmt: skip
_EARLIER_KINDS = frozenset({"notice", "compare", "section", "event", "people_news", "contact"})
Block = dict[str, Any]


def add_pictures(now: datetime) -> dict[str, Media]:
    """The demo's two pictures, by their short names."""
    made = {}
    for short, (file, width, height) in _PICTURES.items():
        body = (_HERE / "media" / file).read_bytes()
        made[short] = Media(
            name=new_name(width, height, "png"),
            content_type="image/png",
            width=width,
            height=height,
            size=len(body),
            sha256=hashlib.sha256(body).digest(),
            body=body,
            created_at=now,
        )
        db.session.add(made[short])
    db.session.flush()
    return made


def write_oldest(issue: Issue, quarter: Quarter, *, actor: Account, now: datetime) -> None:
    """A short issue of half a year ago."""
    blocks = [{"kind": kind, "data": data} for kind, data in words.OLDEST_ISSUE]
    _write(issue, blocks, actor=actor, now=now)
    _frame(issue, f"{words.QUARTERLY}, {quarter.title}: one front door", _OLDEST_PREHEADER, actor, now)


_OLDEST_PREHEADER = "One number for every concern, and three wishes of young people about meetings."


def write_earlier(issue: Issue, quarter: Quarter, *, actor: Account, now: datetime) -> None:
    """The issue before the one that is being written."""
    shift = Shift(date(2027, 3, 11), quarter.day)
    kept = [
        block
        for block in _larkmere("march-2027")["blocks"]
        if block["kind"] in _EARLIER_KINDS and block["data"].get("heading", "") in _EARLIER
    ]
    _write(issue, shift(kept), actor=actor, now=now)
    preheader = shift.words("A new byelaw for taxi drivers from 1 April, and what we learned from a review.")
    _frame(issue, f"{words.QUARTERLY}, {quarter.title}: a byelaw for taxi drivers", preheader, actor, now)


def write_current(
    issue: Issue, quarter: Quarter, pictures: dict[str, Media], *, actor: Account, sent_in: datetime, now: datetime
) -> None:
    """The issue that is being written, whole; one of its sections came from a partner agency, at `sent_in`."""
    shift = Shift(date(2026, 12, 10), quarter.day)
    content = shift(_larkmere("december-2026"))
    blocks = [block for block in content["blocks"] if block["kind"] not in ("masthead", "footer")]
    for block in blocks:
        if block["kind"] == "image":
            block["data"]["media"] = pictures["boathouse"].name
    _write(issue, blocks, actor=actor, now=now, sent_in=sent_in)
    _frame(issue, content["frame"]["subject"], content["frame"]["preheader"], actor, now)


def _write(
    issue: Issue, blocks: Iterable[Block], *, actor: Account, now: datetime, sent_in: datetime | None = None
) -> None:
    """Add the blocks in order, after "In this issue"; those that every issue has are edited and put in their place."""
    position = 2
    for block in blocks:
        common = {name: block[name] for name in _COMMON if name in block}
        there = next((each for each in editing.live_blocks(issue) if each.kind == block["kind"]), None)
        once = block["kind"] in ("in_this_issue", "key_dates", "call")
        if once and there is not None:
            editing.edit_block(
                there, block["data"], expected_version=there.version, common=common, actor=actor, now=now
            )
            if block["kind"] == "in_this_issue":
                continue
            editing.move_block(there, position, actor=actor, now=now)
        elif sent_in is not None and block["data"].get("source_agency") == words.BOATHOUSE[0]:
            placed = triage.place(_boathouse(issue, block, sent_in), actor=actor, now=now)
            editing.move_block(placed, position, actor=actor, now=now)
        else:
            editing.add_block(
                issue, block["kind"], block["data"], position=position, common=common, actor=actor, now=now
            )
        position += 1


def _boathouse(issue: Issue, block: Block, sent_in: datetime) -> Any:
    agency, name, address, phone = words.BOATHOUSE
    news = News(block["data"]["heading"], rich.to_text(block["data"]["body"]), agency, name, address, phone)
    return contributing.save_contribution(issue, news, opened_at=sent_in, now=sent_in).contribution


def _frame(issue: Issue, subject: str, preheader: str, actor: Account, now: datetime) -> None:
    creating.change_frame(issue, subject=subject, preheader=preheader, actor=actor, now=now)


@lru_cache
def _larkmere(name: str) -> Any:
    return json.loads((_HERE / "larkmere.json").read_text(encoding="utf-8"))[name]
