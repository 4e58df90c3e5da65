"""Complaints about how somebody's data were used: taken in, confirmed within 30 days, answered without undue delay.

The rule is section 164A of the Data Protection Act 2018 (from the Data (Use and Access) Act 2025).
"""

import secrets
import uuid
from datetime import datetime, timedelta

from sqlalchemy import func, select

from ... import addresses
from ...db import db
from ...errors import Conflict, NotFound
from ...models import Account, DataComplaint
from . import wording
from .activity import record

CONFIRM_WITHIN = timedelta(days=30)
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def take(name: str, address: str, words: str, *, now: datetime) -> DataComplaint:
    """Take a complaint in. Name and address may be missing: then nobody can be answered. Raises Invalid with all."""
    problems = wording.Problems()
    made = DataComplaint(
        name=problems.of(lambda: wording.line(name, field="name", longest=100), ""),
        address=problems.of(lambda: addresses.clean(address) if address.strip() else "", ""),
        words=problems.of(
            lambda: wording.text(words, field="words", longest=10_000, missing="Say what happened and what you want"),
            "",
        ),
        reference=_reference(),
        received_at=now,
        acknowledge_by=now + CONFIRM_WITHIN,
    )
    problems.raise_any()
    db.session.add(made)
    db.session.flush()
    record(
        "data_complaint.received",
        actor=None,
        actor_name="A visitor",
        now=now,
        subject=("data_complaint", made.reference),
    )
    return made


def find(public_id: uuid.UUID) -> DataComplaint:
    """The complaint. Raises NotFound."""
    found = db.session.scalar(select(DataComplaint).where(DataComplaint.public_id == public_id))
    if found is None:
        raise NotFound("There is no such complaint.")
    return found


def everything() -> list[DataComplaint]:
    """Those that wait first, the most urgent at the top; then the answered ones, newest first."""
    waiting = select(DataComplaint).where(DataComplaint.answered_at.is_(None)).order_by(DataComplaint.acknowledge_by)
    answered = select(DataComplaint).where(DataComplaint.answered_at.is_not(None))
    return [
        *db.session.scalars(waiting.order_by(DataComplaint.id)),
        *db.session.scalars(answered.order_by(DataComplaint.answered_at.desc())),
    ]


def waiting() -> int:
    """How many are not answered yet."""
    chosen = select(func.count(DataComplaint.id)).where(DataComplaint.answered_at.is_(None))
    return db.session.scalar(chosen) or 0


def acknowledge(complaint: DataComplaint, *, actor: Account | None, now: datetime) -> None:
    """Note that its sender was told that it is here. The first time counts."""
    if complaint.acknowledged_at is None:
        complaint.acknowledged_at = now
        _record("acknowledged", complaint, actor, now)


def answer(complaint: DataComplaint, typed: str, *, actor: Account | None, now: datetime) -> None:
    """Keep the outcome as it was told. Raises Invalid without words, Conflict where it is answered already."""
    if complaint.answered_at is not None:
        raise Conflict("This complaint is answered already.")
    complaint.answer = wording.text(typed, field="answer", longest=10_000, missing="Enter the outcome as you told it")
    complaint.answered_at, complaint.answered_by_id = now, actor.id if actor else None
    acknowledge(complaint, actor=actor, now=now)
    db.session.flush()
    _record("answered", complaint, actor, now)


def _record(done: str, complaint: DataComplaint, actor: Account | None, now: datetime) -> None:
    record(f"data_complaint.{done}", actor=actor, now=now, subject=("data_complaint", complaint.reference))


def _reference() -> str:
    while True:
        made = "DC-" + "".join(secrets.choice(_LETTERS) for _letter in range(6))
        if db.session.scalar(select(DataComplaint.id).where(DataComplaint.reference == made)) is None:
            return made
