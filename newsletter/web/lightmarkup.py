"""Formatted words as plain lines, for a text area, and back.

    A blank line parts paragraphs.          <p>…</p>
    ## A sub-heading                        <h3>…</h3>
    - a point, or * or •                    <ul><li>…</li></ul>
      - a point below it (two spaces)
    1. a numbered point                     <ol><li>…</li></ol>
    **bold**  [words](https://…)            <strong>, <a href>

What cannot be read as markup stays as the words it is: nothing typed is lost. A backslash takes a mark literally.
`to_xhtml(to_markup(stored))` is `stored`, except that two lists of one sort, one after the other, become one.

The editor of formatted words, where scripts run, posts the stored form itself, behind a mark that nobody types:
`from_posted` reads both.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape

from newsletter.rendering import characters, rich
from newsletter.rendering.rich_reading import DEEPEST_LIST, Heading, Item, List, Node, Paragraph, Run, read, safe_href

_INDENT = "  "
_MARK = re.compile(r"( *)(?:(?P<point>[-*•])|(?P<number>\d{1,3})[.)])(?: +|$)(?P<rest>.*)")
_HEADING = re.compile(r" {0,3}#{1,6} +(?P<rest>.+)")
_INLINE = re.compile(
    r"(?P<literal>\\[\\*\[\]#.)•-])"
    r"|\[(?P<words>(?:\\.|[^\[\]\\\n])+)\]\((?:<(?P<angled>[^<>\s]+)>|(?P<plain>[^\s()<>]+))\)"
    r"|(?P<strong>\*\*)"
)
_LITERAL = re.compile(r"\\([\\*\[\]#.)•-])")
#: What would be read as a mark at the start of a line.
_LEADING = re.compile(r"(?:[-*•#]|\d{1,3}(?=[.)]))")
_ADDRESS = re.compile(r"[^\s:/@]+@[^\s:/@]+\.[^\s:/@]+")
#: What the editor writes before the XHTML it posts (frontend/src/editor/rich_field.js).
XHTML_MARK = "<!--xhtml-->"


def from_posted(typed: str) -> str:
    """The stored form of what a field of formatted words posted: light markup, or the editor's XHTML."""
    if typed.startswith(XHTML_MARK):
        return rich.sanitise(f"<div>{typed.removeprefix(XHTML_MARK)}</div>")
    return to_xhtml(typed)


# --- to markup ------------------------------------------------------------------------------------------------


def to_markup(xhtml: str) -> str:
    """The lines of stored rich text (XHTML of the closed schema)."""
    return "\n\n".join(_block(node) for node in _joined(read(xhtml)))


def _joined(nodes: Iterable[Node]) -> Iterator[Node]:
    """The nodes, with neighbouring lists of one sort made one: a blank line between points does not part a list."""
    waiting: List | None = None
    for node in nodes:
        if isinstance(node, List) and waiting is not None and waiting.ordered == node.ordered:
            waiting = List(node.ordered, waiting.items + node.items)
            continue
        if waiting is not None:
            yield waiting
        waiting = node if isinstance(node, List) else None
        if waiting is None:
            yield node
    if waiting is not None:
        yield waiting


def _block(node: Node) -> str:
    match node:
        case Paragraph(runs):
            return _line(runs)
        case Heading(runs):
            return f"## {_spans(runs)}"
        case List():
            return "\n".join(_rows(node, ""))


def _rows(node: List, indent: str) -> Iterator[str]:
    for number, item in enumerate(node.items, 1):
        mark = f"{number}." if node.ordered else "-"
        yield f"{indent}{mark} {_line(item.runs)}".rstrip()
        for inner in _joined(item.lists):
            if isinstance(inner, List):
                yield from _rows(inner, indent + _INDENT)


def _line(runs: Iterable[Run]) -> str:
    text = _spans(runs)
    found = _LEADING.match(text)
    if not found or text.startswith("**"):
        return text
    if found[0].isdecimal():
        return f"{found[0]}\\{text[found.end() :]}"
    return f"\\{text}"


def _spans(runs: Iterable[Run]) -> str:
    written, strong = "", False
    for run in runs:
        if run.strong != strong:
            written, strong = written + "**", run.strong
        written += _link(run) if run.href else _literal(run.text)
    return written + ("**" if strong else "")


def _literal(text: str) -> str:
    text = text.replace("\\", "\\\\")
    text = re.sub(r"(?<=\*)\*|\*(?=\*)|^\*|\*$", r"\\*", text)
    return re.sub(r"[\[\]]", r"\\\g<0>", text) if "](" in text else text


