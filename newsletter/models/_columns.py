"""Column types and shapes that every table shares."""

import secrets
import uuid
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import JSON, Enum, String, Text, Uuid
from sqlalchemy.orm import mapped_column

from ..db import BigId, UTCDateTime

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


__all__ = ["JSON", "Any", "BigKey", "String", "Text", "UTCDateTime", "Uuid", "public_id", "states"]
