"""A document becomes sections, and none of its words is lost on the way, whatever it looks like."""

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.domain.issues.documents import Document, KeyDate, ProposedBlock, read_text
from newsletter.domain.issues.documents.completeness import LABELS
from newsletter.errors import Invalid
from newsletter.rendering import characters
from newsletter.rendering.blocks import kind
from newsletter.rendering.content import BlockContent, Frame, IssueContent
from newsletter.rendering.issue import render
from tests.domain.issue_makers import AUTUMN, forms


def _headings(document: Document) -> list[tuple[str, str, int]]:
    """(kind, heading, number of sub-headings) of each proposal."""
    return [
        (each.kind, each.data["heading"], len(each.data.get("items", [])) or each.data.get("body", "").count("<h3>"))
        for each in document.proposals
    ]


def test_a_whole_newsletter_finds_its_shape() -> None:
    document = read_text(AUTUMN.read_bytes())
    assert (document.label, document.strapline) == ("September 2026", "What partners need to know this quarter.")
    assert _headings(document) == [
        ("section", "School attendance practice week", 0),
        ("findings", "Key findings from the practice week", 6),
        ("section", "Review of the front door", 5),
        ("section", "Our Priorities", 0),
        ("section", "Training programme", 0),
        ("section", "Policies and Procedures", 0),
        ("section", "Partnership Scrutineer", 0),
        ("call", "Future newsletters", 0),
    ]
    assert document.proposals[1].continues
    assert document.proposals[3].data["body"].count("<li>") == 7
    assert (document.next_deadline, document.unplaced) == (date(2026, 10, 16), ())
    assert "by email:</p><p>The deadline for the next issue is 16 October 2026." in document.proposals[7].data["intro"]
    assert [each.day for each in document.dates] == [
        date(2026, 10, 6), date(2026, 10, 13), date(2026, 10, 20), date(2026, 10, 28),
    ]  # fmt: skip
    assert document.dates[1].what == "We'll be looking at the partnership's priorities at our development day"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Winter 2026\n\nNews\n\nSomething happened.", ("Winter 2026", "", ["News"])),
        ("Larkmere news\nIssue 12\n\nAll you need.\n\nNews\n\nX happened.", ("Issue 12", "All you need.", ["News"])),
        ("December 2026/January 2027\n\nNews\n\nX.", ("December 2026/January 2027", "", ["News"])),
        ("Just a sentence about December 2026.\n\nAnother.", ("", "", [""])),
        ("# News\n\n## First\n\nA.\n\n## Second\n\nB.\n\n# Dates\n\nC.", ("", "", ["News", "Dates"])),
        ("News\n====\n\nFirst\n-----\nA.\n\nDates\n=====\nB.", ("", "", ["News", "Dates"])),
        (
            "NEWS FIRST\n\nOne.\n\nA detail\n\nTwo.\n\nDATES TO KEEP\n\nThree.",
            ("", "", ["NEWS FIRST", "DATES TO KEEP"]),
        ),
        ("One\n\nText.\n\nTwo\n\nText.\n\nThree\n\nText.", ("", "", ["One", "Two", "Three"])),
    ],
)
def test_the_masthead_and_the_sections_of_many_layouts(text: str, expected: tuple[str, str, list[str]]) -> None:
    document = read_text(text)
    label, strapline, sections = expected
    assert (document.label, document.strapline) == (label, strapline)
    assert [each.data["heading"] for each in document.proposals] == sections


def test_a_name_above_the_date_is_the_publications() -> None:
    assert read_text("Larkmere news\n\nWinter 2026\n\nFirst\n\nText.").publication == "Larkmere news"


@pytest.mark.parametrize("mark", ["•", "-", "*", "–", "▪", "\uf0b7", "o\u00a0", "  •\u00a0"])
def test_bullets_of_every_sort_are_one_list(mark: str) -> None:
    (block,) = read_text(
        f"News\n\nWe plan:\n\n{mark} to begin\n{mark} to go on,\n   at length\n\n{mark} to end"
    ).proposals
    assert block.data["body"] == "<p>We plan:</p><ul><li>to begin</li><li>to go on, at length</li><li>to end</li></ul>"


def test_numbered_steps_are_a_list_and_a_lone_number_stays_a_word() -> None:
    (block,) = read_text("News\n\n1. First\n2. Second\n\nIn 2026 we saw:\n\n14. December was cold.").proposals
    assert block.data["body"] == (
        "<ol><li>First</li><li>Second</li></ol><p>In 2026 we saw:</p><p>14. December was cold.</p>"
    )


def test_wrapped_lines_are_one_paragraph_and_short_lines_are_not() -> None:
    wrapped = "The partnership has agreed on five priorities for the\nnext two years, and will print them."
    (block,) = read_text(f"News\n\n{wrapped}\n\nMillrace House\n4 Weir Street\nLarkmere").proposals
    assert block.data["body"].count("<p>") == 4


