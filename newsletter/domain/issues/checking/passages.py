"""The words of an issue, passage by passage: each paragraph, heading, list item and line, and where it stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ....errors import Invalid, NotFound
from ....rendering import rich_reading
from ....rendering.blocks import kind as kind_of
from ....rendering.content import BlockContent, Frame, IssueContent
from ....rendering.fields import Field, FieldType, join
from ....rendering.rich import Link
from ....rendering.rich_reading import Heading, Item, List, Run
from ..memory import Memory, key_of_block


@dataclass(frozen=True)
class Passage:
    """Some words that belong together. `links` are the links in them; `follows` are the words of the next passage
    in the same field, "" at its end. `rich` says that the field holds formatted text."""

    block: BlockContent
    field: str
    text: str
    links: tuple[Link, ...] = ()
    heading: bool = False
    follows: str = ""
    rich: bool = False

    @property
    def block_id(self) -> str | None:
        """The section's id; None for the lines that stand around the sections."""
        return self.block.id or None


@dataclass(frozen=True)
class Address:
    """A web, mail or phone address that readers can follow, and where it stands."""

    block: BlockContent
    field: str
    url: str
    words: str
    rich: bool = False


_read: Memory[tuple[Passage, ...]] = Memory(1000)


def frame_passages(frame: Frame) -> Iterator[Passage]:
    """The lines that people write for the issue as a whole: they belong to no section."""
    around = BlockContent("", "frame", {})
    for name in ("subject", "preheader"):
        if words := getattr(frame, name):
            yield Passage(around, name, words, heading=name == "subject")


def passages(content: IssueContent) -> Iterator[Passage]:
    """Every passage of every block, in order. A block whose data has the wrong shape has none here."""
    for block in content.blocks:
        yield from passages_of(block)


def passages_of(block: BlockContent) -> tuple[Passage, ...]:
    """The passages of one section, in order; from memory where the same section was read before."""
    return _read.of(key_of_block(block), lambda: tuple(_passages(block)))


def _passages(block: BlockContent) -> Iterator[Passage]:
    for field, value, path in fields_of(block):
        match field.type:
            case FieldType.TEXT if value:
                yield Passage(block, path, value, heading=field.name in ("heading", "subheading", "title"))
            case FieldType.STRINGS:
                for number, line in enumerate(value):
                    yield Passage(block, join(path, number), line)
            case FieldType.RICH if value:
                yield from _rich(block, path, value)
    for name in ("diary", "audience_note"):
        if words := getattr(block, name):
            yield Passage(block, name, words)


def addresses(content: IssueContent) -> Iterator[Address]:
    """Every address that a block leads to."""
    for block in content.blocks:
        yield from addresses_of(block)


def addresses_of(block: BlockContent) -> Iterator[Address]:
    """Every address that one section leads to."""
    for field, value, path in fields_of(block):
        if field.type is FieldType.URL and value:
            yield Address(block, path, value, value)
    for passage in passages_of(block):
        for link in passage.links:
            yield Address(block, passage.field, link.url, link.text, passage.rich)


def pictures(content: IssueContent) -> Iterator[tuple[BlockContent, str, str]]:
    """(block, path, name) of every picture that a block shows."""
    for block in content.blocks:
        for field, value, path in fields_of(block):
            if field.type is FieldType.MEDIA and value:
                yield block, path, value


def fields_of(block: BlockContent) -> Iterator[tuple[Field, Any, str]]:
    """(field, value, path) of everything that a section holds, in order; nothing where its data has a wrong shape."""
    try:
        kind = kind_of(block.kind)
        data = kind.clean(block.data)
    except (Invalid, NotFound):
        return
    yield from _inner(kind.fields, data, "")


def _inner(fields: tuple[Field, ...], data: dict[str, Any], path: str) -> Iterator[tuple[Field, Any, str]]:
    for field in fields:
        value, here = data[field.name], join(path, field.name)
        if field.type is FieldType.GROUP:
            yield from _inner(field.fields, value, here)
        elif field.type is FieldType.ITEMS:
            for number, entry in enumerate(value):
                yield from _inner(field.fields, entry, join(here, number))
        else:
            yield field, value, here


def _rich(block: BlockContent, path: str, html: str) -> Iterator[Passage]:
    found: list[tuple[tuple[Run, ...], bool]] = []
    for node in rich_reading.read(html):
        if isinstance(node, List):
            found += [(runs, False) for runs in _items(node)]
        else:
            found.append((node.runs, isinstance(node, Heading)))
    texts = ["".join(run.text for run in runs) for runs, _heading in found]
    for (runs, heading), text, follows in zip(found, texts, [*texts[1:], ""], strict=True):
        links = tuple(Link(run.href, run.text) for run in runs if run.href)
        yield Passage(block, path, text, links, heading, follows, rich=True)


def _items(node: List) -> Iterator[tuple[Run, ...]]:
    for item in node.items:
        yield from _item(item)


def _item(item: Item) -> Iterator[tuple[Run, ...]]:
    yield item.runs
    for inner in item.lists:
        yield from _items(inner)
