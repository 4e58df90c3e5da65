"""Long tables a page at a time, newest first, by the key of the last row seen: no page gets slower than the first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from ...db import LARGEST_ID, db

_Row = TypeVar("_Row")

PAGE = 50


@dataclass(frozen=True)
class Page(Generic[_Row]):
    """Rows, newest first; `older` is what to pass as `before` for the next page, None on the last."""

    rows: Sequence[_Row]
    older: int | None


def newest_first(
    chosen: Select[_Row], key: InstrumentedAttribute[Any], before: int | None, size: int = PAGE
) -> Page[_Row]:
    """A page of `chosen` below `before` (a value of `key`, which counts upwards; one that no row has is the end)."""
    if before is not None:
        before = max(-LARGEST_ID, min(before, LARGEST_ID))
        chosen = chosen.where(key < before)
    rows = list(db.session.scalars(chosen.order_by(key.desc()).limit(size + 1)))
    more = len(rows) > size
    return Page(rows[:size], getattr(rows[size - 1], key.key) if more else None)
