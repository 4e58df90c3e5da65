"""Taking words down: removed for good from everywhere they stand, with a dated note in their place that says why.

What went out is put under seal first: the parts as sent, encrypted with a key as long as they are (a one-time pad),
which whoever takes down is given once and nobody keeps here. The hash of what went stays where it was.
"""

import hashlib
import html
import json
import re
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from typing import Any

from sqlalchemy import Column, LargeBinary, String, Table, Text, select, update

from ... import dates
from ...config import current_settings
from ...db import Base, clear_log, db, on_commit
from ...errors import Conflict, Invalid, Problem
from ...models import Account, Issue, Rendition, SealedCopy, TakeDown
from ...states import EDITABLE_STATES, IssueState
from ..staff import activity, wording
from ..subscribers.personal import COLUMNS
from . import voiding

_SHORTEST = 4
#: Not these: evidence of consent, and records of what was done, in which no contribution's words stand.
_KEPT = frozenset({"consent", "activity", "account", "suppression", "governance_version", "take_down", "sealed_copy"})
MOVING = frozenset({IssueState.SCHEDULED, IssueState.SENDING, IssueState.PAUSED})
_PARTS = ("subject", "headers", "html", "text", "web")


@dataclass(frozen=True)
class TakenDown:
    """What was done: the record, how often in which table, and the key of each copy under seal, by rendition.

    `still` names places where the words stand with formatting between them: take those pieces down too.
    """

    record: TakeDown
    places: Mapping[str, int]
    keys: Mapping[int, bytes]
    still: tuple[str, ...]


def take_down(words: str, reason: str, *, actor: Account | None, now: datetime) -> TakenDown:
    """Remove these words from every table, however they are spaced or written in HTML.

    Raises Invalid for words that are too short or a missing reason, Conflict where they stand in an issue that is
    about to go out or going: cancel that first.
    """
    problems = wording.Problems()
    clean = problems.of(lambda: wording.text(words, field="words", longest=5_000, missing="Enter the words"), "")
    why = problems.of(lambda: wording.line(reason, field="reason", longest=200, missing="Say why they go"), "")
    problems.raise_any()
    if len(clean) < _SHORTEST:
        raise Invalid([Problem("words", f"Enter at least {_SHORTEST} characters: fewer stand everywhere")])
    pattern = _pattern(clean)
    if set(why) & set("<>&"):
        # It is put among HTML and among plain text alike.
        raise Invalid([Problem("reason", "Write the reason without < > and &")])
    if pattern.search(why):
        raise Invalid([Problem("reason", "The reason stays: it cannot hold the words")])
    issues = _issues_with(pattern)
    moving = [issue.title for issue in issues if issue.state in MOVING]
    if moving:
        raise Conflict(f"The words stand in {', '.join(moving)}, which is about to go out. Cancel that first.")
    record = TakeDown(
        at=now,
        account_id=actor.id if actor else None,
        reason=why,
        digest=hashlib.sha256(clean.encode()).digest(),
        places={},
    )
    db.session.add(record)
    db.session.flush()
    keys = seal(_renditions_with(pattern), record, now)
    day = dates.day(dates.local(now, current_settings().timezone).date())
    note = f"[Removed on {day}: {why}]"
    found = {table.name: number for table in Base.metadata.sorted_tables if (number := _clean(table, pattern, note))}
    record.places = found
    db.session.flush()
    db.session.expire_all()
    for issue in issues:
        if issue.state in EDITABLE_STATES:
            voiding.touch(issue, "Words were taken down", actor=actor, now=now)
    on_commit(clear_log)
    activity.record("words.taken_down", actor=actor, now=now, subject=("take_down", record.id), places=found)
    return TakenDown(record, found, keys, _still(clean))


def unseal(copy: SealedCopy, key: bytes) -> dict[str, Any]:
    """The parts as they were sent. Raises Invalid for a key that is not this copy's."""
    try:
        opened: dict[str, Any] = json.loads(zlib.decompress(_xor(copy.body, key)))
    except (ValueError, zlib.error):
        raise Invalid([Problem("key", "This key does not open this copy")]) from None
    return opened


def _pattern(words: str) -> re.Pattern[str]:
    """The words in any case, with any white space between them, as typed or as HTML writes them."""
    pieces = [f"(?:{re.escape(each)}|{re.escape(html.escape(each))})" for each in words.split()]
    return re.compile(r"(?:\s|&nbsp;|&#160;|&#xa0;)+".join(pieces), re.IGNORECASE)


