"""Larkmere's two issues, as they leave us."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from newsletter.rendering import plain
from newsletter.rendering.content import BlockContent
from newsletter.rendering.issue import Rendered, render

from .larkmere import ISSUES, issue
from .made_up import Seen

BOTH = pytest.mark.parametrize("name", ISSUES)
_RENDERED: dict[str, Rendered] = {}


def rendered(name: str) -> Rendered:
    if name not in _RENDERED:
        _RENDERED[name] = render(issue(name))
    return _RENDERED[name]


def bare(address: str) -> str:
    """An address as the text part prints it: links into the page lead to the page, no scheme for people."""
    return plain.address(address.partition("#")[0])


@BOTH
def test_the_mail_is_small(name: str) -> None:
    made = rendered(name)
    assert made.size < 90_000
    assert made.size == len(made.html.encode())
    assert sum(map(len, re.findall(r"<style.*?</style>", made.html, re.DOTALL))) < 8_000
    assert len(made.text) < 100_000


@BOTH
def test_the_mail_says_its_language_its_direction_and_its_name(name: str) -> None:
    made, seen = rendered(name), Seen(rendered(name).html)
    (html,) = seen.all("html")
    assert (html["lang"], html["dir"]) == ("en-GB", "ltr")
    (article,) = [attrs for _tag, attrs in seen.tags if attrs.get("role") == "article"]
    subject = issue(name).frame.subject
    assert (article["lang"], article["dir"], article["aria-label"]) == ("en-GB", "ltr", subject)
    assert f"<title>{subject}</title>" in made.html


@BOTH
def test_headings_are_real_and_in_order(name: str) -> None:
    for html in (rendered(name).html, rendered(name).web):
        levels = [int(tag[1]) for tag, _attrs in Seen(html).tags if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


@BOTH
def test_nothing_is_fetched_from_anybody_else_and_nothing_runs(name: str) -> None:
    made = rendered(name)
    for html in (made.html, made.web):
        seen = Seen(html)
        assert not {tag for tag, _attrs in seen.tags} & {"script", "link", "iframe", "form", "object", "base"}
        assert {(picture["src"] or "").rpartition("/")[0] for picture in seen.all("img")} == {
            "https://larkmere.example.org/media"
        }
        assert all(picture["alt"] is not None for picture in seen.all("img"))
    assert "@import" not in made.html
    outside = set(re.findall(r"https?://([^/\"'\s<)]+)", made.html)) - {"www.w3.org"}
    assert outside == {"larkmere.example.org"}


@BOTH
def test_layout_tables_are_not_data_tables(name: str) -> None:
    tables = Seen(rendered(name).html).all("table")
    data = [table for table in tables if table.get("role") != "presentation"]
    assert len(data) == 1
    assert "scope" in str(Seen(rendered(name).html).all("th"))


@BOTH
def test_lines_of_the_text_are_short_but_addresses_are_whole(name: str) -> None:
    for line in rendered(name).text.splitlines():
        assert len(line) <= 65 or "://" in line
        assert line == line.rstrip()
        assert "\N{NO-BREAK SPACE}" not in line


@BOTH
def test_every_address_of_the_mail_is_in_the_text(name: str) -> None:
    made = rendered(name)
    hrefs = {href for attrs in Seen(made.html).all("a") if (href := attrs["href"])}
    assert hrefs == set(made.links)
    for href in hrefs:
        if not href.startswith("tel:"):
            assert bare(href) in made.text
    spoken = made.text.replace(" ", "")
    assert all(bare(href) in spoken for href in hrefs if href.startswith("tel:"))


@BOTH
def test_each_reader_gets_a_link_to_leave_and_one_to_choose_exactly_once(name: str) -> None:
    made = rendered(name)
    for field in ("{unsubscribe_url}", "{preferences_url}"):
        assert made.html.count(f'href="{field}"') == 1
        assert made.html.count(field) == 1
        assert made.text.splitlines().count(field) == 1
        assert made.text.count(field) == 1
        assert field not in made.web


@BOTH
def test_words_engine_of_outlook_gets_the_right_widths(name: str) -> None:
    """A unitless 0 in a padding makes the compiler count 600 instead of 536 pixels."""
    conditional = re.findall(r"<!--\[if mso \| IE\]>(.*?)<!\[endif\]-->", rendered(name).html, re.DOTALL)
    widths = [int(width) for part in conditional for width in re.findall(r"<td[^>]*width:(\d+)px", part)]
    assert sum(width > 536 for width in widths) == 1
    assert 536 in widths


@BOTH
def test_the_style_of_the_head_can_be_read(name: str) -> None:
    """A broken rule goes through the compiler unnoticed, and once put dark colours on a light page."""
    dark = re.search(r"@media \(prefers-color-scheme: dark\) \{(.*?\})\s*\}", rendered(name).html, re.DOTALL)
    assert dark is not None
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", dark[1])
    assert len(rules) == 14
    for selector, body in rules:
        assert re.fullmatch(r"[\s\w.,>-]+", selector)
        for declaration in filter(None, map(str.strip, body.split(";"))):
            assert re.fullmatch(r"(?:background|color|border-color): #[0-9A-F]{6} !important", declaration)
    for style in re.findall(r"<style[^>]*>(.*?)</style>", rendered(name).html, re.DOTALL):
        assert style.count("{") == style.count("}")
        assert "&gt;" not in style


@BOTH
def test_body_text_is_large_and_buttons_are_easy_to_hit(name: str) -> None:
    html = rendered(name).html
    sizes = [int(size) for size in re.findall(r"font-size:(\d+)px", html)]
    assert min(size for size in sizes if size > 1) == 14
    assert "text-align:justify" not in html
    assert html.count("padding:14px 24px") >= 2


def test_in_this_issue_lists_the_chapters_and_leads_to_the_web() -> None:
    made, web = rendered("december-2026"), "https://larkmere.example.org/news/december-2026"
    listed = [anchor for anchor in made.anchors if anchor.url.startswith(f"{web}#")]
    assert [anchor.words for anchor in listed] == [
        "The threshold guide changes on 4 January",
        "What our joint practice week found",
        "Review of the front door: progress so far",
        "Our priorities from April 2027",
        "Training programme: January to March 2027",
        "Changes to our procedures",
        "The Boathouse is open",
        "News from our partners",
        "People",
        "Who to contact",
        "Key dates",
        "Be part of the March issue",
    ]
    ids = {attrs["id"] for _tag, attrs in Seen(made.web).tags if "id" in attrs}
    assert {anchor.url.partition("#")[2] for anchor in listed} <= ids


def test_key_dates_are_collected_from_the_whole_issue_in_order() -> None:
    text = rendered("december-2026").text
    table = text[text.index("All times are UK time.") : text.index("Be part of the March issue\n====")]
    assert table.splitlines()[2:12] == [
        "Mon 4 Jan 2027    New threshold guide takes effect",
        "Fri 15 Jan 2027   Deadline for the March 2027 issue, 5pm",
        "Tue 19 Jan 2027   Last day for views on the priorities, 5pm",
        "Tue 26 Jan 2027   Course: Behind the empty chair",
        "Fri 29 Jan 2027   Geraint Fallowfield leaves",
        "Mon 1 Feb 2027    Revised procedures go live",
        "Mon 1 Feb 2027    Sunita Marlowe-Price joins",
        "Thu 11 Feb 2027   Course: Plans that families understand",
        "Thu 4 Mar 2027    Course: Reflective supervision for new managers",
        "Tue 9 Mar 2027    Partnership board agrees the priorities",
    ]


def test_the_deadline_is_the_next_issues_own_in_local_time() -> None:
    made = rendered("march-2027")
    assert issue("march-2027").frame.next_deadline is not None
    assert ">>> 5pm, Friday 16 April 2027" in made.text
    assert '<time datetime="2027-04-16T16:00:00+00:00">5pm, Friday 16\xa0April\xa02027</time>' in made.web


def test_dates_in_two_years_or_of_a_month_say_so() -> None:
    content = issue("december-2026")
    extra = {"manual": [{"date": "2026-12-21", "what": "Carols"}, {"date": "2027-05", "what": "Line opens"}]}
    blocks = tuple(replace(block, data=extra) if block.kind == "key_dates" else block for block in content.blocks)
    text = render(replace(content, blocks=blocks)).text
    assert "Mon 21 Dec 2026   Carols" in text
    assert "May 2027          Line opens" in text


def test_a_newsletter_in_a_language_from_right_to_left() -> None:
    content = issue("december-2026")
    made = render(replace(content, frame=replace(content.frame, language="ur")))
    (html,) = Seen(made.html).all("html")
    assert (html["lang"], html["dir"]) == ("ur", "rtl")
    assert "direction:ltr" not in made.html
    cells = [attrs["style"] or "" for tag, attrs in Seen(made.html).tags if tag in ("th", "td") and "style" in attrs]
    assert not [style for style in cells if "text-align:left" in style]
    assert "border-left:6px" not in made.html


def test_headings_without_a_latin_letter_get_anchors_too_and_none_comes_twice() -> None:
    content = issue("december-2026")
    twice = tuple(
        BlockContent(name, "section", {"heading": heading, "body": "x"})
        for name, heading in (("a", "خبریں"), ("b", "خبریں"), ("c", "Dŵr a thân"), ("d", "Dwr a than"))
    )
    made = render(replace(content, blocks=(content.blocks[0], *twice, content.blocks[-1])))
    ids = [attrs["id"] for _tag, attrs in Seen(made.web).tags if "id" in attrs]
    assert ids == ["section", "section-2", "dwr-a-than", "dwr-a-than-2"]


class _Balance(HTMLParser):
    void = frozenset({"img", "br", "meta", "link", "hr", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@BOTH
def test_the_page_closes_what_it_opens(name: str) -> None:
    balance = _Balance()
    balance.feed(str(rendered(name).web))
    assert balance.open == []
    assert "style=" not in rendered(name).web


def test_whoever_got_it_forwarded_is_led_to_a_copy_of_their_own() -> None:
    """Not on a list that nobody can sign up for. The address is everybody's, so it does not say whose copy it was."""
    larkmere = issue(ISSUES[0])
    where = "https://news.example.org/subscribe?list=safeguarding-news"
    made = render(replace(larkmere, frame=replace(larkmere.frame, own_copy_url=where)))
    assert f'href="{where}"' in made.html and "Forwarded to you? Get your own" in made.html
    assert plain.address(where) in made.text and "Forwarded to you? Get your own" in made.text
    without = render(replace(larkmere, frame=replace(larkmere.frame, own_copy_url="")))
    assert "Forwarded to you" not in without.html + without.text
