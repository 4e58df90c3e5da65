"""Reading rich text into a small tree that can only say what the closed schema allows.

nh3 removes what is dangerous (scripts and their content, attributes, addresses of other schemes); the reader
then keeps words and structure: any heading becomes an h3, any other block a paragraph, a line break parts a
paragraph. Words are never lost, and never glued together.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from html.parser import HTMLParser
from unicodedata import normalize
from urllib.parse import quote, urlsplit

import nh3

from . import characters


@dataclass(frozen=True)
class Run:
    """Words of one look; `href` is "" where they are no link."""

    text: str
    strong: bool = False
    href: str = ""


@dataclass(frozen=True)
class Paragraph:
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Heading:
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Item:
    runs: tuple[Run, ...]
    lists: tuple["List", ...] = ()


@dataclass(frozen=True)
class List:
    ordered: bool
    items: tuple[Item, ...]


Node = Paragraph | Heading | List

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_LISTS = frozenset({"ul", "ol"})
#: What begins and ends a paragraph though the schema has no such thing: their words must not be glued together.
_BLOCKS = _HEADINGS | {
    "p", "div", "blockquote", "pre", "section", "article", "header", "footer", "aside", "main", "figure",
    "figcaption", "address", "table", "caption", "tr", "td", "th", "dl", "dt", "dd", "hr", "br",
}  # fmt: skip
_STRONG = frozenset({"strong", "b"})
_READ = _BLOCKS | _LISTS | _STRONG | {"li", "a"}
_UNSEEN = frozenset({"script", "style", "template", "noscript", "title", "iframe", "object", "svg", "math"})
DEEPEST_LIST = 3
#: A stroke through the letter before it. At the start of a run that letter would be the tag's own ">".
_STROKE = "\u0338"
_STRUCK_TAG = re.compile(f"(<[^<>]*>){_STROKE}+")
_STRUCK = re.compile(rf"^[\s{_STROKE}]*{_STROKE}")
_TAG = re.compile(r"<[a-zA-Z/!?]")
#: "<bethan@example.org>" and "<https://example.org/>" are words in angle brackets, and no tags.
_IN_BRACKETS = re.compile(r"<([^\s<>\"'=]+)>")
_SIGNS = ("@", "://")


@lru_cache(maxsize=512)
def read(html: str) -> tuple[Node, ...]:
    """The tree of what somebody wrote or pasted, or of what is stored."""
    text = characters.kept(_STRUCK_TAG.sub(r"\1", html))
    words = _IN_BRACKETS.sub(_as_words, text)
    if not _TAG.search(words):
        return tuple(Paragraph((Run(part),)) for part in characters.paragraphs(text))
    clean = nh3.clean(
        words, tags=set(_READ), clean_content_tags=set(_UNSEEN), attributes={"a": {"href"}},
        url_schemes={"https", "http", "mailto", "tel"}, link_rel=None, strip_comments=True,
    )  # fmt: skip
    reader = _Reader()
    reader.feed(clean)
    reader.close()
    return reader.tree()


def _as_words(found: re.Match[str]) -> str:
    """An address in angle brackets, its brackets escaped; anything else as it is."""
    inner = found[1]
    return f"&lt;{inner}&gt;" if any(sign in inner[1:-1] for sign in _SIGNS) else found[0]


def safe_href(address: str) -> str:
    """The address as it may stand in an href, or "" where it may not.

    https, mailto and tel are kept. http becomes https (no council page is served otherwise, and a link that
    vanished would be worse; the link check tells when it leads nowhere); "www.…" gets its scheme.
    """
    address = characters.one_line(address)
    if address.lower().startswith("www."):
        address = "https://" + address
    scheme, colon, rest = address.partition(":")
    scheme = scheme.lower()
    if not colon or not rest:
        return ""
    if scheme in ("mailto", "tel"):
        return f"{scheme}:{_quoted(rest.strip())}"
    try:
        host = urlsplit(address).hostname
    except ValueError:
        return ""
    if scheme not in ("https", "http") or not host or not rest.startswith("//"):
        return ""
    return f"https:{_quoted(rest)}"


def _quoted(rest: str) -> str:
    """Percent-encode what would end an address in running text; everything else stays as it was typed."""
    return re.sub(r"[\s<>\"\\^`|]", lambda found: quote(found[0], safe=""), rest)


class _OpenList:
    def __init__(self, ordered: bool) -> None:
        self.ordered = ordered
        self.items: list[_OpenItem] = []


class _OpenItem:
    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.lists: list[List] = []


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._nodes: list[Node] = []
        self._runs: list[Run] = []
        self._lists: list[_OpenList] = []
        self._depth = 0
        self._strong = 0
        self._href = ""
        self._heading = False

    def tree(self) -> tuple[Node, ...]:
        self._flush()
        while self._lists:
            self._close_list()
        return tuple(self._nodes)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _STRONG:
            self._strong += 1
        elif tag == "a":
            self._href = safe_href(dict(attrs).get("href") or "")
        elif tag in _LISTS:
            self._open_list(tag)
        elif tag == "li":
            self._flush()
            if self._lists:
                self._lists[-1].items.append(_OpenItem())
        elif tag in _BLOCKS:
            self._flush()
            self._heading = tag in _HEADINGS

    def handle_endtag(self, tag: str) -> None:
        if tag in _STRONG:
            self._strong = max(0, self._strong - 1)
        elif tag == "a":
            self._href = ""
        elif tag in _LISTS:
            self._flush()
            self._depth -= 1
            if self._lists and self._depth < len(self._lists):
                self._close_list()
        elif tag == "li" or tag in _BLOCKS:
            self._flush()
            self._heading = False

    def handle_data(self, data: str) -> None:
        self._runs.append(Run(characters.kept(data), bool(self._strong), self._href))

    def _open_list(self, tag: str) -> None:
        self._flush()
        self._depth += 1
        if self._depth <= DEEPEST_LIST:
            self._lists.append(_OpenList(tag == "ol"))

    def _close_list(self) -> None:
        done = self._lists.pop()
        items = tuple(Item(tuple(item.runs), tuple(item.lists)) for item in done.items if item.runs or item.lists)
        if not items:
            return
        node = List(done.ordered, items)
        if not self._lists:
            self._nodes.append(node)
            return
        above = self._lists[-1]
        if not above.items:
            above.items.append(_OpenItem())
        above.items[-1].lists.append(node)

    def _flush(self) -> None:
        runs = _tidy(self._runs)
        self._runs = []
        if not runs:
            return
        if self._lists:
            if not self._lists[-1].items:
                self._lists[-1].items.append(_OpenItem())
            item = self._lists[-1].items[-1]
            item.runs = _tidy([*item.runs, Run(" "), *runs]) if item.runs else runs
        elif self._heading:
            self._nodes.append(Heading(tuple(_tidy([Run(run.text, False, run.href) for run in runs]))))
        else:
            self._nodes.append(Paragraph(tuple(runs)))


def _tidy(runs: Iterable[Run]) -> list[Run]:
    """The runs with single spaces, none at the ends and none inside the edge of a link; equal looks joined."""
    joined: list[Run] = []
    space = False
    for run in runs:
        whole = _STRUCK.sub(_space_of, run.text)
        text = " ".join(whole.split())
        leads, trails = whole[:1].isspace(), whole[-1:].isspace()
        if not text:
            space = space or bool(whole)
            continue
        gap = " " if (space or leads) and joined else ""
        space = trails
        last = joined[-1] if joined else None
        if last and (last.strong, last.href) == (run.strong, run.href):
            joined[-1] = Run(normalize("NFC", last.text + gap + text), run.strong, run.href)
        else:
            joined += (
                _apart(joined.pop(), Run(text, run.strong, run.href), gap)
                if last
                else [Run(text, run.strong, run.href)]
            )
    return joined


def _space_of(found: re.Match[str]) -> str:
    return " " if any(map(str.isspace, found[0])) else ""


def _apart(last: Run, run: Run, gap: str) -> list[Run]:
    """Two runs of different looks with the gap between them, which belongs to the plainer one; a gap inside one
    link stays in it."""
    shared = last.href if last.href == run.href else ""
    if gap and not last.strong and last.href == shared:
        return [Run(last.text + gap, False, last.href), run]
    if gap and not run.strong and run.href == shared:
        return [last, Run(gap + run.text, False, run.href)]
    return [last, Run(gap, False, shared), run] if gap else [last, run]
