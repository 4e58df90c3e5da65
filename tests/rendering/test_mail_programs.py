"""The mail keeps to what mail programs can do: Outlook's Word engine, Gmail, Apple Mail, Outlook.com, Yahoo.

What is listed is safe in all five, or is lost somewhere without taking a word or the order of the words with it; the
lists follow the public tables of what each program supports. A property that is new here has to be looked up first.
"""

import re

import pytest

from newsletter.rendering.issue import render

from . import larkmere

#: Understood by all five.
EVERYWHERE = {
    "background", "background-color", "border", "border-bottom", "border-collapse", "border-left", "border-spacing",
    "border-top", "color", "direction", "display", "font-family", "font-size", "font-weight", "height", "line-height",
    "margin", "padding", "table-layout", "text-align", "text-decoration", "vertical-align", "white-space", "width",
    "word-spacing",
}  # fmt: skip
#: Lost in some, and nothing with it but a corner, a pointer or a limit that a table gives as well.
LOST_WITHOUT_HARM = {
    "border-radius", "cursor", "max-height", "max-width", "mso-line-height-rule", "mso-padding-alt", "opacity",
    "outline", "overflow", "text-transform", "word-break",
}  # fmt: skip
ELEMENTS = {
    "a", "blockquote", "body", "br", "caption", "div", "h1", "h2", "h3", "head", "html", "img", "li", "meta",
    "noscript", "o", "ol", "p", "span", "strong", "style", "table", "tbody", "td", "th", "title", "tr", "ul", "xml",
}  # fmt: skip


@pytest.fixture(scope="module", params=larkmere.ISSUES)
def html(request: pytest.FixtureRequest) -> str:
    return render(larkmere.issue(request.param)).html


def test_only_properties_that_were_looked_up_are_used(html: str) -> None:
    styles = re.findall(r'style="([^"]*)"', html)
    used = {declaration.partition(":")[0].strip() for style in styles for declaration in style.split(";")} - {""}
    assert used - EVERYWHERE - LOST_WITHOUT_HARM == set()


def test_only_elements_that_no_program_strips_are_used(html: str) -> None:
    assert set(re.findall(r"<([a-z][a-z0-9]*)", html)) - ELEMENTS == set()


def test_lists_are_indented_by_margin_since_word_ignores_padding_on_them(html: str) -> None:
    lists = re.findall(r'<(?:ul|ol) style="([^"]*)"', html)
    assert lists
    for style in lists:
        assert re.search(r"margin:0 0 \d+px (?:24|30)px", style), style


def test_nothing_comes_from_elsewhere_and_nothing_is_packed_into_the_mail(html: str) -> None:
    assert re.findall(r"@import|@font-face|url\(|data:|cid:|<link", html) == []
    assert {address.split("/")[2] for address in re.findall(r'src="([^"]+)"', html)} == {"larkmere.example.org"}


def test_the_head_s_styles_stay_below_what_gmail_reads(html: str) -> None:
    assert sum(map(len, re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL))) < 8_000
