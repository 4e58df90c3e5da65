"""A form for any kind of section, made from the kind's own table of fields.

A control's name is "d." and the path of its value ("d.items.2.text"), so a problem that a check reports finds its
control by name. Everything works without scripts: lists grow and move by submit buttons that save first.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from newsletter.errors import Problem
from newsletter.i18n import gettext as _
from newsletter.rendering import when
from newsletter.rendering.fields import Field, FieldType
from newsletter.states import Where

from .lightmarkup import from_posted, to_markup
from .reading_dates import to_stored

PREFIX = "d."
MOST_ENTRIES = 100
_LONG_LINE = 160
_BULLET = re.compile(r"^\s*(?:[-*•]\s+|\d{1,3}[.)]\s+)")


@dataclass(frozen=True)
class Entry:
    """One group of controls in a list of them. `path` is "items.2"; `new` where it has not been saved yet.

    `focus` names the button that the page is opened on (up, down, remove), or "add" for the first field of a new one.
    """

    path: str
    number: int
    title: str
    controls: tuple["Control", ...]
    first: bool
    last: bool
    new: bool = False
    focus: str = ""


@dataclass(frozen=True)
class Control:
    """What one field looks like. `shape` is line, box, rich, lines, flag, choice, select, list, media, group or items.

    The `value` of a rich one is light markup, for the text area; `xhtml` is the same for the editor over it.
    """

    shape: str
    name: str
    label: str
    value: Any = ""
    xhtml: str = ""
    hint: str = ""
    error: str = ""
    required: bool = False
    rows: int = 3
    input_type: str = "text"
    width: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    controls: tuple["Control", ...] = ()
    entries: tuple[Entry, ...] = ()
    one: str = ""
    id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", control_id(self.name))

    @property
    def items(self) -> list[dict[str, Any]]:
        """The options of a choice or a select; the first of a choice says nothing."""
        none = (("", _("Not chosen")),) if self.shape == "choice" else ()
        return [
            {"value": value, "text": text, "selected": value == self.value} for value, text in (*none, *self.choices)
        ]


def control_id(name: str) -> str:
    """The id of a control in the page, by its name: dots would have to be escaped in a style sheet."""
    return name.replace(".", "-")


# --- from data to controls ---------------------------------------------------------------------------------------


class FormOf:
    """The controls of a table of fields, filled with data, with problems at their places.

    `more` is the path of a list that is to show an empty entry at its end; `focus` the path of an entry and the verb
    of the button in it that was pressed ("items.2", "up"), so that the page is opened there.
    """

    def __init__(self, problems: Iterable[Problem] = (), more: str = "", focus: tuple[str, str] = ("", "")) -> None:
        self._errors: dict[str, str] = {}
        for problem in problems:
            self._errors.setdefault(problem.field, problem.sentence)
        self._more = more
        self._focus = focus

    def controls(self, fields: tuple[Field, ...], data: Mapping[str, Any], path: str = "") -> tuple[Control, ...]:
        return tuple(self._control(each, data.get(each.name, each.empty), _join(path, each.name)) for each in fields)

    def _control(self, made_of: Field, value: Any, path: str) -> Control:
        common: dict[str, Any] = {
            "name": PREFIX + path,
            "label": made_of.label,
            "hint": made_of.hint,
            "error": self._errors.get(path, ""),
            "required": made_of.required,
        }
        match made_of.type:
            case FieldType.GROUP:
                inner = self.controls(made_of.fields, _mapping(value), path)
                return Control(shape="group", controls=inner, **common)
            case FieldType.ITEMS:
                return Control(shape="items", entries=self._entries(made_of, value, path), **common)
            case FieldType.RICH:
                rows = 4 if made_of.longest <= 2000 else 8
                stored = _text(value)
                return Control(shape="rich", value=to_markup(stored), xhtml=stored, rows=rows, **common)
            case FieldType.STRINGS:
                lines = value if isinstance(value, list) else []
                error = common.pop("error") or self._first_below(path)
                rows = max(4, len(lines) + 1)
                return Control(shape="lines", value="\n".join(map(str, lines)), rows=rows, error=error, **common)
            case FieldType.FLAG:
                return Control(shape="flag", value=bool(value), **common)
            case FieldType.CHOICE:
                return Control(shape="choice", value=_text(value), choices=made_of.choices, **common)
            case FieldType.LIST | FieldType.MEDIA:
                return Control(shape=made_of.type.value, value=_text(value), **common)
            case FieldType.DATE | FieldType.MOMENT:
                return _date(made_of, _text(value), common)
        return _line(made_of, value, common)

    def _entries(self, made_of: Field, value: Any, path: str) -> tuple[Entry, ...]:
        rows = [_mapping(each) for each in value] if isinstance(value, list) else []
        new = self._more == path or not rows
        shown = [*rows, {}] if new else rows
        return tuple(
            Entry(
                path=_join(path, str(number)),
                focus=self._focused(_join(path, str(number)), number, len(rows)),
                number=number + 1,
                title=_title(made_of, row) or str(number + 1),
                controls=self.controls(made_of.fields, row, _join(path, str(number))),
                first=number == 0,
                last=number >= len(rows) - 1,
                new=number >= len(rows),
            )
            for number, row in enumerate(shown)
        )

    def _focused(self, path: str, number: int, rows: int) -> str:
        """The verb whose button has the focus: at an end, where that one does nothing, the other's."""
        where, verb = self._focus
        if number >= rows:
            return "add" if self._more and path.startswith(f"{self._more}.") and verb == "add" else ""
        return {(0, "up"): "down", (rows - 1, "down"): "up"}.get((number, verb), verb) if where == path else ""

    def _first_below(self, path: str) -> str:
        return next((text for where, text in self._errors.items() if where.startswith(path + ".")), "")


