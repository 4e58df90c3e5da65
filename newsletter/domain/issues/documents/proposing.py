"""From an outline to blocks: nothing of the source's words is left behind."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any

from .... import addresses
from ....errors import Invalid
from ..spoken_dates import FULL_DATE, spoken_dates
from .outline import SENTENCES, Entry, Outline, deadline_sentence
from .recognising import contact_at_end, table_at_end
from .units import Bullets, Cell, Table, Unit

#: Tried once in each run of such characters, however long it is.
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9.!#$%&'*+/=?^_`{|}~-])[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
)
_AROUND_DATE = re.compile(r"\s*(?:\b(?:on|by|before|from|until|is|at the latest)\b\s*)?$", re.IGNORECASE)
_LONGEST_BODY = 60_000
_LONGEST_WHAT = 140
_FEWEST_WORDS = 4


@dataclass(frozen=True)
class ProposedBlock:
    """One block that a document would become. `data` are the fields of its kind."""

    kind: str
    data: dict[str, Any]
    continues: bool = False


@dataclass(frozen=True)
class KeyDate:
    """A day that the document speaks of, and what happens on it."""

    day: date
    what: str


def proposals(found: Outline) -> Iterator[ProposedBlock]:
    """The blocks of an outline, in order."""
    called = False
    for number, entry in enumerate(found.sections):
        if not called and not entry.parts and any(deadline_sentence(unit) for unit in entry.content):
            called = True
            yield ProposedBlock("call", {"heading": entry.heading, "intro": xhtml(entry.content)})
        elif entry.findings:
            items = [{"subheading": part.heading, "text": xhtml(part.content)} for part in entry.parts]
            yield ProposedBlock("findings", {"heading": entry.heading, "items": items}, continues=number > 0)
        else:
            yield from _section(entry)


def _section(entry: Entry) -> Iterator[ProposedBlock]:
    """A section, and the table and the people to ask at its end."""
    last = entry.parts[-1] if entry.parts else entry
    content, below = last.content, list[ProposedBlock]()
    while found := contact_at_end(content):
        del content[-found.length :]
        below.insert(0, ProposedBlock("contact", found.data, continues=True))
    if table := table_at_end(content, last.heading):
        del content[-table.length :]
        below.insert(0, ProposedBlock("table", table.data, continues=True))
    if below and not content and not entry.parts:
        # Nothing else stands under the heading: it is theirs.
        first = below.pop(0)
        yield ProposedBlock(first.kind, {"heading": entry.heading, **first.data})
    else:
        yield from _text(entry)
    yield from below


def _text(entry: Entry) -> Iterator[ProposedBlock]:
    pieces = list(_pieces(entry.content))
    for part in entry.parts:
        pieces += [f"<h3>{escape(part.heading, quote=False)}</h3>", *_pieces(part.content)]
    heading, body = entry.heading, ""
    for piece in pieces:
        if body and len(body) + len(piece) > _LONGEST_BODY:
            yield ProposedBlock("section", {"heading": heading, "body": body})
            heading, body = f"{entry.heading} (continued)".strip(), ""
        body += piece
    yield ProposedBlock("section", {"heading": heading, "body": body})


def key_dates(found: Outline) -> list[KeyDate]:
    """Each day that a sentence names, if it names one day only, and what the sentence says of it."""
    rows: dict[date, KeyDate] = {}
    for entry in found.sections:
        for part in (entry, *entry.parts):
            for sentence in _sentences(part.content):
                days = list(spoken_dates(sentence))
                if len(days) == 1 and (day := days[0].day) is not None:
                    rows.setdefault(day, KeyDate(day, _what(sentence, part.heading or entry.heading)))
    return [rows[day] for day in sorted(rows)]


def next_deadline(found: Outline) -> date | None:
    """The day on which the document says that the next issue closes."""
    for entry in found.sections:
        for part in (entry, *entry.parts):
            for unit in part.content:
                for spoken in spoken_dates(deadline_sentence(unit)):
                    return spoken.day
    return None


def _sentences(content: Iterable[Unit]) -> Iterator[str]:
    for unit in content:
        if not deadline_sentence(unit):
            for text in _texts(unit):
                yield from SENTENCES.split(text)


def _texts(unit: Unit) -> tuple[str, ...]:
    if isinstance(unit, Bullets):
        return unit.items
    if isinstance(unit, Table):
        return tuple("; ".join(cell.text for cell in row if cell.text) for row in unit.rows)
    return (unit.text,)


def _what(sentence: str, heading: str) -> str:
    """The sentence without its date, short enough for a table; the heading where hardly any words are left."""
    found = FULL_DATE.search(sentence)
    if found is None:
        return sentence[:_LONGEST_WHAT]
    words = f"{_AROUND_DATE.sub('', sentence[: found.start()])} {sentence[found.end() :].strip(' .,;:')}"
    words = " ".join(words.split()).strip(" .,;:")
    row = "; " in sentence and bool(words)
    if len(words.split()) < _FEWEST_WORDS and not row:
        asks = re.search(r"\b(?:by|before)\W*$", sentence[: found.start()], re.IGNORECASE)
        words = (f"{heading}: last day to reply" if asks else heading) or sentence.strip(" .")
    return words if len(words) <= _LONGEST_WHAT else words[:_LONGEST_WHAT].rsplit(" ", 1)[0] + " …"


# --- XHTML --------------------------------------------------------------------------------------------------


def xhtml(content: Iterable[Unit]) -> str:
    """Paragraphs and lists as rich text."""
    return "".join(_pieces(content))


def _pieces(content: Iterable[Unit]) -> Iterator[str]:
    for unit in content:
        if isinstance(unit, Table):
            yield rows_as_text(unit)
        elif unit.xhtml and len(unit.xhtml) <= _LONGEST_BODY:
            yield unit.xhtml if isinstance(unit, Bullets) else f"<p>{unit.xhtml}</p>"
        elif isinstance(unit, Bullets):
            tag = "ol" if unit.ordered else "ul"
            yield f"<{tag}>{''.join(f'<li>{_linked(item)}</li>' for item in unit.items)}</{tag}>"
        else:
            yield from (f"<p>{_linked(piece)}</p>" for piece in _short_enough(unit.text))


def rows_as_text(table: Table) -> str:
    """A table as text: a line for each row, in which the names of the columns stand before what is in them."""
    first, *others = table.rows
    if not table.headed or not others:
        lines = [_side_by_side(row) for row in table.rows]
    else:
        lines = [_named(first, row) for row in others]
        empty = [cell for number, cell in enumerate(first) if not any(_cell(row, number).text for row in others)]
        if any(cell.text for cell in empty):
            lines.insert(0, _side_by_side(first))
    return f"<ul>{''.join(f'<li>{line}</li>' for line in lines if line)}</ul>"


def _cell(row: tuple[Cell, ...], number: int) -> Cell:
    return row[number] if number < len(row) else Cell("")


def _side_by_side(row: tuple[Cell, ...]) -> str:
    return "; ".join(cell.xhtml or _linked(cell.text) for cell in row if cell.text)


def _named(names: tuple[Cell, ...], row: tuple[Cell, ...]) -> str:
    parts = []
    for number, cell in enumerate(row):
        if cell.text:
            name = escape(_cell(names, number).text.rstrip(":"), quote=False)
            words = cell.xhtml or _linked(cell.text)
            parts.append(f"<strong>{name}:</strong> {words}" if name else words)
    return "; ".join(parts)


def _short_enough(text: str) -> Iterator[str]:
    """A paragraph of a reasonable length as it is; an endless one cut between words."""
    while len(text) > _LONGEST_BODY // 2:
        cut = text.rfind(" ", 0, _LONGEST_BODY // 2)
        cut = cut if cut > 0 else _LONGEST_BODY // 2
        yield text[:cut]
        text = text[cut:].lstrip()
    if text:
        yield text


def _linked(text: str) -> str:
    """The words, escaped, with their mail addresses as links."""
    done, at = "", 0
    for found in _EMAIL.finditer(text):
        address = found[0].rstrip(".")
        if _is_address(address):
            end = found.start() + len(address)
            name = escape(address, quote=False)
            done += f'{escape(text[at : found.start()], quote=False)}<a href="mailto:{escape(address)}">{name}</a>'
            at = end
    return done + escape(text[at:], quote=False)


def _is_address(text: str) -> bool:
    try:
        return addresses.clean(text) == text
    except Invalid:
        return False
