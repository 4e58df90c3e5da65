"""Column types and shapes that every table shares."""

import secrets
import uuid
from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import JSON, CheckConstraint, Date, Enum, String, Text, Time, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from ..db import BigId, UTCDateTime
from ..deadlines import Deadline

BigKey = Annotated[int, mapped_column(BigId, primary_key=True, autoincrement=True)]


def public_id() -> uuid.UUID:
    """128 random bits in the shape of a UUID (all of them random: no version, no time, no order)."""
    return uuid.UUID(bytes=secrets.token_bytes(16))


def states(kind: type[StrEnum], name: str) -> Enum:
    """A column type for one of `kind`, kept as its word, with a CHECK called `name`."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        name=name,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


class HasDeadline:
    """A deadline, kept as people said it (date, time, zone) and as the instant that it names: all four, or none."""

    deadline_date: Mapped[date | None] = mapped_column(Date)
    deadline_time: Mapped[time | None] = mapped_column(Time)
    deadline_zone: Mapped[str | None] = mapped_column(String(64))
    deadline_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def deadline(self) -> Deadline | None:
        """The deadline; None where there is none."""
        if self.deadline_date is None or self.deadline_time is None:
            return None
        if self.deadline_zone is None or self.deadline_at is None:
            return None
        return Deadline(self.deadline_date, self.deadline_time, self.deadline_zone, self.deadline_at)

    @deadline.setter
    def deadline(self, value: Deadline | None) -> None:
        self.deadline_date = value.day if value else None
        self.deadline_time = value.at if value else None
        self.deadline_zone = value.zone if value else None
        self.deadline_at = value.instant if value else None
        self._deadline_was_set()

    def _deadline_was_set(self) -> None:
        """What else a table notes then."""


def deadline_whole() -> CheckConstraint:
    """The rule of a table with a deadline: all of it, or none."""
    return CheckConstraint(
        "(deadline_at IS NULL) = (deadline_date IS NULL) AND (deadline_at IS NULL) = (deadline_time IS NULL)"
        " AND (deadline_at IS NULL) = (deadline_zone IS NULL)",
        name="deadline_whole",
    )


__all__ = [
    "JSON",
    "Any",
    "BigKey",
    "HasDeadline",
    "String",
    "Text",
    "UTCDateTime",
    "Uuid",
    "deadline_whole",
    "public_id",
    "states",
]
