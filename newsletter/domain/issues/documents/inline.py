"""Formatted words as units: from the tree of rich text to paragraphs, lists and cells that keep their links."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from html import escape
from itertools import groupby

from ....rendering.rich_reading import Heading, Item, List, Node, Run, read
from .units import BULLET, NUMBERED, Bullets, Paragraph, Unit


def units_of_flow(html: str) -> list[Unit]:
    """The units of HTML without headings and tables, which was cleaned before. Literal marks ("• ") make lists."""
    # In an element of its own: words without any tag would be taken for plain text.
    return list(_lists_found(read(f"<div>{html}</div>")))


def one_line(html: str) -> tuple[str, str]:
    """(words, XHTML) of a heading or a cell: everything in it on one line."""
    runs: list[Run] = []
    for node in read(f"<div>{html}</div>"):
        if runs:
            runs.append(Run(" "))
        runs += _all_runs(node)
    return _text(runs), _spans(runs)


def xhtml_of(nodes: Iterable[Node]) -> str:
    """Nodes of rich text as they are stored."""
    return "".join(map(_written, nodes))


def _written(node: Node) -> str:
    if isinstance(node, List):
        return _listed(node)
    tag = "h3" if isinstance(node, Heading) else "p"
    return f"<{tag}>{_spans(node.runs)}</{tag}>"


def words_of(node: Node | Item) -> str:
    """The words of a node on one line."""
    return _text(list(_all_runs(node)))


def is_bold(unit: Unit) -> bool:
    """Whether a paragraph is bold from its first word to its last."""
    return isinstance(unit, Paragraph) and bool(re.fullmatch(r"<strong>(?:(?!</?strong>).)*</strong>", unit.xhtml))


def _lists_found(nodes: Iterable[Node]) -> Iterator[Unit]:
    """The nodes as units; neighbouring paragraphs with marks in front are one list."""
    for marked, group in groupby(nodes, key=_mark):
        run = list(group)
        if marked == "numbered" and [_number(node) for node in run] != list(range(1, len(run) + 1)):
            marked = ""
        if marked and (len(run) > 1 or marked == "bullet"):
            items = tuple(Item(tuple(_without_mark(node.runs))) for node in run if not isinstance(node, List))
            if items := tuple(item for item in items if item.runs):
                yield _bullets(List(marked == "numbered", items))
            continue
        yield from map(_unit, run)


def _mark(node: Node) -> str:
    if isinstance(node, List | Heading):
        return ""
    text = _text(node.runs)
    return "bullet" if BULLET.match(text) else "numbered" if NUMBERED.match(text) else ""


def _number(node: Node) -> int:
    found = NUMBERED.match(_text(node.runs)) if not isinstance(node, List) else None
    return int(found["number"]) if found else 0


def _without_mark(runs: tuple[Run, ...]) -> list[Run]:
    """The runs without the bullet or number that stands before them, which may be a run of its own."""
    text = _text(runs)
    found = BULLET.match(text) or NUMBERED.match(text)
    drop = found.start("words") if found else 0
    kept: list[Run] = []
    for run in runs:
        kept.append(replace(run, text=run.text[drop:]))
        drop = max(0, drop - len(run.text))
    return [run for run in kept if run.text]


def _unit(node: Node) -> Unit:
    if isinstance(node, List):
        return _bullets(node)
    return Paragraph(_text(node.runs), xhtml=_spans(node.runs))


def _bullets(node: List) -> Bullets:
    return Bullets(tuple(_item_words(item) for item in node.items), node.ordered, xhtml=_listed(node))


def _item_words(item: Item) -> str:
    inner = (_item_words(each) for node in item.lists for each in node.items)
    return " ".join(filter(None, (_text(item.runs), *inner)))


def _all_runs(node: Node | Item) -> Iterator[Run]:
    if isinstance(node, List):
        for number, item in enumerate(node.items):
            yield from [Run("; ")] if number else []
            yield from _all_runs(item)
        return
    yield from node.runs
    if isinstance(node, Item):
        for inner in node.lists:
            yield Run(" ")
            yield from _all_runs(inner)


def _text(runs: Iterable[Run]) -> str:
    return "".join(run.text for run in runs).strip()


def _listed(node: List) -> str:
    tag = "ol" if node.ordered else "ul"
    items = (f"<li>{_spans(item.runs)}{''.join(map(_listed, item.lists))}</li>" for item in node.items)
    return f"<{tag}>{''.join(items)}</{tag}>"


def _spans(runs: Iterable[Run]) -> str:
    written = ""
    for href, together in groupby(runs, key=lambda run: run.href):
        inside = "".join(_words(run) for run in together)
        written += f'<a href="{escape(href)}">{inside}</a>' if href else inside
    return written


def _words(run: Run) -> str:
    words = escape(run.text, quote=False)
    return f"<strong>{words}</strong>" if run.strong else words
