"""A small table: a row that names the columns, a first column that names the rows, no merged cells."""

from collections.abc import Iterator
from typing import Any

from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import plain
from newsletter.rendering.context import Context
from newsletter.rendering.fields import Field, group_of, items, text

from .base import FACTS_GROUP, BlockKind, Part

#: The columns, by the names that they have in data.
COLUMNS = ("a", "b", "c", "d")
_LABELS = (_("First column"), _("Second column"), _("Third column"), _("Fourth column"))
_SMALL_FROM = 3


def _cells(longest: int) -> tuple[Field, ...]:
    return tuple(text(name, label, longest=longest) for name, label in zip(COLUMNS, _LABELS, strict=True))


class Table(BlockKind):
    kind = "table"
    name = _("Table")
    purpose = _("Facts to compare: up to four columns, each with a name. Lists are easier to read on a phone.")
    icon = "table"
    group = FACTS_GROUP
    fields = (
        text("heading", _("Heading"), shortest=3, longest=90),
        text(
            "caption", _("What the table shows"), required=True, longest=200,
            missing=_("Say in a few words what the table shows."),
        ),
        group_of("columns", _("Names of the columns"), *_cells(60)),
        items(
            "rows", _("Rows"), *_cells(240), required=True, least=1, most=20, missing=_("Add a row."),
            hint=_("The first column names the row."),
        ),
    )  # fmt: skip

    def check(self, data: dict[str, Any], context: Context) -> Iterator[Problem]:
        used = columns(data)
        for name in used:
            if not data["columns"][name]:
                yield Problem(f"columns.{name}", _("Give the column a name: people who listen hear it with each cell."))
        if len(used) == 1:
            yield Problem("columns.b", _("A table has two columns or more. For one, use a list."))
        for number, row in enumerate(data["rows"]):
            if not row["a"]:
                yield Problem(f"rows.{number}.a", _("Say in the first column what the row is about."))

    def more_values(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        used = columns(data)
        return {
            "names": [data["columns"][name] for name in used],
            "cells": [[row[name] for name in used] for row in data["rows"]],
            "small": len(used) >= _SMALL_FROM,
        }

    def say(self, part: Part) -> str:
        data, used = part.data, columns(part.data)
        names = [data["columns"][name] for name in used]
        rows = [_said(names, [row[name] for name in used]) for row in data["rows"]]
        # A column without a cell has no row to be named in.
        bare = [name for column, name in zip(used, names, strict=True) if not any(row[column] for row in data["rows"])]
        head = plain.wrap(", ".join(filter(None, bare)))
        return part.opened(data["heading"], plain.wrap(data["caption"]), head, *rows)


def columns(data: dict[str, Any]) -> list[str]:
    """The columns that hold anything, up to the last of them."""
    said = [any([data["columns"][name], *(row[name] for row in data["rows"])]) for name in COLUMNS]
    last = max((number for number, each in enumerate(said, 1) if each), default=0)
    return list(COLUMNS[:last])


def _said(names: list[str], cells: list[str]) -> str:
    """One row, each cell with the name of its column: lines as wide as a mail's hold no columns."""
    lines = []
    for number, (name, cell) in enumerate(zip(names, cells, strict=True)):
        words = ": ".join(filter(None, (name, cell))) if cell else ""
        lines.append(plain.wrap(words, "  " if number else "- ", "  "))
    return plain.lines(*lines)
