"""A table as one number, the same on every database: how many rows it has, and a hash over what they say.

Each row is written in one way only and hashed with SHA-256, and the hashes are added up modulo 2^256. The sum does not
depend on the order of the rows, which two databases sort differently.
"""

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Any

from sqlalchemy import Row

_MODULUS = 1 << 256


@dataclass
class Digest:
    """The number of a table, row by row."""

    rows: int = 0
    total: int = 0

    def add(self, row: "Row[Any]") -> None:
        """Add what one row says; its values as SQLAlchemy gives them for the columns in their order."""
        said = json.dumps([_written(value) for value in row], ensure_ascii=False, separators=(",", ":")).encode()
        self.total = (self.total + int.from_bytes(hashlib.sha256(said).digest(), "big")) % _MODULUS
        self.rows += 1

    @property
    def hexadecimal(self) -> str:
        return f"{self.total:064x}"


def _written(value: object) -> object:
    """A value as JSON can hold it, with its kind where two kinds could look alike."""
    if value is None or isinstance(value, bool | int) or type(value) is str:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return ["instant", value.astimezone(UTC).isoformat(timespec="microseconds")]
    if isinstance(value, date | time):
        return [type(value).__name__, value.isoformat()]
    if isinstance(value, float):
        # Every bit of it, since both databases keep the same eight bytes.
        return ["float", value.hex()]
    if isinstance(value, uuid.UUID | bytes):
        return [type(value).__name__, value.hex if isinstance(value, uuid.UUID) else value.hex()]
    raise TypeError(f"There is no one way to write {type(value).__name__}")
