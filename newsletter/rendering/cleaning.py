"""From anything to data of the right shapes."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from newsletter.errors import Invalid, Problem
from newsletter.i18n import gettext as _

from . import characters, rich, when
from .fields import Field, FieldType, is_empty, join

_LONGEST_STORED = 100_000
_MOST_STORED = 200
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_MEDIA_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}")
_YES, _NO = ("true", "yes", "on", "1"), ("", "false", "no", "off", "0")


def clean(fields: tuple[Field, ...], data: Any, kind_name: str) -> dict[str, Any]:
    """Every field of the table with a value of its type; what is missing is empty.

    `data` may be anything. Raises Invalid with the path of each value of a wrong shape and of each name that is
    no field. Cleaning twice changes nothing.
    """
    problems: list[Problem] = []
    cleaned = _group(fields, data, "", problems, kind_name)
    if problems:
        raise Invalid(problems)
    return cleaned


def _group(fields: tuple[Field, ...], data: Any, path: str, problems: list[Problem], name: str) -> dict[str, Any]:
    if data is None:
        data = {}
    if not isinstance(data, Mapping):
        problems.append(Problem(path, _("“{name}” must be a set of named fields.").format(name=name)))
        data = {}
    known = {field.name for field in fields}
    for key in data:
        if key not in known:
            words = _("“{key}” is not a field of “{name}”.").format(key=characters.one_line(str(key))[:60], name=name)
            problems.append(Problem(join(path, str(key)), words))
    return {field.name: _value(field, data.get(field.name), join(path, field.name), problems) for field in fields}


def _value(field: Field, value: Any, path: str, problems: list[Problem]) -> Any:
    if value is None:
        return field.empty
    if isinstance(value, str) and len(value) > _LONGEST_STORED:
        problems.append(Problem(path, _("“{label}” is too long to be kept.").format(label=field.label)))
        return field.empty
    try:
        return _CLEANERS[field.type](field, value, path, problems)
    except _WrongShape as wrong:
        problems.append(Problem(path, str(wrong).format(label=field.label)))
        return field.empty


class _WrongShape(Exception):
    """The value is not of the field's type; the text is the sentence, with {label}."""


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise _WrongShape(_("“{label}” must be text."))


def _line(_field: Field, value: Any, _path: str, _problems: list[Problem]) -> str:
    return characters.one_line(_string(value))


def _rich(_field: Field, value: Any, _path: str, _problems: list[Problem]) -> str:
    return rich.sanitise(_string(value))


def _url(field: Field, value: Any, _path: str, _problems: list[Problem]) -> str:
    typed = characters.one_line(_string(value))
    if typed.lower().startswith("www."):
        return "https://" + typed
    if "mailto" in field.schemes and re.fullmatch(r"[^\s:/@]+@[^\s:/@]+", typed):
        return "mailto:" + typed
    return typed


def _date(_field: Field, value: Any, _path: str, _problems: list[Problem]) -> str:
    if isinstance(value, datetime):
        value = value.replace(tzinfo=None).isoformat(timespec="minutes")
    elif isinstance(value, date):
        value = value.isoformat()
    if not isinstance(value, str):
        raise _WrongShape(_("“{label}” must be a date such as 2027-01-31."))
    typed = characters.one_line(value)
    found = when.parse(typed)
    return found.iso if found else typed


def _number(_field: Field, value: Any, _path: str, _problems: list[Problem]) -> int | None:
    if isinstance(value, str):
        typed = characters.one_line(value)
        if not typed:
            return None
        value = int(typed) if re.fullmatch(r"[0-9]{1,9}", typed) else typed
    if isinstance(value, bool) or not isinstance(value, int):
        raise _WrongShape(_("“{label}” must be a whole number."))
    return value


def _flag(_field: Field, value: Any, _path: str, _problems: list[Problem]) -> bool:
    if isinstance(value, str) and value.strip().lower() in _YES + _NO:
        return value.strip().lower() in _YES
    if not isinstance(value, bool):
        raise _WrongShape(_("“{label}” must be yes or no."))
    return value


def _choice(field: Field, value: Any, _path: str, _problems: list[Problem]) -> str:
    allowed = {"", *(name for name, _label in field.choices)}
    if not isinstance(value, str) or value.strip() not in allowed:
        raise _WrongShape(_("“{label}” must be one of: ") + ", ".join(name for name, _label in field.choices) + ".")
    return value.strip()


def _list(_field: Field, value: Any, _path: str, _problems: list[Problem]) -> str:
    if not isinstance(value, str) or (value.strip() and not _SLUG.fullmatch(value.strip())):
        raise _WrongShape(_("“{label}” must be the short name of one of our lists."))
    return value.strip()


def _media(_field: Field, value: Any, _path: str, _problems: list[Problem]) -> str:
    if not isinstance(value, str) or (value.strip() and not _MEDIA_NAME.fullmatch(value.strip())):
        raise _WrongShape(_("“{label}” must be the name of one of our pictures."))
    return value.strip()


def _strings(_field: Field, value: Any, _path: str, _problems: list[Problem]) -> list[str]:
    lines = value.splitlines() if isinstance(value, str) else value
    if not isinstance(lines, list | tuple) or len(lines) > _MOST_STORED:
        raise _WrongShape(_("“{label}” must be a list of lines, {most} at most.").replace("{most}", str(_MOST_STORED)))
    return [line for each in lines if (line := characters.one_line(_string(each)))]


def _items(field: Field, value: Any, path: str, problems: list[Problem]) -> list[dict[str, Any]]:
    if not isinstance(value, list | tuple) or len(value) > _MOST_STORED:
        raise _WrongShape(_("“{label}” must be a list, {most} entries at most.").replace("{most}", str(_MOST_STORED)))
    cleaned = [
        _group(field.fields, entry, join(path, number), problems, field.label) for number, entry in enumerate(value)
    ]
    return [entry for entry in cleaned if not is_empty(entry)]


def _fields(field: Field, value: Any, path: str, problems: list[Problem]) -> dict[str, Any]:
    return _group(field.fields, value, path, problems, field.label)


_CLEANERS: Mapping[FieldType, Callable[[Field, Any, str, list[Problem]], Any]] = {
    FieldType.TEXT: _line,
    FieldType.RICH: _rich,
    FieldType.URL: _url,
    FieldType.EMAIL: _line,
    FieldType.PHONE: _line,
    FieldType.DATE: _date,
    FieldType.MOMENT: _date,
    FieldType.NUMBER: _number,
    FieldType.FLAG: _flag,
    FieldType.CHOICE: _choice,
    FieldType.LIST: _list,
    FieldType.MEDIA: _media,
    FieldType.STRINGS: _strings,
    FieldType.ITEMS: _items,
    FieldType.GROUP: _fields,
}
