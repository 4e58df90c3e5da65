"""Lists whose points end in different ways."""

import re
from collections.abc import Iterator

from ....i18n import gettext as _
from ....rendering import rich_reading
from ....rendering.content import BlockContent
from ....rendering.fields import FieldType, join
from ....rendering.rich_reading import List, Node
from .findings import Change, Finding, Fix
from .passages import fields_of

_END = re.compile(r"(?:[;,](?: (?:and|or))?|\.)$")
#: (path, the last words of a point, the whole point, whether the field is rich)
_Point = tuple[str, str, str, bool]


def check_lists(block: BlockContent) -> Iterator[Finding]:
    """The findings of every list of the section."""
    for points in _lists(block):
        yield from _check(block, points)


def _lists(block: BlockContent) -> Iterator[list[_Point]]:
    for field, value, path in fields_of(block):
        if field.type is FieldType.STRINGS:
            yield [(join(path, number), line.rstrip(), line, False) for number, line in enumerate(value)]
        elif field.type is FieldType.RICH and value:
            for node in rich_reading.read(value):
                yield from _rich_lists(node, path)


def _rich_lists(node: Node, path: str) -> Iterator[list[_Point]]:
    if not isinstance(node, List):
        return
    items = [item for item in node.items if item.runs]
    yield [(path, item.runs[-1].text, "".join(run.text for run in item.runs), True) for item in items if not item.lists]
    for item in node.items:
        for inner in item.lists:
            yield from _rich_lists(inner, path)


def _check(block: BlockContent, points: list[_Point]) -> Iterator[Finding]:
    wholes = [whole.rstrip() for _path, _last, whole, _rich in points]
    if len(points) < 2 or any(whole.endswith(("?", "!", ":", "…")) for whole in wholes) or _is_even(wholes):
        return
    stopped = any(re.search(r"[.!?] [A-Z]", whole) for whole in wholes)
    end = "." if stopped or sum(whole.endswith(".") for whole in wholes) * 2 > len(wholes) else ""
    changes = tuple(
        Change(path, last, new, rich=rich, whole=True)
        for path, last, _whole, rich in points
        if (new := _END.sub("", last.rstrip()) + end) != last
    )
    words = _("End each point with a full stop") if end else _("End each point without a stop")
    path = points[0][0] if points[0][3] else points[0][0].rpartition(".")[0]
    yield Finding(
        "list_punctuation", False, _("The points of a list end in different ways."),
        why=_("It looks unfinished, and is read aloud unevenly."),
        block_id=block.id, field=path, excerpt=" / ".join(_ending(whole) for whole in wholes[:6]),
        exact="\n".join(wholes), fix=Fix(words, changes, safe=True),
    )  # fmt: skip


def _is_even(wholes: list[str]) -> bool:
    """Whether all end alike, or as one sentence does: with semicolons or commas, and a full stop behind the last."""
    marks = [found[0] if (found := _END.search(whole)) else "" for whole in wholes]
    if len(set(marks)) == 1:
        return marks[0] in ("", ".")
    *others, last = marks
    *first, before_last = others
    return last in ("", ".") and before_last[:1] in (";", ",") and all(mark == before_last[:1] for mark in first)


def _ending(whole: str) -> str:
    words = whole.split()
    return whole if len(words) <= 3 else "… " + " ".join(words[-3:])
