"""What a block is made of: a small table of fields, from which forms, imports and checks are made.

`clean` takes anything and returns data of the right shapes, or raises Invalid where the shape itself is wrong
(a list where text belongs). `check` says what still stops the issue: missing, too long, no address. The first
runs at every save, the second binds only when an issue is scheduled, so that a draft can always be saved.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class FieldType(StrEnum):
    """The type of a field, and in brackets how its value is stored."""

    TEXT = "text"  #: one line (str)
    RICH = "rich"  #: formatted text of the closed schema (str of XHTML)
    URL = "url"  #: a web address (str)
    EMAIL = "email"  #: an email address (str)
    PHONE = "phone"  #: a phone number as people write it (str)
    DATE = "date"  #: a day (ISO str), or a month where `month_allowed`
    MOMENT = "moment"  #: a local date and time (ISO str without offset)
    NUMBER = "number"  #: a whole number (int or None)
    FLAG = "flag"  #: yes or no (bool)
    CHOICE = "choice"  #: one of `choices` (str, "" for none)
    LIST = "list"  #: one of the lists that readers can join, by its slug (str)
    MEDIA = "media"  #: the name of one of our pictures (str)
    STRINGS = "strings"  #: lines of text (list of str)
    GROUP = "group"  #: a few fields that belong together (dict)
    ITEMS = "items"  #: any number of such groups (list of dict)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a block kind.

    `least` and `most` count the entries of STRINGS and ITEMS or bound a NUMBER; `longest` counts the characters
    of a text, or of each entry of STRINGS. `missing` is the sentence when a required field is empty. `public`
    is False for what a contribution form leaves to the editors.
    """

    name: str
    label: str
    type: FieldType = FieldType.TEXT
    hint: str = ""
    required: bool = False
    shortest: int = 0
    longest: int = 300
    least: int = 0
    most: int = 50
    choices: tuple[tuple[str, str], ...] = ()
    fields: tuple["Field", ...] = ()
    month_allowed: bool = False
    schemes: tuple[str, ...] = ("https",)
    missing: str = ""
    public: bool = True

    @property
    def empty(self) -> Any:
        """The value that says nothing, newly made."""
        match self.type:
            case FieldType.FLAG:
                return False
            case FieldType.NUMBER:
                return None
            case FieldType.STRINGS | FieldType.ITEMS:
                return []
            case FieldType.GROUP:
                return {field.name: field.empty for field in self.fields}
        return ""


def text(name: str, label: str, **more: Any) -> Field:
    return Field(name=name, label=label, **more)


def rich(name: str, label: str, **more: Any) -> Field:
    return Field(name=name, label=label, type=FieldType.RICH, **{"longest": 8000, **more})


def strings(name: str, label: str, **more: Any) -> Field:
    return Field(name=name, label=label, type=FieldType.STRINGS, **{"longest": 240, **more})


def items(name: str, label: str, *fields: Field, **more: Any) -> Field:
    return Field(name=name, label=label, type=FieldType.ITEMS, fields=fields, **more)


def group_of(name: str, label: str, *fields: Field, **more: Any) -> Field:
    return Field(name=name, label=label, type=FieldType.GROUP, fields=fields, **more)


def is_empty(value: Any) -> bool:
    """Whether a cleaned value says nothing. "No" is an answer where it stands alone, but fills no group."""
    if isinstance(value, dict):
        return all(is_empty(inner) for inner in value.values())
    if isinstance(value, list):
        return all(is_empty(inner) for inner in value)
    return value in ("", None, False)


def every_text(value: Any, path: str = "") -> Iterable[tuple[str, str]]:
    """(path, text) of each text in cleaned data, such as ("items.2.text", "<p>…")."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from every_text(inner, join(path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from every_text(inner, join(path, number))


def join(path: str, name: str | int) -> str:
    """The path of something inside `path`."""
    return f"{path}.{name}" if path else str(name)
