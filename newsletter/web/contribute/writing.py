"""What every page with an item's fields does: read what was posted, take a step in a list, show the controls again."""

from dataclasses import dataclass
from typing import Any

from flask import request

from ...domain.calls.texts import item_words
from ...domain.calls.texts.items import Item, Page, Piece
from ...errors import Problem
from ...models import Issue
from ...rendering.fields import Field, FieldType
from ..section_forms import PREFIX, Control, FormOf, control_id, list_step, read_data, take_step

#: What "Read the file" posts as `do`.
READ_FILE = "document"


@dataclass(frozen=True)
class Posted:
    """A posted form: the piece, the list that is to show one more entry, and where focus belongs afterwards."""

    piece: Piece
    more: str = ""
    focus: tuple[str, str] = ("", "")
    step: bool = False


def posted(item: Item, fields: tuple[Field, ...], before: dict[str, Any] | None = None) -> Posted:
    """What was typed into these fields; the others keep what stood `before`. A step in a list is taken already."""
    stood = before or {}
    # A picture comes as a file: nobody names one that is not theirs.
    shown = {each.name: stood.get(each.name, "") for each in fields if each.type is FieldType.MEDIA}
    data: dict[str, Any] = {**stood, **read_data(fields, request.form), **shown}
    step = list_step(request.form.get("do", ""))
    if step is None or step.path.partition(".")[0] not in {each.name for each in fields}:
        return Posted(Piece(item.kind, data))
    if step.verb == "add":
        return Posted(Piece(item.kind, data), more=step.path, focus=(step.path, "add"), step=True)
    at = take_step(data, step)
    return Posted(Piece(item.kind, data), focus=(f"{step.path}.{at}", step.verb), step=True)


def controls(
    fields: tuple[Field, ...],
    piece: Piece,
    problems: list[Problem],
    *,
    more: str = "",
    focus: tuple[str, str] = ("", ""),
) -> tuple[Control, ...]:
    """The controls of these fields, filled in, with what is wrong at its place."""
    return FormOf(problems, more, focus).controls(fields, piece.data)


def at_controls(problems: list[Problem], fields: tuple[Field, ...]) -> list[Problem]:
    """The problems, each at the id of its control in the page."""
    names = {each.name for each in fields}
    return [
        Problem(control_id(PREFIX + each.field) if each.field.partition(".")[0] in names else each.field, each.sentence)
        for each in problems
    ]


def most_words(item: Item, issue: Issue, page: Page | None = None) -> int:
    """How many words the texts on the page may have; 0 where it has none."""
    asked = item.fields_on(page) if page else item.fields
    return issue.mailing_list.contribution_words if item_words.have_texts(asked) else 0
