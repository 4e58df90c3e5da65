"""Rich text: the closed schema that people's formatted words are kept in, and its three renderings.

Stored form: XHTML of `p`, `h3`, `ul`, `ol`, `li`, `strong` and `a[href]`, where href is https, mailto or tel. What
comes in is first cleaned by nh3, then read into a small tree and written anew, so that whatever is stored is well
formed by construction. The tree is read again for every rendering: nothing that is stored is trusted.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup

from . import plain
from .rich_reading import Heading, Item, List, Node, Paragraph, Run, read
from .typography import bind, title

__all__ = ["Link", "Stamps", "links", "sanitise", "to_mail", "to_text", "to_web", "words"]


class Link(NamedTuple):
    """Where a link leads, and its words."""

    url: str
    text: str


@dataclass(frozen=True)
class Stamps:
    """The inline styles of rich text in a mail: mjml-python does not inline a style sheet."""

    p: str
    h3: str
    ul: str
    ol: str
    li: str
    a: str


def sanitise(html: str) -> str:
    """The stored form of what somebody wrote or pasted. Text without any tag is plain: blank lines part it."""
    return "".join(_xhtml(node) for node in read(html))


def to_mail(html: str, stamps: Stamps) -> Markup:
    """XHTML for an `mj-text`, with inline styles."""
    return Markup("\n".join(_stamped(node, stamps) for node in read(html)))  # noqa: S704 - written by _stamped, escaped


def to_web(html: str) -> Markup:
    """HTML for the web page, without styles."""
    return Markup("\n".join(_xhtml(node, bound=True) for node in read(html)))  # noqa: S704 - written by _xhtml, escaped


def to_text(html: str, indent: str = "") -> str:
    """The text part's words, each line after `indent`; a link's address follows its words."""
    return "\n\n".join(_plain(node, indent) for node in read(html))


def words(html: str) -> str:
    """The words alone, on one line."""
    return " ".join(run.text for node in read(html) for run in _runs(node))


def links(html: str) -> tuple[Link, ...]:
    """The links, in order."""
    return tuple(
        Link(href, "".join(run.text for run in together).strip())
        for node in read(html)
        for href, together in _together(_runs(node))
        if href
    )


def _runs(node: Node | Item) -> Iterator[Run]:
    if isinstance(node, List):
        for item in node.items:
            yield from _runs(item)
        return
    yield from node.runs
    for inner in node.lists if isinstance(node, Item) else ():
        yield from _runs(inner)


def _together(runs: Iterable[Run]) -> Iterator[tuple[str, list[Run]]]:
    """(href, runs) of each stretch of one link, or of none: half of a link's words may be bold."""
    for href, stretch in groupby(runs, key=lambda run: run.href):
        yield href, list(stretch)


def _xhtml(node: Node, *, bound: bool = False) -> str:
    def spans(runs: Iterable[Run]) -> str:
        return _spans(runs, bind if bound else str)

    def item(entry: Item) -> str:
        return f"<li>{spans(entry.runs)}{''.join(_xhtml(inner, bound=bound) for inner in entry.lists)}</li>"

    match node:
        case Paragraph(runs):
            return f"<p>{spans(runs)}</p>"
        case Heading(runs):
            return f"<h3>{spans(runs)}</h3>"
        case List(ordered, items):
            tag = "ol" if ordered else "ul"
            return f"<{tag}>{''.join(map(item, items))}</{tag}>"


def _spans(runs: Iterable[Run], set_: Callable[[str], str], a_style: str = "") -> str:
    """The runs as HTML; `set_` sets their words (no-break spaces, or nothing)."""
    style = f' style="{escape(a_style)}"' if a_style else ""
    html = ""
    for href, together in _together(runs):
        inside = "".join(_words(run, set_) for run in together)
        html += f'<a href="{escape(href)}"{style}>{inside}</a>' if href else inside
    return html


def _words(run: Run, set_: Callable[[str], str]) -> str:
    words = escape(set_(run.text), quote=False)
    return f"<strong>{words}</strong>" if run.strong else words


def _stamped(node: Node, stamps: Stamps) -> str:
    def spans(runs: Iterable[Run]) -> str:
        return _spans(runs, bind, stamps.a)

    def item(entry: Item) -> str:
        inner = "".join(_stamped(deeper, stamps) for deeper in entry.lists)
        return f'<li style="{stamps.li}">{spans(entry.runs)}{inner}</li>'

    match node:
        case Paragraph(runs):
            return f'<p style="{stamps.p}">{spans(runs)}</p>'
        case Heading(runs):
            return f'<h3 style="{stamps.h3}">{_spans(runs, title, stamps.a)}</h3>'
        case List(ordered, items):
            tag, style = ("ol", stamps.ol) if ordered else ("ul", stamps.ul)
            return f'<{tag} style="{style}">{"".join(map(item, items))}</{tag}>'


def _plain(node: Node, indent: str) -> str:
    match node:
        case Paragraph(runs):
            return plain.wrap(_spoken(runs), indent)
        case Heading(runs):
            return plain.underlined(_spoken(runs), whole=False, indent=indent)
        case List():
            return _plain_list(node, indent)


def _plain_list(node: List, indent: str) -> str:
    rows = []
    for number, entry in enumerate(node.items, 1):
        mark = f"{number}. " if node.ordered else "• "
        rows.append(plain.wrap(_spoken(entry.runs), indent + mark, indent + " " * len(mark)))
        rows += [_plain_list(inner, indent + " " * len(mark)) for inner in entry.lists]
    return "\n".join(rows)


def _spoken(runs: tuple[Run, ...]) -> str:
    """The runs as a sentence. An address inside it stands in angle brackets (RFC 3986, appendix C), or the
    sentence's own full stop would become part of it; at the very end it follows a colon."""
    stretches = list(_together(runs))
    said = ""
    for number, (href, together) in enumerate(stretches, 1):
        text = "".join(run.text for run in together)
        address = plain.address(href)
        if not href or address == text:
            said += text
        elif number == len(stretches):
            said += f"{text}: {address}"
        else:
            said += f"{text} <{address}>"
    return said
