"""The mail keeps to what mail programs can do: Outlook's Word engine, Gmail, Apple Mail, Outlook.com, Yahoo.

What each can do is not our opinion: it stands in tests/fixtures/mail_programs.json, distilled from the tests that are
published as caniemail.com (see mail_programs_data.py). Whatever a mail uses that one of the five does not fully
support stands below with what is lost there, and why nobody misses a word by it. What nobody has tested stands below
too. A new property, element or attribute, or newer data, fails here until somebody has looked.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from newsletter.rendering.blocks import KINDS
from newsletter.rendering.content import BlockContent, IssueContent
from newsletter.rendering.fields import Field, FieldType
from newsletter.rendering.issue import render
from newsletter.rendering.notices import NOTICES, compose

from . import larkmere
from .mail_features import features, for_outlook
from .mail_programs_data import FAMILIES, FIXTURE
from .test_notices import FRAME, VALUES

SUPPORT: dict[str, dict[str, str]] = json.loads(FIXTURE.read_text(encoding="utf-8"))["features"]
OUTLOOK, GMAIL, APPLE, OUTLOOK_COM, YAHOO = FAMILIES
WEB = f"{GMAIL} {OUTLOOK_COM} {YAHOO}"
ALL = f"{OUTLOOK} {GMAIL} {APPLE} {OUTLOOK_COM} {YAHOO}"

_HEAD = "the head's styles only add: sizes on a phone and the dark palette; all that is needed is said inline"
_HIDDEN = "hides the preheader, the one line that is said again in the mail; other rules hide it as well"
_DARK = "the mail stays light, or the program darkens it by its own rules"
#: What is not fully supported: by whom, what is lost there, and why that does no harm.
FALLBACKS: dict[str, tuple[str, str]] = {
    "css-at-media": (f"{OUTLOOK} {WEB}", _HEAD),
    "css-at-media-prefers-color-scheme": (f"{OUTLOOK} {GMAIL} {YAHOO}", _DARK),
    "css-background": (f"{OUTLOOK} {YAHOO}", "one colour and nothing else, which all understand; no picture, no list"),
    "css-border": (OUTLOOK, "up to 8 px, on cells; a rule between sections is drawn by a table of Word's own"),
    "css-border-radius": (f"{OUTLOOK} {YAHOO}", "the corners are square"),
    "css-border-spacing": (OUTLOOK, "it is 0, and cellspacing says so too"),
    "css-color-scheme": (f"{OUTLOOK} {WEB}", _DARK),
    "css-cursor": (ALL, "the pointer keeps its shape"),
    "css-direction": (GMAIL, "a right-to-left mail is one throughout, which is what the rule says of it"),
    "css-display": (f"{OUTLOOK} {GMAIL} {YAHOO}", "block and inline-block only; Word gets a table for each column"),
    "css-display-none": (f"{OUTLOOK} {GMAIL}", _HIDDEN),
    "css-font-size": (f"{OUTLOOK} {YAHOO}", "in px, never in rem"),
    "css-font-weight": (f"{OUTLOOK} {YAHOO}", "normal and bold"),
    "css-height": (f"{OUTLOOK} {YAHOO}", "of pictures, which have an attribute for it, and of empty space"),
    "css-important": (f"{OUTLOOK} {GMAIL} {YAHOO}", _HEAD),
    "css-line-height": (OUTLOOK, "Word may set lines further apart; nothing is cut"),
    "css-margin": (f"{OUTLOOK} {WEB}", "between paragraphs, never negative; what is centred by auto has align too"),
    "css-max-height": (OUTLOOK, _HIDDEN),
    "css-max-width": (OUTLOOK, "Word gets a table of 600 px around each section"),
    "css-opacity": (f"{OUTLOOK} {GMAIL}", _HIDDEN),
    "css-outline": (OUTLOOK, "takes away a border that Word does not draw"),
    "css-overflow": (ALL, _HIDDEN),
    "css-padding": (OUTLOOK, "on cells; a button's has mso-padding-alt"),
    "css-selector-chaining": (f"{OUTLOOK} {GMAIL} {OUTLOOK_COM}", _HEAD),
    "css-selector-child": (f"{OUTLOOK} {GMAIL}", _HEAD),
    "css-selector-class": (GMAIL, _HEAD),
    "css-selector-descendant": (GMAIL, _HEAD),
    "css-selector-grouping": (GMAIL, _HEAD),
    "css-selector-id": (GMAIL, _HEAD),
    "css-selector-type": (GMAIL, _HEAD),
    "css-table-layout": (OUTLOOK, "columns may be a little wider or narrower; every cell wraps"),
    "css-text-align": (f"{OUTLOOK} {GMAIL} {YAHOO}", "left, right and center, never start or end"),
    "css-text-decoration": (f"{OUTLOOK} {GMAIL}", "underline and none; a link without the rule is underlined anyway"),
    "css-text-transform": (OUTLOOK, "none, which changes nothing"),
    "css-white-space": (f"{OUTLOOK} {GMAIL} {YAHOO}", "a day or a number may wrap"),
    "css-width": (OUTLOOK, "of tables, cells and pictures; what is no table has one around it"),
    "css-word-break": (f"{WEB} {APPLE}", "a long address may be broken elsewhere, or make the mail wider"),
    "css-word-spacing": (f"{OUTLOOK} {YAHOO}", "it is normal, which changes nothing"),
    "html-aria-label": (YAHOO, "the wrapper is read without the subject, which the program has read out"),
    "html-body": (f"{WEB}", "the ground's colour is said again on the wrapper"),
    "html-dir": (f"{OUTLOOK} {GMAIL}", "never on a link; text-align says the side as well"),
    "html-doctype": (f"{OUTLOOK} {YAHOO}", "the page around has its own"),
    "html-height": (OUTLOOK, "auto, or of an empty cell"),
    "html-lang": (YAHOO, "said on the wrapper too, never on a cell alone"),
    "html-lists": (f"{OUTLOOK} {WEB}", "plain lists, neither reversed nor with numbers of their own"),
    "html-mailto-links": (YAHOO, "an address and nothing behind it"),
    "html-meta-color-scheme": (ALL, _DARK),
    "html-role": (YAHOO, "kept on tables, where it matters: they are layout"),
    "html-style": (f"{OUTLOOK} {GMAIL}", _HEAD),
    "html-target": (ALL, "the program opens links its own way"),
    "html-width": (OUTLOOK, "in whole pixels on pictures; tables of 100 % are inside one of 600 px"),
}
#: What the data has no test for, and why it may be used.
UNTESTED: dict[str, str] = {
    **dict.fromkeys(("a", "br", "head", "html", "meta", "title"), "as old as HTML mail"),
    **dict.fromkeys(("alt", "bgcolor", "border", "class", "href", "src"), "as old as HTML mail"),
    **dict.fromkeys(("content", "http-equiv", "media", "name", "type"), "of the head's meta and style"),
    **dict.fromkeys(("noscript", "xml", "o:allowpng", "o:officedocumentsettings", "o:pixelsperinch"), "for Word alone"),
    **dict.fromkeys(("xmlns", "xmlns:o", "xmlns:v"), "for Word alone"),
    **dict.fromkeys(("aria-roledescription", "scope"), "for readers of screens; without it a wrapper, a heading cell"),
    "vertical-align": "MJML's, beside the property of that name",
    "css-inline": "the style attribute: what every other entry is about",
    "css-color": "as old as HTML mail",
    "css-font-family": "faces that the reader's machine has; without them its own",
    "css-pseudo-class-root": _DARK,
    "css-supported-color-schemes": _DARK,
    **dict.fromkeys(("css-mso-line-height-rule", "css-mso-padding-alt"), "for Word alone"),
    **dict.fromkeys(("css-mso-table-lspace", "css-mso-table-rspace"), "for Word alone"),
    **dict.fromkeys(("css--ms-interpolation-mode", "css--ms-text-size-adjust"), "for old Windows phones alone"),
    "css--webkit-text-size-adjust": "keeps an iPhone from enlarging some lines and not others",
}
#: What "partly supported" means where we say that we keep to the part: (property, values that it must not have, why).
NEVER = [
    ("font-size|line-height|margin.*|padding.*|width", r"\d(rem|em|vw|vh)\b", "rem and its kin are lost in several"),
    ("font-weight", r"^(?!normal$|bold$)", "only these two are the same everywhere"),
    ("margin.*", r"(^|\s)-\d", "negative margins are dropped by Outlook.com"),
    ("background.*", r"url\(|,|/", "pictures and lists are lost in Word and Yahoo"),
    ("border(-\\w+)?", r"\b(9|[1-9]\d)px", "Word draws no border wider than 8 px"),
    ("text-align", r"^(?!left$|right$|center$)", "start and end are lost in Outlook and Yahoo"),
    ("text-decoration", r"^(?!underline$|none$)", "no more than one value is understood by Outlook"),
    ("text-transform", r"^(?!none$)", "capitals are hard to read, and lower case is lost in Outlook"),
    ("display", r"^(?!block$|inline-block$|none$)", "flex and grid are lost in Outlook and Yahoo"),
    ("position|float|transform|background-image|box-shadow", r"", "lost in several, and content may go with it"),
]


def data_of(fields: tuple[Field, ...], turn: int) -> dict[str, Any]:
    """Data with every field filled; choices and flags differ from turn to turn."""
    return {field.name: _value_of(field, turn) for field in fields}


def _value_of(field: Field, turn: int) -> Any:
    match field.type:
        case FieldType.GROUP:
            return data_of(field.fields, turn)
        case FieldType.ITEMS:
            return [data_of(field.fields, turn + number) for number in range(2)]
        case FieldType.CHOICE:
            return field.choices[turn % len(field.choices)][0]
        case FieldType.FLAG:
            return turn % 2 == 0
    rich = "<p>See <a href='https://larkmere.example.org/x'>this</a>.</p><ul><li>one<ul><li>two</li></ul></li></ul>"
    return {
        FieldType.TEXT: "Ask early",
        FieldType.RICH: f"{rich}<ol><li><strong>three</strong></li></ol>",
        FieldType.URL: "https://larkmere.example.org/page?a=1&b=2",
        FieldType.EMAIL: "newsletter@example.org",
        FieldType.PHONE: "01632 960 100",
        FieldType.DATE: "2027-01-04",
        FieldType.MOMENT: "2027-01-04T17:30",
        FieldType.NUMBER: max(field.least, 1),
        FieldType.LIST: "policy-changes",
        FieldType.MEDIA: "boathouse-1200.png",
        FieldType.STRINGS: ["one", "two"],
    }[field.type]


def made_up() -> Iterator[tuple[str, str]]:
    """Issues with a section of every kind, as many as the longest list of choices is long."""
    ends = ("masthead", "footer")
    for turn in range(max(map(_most_choices, KINDS.values()))):
        kinds = ["masthead", *(name for name in KINDS if name not in ends), "footer"]
        blocks = tuple(
            BlockContent(f"{name}-{turn}", name, data_of(KINDS[name].fields, turn), audience_note="Head teachers")
            for name in kinds
        )
        yield f"made up {turn}", render(IssueContent(blocks, larkmere.issue("december-2026").frame)).html


def _most_choices(kind: Any) -> int:
    def most(fields: tuple[Field, ...]) -> int:
        return max((max(len(one.choices), most(one.fields), 1) for one in fields), default=1)

    return most(kind.fields)


@pytest.fixture(scope="module")
def mails() -> dict[str, str]:
    """The HTML of every sort of mail there is."""
    demo = {name: render(larkmere.issue(name)).html for name in larkmere.ISSUES}
    return {**demo, **dict(made_up()), **{name: compose(name, VALUES, FRAME)[2] for name in NOTICES}}


@pytest.fixture(scope="module")
def used(mails: dict[str, str]) -> dict[str, set[str]]:
    """By family, the names of all that the mails use; Word reads another part of them than the rest."""
    word = set[str]().union(*(features(for_outlook(html)) for html in mails.values()))
    others = set[str]().union(*(features(html) for html in mails.values()))
    return {family: word if family == OUTLOOK else others for family in FAMILIES}


def named(slug: str) -> str:
    return slug.removeprefix("html-")


def test_whatever_a_program_does_not_support_has_its_reason(used: dict[str, set[str]]) -> None:
    lost: dict[str, set[str]] = {}
    for family, slugs in used.items():
        for slug in slugs & SUPPORT.keys():
            if SUPPORT[slug][family] != "y":
                lost.setdefault(slug, set()).add(family)
    known = {slug: set(families.split()) for slug, (families, _why) in FALLBACKS.items()}
    told = {slug: f"{sorted(families)}: {SUPPORT[slug]['notes']}" for slug, families in lost.items()}
    assert {slug: words for slug, words in told.items() if not lost[slug] <= known.get(slug, set())} == {}
    assert {slug for slug in known if known[slug] != lost.get(slug)} == set(), "reasons that nothing needs any more"


def test_whatever_nobody_has_tested_has_its_reason(used: dict[str, set[str]]) -> None:
    untested = {named(slug) for slug in set[str]().union(*used.values()) - SUPPORT.keys()}
    assert untested - UNTESTED.keys() == set()
    assert UNTESTED.keys() - untested == set(), "reasons that nothing needs any more"


def test_what_is_partly_supported_is_used_in_that_part_only(mails: dict[str, str]) -> None:
    wrong = set()
    for html in mails.values():
        for style in re.findall(r'style="([^"]*)"', html):
            for declaration in style.split(";"):
                name, _, value = (part.strip() for part in declaration.partition(":"))
                for names, values, why in NEVER:
                    if re.fullmatch(names, name) and re.search(values, value):
                        wrong.add(f"{name}: {value} ({why})")
    assert wrong == set()


def test_the_reader_of_mails_would_notice() -> None:
    """What the other tests rest on: names found in a mail that has one of each."""
    mail = (
        '<!doctype html><style>@media (prefers-color-scheme: dark) { .a > p:hover, #b::after { color: rgb(1,2,3) } }'
        '</style><!--[if mso]><table align="left"><![endif]--><!--[if !mso]><!--><video></video><!--<![endif]-->'
        '<h4 style="margin-top:1rem;display:flex;--x:1;width:calc(1px + 2%)"><a href="#top">x</a></h4>'
    )  # fmt: skip
    others = features(mail)
    assert others >= {
        "html-doctype", "html-style", "html-video", "html-h1-h6", "html-anchor-links", "css-at-media",
        "css-at-media-prefers-color-scheme", "css-selector-class", "css-selector-child", "css-selector-id",
        "css-selector-grouping", "css-pseudo-class-hover", "css-pseudo-element-after", "css-rgb", "css-margin",
        "css-unit-rem", "css-unit-percent", "css-display-flex", "css-variables", "css-unit-calc",
    }  # fmt: skip
    assert "html-table" not in others
    assert features(for_outlook(mail)) >= {"html-table", "html-align"}
    assert "html-video" not in features(for_outlook(mail))


def test_made_up_mails_hold_every_kind_and_every_choice(mails: dict[str, str]) -> None:
    numbers = [name for name in mails if name.startswith("made up")]
    assert len(numbers) == max(map(_most_choices, KINDS.values())) > 1
    for name in numbers:
        assert mails[name].count("Head teachers") >= len(KINDS) - 3


@pytest.mark.parametrize("issue", larkmere.ISSUES)
def test_lists_are_indented_by_margin_since_word_ignores_padding_on_them(mails: dict[str, str], issue: str) -> None:
    lists = re.findall(r'<(?:ul|ol) style="([^"]*)"', mails[issue])
    assert lists
    for style in lists:
        assert re.search(r"margin:0 0 \d+px (?:24|30)px", style), style


def test_nothing_comes_from_elsewhere_and_nothing_is_packed_into_the_mail(mails: dict[str, str]) -> None:
    for html in mails.values():
        assert re.findall(r"@import|@font-face|url\(|data:|cid:|<link", html) == []
        assert {address.split("/")[2] for address in re.findall(r'src="([^"]+)"', html)} <= {"larkmere.example.org"}


def test_the_head_s_styles_stay_below_what_gmail_reads(mails: dict[str, str]) -> None:
    for html in mails.values():
        assert sum(map(len, re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL))) < 8_000
