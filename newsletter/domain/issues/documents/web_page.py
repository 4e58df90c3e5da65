"""HTML to units: a web page, a saved mail, what was pasted from Word, Outlook, Google Docs or the web.

nh3 goes first and removes what acts. What is left is cut at its headings and tables; all between them goes through the
reader of rich text, so that nothing is kept that the closed schema does not know.
"""

import re
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

from ....rendering import characters
from ....rendering.rich_reading import safe_href
from ..rewritten_links import original_link
from .inline import is_bold, one_line, units_of_flow
from .leaving_out import Behind, Left
from .page_cleaning import BLOCKS, HEADINGS, HIDES, INLINE, LISTS, MARKER, VOID, Text, cleaned
from .tables import TableReader
from .units import Cell, Paragraph, Table, Unit

_BOLD = re.compile(r"(?<![-\w])font-weight\s*:\s*(?:bold|[6-9]00)", re.IGNORECASE)
_NOT_BOLD = re.compile(r"(?<![-\w])font-weight\s*:\s*(?:normal|[1-5]00)", re.IGNORECASE)
_STRUCK = re.compile(r"text-decoration[^;]*:\s*[^;]*line-through", re.IGNORECASE)
_LOOKS = re.compile(r"<font\b|style\s*=[^>]*(?:color|font|background)|\bbgcolor\b", re.IGNORECASE)
_WORDS_LIST = re.compile(r"mso-list\s*:\s*(?P<list>l\d+) level(?P<level>\d)", re.IGNORECASE)
_LONGEST_HEADING = 200
_DEEPEST_TABLE = 20
_PICTURE_DATA = re.compile(r"""(\bsrc\s*=\s*)(["'])data:[^"']*\2""", re.IGNORECASE)


def units_of_html(html: str, behind: Behind) -> list[Unit]:
    """The units of an HTML document or fragment; `behind` takes note of what is left out of them."""
    html = _PICTURE_DATA.sub(r"\1\2data:\2", characters.kept(html))
    if _LOOKS.search(html):
        behind.add(Left.LOOKS)
    walker = _Walker(behind)
    walker.take(cleaned(html))
    found = walker.units
    # Where headings say that they are, a short line is none, unless it is bold as a whole.
    said = sum(1 for unit in found if isinstance(unit, Paragraph) and unit.level) > 1
    bold = said or any(is_bold(unit) for unit in found)
    return [_alone(unit, bold) for unit in found]


def _alone(unit: Unit, only_bold: bool) -> Unit:
    if not isinstance(unit, Paragraph) or unit.level or not only_bold or is_bold(unit):
        return unit
    return Paragraph(unit.text, alone=False, xhtml=unit.xhtml)


@dataclass
class _Open:
    """An element that is open: what to write when it closes, and why its words are left out (None: they are not)."""

    tag: str
    close: str = ""
    behind: Left | None = None
    marker: bool = False


@dataclass
class _WordList:
    """Lists that Word wrote as paragraphs: where each open level began in the flow, and Word's name for the list."""

    name: str = ""
    starts: list[int] = field(default_factory=list)


