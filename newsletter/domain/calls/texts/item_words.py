"""The words of an item: as plain text, counted, and with their bare addresses made links."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import escape
from typing import Any

from ....rendering import rich, when
from ....rendering.fields import Field, FieldType
from ....rendering.rich_reading import Heading, Item, List, Node, Run, read

_BARE = re.compile(r"https://[^\s<>\"]+[^\s<>\".,;:!?)\]’']")
_WORD = re.compile(r"\w")


def count(fields: tuple[Field, ...], data: Mapping[str, Any]) -> int:
    """How many words the texts among the fields have; headings, dates and addresses do not count."""
    return sum(len([word for word in text.split() if _WORD.search(word)]) for text in _texts(fields, data))


def have_texts(fields: tuple[Field, ...]) -> bool:
    """Whether any of the fields holds words that `count` counts."""
    return any(each.type is FieldType.RICH or have_texts(each.fields) for each in fields)


def _texts(fields: tuple[Field, ...], data: Mapping[str, Any]) -> Iterator[str]:
    for field in fields:
        value = data.get(field.name, field.empty)
        if field.type is FieldType.RICH:
            yield rich.words(value)
        elif field.type is FieldType.ITEMS:
            for row in value:
                yield from _texts(field.fields, row)


# --- as plain text ---------------------------------------------------------------------------------------------


def plain_text(fields: tuple[Field, ...], data: Mapping[str, Any], *, labelled: bool = True) -> str:
    """The fields' words, a blank line between two of them; what is empty is left out."""
    parts = [_said(field, data.get(field.name, field.empty), labelled) for field in fields]
    return "\n\n".join(part for part in parts if part)


def _said(field: Field, value: Any, labelled: bool) -> str:
    match field.type:
        case FieldType.RICH:
            return "\n\n".join(map(_node, read(value)))
        case FieldType.STRINGS:
            return "\n".join(f"- {line}" for line in value)
        case FieldType.ITEMS:
            return "\n\n".join(_row(field.fields, row) for row in value)
        case FieldType.GROUP:
            return _row(field.fields, value)
        case FieldType.MEDIA:
            return ""
        case FieldType.FLAG:
            return field.label if value else ""
    words = _fact(field, value)
    return f"{field.label}: {words}" if words and labelled else words


def _row(fields: tuple[Field, ...], row: Mapping[str, Any]) -> str:
    """One entry of a list: its facts on one line, its text below."""
    facts = [_fact(each, row.get(each.name, each.empty)) for each in fields if each.type is not FieldType.RICH]
    texts = [_said(each, row.get(each.name, ""), False) for each in fields if each.type is FieldType.RICH]
    return "\n".join(part for part in (", ".join(filter(None, facts)), *texts) if part)


def _fact(field: Field, value: Any) -> str:
    if field.type in (FieldType.DATE, FieldType.MOMENT):
        return when.words(value) if value else ""
    if field.type is FieldType.CHOICE:
        return dict(field.choices).get(value, "").lower()
    return "" if value is None else str(value)


def _node(node: Node) -> str:
    if isinstance(node, List):
        return "\n".join(_points(node, ""))
    return _spoken(node.runs)


def _points(points: List, indent: str) -> Iterator[str]:
    for number, item in enumerate(points.items, 1):
        yield f"{indent}{f'{number}.' if points.ordered else '-'} {_spoken(item.runs)}"
        for inner in item.lists:
            yield from _points(inner, indent + "  ")


def _spoken(runs: tuple[Run, ...]) -> str:
    words, seen = "", ""
    for run in (*runs, Run("")):
        if seen and run.href != seen:
            address = seen.removeprefix("mailto:").removeprefix("tel:")
            words += "" if words.endswith(address) else f" ({address})"
        words, seen = words + run.text, run.href
    return words


# --- bare addresses --------------------------------------------------------------------------------------------


def with_links(fields: tuple[Field, ...], data: Mapping[str, Any]) -> dict[str, Any]:
    """Cleaned data in which each address that stands bare in a text is a link."""
    return {field.name: _linked_value(field, data.get(field.name, field.empty)) for field in fields}


def _linked_value(field: Field, value: Any) -> Any:
    if field.type is FieldType.RICH:
        return rich.sanitise("".join(map(_linked, read(value)))) if _BARE.search(value) else value
    if field.type is FieldType.ITEMS:
        return [with_links(field.fields, row) for row in value]
    return value


def _linked(node: Node) -> str:
    if isinstance(node, List):
        tag = "ol" if node.ordered else "ul"
        return f"<{tag}>{''.join(map(_linked_item, node.items))}</{tag}>"
    tag = "h3" if isinstance(node, Heading) else "p"
    return f"<{tag}>{_html(node.runs)}</{tag}>"


def _linked_item(item: Item) -> str:
    return f"<li>{_html(item.runs)}{''.join(map(_linked, item.lists))}</li>"


def _html(runs: tuple[Run, ...]) -> str:
    return "".join(map(_run, (part for run in runs for part in _parts(run))))


def _parts(run: Run) -> Iterator[Run]:
    at = 0
    for found in _BARE.finditer(run.text) if not run.href else ():
        yield replace(run, text=run.text[at : found.start()])
        yield replace(run, text=found.group(), href=found.group())
        at = found.end()
    yield replace(run, text=run.text[at:])


def _run(run: Run) -> str:
    html = escape(run.text, quote=False)
    html = f'<a href="{escape(run.href)}">{html}</a>' if run.href and html else html
    return f"<strong>{html}</strong>" if run.strong and html else html