def _line(made_of: Field, value: Any, common: dict[str, Any]) -> Control:
    text = "" if value is None else str(value)
    if made_of.type is FieldType.TEXT and made_of.longest > _LONG_LINE:
        return Control(shape="box", value=text, rows=3, **common)
    types = {FieldType.EMAIL: "email", FieldType.PHONE: "tel", FieldType.URL: "url"}
    width = "5" if made_of.type is FieldType.NUMBER else ("20" if made_of.longest <= 40 else "")
    return Control(shape="line", value=text, input_type=types.get(made_of.type, "text"), width=width, **common)


def _date(made_of: Field, value: str, common: dict[str, Any]) -> Control:
    if not common["hint"]:
        moment = made_of.type is FieldType.MOMENT
        common["hint"] = _("For example, 5pm, 15 January 2027") if moment else _("For example, 15 January 2027")
        if made_of.month_allowed:
            common["hint"] = _("For example, 15 January 2027, or January 2027")
    return Control(shape="line", value=when.words(value), **common)


def _title(made_of: Field, row: Mapping[str, Any]) -> str:
    """The words that name an entry: its first line of text."""
    for inner in made_of.fields:
        if inner.type is FieldType.TEXT and row.get(inner.name):
            return str(row[inner.name])
    return ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


# --- from what was posted to data --------------------------------------------------------------------------------


def read_data(fields: tuple[Field, ...], posted: MultiDict[str, str], path: str = "") -> dict[str, Any]:
    """The data of a table of fields in a posted form; not yet cleaned, and nothing that was typed left out."""
    return {each.name: _read(each, posted, _join(path, each.name)) for each in fields}


def _read(made_of: Field, posted: MultiDict[str, str], path: str) -> Any:
    typed = posted.get(PREFIX + path, "")
    match made_of.type:
        case FieldType.GROUP:
            return read_data(made_of.fields, posted, path)
        case FieldType.ITEMS:
            return [read_data(made_of.fields, posted, _join(path, str(number))) for number in _numbers(posted, path)]
        case FieldType.RICH:
            return from_posted(typed)
        case FieldType.STRINGS:
            return [_BULLET.sub("", line) for line in typed.splitlines() if line.strip()]
        case FieldType.FLAG:
            return bool(typed)
        case FieldType.DATE | FieldType.MOMENT:
            return to_stored(typed, timed=made_of.type is FieldType.MOMENT, month_allowed=made_of.month_allowed)
    return typed


def _numbers(posted: MultiDict[str, str], path: str) -> list[int]:
    start = f"{PREFIX}{path}."
    found = {name[len(start) :].partition(".")[0] for name in posted if name.startswith(start)}
    return sorted(int(number) for number in found if number.isdecimal() and len(number) < 4)[:MOST_ENTRIES]


def common_of(posted: MultiDict[str, str]) -> dict[str, Any]:
    """The fields that every kind shares, as `edit_block` takes them."""
    where = posted.get("c.where", Where.BOTH.value)
    return {
        "continues": bool(posted.get("c.continues")),
        "diary": posted.get("c.diary", "").strip(),
        "where": Where(where) if where in set(Where) else Where.BOTH,
        "language": posted.get("c.language", "").strip() or None,
        "audience_note": posted.get("c.audience_note", "").strip(),
    }


# --- what the buttons in a list do -------------------------------------------------------------------------------


@dataclass(frozen=True)
class ListStep:
    """A button pressed in a list of entries: `verb` is add, up, down or remove; `path` is that of the list."""

    verb: str
    path: str
    number: int = 0


_STEP = re.compile(r"(add|up|down|remove):([a-z_]+(?:\.(?:\d{1,3}|[a-z_]+))*?)(?:\.(\d{1,3}))?")


def list_step(pressed: str) -> ListStep | None:
    """What a button's value asks for ("up:items.2"), or None."""
    found = _STEP.fullmatch(pressed)
    if not found:
        return None
    verb, path, number = found.groups()
    return ListStep(verb, path, int(number)) if number and verb != "add" else ListStep(verb, path)


def take_step(data: dict[str, Any], step: ListStep) -> int:
    """Move or remove the entry in `data`; the number of the entry that focus belongs to afterwards."""
    rows, at = _at(data, step.path), step.number
    if not isinstance(rows, list) or at >= len(rows):
        return 0
    if step.verb == "remove":
        del rows[at]
        return max(0, at - 1)
    to = at - 1 if step.verb == "up" else at + 1
    if step.verb in ("up", "down") and 0 <= to < len(rows):
        rows.insert(to, rows.pop(at))
        return to
    return at


def _at(data: Any, path: str) -> Any:
    """What stands at a path in data; None where nothing does."""
    for part in path.split("."):
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and part.isdecimal() and int(part) < len(data):
            data = data[int(part)]
        else:
            return None
    return data


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