class _Walker(HTMLParser):
    """Reads cleaned, balanced HTML into units."""

    def __init__(self, behind: Behind, depth: int = 0) -> None:
        super().__init__(convert_charrefs=True)
        self.units: list[Unit] = []
        self._behind, self._depth = behind, depth
        self._open: list[_Open] = []
        self._flow: list[str] = []
        self._heading: tuple[int, bool, list[str]] | None = None
        self._lists = 0
        self._word_list = _WordList()
        self._left_out = self._markers = self._blocks = 0
        self._left_words: list[str] = []
        self._marker = ""
        self._table: TableReader | None = None

    def take(self, html: str) -> None:
        self.feed(html)
        self.close()
        self._cut()

    # --- what the parser finds --------------------------------------------------------------------------------

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if self._table is not None:
            self._table.start(tag, values, self.get_starttag_text() or "")
        elif tag in VOID:
            self._void(tag, values)
        else:
            opened = self._opened(tag, values)
            self._open.append(opened)
            self._count(opened, 1)

    def handle_endtag(self, tag: str) -> None:
        if self._table is not None:
            if self._table.end(tag):
                table, self._table = self._table, None
                self._take_table(table)
            return
        if not self._open or self._open[-1].tag != tag:
            return
        done = self._open.pop()
        self._count(done, -1)
        if done.behind is not None and not self._left_out:
            self._behind.add(done.behind, "".join(self._left_words))
            self._left_words = []
        if done.marker and not self._markers:
            self._ordered_or_not()
        if tag in LISTS:
            self._lists -= 1
        if tag in HEADINGS and self._heading is not None:
            self._end_heading()
        elif not self._left_out:
            self._write(done.close)

    def handle_data(self, data: str) -> None:
        if self._table is not None:
            self._table.data(data)
        elif self._left_out:
            self._left_words.append(data)
        elif self._markers:
            self._marker += data
        else:
            if self._word_list.starts and not self._blocks and data.strip():
                self._end_word_list()
            self._write(escape(data, quote=False))

    # --- elements ---------------------------------------------------------------------------------------------

    def _opened(self, tag: str, values: dict[str, str]) -> _Open:
        style = values.get("style", "")
        if self._left_out:
            return _Open(tag)
        if tag == "del" or "hidden" in values or HIDES.search(style):
            return _Open(tag, behind=Left.DELETIONS if tag == "del" else Left.HIDDEN)
        if MARKER.search(style):
            return _Open(tag, marker=True)
        if tag in HEADINGS and self._heading is None and not self._lists:
            self._cut()
            self._heading = (HEADINGS[tag], "document-title" in values.get("class", ""), [])
            return _Open(tag)
        if tag == "table":
            self._table = TableReader(laid_out=values.get("role") == "presentation")
            return _Open("", "")
        return self._plain(tag, values, style)

    def _plain(self, tag: str, values: dict[str, str], style: str) -> _Open:
        if tag in INLINE:
            return self._inline(tag, values, style)
        if found := _WORDS_LIST.search(style):
            self._word_item(found["list"], int(found["level"]))
            return _Open(tag)
        self._end_word_list()
        if tag in LISTS:
            self._lists += 1
        name = tag if tag in LISTS or tag == "li" else "div"
        self._write(f"<{name}>")
        return _Open(tag, f"</{name}>")

    def _inline(self, tag: str, values: dict[str, str], style: str) -> _Open:
        if tag in ("s", "strike") or _STRUCK.search(style):
            self._behind.add(Left.STRUCK)
        if tag == "a":
            return self._anchor(values)
        bold = (tag in ("b", "strong") and not _NOT_BOLD.search(style)) or _BOLD.search(style)
        if bold:
            self._write("<strong>")
        return _Open(tag, "</strong>" if bold else "")

    def _anchor(self, values: dict[str, str]) -> _Open:
        typed = characters.one_line(values.get("href", ""))
        if not typed:
            return _Open("a")
        href = safe_href(original_link(typed).url)
        if not href:
            # A place in the same document has no meaning in a mail; a file on a disk has none for others.
            if not typed.startswith("#"):
                self._behind.add(Left.LINKS, typed)
            return _Open("a")
        self._write(f'<a href="{escape(href)}">')
        return _Open("a", "</a>")

    def _void(self, tag: str, values: dict[str, str]) -> None:
        if self._left_out:
            return
        if tag == "img":
            if not ({values.get("width"), values.get("height")} & {"0", "1"}):
                self._behind.add(Left.PICTURES, values.get("alt", ""))
            return
        self._write("<br>")

    # --- lists that Word wrote as paragraphs ------------------------------------------------------------------

    def _word_item(self, name: str, level: int) -> None:
        if level == 1 and name != self._word_list.name:
            self._end_word_list()
        self._word_list.name = name
        starts = self._word_list.starts
        while len(starts) > level:
            self._close_word_level()
        if len(starts) == level:
            self._write("</li><li>")
        while len(starts) < level:
            starts.append(len(self._flow))
            self._write("<ul>")
            self._write("<li>")

    def _close_word_level(self) -> None:
        opened = self._flow[self._word_list.starts.pop()]
        self._write(f"</li>{opened.replace('<', '</')}")

    def _end_word_list(self) -> None:
        while self._word_list.starts:
            self._close_word_level()

    def _ordered_or_not(self) -> None:
        if self._word_list.starts and re.match(r"\s*\(?(?:\d+|[a-z]|[ivx]+)[.)]", self._marker, re.IGNORECASE):
            self._flow[self._word_list.starts[-1]] = "<ol>"
        self._marker = ""

    # --- what is done -----------------------------------------------------------------------------------------

    def _count(self, element: _Open, by: int) -> None:
        """Keep count of what is open: looking through all of it at each tag would take long in a deep page."""
        self._left_out += by * (element.behind is not None)
        self._markers += by * element.marker
        self._blocks += by * (element.tag in BLOCKS)

    def _write(self, html: str) -> None:
        if not html:
            return
        if self._heading is not None:
            self._heading[2].append(html)
        else:
            self._flow.append(html)

    def _end_heading(self) -> None:
        assert self._heading is not None
        level, title, parts = self._heading
        self._heading = None
        words, xhtml = one_line("".join(parts))
        if not words:
            return
        linked = "<a " in xhtml
        if len(words) > _LONGEST_HEADING:
            self.units.append(Paragraph(words, alone=False, xhtml=xhtml))
            return
        self.units.append(Paragraph(words, level=level, title=title))
        if linked:
            # A heading holds no link: it stands right below.
            self.units.append(Paragraph(words, alone=False, xhtml=xhtml))

    def _take_table(self, table: TableReader) -> None:
        self._count(self._open.pop(), -1)
        if facts := table.facts(self._cell):
            self._cut()
            self.units.append(Table(facts, headed=table.headed))
            return
        # It only lays out: its cells follow one another.
        for cell in table.cells():
            if self._depth >= _DEEPEST_TABLE:
                self._write(f"<div>{escape(Text(cell).text, quote=False)}</div>")
                continue
            self._cut()
            inner = _Walker(self._behind, self._depth + 1)
            inner.take(cell)
            self.units += inner.units

    def _cell(self, html: str) -> Cell:
        """What stands in one cell, on one line."""
        inner = _Walker(self._behind, self._depth + 1)
        inner.take(html)
        written = [each for each in inner.units if isinstance(each, Paragraph)]
        return Cell(" ".join(each.text for each in written), " ".join(each.xhtml for each in written))

    def _cut(self) -> None:
        self._end_word_list()
        flow = "".join(self._flow)
        self._flow = []
        self.units += units_of_flow(flow)