def test_addresses_become_links_and_angle_brackets_stay_words() -> None:
    (block,) = read_text("News\n\nWrite to bethan@example.org. If a < b & c > d, <ring> us.").proposals
    assert block.data["body"] == (
        '<p>Write to <a href="mailto:bethan@example.org">bethan@example.org</a>. '
        "If a &lt; b &amp; c &gt; d, &lt;ring&gt; us.</p>"
    )
    assert kind("section").clean(block.data)["body"] == block.data["body"]


def test_contact_lines_are_no_headings() -> None:
    text = "News\n\nText one.\n\nBethan Ashdown-Lee, Policy Officer\n\nEmail: bethan@example.org\n\nTel: 01632 960127"
    assert [each.kind for each in read_text(text).proposals] == ["section", "contact"]
    assert read_text(text).proposals[1].data == {
        "name": "Bethan Ashdown-Lee", "role": "Policy Officer", "email": "bethan@example.org", "phone": "01632 960127",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Who to ask\n\nThe duty desk\n\nTel: 01632 960100", [("contact", "Who to ask", "The duty desk")]),
        ("News\n\nText.\n\nBethan Price\n\nEmail: b@example.org\n\nOmar Khan, Lead\n\nPhone: 01632 960 111",
         [("section", "News", ""), ("contact", "", "Bethan Price"), ("contact", "", "Omar Khan")]),
        ("News\n\nText.\n\nBethan Price\n\nTel: 01632 960100 | Email: b@example.org.",
         [("section", "News", ""), ("contact", "", "Bethan Price")]),
        ("News\n\nText ends.\n\nEmail: b@example.org", [("section", "News", "")]),
        ("News\n\nBethan Price\n\nEmail: b@example.org for more", [("section", "News", "")]),
        ("News\n\nText.\n\nBethan Price\n\nEmail: b@example\u200b.org@", [("section", "News", "")]),
    ],
)  # fmt: skip
def test_people_to_ask_are_recognised_where_no_word_is_lost(text: str, expected: list[tuple[str, str, str]]) -> None:
    found = [(each.kind, each.data.get("heading", ""), each.data.get("name", "")) for each in read_text(text).proposals]
    assert found == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "The deadline for the next bulletin is Monday 3 July 2017.",
        "The deadline for contributions is 3rd July 2017, at noon.",
        "Articles for our next issue: deadline July 3, 2017",
    ],
)
def test_the_deadline_sentence_is_found_and_kept(sentence: str) -> None:
    document = read_text(f"News\n\nText.\n\nFuture newsletters\n\nWrite to us.\n\n{sentence}")
    assert document.next_deadline == date(2017, 7, 3)
    assert document.proposals[-1].kind == "call"
    assert sentence in document.proposals[-1].data["intro"]


@pytest.mark.parametrize("sentence", ["The deadline passed.", "The next issue is out on 3 July 2017.",
                                      "The deadline for the next issue is 31 June 2017."])  # fmt: skip
def test_other_sentences_are_no_deadline(sentence: str) -> None:
    assert read_text(f"News\n\nText.\n\nMore\n\n{sentence}").next_deadline is None


def test_dates_say_what_happens_and_ambiguous_ones_are_left_alone() -> None:
    text = (
        "News\n\nThe board meets on Tuesday 9 March 2027 in Larkmere. It met on 1 May 2026 and on 2 May 2026. "
        "In May 2027 it ends. There is no 31 June 2027.\n\nViews\n\nReply by 5 March 2027."
    )
    assert read_text(text).dates == (
        KeyDate(date(2027, 3, 5), "Views: last day to reply"),
        KeyDate(date(2027, 3, 9), "The board meets in Larkmere"),
    )


