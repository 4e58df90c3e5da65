"""HTML before it is read: what acts is removed, and every line of it is counted."""

import re
from html.parser import HTMLParser

import nh3

from ....rendering import characters

HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCKS = frozenset({
    "p", "div", "blockquote", "pre", "section", "article", "header", "footer", "aside", "main", "nav", "figure",
    "figcaption", "address", "center", "dl", "dt", "dd", "details", "summary", "form", "fieldset", "caption",
})  # fmt: skip
LISTS = frozenset({"ul", "ol"})
INLINE = frozenset({"span", "font", "b", "strong", "i", "em", "u", "a", "s", "strike", "del", "ins", "sup", "sub"})
_TABLE = frozenset({"table", "thead", "tbody", "tfoot", "tr", "td", "th"})
_KNOWN = BLOCKS | LISTS | INLINE | _TABLE | set(HEADINGS) | {"li", "br", "hr", "img"}
_UNSEEN = {"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "title"}
VOID = frozenset({"br", "hr", "img"})
HIDES = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all|visibility\s*:\s*hidden", re.IGNORECASE)
MARKER = re.compile(r"mso-list\s*:\s*ignore", re.IGNORECASE)


def lines_of_html(html: str) -> list[str]:
    """Every line that a reader of the page could see, and those that they could not: what must be accounted for."""
    broken = re.sub(r"<(?=/?(?:p|div|br|h[1-6]|li|tr|td|th|table|ul|ol|dd|dt|blockquote)\b)", "\n<", cleaned(html))
    return [line for part in Text(broken).text.split("\n") if (line := characters.one_line(part))]


def cleaned(html: str) -> str:
    """HTML of the elements that are read, balanced, with the few attributes that say what they are."""
    return nh3.clean(
        html, tags=set(_KNOWN), clean_content_tags=_UNSEEN,
        attributes={"*": {"style", "hidden", "class"}, "a": {"href"}, "img": {"alt", "src", "width", "height"},
                    "td": {"colspan"}, "th": {"colspan"}, "table": {"role"}},
        url_schemes={"https", "http", "mailto", "tel", "file", "data", "cid", "word-picture"},
        link_rel=None, strip_comments=True,
    )  # fmt: skip


class Text(HTMLParser):
    """The words of cleaned HTML. Word's marks of lists are none; what is hidden or deleted stands apart."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.text = "".join(self._parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        style = dict(attrs).get("style") or ""
        apart = tag == "del" or HIDES.search(style) or "hidden" in dict(attrs)
        self._open.append("mark" if MARKER.search(style) else "apart" if apart else "")
        self._parts += ["\n"] if apart else []

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open.pop() == "apart":
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        if "mark" not in self._open:
            self._parts.append(data)
