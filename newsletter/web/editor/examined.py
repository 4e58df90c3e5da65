"""What the last examination of the installation (`newsletter doctor`) found wrong: told before somebody sends."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from newsletter.db import db
from newsletter.models import Examination

_WRONG = "wrong"
#: What was found longer ago says nothing about today.
_BELIEVED_FOR = timedelta(days=30)


@dataclass(frozen=True)
class Examined:
    """When it was, and a sentence for each thing that was wrong."""

    at: datetime
    wrong: list[str]


def examined(now: datetime) -> Examined | None:
    """The last one, if it found something wrong and is not too old."""
    last = db.session.scalar(select(Examination).order_by(Examination.id.desc()).limit(1))
    if last is None or last.worst != _WRONG or now - last.at > _BELIEVED_FOR:
        return None
    return Examined(last.at, [each["sentence"] for each in last.findings if each["state"] == _WRONG])
