"""Taking a picture down: its bytes go for good, and a grey field stands wherever it was shown.

Pages, mails in people's inboxes and drafts show a picture by its address, so what is served there is what all of them
show. A copy goes under seal where it was part of something that went out, as words do (`taking_down`).
"""

import base64
import hashlib
import struct
import zlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from ...db import clear_log, db, on_commit
from ...errors import Conflict, Invalid, Problem
from ...i18n import gettext as _
from ...models import Account, Block, BlockRevision, Contribution, InboundMessage, Issue, Media, Rendition, TakeDown
from ...states import EDITABLE_STATES, InboundState
from ..staff import activity, wording
from . import voiding
from .taking_down import MOVING, TakenDown, seal


def take_down_picture(where: str, reason: str, *, actor: Account | None, now: datetime) -> TakenDown:
    """Remove the picture at this address, or of this name, from everywhere it is shown.

    Raises Invalid for an address that is none of ours or a missing reason, Conflict where it stands in an issue that is
    about to go out or going: cancel that first.
    """
    problems = wording.Problems()
    name = where.strip().rpartition("/")[2].partition("?")[0]
    found = db.session.scalar(select(Media).where(Media.name == name)) if name and "\0" not in name else None
    if found is None:
        problems.add("picture", _("There is no such picture here. Copy its address from the page it is on"))
    why = problems.of(lambda: wording.line(reason, field="why", longest=200, missing=_("Say why it goes")), "")
    problems.raise_any()
    if found is None:
        raise Invalid([Problem("picture", _("There is no such picture here"))])
    issues = list(db.session.scalars(select(Issue).where(Issue.id.in_(_issues_with(name))).order_by(Issue.id)))
    moving = [issue.title for issue in issues if issue.state in MOVING]
    if moving:
        words = _("The picture stands in {issues}, which is about to go out. Cancel that first.")
        raise Conflict(words.format(issues=", ".join(moving)))
    digest = hashlib.sha256(found.body).digest()
    record = TakeDown(at=now, account_id=actor.id if actor else None, reason=why, digest=digest, places={})
    db.session.add(record)
    db.session.flush()
    kept = {"subject": name, "text": "", "picture": base64.b64encode(found.body).decode(), "type": found.content_type}
    keys = seal([(one, kept) for one in _renditions_with(name)], record, now)
    found.body, found.content_type = _grey_field(), "image/png"
    found.size, found.sha256 = len(found.body), hashlib.sha256(found.body + found.name.encode()).digest()
    places = {"media": 1, "inbound_message": _blank_mails(name)} | _shown_in(name)
    record.places = {table: number for table, number in places.items() if number}
    db.session.flush()
    for issue in issues:
        if issue.state in EDITABLE_STATES:
            voiding.touch(issue, "A picture was taken down", actor=actor, now=now)
    on_commit(clear_log)
    activity.record("picture.taken_down", actor=actor, now=now, subject=("take_down", record.id), places=record.places)
    return TakenDown(record, record.places, keys, ())


def _holding(rows: Any, name: str) -> Iterable[Any]:
    """The first value of each row in whose others the picture is named."""
    return [row[0] for row in db.session.execute(rows) if any(name in str(value) for value in row[1:])]


def _issues_with(name: str) -> set[int]:
    return {
        *_holding(select(Block.issue_id, Block.data), name),
        *_holding(select(Rendition.issue_id, Rendition.media), name),
    }


def _renditions_with(name: str) -> list[Rendition]:
    numbers = _holding(select(Rendition.id, Rendition.media), name)
    return list(db.session.scalars(select(Rendition).where(Rendition.id.in_(numbers)).order_by(Rendition.id)))


def _blank_mails(name: str) -> int:
    """The mails that it came by, as they came, hold it too. Returns how many there were."""
    came = _holding(select(Contribution.inbound_id, Contribution.data, Contribution.pictures), name)
    theirs = InboundMessage.id.in_([one for one in came if one]), InboundMessage.raw.is_not(None)
    result: Any = db.session.execute(update(InboundMessage).where(*theirs).values(raw=None, state=InboundState.IGNORED))
    return int(result.rowcount)


def _shown_in(name: str) -> dict[str, int]:
    """How often it is shown, by table: there the grey field is seen from now on."""
    rows = {
        "block": select(Block.id, Block.data),
        "block_revision": select(BlockRevision.block_id, BlockRevision.data),
        "contribution": select(Contribution.id, Contribution.data, Contribution.pictures),
        "rendition": select(Rendition.id, Rendition.media),
    }
    return {table: len(list(_holding(chosen, name))) for table, chosen in rows.items()}


def _grey_field() -> bytes:
    """A PNG of one grey pixel, which fills whatever room the picture had (PNG specification, third edition)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\x00\xd0", 9)) + chunk(b"IEND", b"")
