"""Every kind of block keeps its promises, whatever people put in it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import Invalid, NotFound
from newsletter.rendering.blocks import KINDS, kind
from newsletter.rendering.content import BlockContent, IssueContent
from newsletter.rendering.issue import render
from newsletter.states import Where

from .larkmere import good_data, issue
from .made_up import HOSTILE, ORDINARY, Seen, data_of, squashed, words_of

HEAD = BlockContent("head", "masthead", {})
FOOT = BlockContent("foot", "footer", {})
EVERY = pytest.mark.parametrize("name", list(KINDS))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def standing(block: BlockContent) -> IssueContent:
    """An issue with this block in it."""
    frame = issue("december-2026").frame
    around = [each for each in (HEAD, FOOT) if each.kind != block.kind]
    blocks = (block, *around) if block.kind == "masthead" else (*around[:1], block, *around[1:])
    return IssueContent(blocks, frame)


def test_there_are_twenty_six_kinds_and_each_says_what_it_is_for() -> None:
    assert set(KINDS) == {
        "masthead", "in_this_issue", "section", "findings", "compare", "priorities", "notice", "resources",
        "contact", "ask_views", "policy_update", "people_news", "key_dates", "call", "footer", "image", "event",
        "statistic", "quote", "image_text", "steps", "news_in_brief", "table", "video", "divider", "join_list",
    }  # fmt: skip
    for name, each in KINDS.items():
        assert each.kind == name
        assert each.name
        assert each.icon
        assert each.purpose.endswith(".")
        assert each.group in {"Text", "Facts and dates", "People", "Ask"}
        assert all(field.label for field in each.fields)


def test_an_unknown_kind_is_not_found() -> None:
    with pytest.raises(NotFound, match="no kind of section called “carousel”"):
        kind("carousel")


@EVERY
@pytest.mark.parametrize("words", [ORDINARY, HOSTILE], ids=["ordinary", "hostile"])
def test_every_word_stands_in_the_mail_the_text_and_the_page(name: str, words: st.SearchStrategy[str]) -> None:
    each = KINDS[name]

    @FEW
    @given(data_of(each.fields, words), words)
    def holds(data: dict[str, Any], note: str) -> None:
        clean = each.clean(data)
        rendered = render(standing(BlockContent("it", name, data, audience_note=note)))
        mail, page = Seen(rendered.html), Seen(rendered.web)
        for said in words_of(each, clean):
            wanted = squashed(said)
            assert wanted in squashed(mail.words)
            assert wanted in squashed(rendered.text)
            assert wanted in squashed(page.words)
        for seen in (mail, page):
            assert not [tag for tag, _attrs in seen.tags if tag in ("script", "iframe", "form", "mj-raw")]
            assert not [attr for _tag, attrs in seen.tags for attr in attrs if attr.startswith("on")]

    holds()


@EVERY
def test_data_of_any_shape_is_cleaned_or_refused_in_a_sentence(name: str) -> None:
    each = KINDS[name]
    fields = st.fixed_dictionaries({}, optional={field.name: ANYTHING for field in each.fields})

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(fields | ANYTHING)
    def holds(data: Any) -> None:
        try:
            clean = each.clean(data)
        except Invalid as invalid:
            assert all(problem.sentence.endswith(".") for problem in invalid.problems)
            return
        assert each.clean(clean) == clean
        assert set(clean) == {field.name for field in each.fields}
        for problem in each.validate(BlockContent("it", name, clean), context=_context()):
            assert problem.sentence.endswith(".")

    holds()


def _context() -> Any:
    from newsletter.rendering.assembly import context_of, prepared

    return context_of(prepared(issue("december-2026")))


@EVERY
def test_an_empty_draft_can_be_seen(name: str) -> None:
    each = KINDS[name]
    block = BlockContent("it", name, each.empty())
    rendered = render(standing(block))
    assert "Undefined" not in rendered.html
    assert "None" not in Seen(rendered.html).words + rendered.text + Seen(rendered.web).words
    assert each.summary(block)


@given(said=st.text("ab ", min_size=1, max_size=200).map(str.strip))
def test_a_section_without_a_heading_is_called_by_its_first_whole_words(said: str) -> None:
    block = BlockContent("it", "section", {**KINDS["section"].empty(), "body": f"<p>{said}</p>"})
    name, words = KINDS["section"].summary(block), " ".join(said.split())
    assert len(name) <= 90
    if name.endswith(" …"):
        kept = name.removesuffix(" …")
        assert words.startswith(kept)
        assert words[len(kept)] == " " or " " not in words[:89]
    else:
        assert name == (words or KINDS["section"].name)


@EVERY
def test_the_audience_and_the_language_of_a_part_are_told(name: str) -> None:
    data = good_data(name)
    block = BlockContent("it", name, data, audience_note="school nurses", language="ur")
    rendered = render(standing(block))
    for words in (Seen(rendered.html).words, rendered.text, Seen(rendered.web).words):
        assert "Who this is for: school nurses" in " ".join(words.split())
    for html in (rendered.html, rendered.web):
        assert any(attrs.get("lang") == "ur" and attrs.get("dir") == "rtl" for _tag, attrs in Seen(html).tags)


@EVERY
@pytest.mark.parametrize("where", [Where.MAIL, Where.WEB])
def test_every_kind_can_stand_in_the_mail_or_on_the_web_alone(name: str, where: Where) -> None:
    each = KINDS[name]
    rendered = render(standing(BlockContent("it", name, good_data(name), audience_note="school nurses", where=where)))
    note = "Who this is for: school nurses"
    mail, text, page = (" ".join(words.split()) for words in (Seen(rendered.html).words, rendered.text,
                                                              Seen(rendered.web).words))  # fmt: skip
    assert (note in mail) == (note in text) == (where is Where.MAIL or each.fixed is not None)
    assert (note in page) == (where is Where.WEB or each.fixed is not None)


def test_the_mail_leads_on_to_what_stands_on_the_web_alone() -> None:
    story, web = {"heading": "Long story", "body": "<p>How it began</p>"}, issue("december-2026").frame.web_url
    rest = BlockContent("rest", "findings", {"heading": "All of it"}, where=Where.WEB)
    more = BlockContent("more", "quote", {"text": "Yes", "attribution": "A reader"}, where=Where.WEB)
    begun = BlockContent("story", "section", story)
    rendered = render(IssueContent((HEAD, begun, rest, more, begun_again(), more, FOOT), issue("december-2026").frame))
    lines = [(anchor.words, anchor.url) for anchor in rendered.anchors if "#" in anchor.url]
    assert lines == [
        ("More on the web: All of it", f"{web}#all-of-it"),
        ("Read the rest of “In short” on the web", f"{web}#in-short"),
    ]
    assert f"More on the web: All of it:\n{web}#all-of-it\n" in rendered.text
    assert 'id="all-of-it"' in rendered.web
    assert "More on the web" not in rendered.web


def begun_again() -> BlockContent:
    return BlockContent("again", "section", {"heading": "In short", "body": "<p>The rest is long</p>"})


def test_a_part_for_the_web_alone_is_not_in_the_mail() -> None:
    block = BlockContent.from_json(
        {"kind": "section", "data": {"heading": "Long story", "body": "<p>All of it</p>"}, "where": "web"}
    )
    only_web = render(standing(block))
    assert "All of it" not in only_web.html + only_web.text
    assert "All of it" in only_web.web
    only_mail = render(standing(replace(block, where=Where.MAIL)))
    assert "All of it" in only_mail.html
    assert "All of it" in only_mail.text
    assert "All of it" not in only_mail.web
