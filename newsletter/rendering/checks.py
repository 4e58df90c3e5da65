"""What still stops a block: one sentence and one path for each thing to mend.

Takes data that `cleaning.clean` returned. Binds when an issue is scheduled; a draft is saved all the same.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from newsletter import addresses
from newsletter.errors import Invalid, Problem
from newsletter.i18n import gettext as _

from . import rich, when
from .fields import Field, FieldType, every_text, is_empty, join

#: What looks like a merge field: people's text must hold none, or a reader would see another's address.
MERGE_LIKE = re.compile(r"\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}")

_PHONE = re.compile(r"\+?[0-9][0-9 ()\-.]{3,24}(?: ?(?:ext\.?|x) ?[0-9]{1,6})?", re.IGNORECASE)
VAGUE_WORDS = frozenset({"here", "click here", "click", "link", "this link", "read more", "more", "view", "this"})


def check(fields: tuple[Field, ...], data: Mapping[str, Any]) -> Iterator[Problem]:
    """The problems of every field, in the order of the table."""
    for field in fields:
        yield from check_field(field, data[field.name], field.name)
    yield from merge_fields(data)


def check_field(field: Field, value: Any, path: str) -> Iterator[Problem]:
    """The problems of one field; nothing further is asked of one that is empty."""
    if is_empty(value) and field.type is not FieldType.NUMBER:
        if field.required:
            yield Problem(path, missing(field))
        elif field.least and field.type in (FieldType.ITEMS, FieldType.STRINGS):
            yield from _check_count(field, value, path)
        return
    if field.type in _CHECKS:
        yield from _CHECKS[field.type](field, value, path)


def missing(field: Field) -> str:
    """What to say when a required field is empty."""
    if field.missing:
        return field.missing
    if field.type in (FieldType.CHOICE, FieldType.LIST, FieldType.MEDIA):
        return _("Choose “{label}”.").format(label=field.label)
    return _("Enter “{label}”.").format(label=field.label)


def merge_fields(value: Any, path: str = "") -> Iterator[Problem]:
    """A problem for each text that holds something like {unsubscribe_url}."""
    for where, text in every_text(value, path):
        if found := MERGE_LIKE.search(text):
            words = _("Take out “{field}”: words in curly brackets are kept for each reader's own links.")
            yield Problem(where, words.format(field=found[0]))


def _check_text(field: Field, value: str, path: str) -> Iterator[Problem]:
    if len(value) < field.shortest:
        words = _("“{label}” must have {least} characters or more.")
        yield Problem(path, words.format(label=field.label, least=field.shortest))
    yield from _check_longest(field, value, path)


def _check_longest(field: Field, value: str, path: str) -> Iterator[Problem]:
    if len(value) > field.longest:
        words = _("“{label}” must have {most} characters or fewer; it has {number}.")
        yield Problem(path, words.format(label=field.label, most=field.longest, number=len(value)))


def _check_rich(field: Field, value: str, path: str) -> Iterator[Problem]:
    yield from _check_longest(field, rich.words(value), path)
    for link in rich.links(value):
        yield from check_address(link.url, path)
        if link.text.strip(" .:!>»").lower() in VAGUE_WORDS:
            words = _("The link “{text}” does not say where it leads: link the words that do.")
            yield Problem(path, words.format(text=link.text), "vague_link")
        elif link.text.startswith(("https://", "http://", "www.")):
            words = _("Link words rather than the bare address “{text}”.")
            yield Problem(path, words.format(text=link.text[:80]), "bare_link")


def _check_url(field: Field, value: str, path: str) -> Iterator[Problem]:
    if value.split(":")[0].lower() not in field.schemes:
        yield Problem(path, _("Enter an address that begins with https://."))
        return
    yield from check_address(value, path)


def check_address(url: str, path: str) -> Iterator[Problem]:
    """A problem for an address that leads nowhere a reader may be sent."""
    scheme, _colon, rest = url.partition(":")
    if scheme == "mailto":
        yield from _check_email_address(rest.partition("?")[0], path)
        return
    if scheme == "tel":
        if not re.fullmatch(r"\+?[0-9()\-. ]{3,25}", rest):
            yield Problem(path, _("“{number}” is not a phone number.").format(number=rest[:40]))
        return
    try:
        parts = urlsplit(url)
        host, user = parts.hostname, parts.username
        _port = parts.port
    except ValueError:
        host = user = None
    if scheme != "https" or not host or "." not in host or re.search(r"[\s<>\"\\]", url):
        yield Problem(path, _("“{url}” is not a web address: it must begin with https://.").format(url=url[:80]))
    elif user is not None:
        yield Problem(path, _("A web address must not hold a name or a password: “{url}”.").format(url=url[:80]))


def _check_email(_field: Field, value: str, path: str) -> Iterator[Problem]:
    yield from _check_email_address(value, path)


def _check_email_address(value: str, path: str) -> Iterator[Problem]:
    try:
        addresses.clean(value)
    except Invalid as invalid:
        yield Problem(path, invalid.problems[0].sentence.rstrip(".") + ".")


def _check_phone(_field: Field, value: str, path: str) -> Iterator[Problem]:
    if not _PHONE.fullmatch(value):
        yield Problem(path, _("Enter a phone number, such as 01632 960 100 or +44 1632 960 100."))


def _check_date(field: Field, value: str, path: str) -> Iterator[Problem]:
    found = when.parse(value)
    if found is None:
        yield Problem(path, _("“{label}” must be a real date, such as 2027-01-31.").format(label=field.label))
    elif found.month_only and not field.month_allowed:
        yield Problem(path, _("“{label}” needs a day as well as a month.").format(label=field.label))
    elif field.type is FieldType.MOMENT and not found.timed:
        yield Problem(path, _("“{label}” needs a time as well as a day.").format(label=field.label))
    elif field.type is FieldType.DATE and found.timed:
        yield Problem(path, _("“{label}” is a day, without a time.").format(label=field.label))


def _check_number(field: Field, value: int | None, path: str) -> Iterator[Problem]:
    if value is None:
        if field.required:
            yield Problem(path, missing(field))
    elif not field.least <= value <= field.most:
        words = _("“{label}” must be from {least} to {most}.")
        yield Problem(path, words.format(label=field.label, least=field.least, most=field.most))


def _check_count(field: Field, value: list[Any], path: str) -> Iterator[Problem]:
    if len(value) < field.least:
        words = _("“{label}” needs {least} entries or more.")
        yield Problem(path, words.format(label=field.label, least=field.least))
    if len(value) > field.most:
        words = _("“{label}” must have {most} entries or fewer; it has {number}.")
        yield Problem(path, words.format(label=field.label, most=field.most, number=len(value)))


def _check_strings(field: Field, value: list[str], path: str) -> Iterator[Problem]:
    yield from _check_count(field, value, path)
    for number, line in enumerate(value):
        yield from _check_longest(field, line, join(path, number))


def _check_items(field: Field, value: list[dict[str, Any]], path: str) -> Iterator[Problem]:
    yield from _check_count(field, value, path)
    for number, entry in enumerate(value):
        for inner in field.fields:
            yield from check_field(inner, entry[inner.name], join(join(path, number), inner.name))


def _check_group(field: Field, value: dict[str, Any], path: str) -> Iterator[Problem]:
    for inner in field.fields:
        yield from check_field(inner, value[inner.name], join(path, inner.name))


_CHECKS: Mapping[FieldType, Callable[[Field, Any, str], Iterator[Problem]]] = {
    FieldType.TEXT: _check_text,
    FieldType.RICH: _check_rich,
    FieldType.URL: _check_url,
    FieldType.EMAIL: _check_email,
    FieldType.PHONE: _check_phone,
    FieldType.DATE: _check_date,
    FieldType.MOMENT: _check_date,
    FieldType.NUMBER: _check_number,
    FieldType.STRINGS: _check_strings,
    FieldType.ITEMS: _check_items,
    FieldType.GROUP: _check_group,
}
