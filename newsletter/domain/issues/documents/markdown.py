"""Markdown to HTML: the marks that newsletters use (headings, lists, links, bold, tables, quotes, code as text).

Not all of CommonMark: what is no mark here stays the words it is, and HTML among it is read as HTML.
"""

import re
from collections.abc import Iterator
from html import escape

_HEADING = re.compile(r" {0,3}(?P<hashes>#{1,6})[ \t]+(?P<words>.*)")
_ITEM = re.compile(r"(?P<indent>[ \t]*)(?:(?P<point>[-*+•])|(?P<number>\d{1,9})[.)])[ \t]+(?P<words>.*)")
_RULE = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-{2,})[ \t]*")
_FENCE = re.compile(r" {0,3}(?:`{3,}|~{3,})")
_TABLE_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_DEFINITION = re.compile(r" {0,3}\[(?P<name>[^\]\n]{1,200})\]:[ \t]*<?(?P<url>[^\s>]+)>?.*")
_INLINE = re.compile(
    r"\\(?P<literal>[\\`*_{}\[\]()#+.!|<>~-])"
    r"|!\[(?P<alt>[^\]\n]{0,500})\]\([^)\n]{0,2000}\)"
    r"|\[(?P<words>[^\[\]\n]{1,500})\]\([ \t]*<?(?P<url>[^\s<>()]{1,2000})>?(?:[ \t]+\"[^\"\n]{0,300}\")?[ \t]*\)"
    r"|\[(?P<label>[^\[\]\n]{1,500})\]\[(?P<name>[^\]\n]{0,200})\]"
    r"|<(?P<auto>(?:https?://|mailto:)[^\s<>]{1,2000})>"
    r"|(?P<strong>\*\*|__)"
)
_EMPHASIS = re.compile(
    r"(?<![\w*])\*(?=\S)([^*\n]{1,500}?)(?<=\S)\*(?![\w*])|(?<!\w)_(?=\S)([^_\n]{1,500}?)(?<=\S)_(?!\w)"
)

_TELLING = re.compile(
    r"\[[^\[\]\n]{1,300}\]\((?:https?://|mailto:)[^\s()]{1,2000}\)|(?<!\*)\*\*\w[^*\n]{0,300}\*\*(?!\*)"
)


def html_of_markdown(text: str) -> str:
    """The HTML of a Markdown document. It is not clean: whoever reads it cleans it."""
    lines = text.expandtabs(4).splitlines()
    known = {
        found["name"].casefold(): found["url"] for line in lines if (found := _DEFINITION.fullmatch(line)) is not None
    }
    return "\n".join(_Reader([line for line in lines if not _DEFINITION.fullmatch(line)], known).blocks())


def looks_like_markdown(text: str) -> bool:
    """Whether the text holds a mark that plain text has not: a link with its words, or bold."""
    return bool(_TELLING.search(text))


