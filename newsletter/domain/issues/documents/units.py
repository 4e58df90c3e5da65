"""From text to units: paragraphs, lists, and headings that say so themselves (underlined, or with "#")."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ....rendering import characters

#: Marks that word processors and people put before an item; the private ones are those of symbol fonts. A lone "o" is
#: one only where no word could stand: before a tab or a no-break space.
BULLET = re.compile(
    r"^\s*(?:[•●▪◦‣·∙○■□➢➤✓✔*\uf0b7\uf0a7\uf0d8\uf0fc–—-](?:\s+|$)|o(?:[\t\u00a0]+| {2,}))(?P<words>.*)$"
)
NUMBERED = re.compile(r"^\s*(?P<number>\d{1,2})[.)]\s+(?P<words>\S.*)$")
_HASHES = re.compile(r"^(?P<hashes>#{1,4})\s+(?P<words>\S.*)$")
_RULE = re.compile(r"^\s*(?:={3,}|-{3,}|_{3,}|\*{3,}|~{3,})\s*$")
#: A shorter line than this was ended on purpose; a longer one may have been wrapped.
_WRAPPED = 45
_LONG = 60


@dataclass(frozen=True)
class Paragraph:
    """One paragraph as one line. `alone`: it was a single line of the source, with room around it or text below;
    `level` is 0, or the level of a heading that says so itself (1 is the highest); `title`: it says that it is the
    name of the whole. `xhtml` is the same words with their links, where the source had any."""

    text: str
    alone: bool = True
    level: int = 0
    xhtml: str = ""
    title: bool = False


@dataclass(frozen=True)
class Bullets:
    """The items of one list; `xhtml` is the same with its links and the lists inside it."""

    items: tuple[str, ...]
    ordered: bool = False
    xhtml: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell of a table: its words, and the same with their links."""

    text: str
    xhtml: str = ""


@dataclass(frozen=True)
class Table:
    """A table of facts, row by row. `headed`: the first row names the columns."""

    rows: tuple[tuple[Cell, ...], ...]
    headed: bool = False

    @property
    def text(self) -> str:
        """All its words, as a sentence would have them."""
        return ". ".join("; ".join(cell.text for cell in row if cell.text) for row in self.rows)


Unit = Paragraph | Bullets | Table


def units(text: str) -> list[Unit]:
    """The units of a document, in order. No word is dropped; bullets, underlines and hashes are not words."""
    found: list[Unit] = []
    for group in _groups(text):
        found += _units_of(group)
    return list(_lists_joined(found))


def _groups(text: str) -> Iterator[list[str]]:
    """Runs of lines without an empty one between them."""
    group: list[str] = []
    for line in text.splitlines():
        if line.strip("\ufeff \t\u00a0"):
            group.append(line)
        elif group:
            yield group
            group = []
    if group:
        yield group


class _Reader:
    """Reads one group line by line."""

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self._lines: list[str] = []
        self._item: list[str] | None = None
        self._number = 0

    def take(self, line: str) -> None:
        bullet, numbered, hashes = BULLET.match(line), NUMBERED.match(line), _HASHES.match(line)
        if _RULE.match(line):
            self._underline(line)
        elif bullet:
            self._flush()
            self._item = [bullet["words"]]
        elif numbered:
            self._flush()
            self._item, self._number = [numbered["words"]], int(numbered["number"])
        elif hashes:
            self._flush()
            words = hashes["words"].rstrip("#") or hashes["words"]
            self._add(Paragraph(_clean(words), level=len(hashes["hashes"])))
        elif self._item is not None and (line[:1].isspace() or line[:1].islower() or not any(self._item)):
            self._item.append(line)
        else:
            self._text(line)

    def _text(self, line: str) -> None:
        if self._item is not None or (self._lines and len(self._lines[-1].strip()) < _WRAPPED):
            self._flush()
        self._lines.append(line)

    def _underline(self, line: str) -> None:
        """A rule below a line makes it a heading; any other rule is decoration."""
        if len(self._lines) == 1 and line.strip()[0] in "=-~":
            words = _clean(self._lines.pop())
            self._add(Paragraph(words, level=1 if line.strip()[0] == "=" else 2))
        self._flush()

    def _flush(self) -> None:
        if self._item is not None:
            words = _clean(" ".join(self._item))
            if self._number:
                self._add(_Numbered(words, alone=False, number=self._number))
            elif words:
                self._add(Bullets((words,)))
        elif self._lines:
            self._add(Paragraph(_clean(" ".join(self._lines)), alone=len(self._lines) == 1))
        self._item, self._lines, self._number = None, [], 0

    def _add(self, unit: Unit) -> None:
        if isinstance(unit, Bullets) or unit.text:
            self.units.append(unit)

    def end(self) -> list[Unit]:
        self._flush()
        return self.units


@dataclass(frozen=True)
class _Numbered(Paragraph):
    number: int = 0


def _units_of(group: list[str]) -> list[Unit]:
    reader = _Reader()
    for line in group:
        reader.take(line)
    found = reader.end()
    # Short lines glued together are an address or a signature; only the first can head what is below it.
    heads = len(found) > 1 and (isinstance(found[1], Bullets) or len(found[1].text) >= _LONG)
    return [
        replace(unit, alone=False) if isinstance(unit, Paragraph) and (number or not heads) and len(found) > 1 else unit
        for number, unit in enumerate(found)
    ]


def _lists_joined(found: list[Unit]) -> Iterator[Unit]:
    """Neighbouring items as one list; a numbered line that is no list is the paragraph it looks like."""
    position = 0
    while position < len(found):
        run = _run(found, position)
        first = run[0]
        if isinstance(first, Bullets):
            yield Bullets(tuple(item for each in run if isinstance(each, Bullets) for item in each.items))
        elif isinstance(first, _Numbered):
            yield from _numbered([each for each in run if isinstance(each, _Numbered)])
        else:
            yield first
        position += len(run)


def _run(found: list[Unit], start: int) -> list[Unit]:
    kind = type(found[start])
    end = start + 1
    if kind is not Paragraph:
        while end < len(found) and type(found[end]) is kind:
            end += 1
    return found[start:end]


def _numbered(run: list[_Numbered]) -> Iterator[Unit]:
    if len(run) > 1 and [each.number for each in run] == list(range(1, len(run) + 1)):
        yield Bullets(tuple(each.text for each in run), ordered=True)
        return
    for each in run:
        yield Paragraph(f"{each.number}. {each.text}", alone=True)


def _clean(line: str) -> str:
    return characters.one_line(line)
