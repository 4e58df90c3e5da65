"""Rich text: what is kept, what is dropped, and that what is stored can be trusted."""

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.rendering import rich

_PIECES = st.sampled_from(
    [
        "<p>", "</p>", "<ul>", "<li>", "</li>", "</ul>", "<ol>", "</ol>", "<strong>", "</strong>", "<h3>", "</h3>",
        "a b", " ", "<a href='https://e.example.org/?a=1&b=2'>", "<a href='javascript:x'>", "</a>", "<br>",
        "<script>", "</script>", "<", "&", "&nbsp;", "<div>", "</div>", "<table><tr><td>", "</td></tr></table>",
        "<svg>", "<math>", "<style>", "<!--", "-->", "é",
    ]
)  # fmt: skip
SOUP = st.lists(_PIECES | st.text(max_size=5), max_size=25).map("".join)


@pytest.mark.parametrize(
    ("pasted", "stored"),
    [
        ("Two lines\nof one paragraph\n\nand another", "<p>Two lines of one paragraph</p><p>and another</p>"),
        ("Fish & chips < 5", "<p>Fish &amp; chips &lt; 5</p>"),
        ("<p>One&nbsp;two\u00a0three</p>", "<p>One two three</p>"),
        ("<p>a<br>b</p>", "<p>a</p><p>b</p>"),
        ("<h1>Top</h1><div>x</div>", "<h3>Top</h3><p>x</p>"),
        ("<p><b>bold</b> <i>plain</i></p>", "<p><strong>bold</strong> plain</p>"),
        ("<ul><li><p>a</p><p>b</p></li></ul>", "<ul><li>a b</li></ul>"),
        ("<ol><li>a<ul><li>b</li></ul></li></ol>", "<ol><li>a<ul><li>b</li></ul></li></ol>"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "<p>a</p><p>b</p>"),
        ("<p></p><p> </p><ul><li></li></ul>", ""),
        ('<p><a href="https://e.example.org/a b?x=1&amp;y=2" onclick="x">t</a></p>',
         '<p><a href="https://e.example.org/a%20b?x=1&amp;y=2">t</a></p>'),
        ("<p><a href='http://e.example.org'>t</a></p>", '<p><a href="https://e.example.org">t</a></p>'),
        ("<p><a href='www.e.example.org'>t</a></p>", '<p><a href="https://www.e.example.org">t</a></p>'),
        ("<p><a href='/local'>t</a> <a href='javascript:x'>u</a></p>", "<p>t u</p>"),
        ("<p>x</p><script>alert(1)</script><style>p{}</style><img src=x onerror=y>", "<p>x</p>"),
        ("Write to <bethan@example.org> now", "<p>Write to &lt;bethan@example.org&gt; now</p>"),
        ("<p>a\x00b\ue000c\u202ed</p>", "<p>abcd</p>"),
        ("<p>e\u200b\u0301 e<i>\u0301</i></p>", "<p>\u00e9 \u00e9</p>"),
        ("<p><strong>\u0338a</strong></p>", "<p><strong>a</strong></p>"),
    ],
)  # fmt: skip
def test_what_comes_in_becomes_the_closed_schema(pasted: str, stored: str) -> None:
    assert rich.sanitise(pasted) == stored


@settings(max_examples=300, deadline=None)
@given(SOUP)
def test_stored_text_is_well_formed_closed_and_stable(pasted: str) -> None:
    stored = rich.sanitise(pasted)
    assert rich.sanitise(stored) == stored
    for element in ElementTree.fromstring(f"<div>{stored}</div>").iter():
        assert element.tag in {"div", "p", "h3", "ul", "ol", "li", "strong", "a"}
        assert set(element.attrib) <= {"href"}
        assert element.get("href", "https:").split(":")[0] in {"https", "mailto", "tel"}


@pytest.mark.parametrize(
    "attack",
    [
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
        "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<a href='java&#10;script:alert(1)'>x</a>",
        "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
        "<p style='background:url(https://evil.example.org)'>x</p>",
        "<form action='https://evil.example.org'><input name=q></form>x",
        "<a href='https://e.example.org/\"onmouseover=\"x'>x</a>",
    ],
)
def test_known_attacks_leave_nothing_behind(attack: str) -> None:
    stored = rich.sanitise(attack)
    for element in ElementTree.fromstring(f"<div>{stored}</div>").iter():
        assert element.tag in {"div", "p", "a"}
        assert set(element.attrib) <= {"href"}
    assert "evil.example.org" not in stored
    assert "<img" not in stored


def test_ten_thousand_nested_elements_are_only_words() -> None:
    assert rich.sanitise("<div>" * 10_000 + "deep" + "</div>" * 10_000) == "<p>deep</p>"
    assert "deep" in rich.to_text("<ul><li>" * 2_000 + "deep")


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        ('<p>See <a href="https://e.example.org">the dates</a>.</p>', "See the dates <https://e.example.org>."),
        ('<p>See <a href="https://e.example.org">the dates</a></p>', "See the dates: https://e.example.org"),
        ('<p>Write to <a href="mailto:b@example.org">b@example.org</a>.</p>', "Write to b@example.org."),
        ("<ol><li>one</li><li>two<ul><li>three</li></ul></li></ol>", "1. one\n2. two\n   • three"),
        ("<h3>More</h3><p>text</p>", "More\n----\n\ntext"),
        ('<p><a href="https://e.example.org"><strong>half</strong> bold</a> end</p>',
         "half bold <https://e.example.org> end"),
    ],
)  # fmt: skip
def test_the_text_part_reads_well(stored: str, text: str) -> None:
    assert rich.to_text(stored) == text


def test_links_are_listed_with_their_words() -> None:
    stored = '<p><a href="https://e.example.org/a">one</a></p><ul><li><a href="tel:01632960100">two</a></li></ul>'
    assert rich.links(stored) == (("https://e.example.org/a", "one"), ("tel:01632960100", "two"))