# --- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"", "no words"),
        (" \n\u00a0\n ... \n", "no words"),
        (b"x" * (2 * 1024 * 1024 + 1), "2 MB"),
        ("é" * (1024 * 1024 + 1), "2 MB"),
        (b"Text with a \x00 byte", "NUL"),
        ("Text with a \x00 character", "NUL"),
        (b"\x89PNG\r\n\x1a\n\x01\x02", "control characters"),
        (b"A line \x81\x8d that no encoding has", "cannot be read"),
        (b"\xff\xfeA", "cannot be read"),
        ("\n\n".join(f"Heading {number}\n\nText." for number in range(301)), "301 sections"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(source: str | bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        read_text(source)
    assert refused.value.problems[0].field == "document"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_encodings_that_people_have_are_read(encoding: str) -> None:
    (block,) = read_text("News\r\n\r\nA café’s “view”.".encode(encoding)).proposals
    assert block.data == {"heading": "News", "body": "<p>A café’s “view”.</p>"}


def test_a_masthead_and_nothing_else_is_a_section() -> None:
    assert read_text("December 2026").proposals == (ProposedBlock("section", {"heading": "December 2026", "body": ""}),)


def test_a_text_without_paragraphs_is_cut_between_words() -> None:
    blocks = read_text("word " * 60_000).proposals
    assert sum(block.data["body"].count("word") for block in blocks) == 60_000
    for block in blocks:
        kind("section").clean(block.data)


# --- nothing is lost ----------------------------------------------------------------------------------------

_FRAME = Frame(
    organisation="Larkmere", publication="Safeguarding news", label="", web_url="https://news.example.org/news/x",
    privacy_url="https://news.example.org/privacy", accessibility_url="https://news.example.org/accessibility",
    organisation_address="Millrace House", contact_email="newsletter@example.org", why="You asked.",
    media_base="https://news.example.org/media/",
)  # fmt: skip


def _rendered(document: Document) -> dict[str, set[str]]:
    rows = [{"date": each.day.isoformat(), "what": each.what} for each in document.dates]
    frame = replace(_FRAME, label=f"{document.publication} {document.label}", strapline=document.strapline)
    blocks = [
        BlockContent("m", "masthead", {}),
        *(BlockContent(f"b{n}", each.kind, each.data, continues=each.continues)
          for n, each in enumerate(document.proposals)),
        BlockContent("d", "key_dates", {"manual": rows}),
        BlockContent("f", "footer", {}),
    ]  # fmt: skip
    return forms(render(IssueContent(tuple(blocks), frame)))


def _lettered(words: set[str]) -> set[str]:
    """The words that hold a letter: a list's numbers are drawn, not written."""
    return {word for word in words if re.search(r"[^\W\d_]", word)}


def _words(text: str) -> set[str]:
    return _lettered(set(re.findall(r"\w+", text.replace("\u00a0", " "))))


def _missing(document: Document, source: str) -> dict[str, set[str]]:
    from newsletter.domain.issues.documents.units import BULLET

    lines = [BULLET.sub(r"\g<words>", line) for line in source.splitlines()]
    wanted = _words(" ".join(characters.one_line(line) for line in lines))
    placed = _words(" ".join(document.unplaced))
    if any(each.kind == "contact" for each in document.proposals):
        placed |= {word for word in wanted if word.casefold() in LABELS}
    found = {form: _words(" ".join(words)) for form, words in _rendered(document).items()}
    return {form: wanted - words - placed for form, words in found.items() if wanted - words - placed}


def test_every_word_of_a_newsletter_is_in_each_form() -> None:
    assert _missing(read_text(AUTUMN.read_bytes()), AUTUMN.read_text(encoding="utf-8")) == {}


_word = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Sm", "Sc")), min_size=1, max_size=14).filter(
    lambda word: not re.search(r"[{}_]", word)
)
_line = st.lists(_word, min_size=1, max_size=14).map(" ".join)
_short = st.lists(st.sampled_from(["News", "from", "Larkmere", "Board", "training", "Key", "findings", "our"]),
                  min_size=1, max_size=5).map(" ".join)  # fmt: skip
_special = st.sampled_from(
    ["December 2026", "Quarterly news.", "please email:", "We plan to:", "Tel: 01632 960 100", "====", "-----", "# Top",
     "## Sub", "Reply by 5 March 2027.", "The deadline for the next issue is 9 April 2027.", "bethan@example.org",
     "View the guide.", "<script>alert(1)</script>", "<b>bold</b> & more", "https://example.org/a?b=c&d"]
)  # fmt: skip
_marked = st.tuples(st.sampled_from(["• ", "- ", "* ", "o\u00a0", "  •\u00a0", "1. ", "2) ", "\uf0b7\t"]), _line).map(
    "".join
)
_end = st.sampled_from(["\n", "\n\n", "\n\n", "\r\n", "\u2028\n"])
_document = st.lists(
    st.tuples(st.one_of(_line, _short, _short, _special, _marked), _end),
    min_size=1, max_size=25,
).map(lambda parts: "".join(line + end for line, end in parts))  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(_document)
def test_no_document_loses_a_word(source: str) -> None:
    try:
        document = read_text(source)
    except Invalid as refused:
        assert not re.search(r"\w", source) or "sections" in str(refused)
        return
    assert _missing(document, source) == {}


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=400), st.binary(max_size=400)))
def test_anything_is_read_or_refused_in_words(source: str | bytes) -> None:
    try:
        document = read_text(source)
    except Invalid as refused:
        assert refused.problems[0].sentence.endswith((".", "once."))
        return
    for block in document.proposals:
        kind(block.kind).clean(block.data)
