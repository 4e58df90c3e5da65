"""Tables of HTML: whether one holds facts or only lays out a page, and what stands in its cells."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape

from .inline import one_line
from .units import Cell

_LONGEST_CELL = 500
_MOST_COLUMNS = 12
_NOT_IN_FACTS = re.compile(r"<(?:table|h[1-6]|ul|ol|img)\b", re.IGNORECASE)


@dataclass
class _Read:
    head: bool
    parts: list[str] = field(default_factory=list)

    @property
    def html(self) -> str:
        return "".join(self.parts)


class TableReader:
    """Takes what a parser finds inside one table, up to its end. `laid_out`: the table says that it holds no facts."""

    def __init__(self, *, laid_out: bool = False) -> None:
        self._rows: list[list[_Read]] = []
        self._depth = 0
        self._laid_out = laid_out
        self._heads = 0
        self._outside: list[str] = []

    def start(self, tag: str, values: dict[str, str], source: str) -> None:
        """An element begins; `source` is its tag as it was written."""
        if tag == "table":
            self._depth += 1
        elif not self._depth and tag == "tr":
            self._rows.append([])
            return
        elif not self._depth and tag in ("td", "th"):
            if not self._rows:
                self._rows.append([])
            self._rows[-1].append(_Read(tag == "th" or self._heads > 0))
            return
        elif not self._depth and tag == "thead":
            self._heads += 1
            return
        self._write(source)

    def end(self, tag: str) -> bool:
        """An element ends. Whether it was the table itself."""
        if tag == "table":
            if not self._depth:
                return True
            self._depth -= 1
        elif not self._depth and tag in ("tr", "td", "th", "thead", "tbody", "tfoot"):
            self._heads -= tag == "thead"
            return False
        self._write(f"</{tag}>")
        return False

    def data(self, words: str) -> None:
        self._write(escape(words, quote=False))

    @property
    def headed(self) -> bool:
        """Whether the first row names the columns: it says so, or is all bold and the next one is not."""
        first, *others = [row for row in self._rows if row] or [[]]
        if not first or not others:
            return False
        if all(cell.head for cell in first):
            return True
        bold = [_is_bold(cell) for cell in first]
        return all(bold) and not all(_is_bold(cell) for cell in others[0])

    def facts(self, read: Callable[[str], Cell]) -> tuple[tuple[Cell, ...], ...]:
        """The rows of a table of facts, each cell by `read`; () where the table only lays out."""
        rows = [row for row in self._rows if any(_words(cell.html) for cell in row)]
        if self._laid_out or len(rows) < 2 or not 2 <= max(map(len, rows)) <= _MOST_COLUMNS:
            return ()
        cells = [cell.html for row in rows for cell in row]
        if any(_NOT_IN_FACTS.search(cell) or len(_words(cell)) > _LONGEST_CELL for cell in cells):
            return ()
        if _words("".join(self._outside)):
            return ()
        return tuple(tuple(read(cell.html) for cell in row) for row in rows)

    def cells(self) -> list[str]:
        """The HTML of each cell, in order, and what stood outside of them."""
        return [*self._outside, *(cell.html for row in self._rows for cell in row)]

    def _write(self, html: str) -> None:
        if self._rows and self._rows[-1]:
            self._rows[-1][-1].parts.append(html)
        else:
            self._outside.append(html)


def _words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def _is_bold(cell: _Read) -> bool:
    xhtml = one_line(cell.html)[1]
    return bool(re.fullmatch(r"<strong>[^<]*</strong>", xhtml))
