"""The words of a section: in a line for lists of sections, and all of them for reading and comparing."""

from typing import Any

from newsletter.domain.issues.content import block_content
from newsletter.models import Block
from newsletter.rendering import when
from newsletter.rendering.blocks import kind as kind_of
from newsletter.rendering.fields import Field, FieldType
from newsletter.rendering.rich import words as rich_words


def name_of(block: Block) -> str:
    """The section in a few words: its heading, or what it is."""
    return kind_of(block.kind).summary(block_content(block))


def all_words(block: Block) -> str:
    """All words of a section, for reading and comparing."""
    return "\n\n".join(words_of(kind_of(block.kind).fields, block.data))


def words_of(fields: tuple[Field, ...], data: dict[str, Any]) -> list[str]:
    """The words in data, field by field, as paragraphs of plain text."""
    found: list[str] = []
    for field in fields:
        value = data.get(field.name)
        if not value:
            continue
        match field.type:
            case FieldType.RICH:
                found.append(rich_words(value))
            case FieldType.STRINGS:
                found += [str(line) for line in value]
            case FieldType.ITEMS:
                for entry in value:
                    found += words_of(field.fields, entry)
            case FieldType.GROUP:
                found += words_of(field.fields, value)
            case FieldType.FLAG:
                found.append(field.label)
            case _:
                found.append(_one(field, str(value)))
    return found


def _one(field: Field, value: str) -> str:
    """A value of one line as people read it: what is chosen by its label, a date in words."""
    match field.type:
        case FieldType.CHOICE:
            return dict(field.choices).get(value, value)
        case FieldType.DATE | FieldType.MOMENT:
            return when.words(value)
    return value
