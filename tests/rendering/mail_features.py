"""Which HTML and CSS a mail uses, under the names that the data about mail programs gives to them."""

import re
from html.parser import HTMLParser

#: Elements, attributes and properties that the data knows under another's name.
_ELEMENTS = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "h1-h6"),
    **dict.fromkeys(("ul", "ol", "li", "dl", "dt", "dd"), "lists"),
    **dict.fromkeys(("thead", "tbody", "tfoot", "tr", "td", "th", "caption"), "table"),
    **dict.fromkeys(("article", "aside", "footer", "header", "main", "nav", "section"), "semantics"),
}
_SIDES = re.compile(r"^(border|margin|padding)-(?:top|right|bottom|left)$|^(border)-(?:color|style|width)$")
_VALUES = {
    "css-display-flex": r"\bflex\b", "css-display-grid": r"\bgrid\b", "css-display-none": r"\bnone\b",
}  # fmt: skip
_UNITS = re.compile(r"(?<![\w#.-])-?\d*\.?\d+(px|em|rem|pt|%|vh|vw|vmin|vmax|ch|ex|cm|mm|in|pc)(?![\w-])")
_FUNCTIONS = re.compile(r"([a-z-]+)\(")
_FUNCTION_NAMES = {
    "rgb": "css-rgb", "rgba": "css-rgba", "calc": "css-unit-calc", "var": "css-variables",
    "linear-gradient": "css-linear-gradient", "radial-gradient": "css-radial-gradient",
}  # fmt: skip
_IN_SELECTORS = {
    "css-selector-class": r"\.[\w-]", "css-selector-id": r"#[\w-]", "css-selector-type": r"(?:^|[\s>+~,(])[a-z][\w-]*",
    "css-selector-child": ">", "css-selector-adjacent-sibling": r"\+", "css-selector-general-sibling": "~",
    "css-selector-grouping": ",", "css-selector-attribute": r"\[", "css-selector-universal": r"\*",
    "css-selector-descendant": r"[\w\])] +[\w.#\[*]", "css-selector-chaining": r"[\w-][.#]",
}  # fmt: skip


def for_outlook(html: str) -> str:
    """What Word reads of a mail: its own parts are no comments to it, and the parts for the others are."""
    without = re.sub(r"<!--\[if !mso\]><!-->.*?<!--<!\[endif\]-->", "", html, flags=re.DOTALL)
    return re.sub(r"<!--\[if [^\]]*mso[^\]]*\]>(.*?)<!\[endif\]-->", r"\1", without, flags=re.DOTALL)


def features(html: str) -> set[str]:
    """The names of all that is used outside comments: "html-p", "html-align", "css-padding", "css-unit-px" …

    What the data has no entry for is named the same way.
    """
    return _Reader(html).found


class _Reader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: set[str] = set()
        self._in_style = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        self.found.add("html-" + _ELEMENTS.get(tag, tag))
        values = dict(attrs)
        for name in values:
            self.found.add(f"html-{name}" if name != "style" else "css-inline")
        if values.get("name") == "color-scheme":
            self.found.add("html-meta-color-scheme")
        address = values.get("href") or ""
        if address.startswith("#"):
            self.found.add("html-anchor-links")
        if address.startswith("mailto:"):
            self.found.add("html-mailto-links")
        if values.get("style"):
            self._declarations(values["style"] or "")
        if values.get("media"):
            self._at_rule(f"@media {values['media']}")

    def handle_endtag(self, tag: str) -> None:
        self._in_style = self._in_style and tag != "style"

    def handle_decl(self, decl: str) -> None:
        self.found.add("html-doctype")

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self._sheet(data)

    def _sheet(self, sheet: str) -> None:
        if "/*" in sheet:
            self.found.add("css-comments")
        for prelude in re.findall(r"([^{}]+)\{", re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)):
            for rule in prelude.split(";"):
                self._at_rule(rule.strip()) if rule.strip().startswith("@") else self._selector(rule.strip())
        for body in re.findall(r"\{([^{}]*)\}", sheet):
            self._declarations(body)

    def _at_rule(self, rule: str) -> None:
        name = rule[1:].split()[0].split("(")[0]
        self.found.add(f"css-at-{name}")
        for condition in ("prefers-color-scheme", "prefers-reduced-motion", "orientation", "hover"):
            if name == "media" and f"({condition}" in rule:
                self.found.add(f"css-at-media-{condition}")

    def _selector(self, selector: str) -> None:
        for name, shape in _IN_SELECTORS.items():
            if re.search(shape, selector):
                self.found.add(name)
        for double, name in re.findall(r"(::?)([a-z-]+)", selector):
            self.found.add(f"css-pseudo-{'element' if double == '::' else 'class'}-{name}")

    def _declarations(self, text: str) -> None:
        for declaration in text.split(";"):
            name, _, value = (part.strip().lower() for part in declaration.partition(":"))
            if name:
                self._declaration(name, value)

    def _declaration(self, name: str, value: str) -> None:
        if name.startswith("--"):
            self.found.add("css-variables")
            return
        side = _SIDES.match(name)
        self.found.add(f"css-{(side[1] or side[2]) if side else name}")
        self.found |= {f"css-unit-{'percent' if unit == '%' else unit}" for unit in _UNITS.findall(value)}
        self.found |= {_FUNCTION_NAMES.get(one, f"css-function-{one}") for one in _FUNCTIONS.findall(value)}
        if "!important" in value:
            self.found.add("css-important")
        if name == "display":
            self.found |= {slug for slug, shape in _VALUES.items() if re.search(shape, value)}
