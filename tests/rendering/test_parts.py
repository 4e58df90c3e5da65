"""The smaller parts: content, colours, lines, dates, merge fields."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import Invalid
from newsletter.rendering import characters, plain, typography, when
from newsletter.rendering.content import BlockContent, Frame
from newsletter.rendering.context import direction, slug
from newsletter.rendering.palette import contrast, inverted, palette
from newsletter.rendering.personalise import MERGE_FIELDS, fill
from newsletter.states import Where

from .larkmere import issue


def test_a_block_keeps_its_form_outside() -> None:
    outside = {
        "id": "b1", "kind": "quote", "version": 2, "data": {"text": "Hello", "attribution": "Somebody"},
        "continues": True, "diary": "Line", "where": "web", "language": "cy", "audience_note": "all",
    }  # fmt: skip
    block = BlockContent.from_json(outside)
    assert block.to_json() == outside
    assert block.where is Where.WEB
    assert BlockContent("b", "quote", {}).to_json() == {"id": "b", "kind": "quote", "version": 1, "data": {}}


@pytest.mark.parametrize(
    ("outside", "field"),
    [
        ([], ""),
        ({}, "kind"),
        ({"kind": 5}, "kind"),
        ({"kind": "quote", "data": []}, "data"),
        ({"kind": "quote", "version": True}, "version"),
        ({"kind": "quote", "continues": "yes"}, "continues"),
        ({"kind": "quote", "where": "print"}, "where"),
        ({"kind": "quote", "where": ["web"]}, "where"),
        ({"kind": "quote", "language": 5}, "language"),
        ({"kind": "quote", "heading": "x"}, "heading"),
    ],
)
def test_what_is_no_block_is_refused_by_its_field(outside: object, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        BlockContent.from_json(outside)
    assert [problem.field for problem in refused.value.problems] == [field]


def test_a_frame_keeps_its_form_outside() -> None:
    frame = issue("march-2027").frame
    assert frame.next_deadline == datetime(2027, 4, 16, 16, 0, tzinfo=UTC)
    assert Frame.from_json(frame.to_json()) == frame
    for change in ({"colour": "red"}, {"planned_send": "2027-03-16T10:00"}, {"planned_send": 5}):
        with pytest.raises(Invalid):
            Frame.from_json({**frame.to_json(), **change})
    with pytest.raises(Invalid):
        Frame.from_json({"publication": "News"})


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}"))
def test_any_accent_can_be_read_on_both_pages(accent: str) -> None:
    colours = palette(accent)
    for page in (colours.light, colours.dark):
        for text in (page.ink, page.muted, page.accent):
            for ground in (page.sheet, page.tint, page.canvas):
                assert contrast(text, ground) >= 4.5
        assert contrast(page.on_accent, page.accent) >= 4.5
        assert contrast(page.on_solid, page.solid) >= 4.5
        assert contrast(page.line, page.sheet) >= 3
    light = colours.light
    for text in (light.ink, light.muted, light.accent):
        assert contrast(inverted(text), inverted(light.sheet)) >= 4.5
    assert contrast(inverted(light.on_solid), inverted(light.solid)) >= 4.5


def test_a_good_accent_is_kept_and_a_pale_one_darkened() -> None:
    assert palette("#0E5A63").light.accent == "#0E5A63"
    assert palette("#0e5a63").light.accent == "#0E5A63"
    assert palette("#FFCC00").light.accent != "#FFCC00"
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


@pytest.mark.parametrize("accent", ["teal", "#fff", "#0E5A6", "#0E5A63; }", "", "#0E5A63\n", None])
def test_what_is_no_colour_is_refused(accent: Any) -> None:
    with pytest.raises(Invalid, match="six digits, such as #0E5A63"):
        palette(accent)


def test_lines_end_where_a_reader_would_end_them() -> None:
    gap = typography.NO_BREAK_SPACE
    assert typography.bind("from 9 March 2027 for 5 days") == f"from 9{gap}March{gap}2027 for 5{gap}days"
    assert typography.title("What should it be called?") == f"What should it be{gap}called?"
    assert typography.title("Key dates") == "Key dates"
    assert typography.unbroken("17 of 24") == f"17{gap}of{gap}24"
    assert typography.bind("may 2 people march") == f"may 2{gap}people march"


def test_addresses_are_never_broken_and_other_words_are() -> None:
    address = "https://larkmere.example.org/" + "x" * 90
    assert plain.wrap(f"See {address} now", "  ").splitlines() == ["  See", f"  {address}", "  now"]
    assert max(map(len, plain.wrap("y" * 200, "• ", "  ").splitlines())) == 65
    assert plain.wrap("", "• ") == ""


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_characters_that_do_not_print_are_dropped(text: str) -> None:
    line = characters.one_line(text)
    assert characters.one_line(line) == line
    assert not set(line) & set("\n\t\r\x00\xa0\u200b\u202e\ufeff")


@pytest.mark.parametrize(
    ("stored", "words", "short"),
    [
        ("2027-05", "May 2027", "May 2027"),
        ("2027-01-19", "Tuesday 19 January 2027", "Tue 19 Jan 2027"),
        ("2027-01-19T17:00", "5pm, Tuesday 19 January 2027", "Tue 19 Jan 2027"),
    ],
)
def test_dates_have_words_and_keep_their_precision(stored: str, words: str, short: str) -> None:
    found = when.parse(stored)
    assert found is not None
    assert (found.words(), found.short(), found.iso) == (words, short, stored)


@pytest.mark.parametrize("stored", ["", "soon", "2027-13", "2027-02-30", "2027-01-19T25:00", "19/01/2027"])
def test_what_is_no_date_is_printed_as_it_stands(stored: str) -> None:
    assert when.parse(stored) is None
    assert when.words(stored) == stored


def test_a_month_is_over_when_its_last_day_is() -> None:
    may = when.parse("2027-05")
    assert may is not None
    assert not may.past(datetime(2027, 5, 31, 23, 0))
    assert may.past(datetime(2027, 6, 1, 0, 0))


def test_merge_fields_are_filled_once_and_escaped_in_html() -> None:
    values = {"unsubscribe_url": "https://e.example.org/?a=1&b={preferences_url}", "preferences_url": "p"}
    assert fill("{unsubscribe_url} {preferences_url} {name}", values, html=False) == (
        "https://e.example.org/?a=1&b={preferences_url} p {name}"
    )
    assert fill('<a href="{unsubscribe_url}">', values, html=True) == (
        '<a href="https://e.example.org/?a=1&amp;b={preferences_url}">'
    )
    assert {"unsubscribe_url", "preferences_url"} == MERGE_FIELDS
    with pytest.raises(ValueError, match="preferences_url has no value"):
        fill("{preferences_url}", {}, html=True)
    with pytest.raises(ValueError, match="no merge field first_name"):
        fill("x", {"first_name": "Ada"}, html=True)


@pytest.mark.parametrize(
    ("tag", "way"),
    [("en-GB", "ltr"), ("ur", "rtl"), ("ar-SY", "rtl"), ("pa-Arab-PK", "rtl"), ("az-Latn", "ltr"), (None, "ltr")],
)
def test_the_direction_follows_the_language(tag: str | None, way: str) -> None:
    assert direction(tag) == way


def test_an_anchor_is_plain_ascii() -> None:
    assert slug("Who’s new? Ŵyn & Siân") == "whos-new-wyn-sian"
    assert slug("خبریں") == ""
