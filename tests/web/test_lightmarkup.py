"""What editors type in a text area, and what is stored of it."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from newsletter.rendering import rich
from newsletter.rendering.rich_reading import List, read
from newsletter.web.lightmarkup import to_markup, to_xhtml


def test_a_section_as_ruth_types_it() -> None:
    typed = (
        "Four practice days in March.\n\nBring:\n- your timetable\n- **one** case\n  - with its dates\n\n"
        "## Where\nMillrace House. [See the map](www.example.org/map) or write to [Bethan](bethan@example.org)."
    )
    assert to_xhtml(typed) == (
        "<p>Four practice days in March.</p><p>Bring:</p>"
        "<ul><li>your timetable</li><li><strong>one</strong> case<ul><li>with its dates</li></ul></li></ul>"
        '<h3>Where</h3><p>Millrace House. <a href="https://www.example.org/map">See the map</a> or write to '
        '<a href="mailto:bethan@example.org">Bethan</a>.</p>'
    )


def test_a_blank_line_between_points_does_not_part_the_list() -> None:
    assert to_xhtml("- one\n\n- two\n\n- three") == "<ul><li>one</li><li>two</li><li>three</li></ul>"


def test_bullets_as_word_processors_leave_them() -> None:
    assert to_xhtml("\u2022\u00a0one\n  \u2022 two") == "<ul><li>one<ul><li>two</li></ul></li></ul>"


def test_numbers_make_a_numbered_list_and_a_year_does_not() -> None:
    assert to_xhtml("1. first\n2) second") == "<ol><li>first</li><li>second</li></ol>"
    assert to_xhtml("2027. A year to plan for.") == "<p>2027. A year to plan for.</p>"


def test_a_wrapped_point_is_one_point() -> None:
    stored = "<ul><li>a long point that goes on</li><li>next</li></ul>"
    assert to_xhtml("- a long point\n  that goes on\n- next") == stored


def test_what_is_no_markup_stays_words() -> None:
    assert to_xhtml("2 * 3 * 4, a ** b, [sic], <script>alert(1)</script>") == (
        "<p>2 * 3 * 4, a ** b, [sic], &lt;script&gt;alert(1)&lt;/script&gt;</p>"
    )


def test_an_address_that_may_not_be_linked_stays_to_be_seen() -> None:
    assert to_xhtml("[Look](javascript:alert)") == "<p>[Look](javascript:alert)</p>"


def test_an_address_with_brackets_keeps_them() -> None:
    stored = '<p><a href="https://example.org/Neglect_(law)">Neglect</a></p>'
    assert to_markup(stored) == "[Neglect](<https://example.org/Neglect_(law)>)"
    assert to_xhtml(to_markup(stored)) == stored


def test_marks_at_the_start_of_a_paragraph_are_not_read_as_a_list() -> None:
    for stored in ("<p>- not a point</p>", "<p># no heading</p>", "<p>3. no number</p>", "<p>* star</p>"):
        assert to_xhtml(to_markup(stored)) == stored


_WORDS = st.text("ab é*[]()\\#-•1.<>&_ \u00a0", min_size=1, max_size=12)
_HREFS = st.sampled_from(
    ["https://example.org/a", "https://example.org/b_(c)", "mailto:sam@example.org", "tel:01632960100"]
)


def _tagged(words: str, strong: bool, href: str | None) -> str:
    escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = f'<a href="{href}">{escaped}</a>' if href else escaped
    return f"<strong>{escaped}</strong>" if strong else escaped


_SPANS = st.lists(st.builds(_tagged, _WORDS, st.booleans(), st.none() | _HREFS), min_size=1, max_size=4).map("".join)
_TAGS = st.sampled_from(["ul", "ol"])


def _list(tag: str, items: list[str]) -> str:
    return f"<{tag}>{''.join(f'<li>{item}</li>' for item in items)}</{tag}>"


_LISTS = st.recursive(
    st.builds(_list, _TAGS, st.lists(_SPANS, min_size=1, max_size=3)),
    lambda inner: st.builds(_list, _TAGS, st.lists(st.builds(str.__add__, _SPANS, inner), min_size=1, max_size=2)),
    max_leaves=3,
)
_DOCUMENTS = st.lists(
    st.one_of(_SPANS.map(lambda words: f"<p>{words}</p>"), _SPANS.map(lambda words: f"<h3>{words}</h3>"), _LISTS),
    max_size=5,
).map("".join)


def _lists_stand_apart(stored: str) -> bool:
    nodes = read(stored)
    return not any(
        isinstance(one, List) and isinstance(other, List) and one.ordered == other.ordered
        for one, other in pairwise(nodes)
    )


@given(_DOCUMENTS.map(rich.sanitise).filter(_lists_stand_apart))
def test_stored_text_survives_the_text_area(stored: str) -> None:
    assert to_xhtml(to_markup(stored)) == stored


@given(st.text(max_size=200))
def test_whatever_is_typed_is_stored_once_and_for_all(typed: str) -> None:
    stored = to_xhtml(typed)
    assert rich.sanitise(stored) == stored
    assert to_xhtml(to_markup(stored)) == stored
