"""Made-up data for any kind of block, ordinary and hostile, from the kind's own table of fields."""

from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any

from hypothesis import strategies as st

from newsletter.rendering import rich_reading, when
from newsletter.rendering.blocks.base import BlockKind
from newsletter.rendering.fields import Field, FieldType

ORDINARY = st.sampled_from(
    ["Ask early", "Dydd Gŵyl Dewi", "children’s records", "Larkmere & Weir", "17 of 24", "in 5 days", "notes"]
)
HOSTILE = st.one_of(
    st.sampled_from(
        [
            "</mj-text><mj-raw>", "<script>alert(1)</script>", '" onload="x', "a < b && c > d", "]]>", "<!-- x -->",
            "{{ 7*7 }}", "{% raw %}", "x" * 200, "اردو متن", "👩‍👩‍👧 ok", "a\x00b\x0cc", "\u202eabc", "&lt;b&gt;",
            "<mj-include path='/etc/passwd' />", "\\", "$&", r"\1", "<![if mso]>", "%s {0}", "=?utf-8?q?x?=",
        ]
    ),
    st.text(min_size=1, max_size=40),
)  # fmt: skip
TEXT = st.one_of(ORDINARY, HOSTILE)
_DAYS = st.dates().map(lambda day: f"{max(day.year, 1000):04}-{day.month:02}-{min(day.day, 28):02}")


def rich_text(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def html(parts: list[tuple[str, str]]) -> str:
        def escaped(text: str) -> str:
            return text.replace("&", "&amp;").replace("<", "&lt;")

        return "".join(shape.format(escaped(text)) for shape, text in parts)

    shapes = st.sampled_from(
        [
            "<p>{}</p>", "<p>See <a href='https://larkmere.example.org/x?a=1&amp;b=2'>{}</a>.</p>",
            "<ul><li>{}</li><li>two</li></ul>",
            "<ol><li>one<ul><li>{}</li></ul></li></ol>",
            "<p><strong>{}</strong> end</p>",
        ]
    )  # fmt: skip
    return st.lists(st.tuples(shapes, words), min_size=1, max_size=3).map(html)


def value_of(field: Field, words: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    match field.type:
        case FieldType.NUMBER:
            return st.integers(max(field.least, 1), min(field.most, 3000))
        case FieldType.CHOICE:
            return st.sampled_from([name for name, _label in field.choices])
        case FieldType.GROUP:
            return data_of(field.fields, words)
        case FieldType.ITEMS:
            return st.lists(data_of(field.fields, words), min_size=2, max_size=3)
    plain: dict[FieldType, st.SearchStrategy[Any]] = {
        FieldType.RICH: rich_text(words),
        FieldType.URL: st.just("https://larkmere.example.org/page?a=1&b=2"),
        FieldType.DATE: _DAYS,
        FieldType.MOMENT: _DAYS.map(lambda day: f"{day}T17:30"),
        FieldType.FLAG: st.just(False),
        FieldType.LIST: st.just("policy-changes"),
        FieldType.MEDIA: st.just("boathouse-1200.png"),
        FieldType.STRINGS: st.lists(words, min_size=2, max_size=3),
    }
    return plain.get(field.type, words)


def data_of(fields: tuple[Field, ...], words: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({field.name: value_of(field, words) for field in fields})


def words_of(kind: BlockKind, data: dict[str, Any]) -> list[str]:
    """Every word of cleaned data that a reader must find."""
    if kind.kind == "key_dates":
        rows = [(when.parse(row["date"]), row["what"]) for row in data["manual"]]
        return [data["heading"], *(word for date, what in rows if date for word in (date.short(year=False), what))]
    return _words(kind.fields, data)


def _words(fields: tuple[Field, ...], data: dict[str, Any]) -> list[str]:
    found: list[str] = []
    for field in fields:
        value = data[field.name]
        match field.type:
            case FieldType.TEXT | FieldType.EMAIL | FieldType.PHONE:
                found.append(value)
            case FieldType.RICH:
                found += _runs(rich_reading.read(value))
            case FieldType.DATE:
                found.append(when.words(value))
            case FieldType.STRINGS:
                found += value
            case FieldType.GROUP:
                found += _words(field.fields, value)
            case FieldType.ITEMS:
                for entry in value:
                    found += _words(field.fields, entry)
    return found


def _runs(nodes: Iterable[Any]) -> list[str]:
    found: list[str] = []
    for node in nodes:
        found += [run.text for run in getattr(node, "runs", ())]
        found += _runs(getattr(node, "items", ())) + _runs(getattr(node, "lists", ()))
    return found


def squashed(text: str) -> str:
    """Text without any white space and without double quotation marks (a quotation gets curly ones)."""
    return "".join(text.split()).translate(str.maketrans("", "", '"“”'))


class Seen(HTMLParser):
    """What a person finds in a page: its words and the descriptions of its pictures; and what must not be there."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.words = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._unseen = 0
        self.feed(str(html))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.words += dict(attrs).get("alt") or ""
        self._unseen += tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]