def _link(run: Run) -> str:
    text = re.sub(r"[\[\]*]", r"\\\g<0>", run.text.replace("\\", "\\\\"))
    return f"[{text}](<{run.href}>)" if re.search(r"[()]", run.href) else f"[{text}]({run.href})"


# --- to XHTML -------------------------------------------------------------------------------------------------


@dataclass
class _Point:
    text: str
    lists: list["_Points"] = field(default_factory=list)


@dataclass
class _Points:
    ordered: bool
    depth: int
    items: list[_Point] = field(default_factory=list)


class _Reader:
    """Lines in, XHTML out; keeps the lists that are open."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self._paragraph: list[str] = []
        self._open: list[_Points] = []

    def read(self, line: str) -> None:
        if not line.strip():
            self._end_paragraph()
        elif heading := _HEADING.fullmatch(line):
            self.end()
            self.written.append(f"<h3>{_inline(heading['rest'])}</h3>")
        elif mark := _MARK.fullmatch(line):
            self._end_paragraph()
            self._point(len(mark[1]) // len(_INDENT), mark["number"] is not None, mark["rest"])
        elif self._open and line.startswith(_INDENT) and not self._paragraph:
            self._open[-1].items[-1].text += " " + line.strip()
        else:
            self._end_lists()
            self._paragraph.append(line.strip())

    def _point(self, depth: int, ordered: bool, text: str) -> None:
        depth = min(depth, self._open[-1].depth + 1 if self._open else 0, DEEPEST_LIST - 1)
        while self._open and (self._open[-1].depth > depth):
            self._open.pop()
        if self._open and self._open[-1].depth == depth and self._open[-1].ordered != ordered:
            above = self._open[:-1]
            if not above:
                self._end_lists()
            self._open = above
        if not self._open or self._open[-1].depth < depth:
            points = _Points(ordered, depth)
            if self._open:
                self._open[-1].items[-1].lists.append(points)
            self._open.append(points)
        self._open[-1].items.append(_Point(text))

    def end(self) -> None:
        self._end_paragraph()
        self._end_lists()

    def _end_paragraph(self) -> None:
        if self._paragraph:
            self.written.append(f"<p>{_inline(' '.join(self._paragraph))}</p>")
            self._paragraph = []

    def _end_lists(self) -> None:
        if self._open:
            self.written.append(_list(self._open[0]))
            self._open = []


def to_xhtml(markup: str) -> str:
    """The stored form of what was typed. What somebody pasted as HTML is words here, and no markup."""
    reader = _Reader()
    for line in characters.kept(markup).split("\n"):
        reader.read(line)
    reader.end()
    return rich.sanitise("".join(reader.written))


def _list(points: _Points) -> str:
    tag = "ol" if points.ordered else "ul"
    items = "".join(f"<li>{_inline(item.text)}{''.join(map(_list, item.lists))}</li>" for item in points.items)
    return f"<{tag}>{items}</{tag}>"


def _inline(text: str) -> str:
    pieces = list(_pieces(text))
    marks = [number for number, (kind, _words, _href) in enumerate(pieces) if kind == "strong"]
    if len(marks) % 2:  # the last one has no partner: it is two asterisks
        pieces[marks[-1]] = ("text", "**", "")
    written, strong = "", False
    for kind, words, href in pieces:
        if kind == "strong":
            strong = not strong
            continue
        html = escape(words, quote=False)
        html = f'<a href="{escape(href)}">{html}</a>' if href else html
        written += f"<strong>{html}</strong>" if strong else html
    return written


def _pieces(text: str) -> Iterator[tuple[str, str, str]]:
    """(kind, words, href) of each stretch; kind is text or strong (a mark that turns bold on or off)."""
    at = 0
    for found in _INLINE.finditer(text):
        yield "text", text[at : found.start()], ""
        at = found.end()
        if found["strong"]:
            yield "strong", "", ""
        elif found["literal"]:
            yield "text", found["literal"][1], ""
        else:
            href = _href(found["angled"] or found["plain"])
            words = _LITERAL.sub(r"\1", found["words"]) if href else found[0]
            yield "text", words, href
    yield "text", text[at:], ""


def _href(typed: str) -> str:
    """The address as it is stored, or "" where it may not be linked; an email address needs no mailto."""
    return safe_href(f"mailto:{typed}" if _ADDRESS.fullmatch(typed) else typed)


__all__ = ["XHTML_MARK", "Item", "from_posted", "to_markup", "to_xhtml"]
