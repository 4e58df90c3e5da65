"""That nothing of a document is lost silently: its words counted, and those of what was made of it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from ....rendering import characters, rich
from ....rendering.blocks import kind as kind_of
from ....rendering.fields import Field, FieldType
from .leaving_out import LeftOut
from .proposing import ProposedBlock

_WORD = re.compile(r"\w+")
#: The labels of a contact's lines, which are drawn and not kept.
LABELS = frozenset(
    {"e", "mail", "email", "address", "contact", "tel", "telephone", "phone", "mobile", "call", "number"}
)


def words(text: str) -> Counter[str]:
    """How often each word stands in a text; upper and lower case are one."""
    return Counter(_WORD.findall(characters.kept(text).casefold()))


def without_place(
    lines: Iterable[str], blocks: Iterable[ProposedBlock], head: Iterable[str], left_out: Iterable[LeftOut]
) -> tuple[str, ...]:
    """The lines of a document that hold a word which is in none of its blocks, nor in the masthead's words, nor among
    what was said to be left out. Lists' numbers and the labels of contacts are no words here."""
    blocks = list(blocks)
    there = Counter[str]()
    for block in blocks:
        for text in texts(kind_of(block.kind).fields, block.data):
            there.update(words(text))
    for text in (*head, *(said for each in left_out for said in each.words)):
        there.update(words(text))
    contacts = any(block.kind == "contact" for block in blocks)
    lost = []
    for line in lines:
        wanted = Counter({word: number for word, number in words(line).items() if not word.isdigit()})
        if contacts:
            wanted = Counter({word: number for word, number in wanted.items() if word not in LABELS})
        if any(there[word] < number for word, number in wanted.items()):
            lost.append(line)
        # Not "-=", which looks through every word of the document each time.
        there.subtract(wanted)
    return tuple(lost)


def texts(fields: tuple[Field, ...], data: dict[str, Any]) -> Iterator[str]:
    """The words in a block's data, field by field."""
    for field in fields:
        value = data.get(field.name)
        if not value:
            continue
        match field.type:
            case FieldType.RICH:
                yield rich.words(value)
            case FieldType.STRINGS:
                yield from map(str, value)
            case FieldType.ITEMS:
                for entry in value:
                    yield from texts(field.fields, entry)
            case FieldType.GROUP:
                yield from texts(field.fields, value)
            case _:
                yield str(value)