class _Reader:
    """Reads lines into blocks of HTML."""

    def __init__(self, lines: list[str], known: dict[str, str]) -> None:
        self._lines, self._known, self._at = lines, known, 0

    def blocks(self) -> Iterator[str]:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if not line.strip() or _RULE.fullmatch(line):
                self._at += 1
            elif _FENCE.match(line):
                yield self._fenced()
            elif heading := _HEADING.fullmatch(line):
                self._at += 1
                level, words = len(heading["hashes"]), re.sub(r"[ \t]+#+[ \t]*$", "", heading["words"])
                yield f"<h{level}>{self._inline(words)}</h{level}>"
            elif _ITEM.fullmatch(line):
                yield self._list()
            elif self._is_table():
                yield self._table()
            else:
                yield self._paragraph()

    def _fenced(self) -> str:
        self._at += 1
        kept = []
        while self._at < len(self._lines) and not _FENCE.match(self._lines[self._at]):
            kept.append(f"<p>{escape(self._lines[self._at], quote=False)}</p>")
            self._at += 1
        self._at += 1
        return "".join(kept)

    def _paragraph(self) -> str:
        taken: list[str] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if not line.strip() or _FENCE.match(line) or _HEADING.fullmatch(line) or (taken and _ITEM.fullmatch(line)):
                break
            if taken and _UNDERLINE.fullmatch(line):
                self._at += 1
                level = 1 if "=" in line else 2
                return f"<h{level}>{self._inline(' '.join(taken))}</h{level}>"
            taken.append(re.sub(r"^(?:[ \t]*>)+[ \t]?", "", line).strip())
            self._at += 1
        return f"<p>{self._inline(' '.join(taken))}</p>"

    def _is_table(self) -> bool:
        following = self._lines[self._at + 1] if self._at + 1 < len(self._lines) else ""
        return "|" in self._lines[self._at] and "-" in following and bool(_TABLE_RULE.fullmatch(following))

    def _table(self) -> str:
        rows = [self._row(self._lines[self._at], "th")]
        self._at += 2
        while self._at < len(self._lines) and "|" in self._lines[self._at]:
            rows.append(self._row(self._lines[self._at], "td"))
            self._at += 1
        return f"<table>{''.join(rows)}</table>"

    def _row(self, line: str, tag: str) -> str:
        cells = re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
        return f"<tr>{''.join(f'<{tag}>{self._inline(cell.strip())}</{tag}>' for cell in cells)}</tr>"

    def _list(self) -> str:
        """A list and those inside it, by how far their items are indented."""
        html, levels = list[str](), list[tuple[int, str]]()
        while self._at < len(self._lines):
            line = self._lines[self._at]
            item = _ITEM.fullmatch(line)
            if item:
                indent = len(item["indent"])
                while levels and levels[-1][0] > indent:
                    html.append(f"</li></{levels.pop()[1]}>")
                tag = "ol" if item["number"] else "ul"
                if levels and indent < levels[-1][0] + 2 and levels[-1][1] != tag:
                    html.append(f"</li></{levels.pop()[1]}>")
                    levels.append((indent, tag))
                    html.append(f"<{tag}><li>")
                elif levels and indent < levels[-1][0] + 2:
                    html.append("</li><li>")
                else:
                    levels.append((indent, tag))
                    html.append(f"<{tag}><li>")
                html.append(self._inline(item["words"]))
            elif not line.strip():
                if not self._goes_on():
                    break
            elif _HEADING.fullmatch(line) or _FENCE.match(line):
                break
            else:
                html.append(f" {self._inline(line.strip())}")
            self._at += 1
        return "".join(html) + "".join(f"</li></{tag}>" for _indent, tag in reversed(levels))

    def _goes_on(self) -> bool:
        """Whether a list goes on below an empty line: with an item, or with what is indented."""
        at = self._at + 1
        while at < len(self._lines) and not self._lines[at].strip():
            at += 1
        following = self._lines[at] if at < len(self._lines) else ""
        return bool(_ITEM.fullmatch(following)) or following.startswith("  ")

    def _inline(self, words: str) -> str:
        """A line with its links and bold words; HTML in it stays."""
        done, at, strong = "", 0, False
        for found in _INLINE.finditer(words):
            done += _EMPHASIS.sub(r"\1\2", words[at : found.start()])
            at = found.end()
            if found["strong"]:
                done += "</strong>" if strong else "<strong>"
                strong = not strong
            else:
                done += self._mark(found)
        return done + _EMPHASIS.sub(r"\1\2", words[at:]) + ("</strong>" if strong else "")

    def _mark(self, found: re.Match[str]) -> str:
        if found["literal"]:
            return escape(found["literal"], quote=False)
        if found["alt"] is not None:
            return f'<img src="" alt="{escape(found["alt"])}">'
        if found["auto"]:
            return _link(found["auto"], found["auto"].removeprefix("mailto:"))
        if found["words"]:
            return _link(found["url"], self._inline(found["words"]))
        name = (found["name"] or found["label"]).casefold()
        url = self._known.get(name)
        return _link(url, self._inline(found["label"])) if url else found[0]


def _link(url: str, words: str) -> str:
    return f'<a href="{escape(url)}">{words}</a>'