def _issues_with(pattern: re.Pattern[str]) -> list[Issue]:
    sections = select(Base.metadata.tables["block"].c.issue_id, Base.metadata.tables["block"].c.data)
    numbers = {number for number, data in db.session.execute(sections) if _holds(data, pattern)}
    frozen = select(Rendition.issue_id, Rendition.subject, Rendition.html, Rendition.text, Rendition.web)
    numbers |= {row[0] for row in db.session.execute(frozen) if any(pattern.search(part) for part in row[1:])}
    return list(db.session.scalars(select(Issue).where(Issue.id.in_(numbers)).order_by(Issue.id)))


def _renditions_with(pattern: re.Pattern[str]) -> list[tuple[Rendition, dict[str, Any]]]:
    """Every rendition that holds the words, with its parts as they were sent."""
    renditions = db.session.scalars(select(Rendition).order_by(Rendition.id))
    whole = [(one, {name: getattr(one, name) for name in _PARTS}) for one in renditions]
    return [(one, parts) for one, parts in whole if _holds(parts, pattern)]


def seal(copies: list[tuple[Rendition, dict[str, Any]]], record: TakeDown, now: datetime) -> dict[int, bytes]:
    """Put what goes under seal, for each rendition that it was part of. The keys by the renditions' numbers."""
    keys = {}
    for rendition, parts in copies:
        packed = zlib.compress(json.dumps(parts, ensure_ascii=False).encode(), 9)
        keys[rendition.id] = secrets.token_bytes(len(packed))
        db.session.add(
            SealedCopy(
                rendition_id=rendition.id,
                take_down_id=record.id,
                content_hash=rendition.content_hash,
                body=_xor(packed, keys[rendition.id]),
                at=now,
            )
        )
    db.session.flush()
    return keys


def _xor(data: bytes, key: bytes) -> bytes:
    if len(data) != len(key):
        raise ValueError("A key is as long as what it opens")
    return (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(len(data), "big")


def _columns(table: Table) -> list[Column[Any]]:
    """The columns of a table in which people's words can stand."""
    if table.name in _KEPT:
        return []
    marks = COLUMNS[table.name]
    names = {*marks.names("words"), *marks.names("personal")}
    kinds = (String, Text, LargeBinary)
    return [one for one in table.columns if one.name in names and (isinstance(one.type, kinds) or _is_json(one))]


def _is_json(column: Column[Any]) -> bool:
    return column.type.__class__.__name__ == "JSON"


def _clean(table: Table, pattern: re.Pattern[str], note: str) -> int:
    """Put the note in the place of the words in every row of the table. Returns in how many rows."""
    columns = _columns(table)
    if not columns:
        return 0
    keys = list(table.primary_key.columns)
    number = 0
    for row in db.session.execute(select(*keys, *columns)).all():
        old = dict(zip((one.name for one in columns), row[len(keys) :], strict=True))
        new = {
            name: _without(value, pattern, _short(note, table.columns[name]))
            for name, value in old.items()
            if _holds(value, pattern)
        }
        if new:
            same = [column == value for column, value in zip(keys, row[: len(keys)], strict=True)]
            db.session.execute(update(table).where(*same).values(new))
            number += 1
    return number


def _short(note: str, column: Column[Any]) -> str:
    """The note, or one word where the column is too short for it beside other words."""
    length = getattr(column.type, "length", None)
    return "[removed]" if length is not None and length < 2 * len(note) else note


def _holds(value: Any, pattern: re.Pattern[str]) -> bool:
    match value:
        case str():
            return pattern.search(value) is not None
        case bytes():
            return pattern.search(_read(value)) is not None
        case dict():
            return any(_holds(each, pattern) for each in value.values())
        case list() | tuple():
            return any(_holds(each, pattern) for each in value)
    return False


def _without(value: Any, pattern: re.Pattern[str], note: str) -> Any:
    match value:
        case str():
            return pattern.sub(lambda _found: note, value)
        case bytes():
            # A mail as it came: its parts are encoded, so it goes as a whole.
            return note.encode()
        case dict():
            return {key: _without(each, pattern, note) for key, each in value.items()}
        case list():
            return [_without(each, pattern, note) for each in value]
    return value


def _read(raw: bytes) -> str:
    """A mail's words: raw, and its text parts decoded."""
    words = [raw.decode("utf-8", "replace")]
    try:
        message = message_from_bytes(raw, policy=policy.default)
        words += [str(part.get_content()) for part in message.walk() if part.get_content_maintype() == "text"]
    except (MessageError, LookupError, ValueError, AttributeError, KeyError):
        pass
    return "\n".join(words)


def _still(words: str) -> tuple[str, ...]:
    """Tables in which the words are still read once formatting is left out."""
    split = re.compile(r"(?:\s|&nbsp;|<[^>]*>)+".join(re.escape(each) for each in words.split()), re.IGNORECASE)
    places = set()
    for table in Base.metadata.sorted_tables:
        columns = _columns(table)
        if columns and any(_holds(list(row), split) for row in db.session.execute(select(*columns))):
            places.add(table.name)
    return tuple(sorted(places))
