"""Every check in the table speaks of one issue and is silent about another; docs/checks.md has the same table."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from newsletter.db import db, transaction
from newsletter.domain.issues import checking, creating, editing
from newsletter.domain.issues.checking import check_text
from newsletter.domain.issues.checking.list_rules import check_accent
from newsletter.domain.issues.checking.registry import FAMILY_WORDS, RULES, Weight
from newsletter.domain.issues.checking.surroundings import Surroundings
from newsletter.models import BookEntry, Issue, Media
from newsletter.rendering.content import BlockContent, Frame, IssueContent
from newsletter.states import BookKind
from tests.domain.issue_makers import NEXT_DEADLINE, Desk, desk, draft

Write = Callable[[Issue, datetime], None]
DOCS = Path(__file__).parents[2] / "docs" / "checks.md"
_DEAD = "https://larkmere.gov.uk/gone"
_AROUND = Surroundings(
    datetime(2026, 12, 14, 10, 0), True, frozenset({"example.org"}), frozenset({"01632960100"}), frozenset({"LK11AA"}),
    frozenset({"LSCP"}), {_DEAD: "There is no such website."},
)  # fmt: skip
_FRAME = Frame(
    organisation="", publication="", label="", web_url="", privacy_url="", accessibility_url="",
    organisation_address="", contact_email="", why="", media_base="", subject="What is new by the lake",
    preheader="A place by the lake, and what else is new.",
)  # fmt: skip


def _link(url: str, words: str = "the plans for next year") -> str:
    return f'See <a href="{url}">{words}</a>.'


_SAFE = "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Flarkmere.gov.uk%2Fplans&data=x"
#: The code, words that make it speak, words that leave it silent.
WORDS: tuple[tuple[str, str, str], ...] = (
    ("nhs_number", "See 999 123 4578.", "See 999 123 4579."),
    ("ni_number", "See JR 00 00 01 A.", "See QQ 00 00 01 A."),
    ("upn", "See A123456789012.", "See A123456789013."),
    ("birth_date", "Sam Lund, born on 3 May 2015.", "Children born in 2015 start school."),
    ("phone_number", "Ring 01632 960 143.", "Ring 01632 960 100, or 0808 157 0100."),
    ("personal_email", "Write to sam_lund@gmail.com.", "Write to desk@example.org."),
    ("postal_address", "She lives at 12 Mill Lane, Larkmere, LK1 2AB.", "We are at 12 Mill Lane, Larkmere, LK1 1AA."),
    ("outside_email", "Write to desk@police.example.com.", "Write to desk@news.example.org."),
    ("empty_contact", "Please email: by Friday.", "Please email: desk@example.org by Friday."),
    ("lost_link", "View the guide for practitioners.", "The view from the hill is fine."),
    ("hidden_link", _link(_SAFE), _link("https://larkmere.gov.uk/plans")),
    ("dead_link", _link(_DEAD), _link("https://larkmere.gov.uk/there")),
    ("inside_link", _link("https://larkmere.sharepoint.com/plans"), _link("https://larkmere.gov.uk/plans")),
    ("short_link", _link("https://bit.ly/3abc"), _link("https://larkmere.gov.uk/3abc")),
    ("tracking_link", _link("https://larkmere.gov.uk/?utm_source=x"), _link("https://larkmere.gov.uk/?page=2")),
    ("past_date", "Book by 10 December 2026.", "Book by 18 December 2026."),
    ("wrong_weekday", "It begins on Monday 15 January 2027.", "It begins on Friday 15 January 2027."),
    ("wrong_weekday", "It begins on Monday 15 January.", "It begins on Friday 15 January."),
    ("no_such_date", "It begins on 31 February 2027.", "It begins on 28 February 2027."),
    ("ambiguous_range", "Courses run October - March 2027.", "Courses run October 2026 to March 2027."),
    ("unfinished", "The date is TK.", "The talk is at two."),
    ("unfinished", "Ring xxx for a place.", "Chapter XXX is about lakes."),
    ("unfinished", "Lorem ipsum dolor sit amet.", "The ipsum of things."),
    ("unfinished", "It costs […] in all.", "She said: “We listened […] and learned.”"),
    ("unfinished", "Come to [insert place].", "Come to the place [by the lake]."),
    ("repeated_word", "It is is so.", "He had had enough of that that day."),
    ("awkward_words", "We'd would welcome your views.", "We'd welcome your views."),
    ("long_sentence", "We know " + "that and this " * 13 + "well.", "We know this. " * 20),
    ("acronym", "The EHA is new.", "The Early Help Assessment (EHA) is new, and the EHA helps the LSCP."),
    ("acronym", "The EHA helps.", "The EHA (Early Help Assessment) helps the NHS."),
    (
        "list_punctuation",
        "<ul><li>one.</li><li>two</li></ul>",
        "<ul><li>one;</li><li>two; and</li><li>three.</li></ul>",
    ),
)  # fmt: skip


def _codes(body: str) -> set[str]:
    html = body if body.startswith("<ul>") else f"<p>{body}</p>"
    content = IssueContent((BlockContent("a", "section", {"heading": "News", "body": html}),), _FRAME)
    return {each.code for each in check_text(content, _AROUND)}


@pytest.mark.parametrize(("code", "speaks", "silent"), WORDS)
def test_words(code: str, speaks: str, silent: str) -> None:
    assert code in _codes(speaks)
    assert code not in _codes(silent)


#: The code, a subject and a preview text that make it speak.
INBOX = (
    ("long_subject", "y" * 71, _FRAME.preheader),
    ("loud_subject", "READ THIS AT ONCE", _FRAME.preheader),
    ("same_preheader", "A place by the lake, it is", "a place by the lake, it is"),
    ("preheader_length", "The lake", "Short."),
)


@pytest.mark.parametrize(("code", "subject", "preheader"), INBOX)
def test_the_inbox(code: str, subject: str, preheader: str) -> None:
    spoken = IssueContent((), replace(_FRAME, subject=subject, preheader=preheader))
    assert code in {each.code for each in check_text(spoken, _AROUND)}
    assert code not in {each.code for each in check_text(IssueContent((), _FRAME), _AROUND)}


# --- what the whole issue says ------------------------------------------------------------------------------


@pytest.fixture
def d(app: Flask, now: datetime) -> Desk:
    return desk(now)


@pytest.fixture
def issue(d: Desk, now: datetime) -> Issue:
    return draft(d, now)


def _add(issue: Issue, now: datetime, kind: str, **data: object) -> None:
    with transaction():
        editing.add_block(issue, kind, data, position=2, actor=None, now=now)


def _section(issue: Issue, now: datetime, heading: str = "News", body: str = "<p>Words of news.</p>") -> None:
    _add(issue, now, "section", heading=heading, body=body)


def _help_line_wanted(issue: Issue, now: datetime) -> None:
    with transaction():
        issue.mailing_list.requires_help_line = True


def _help_line(issue: Issue, now: datetime) -> None:
    _help_line_wanted(issue, now)
    _section(issue, now, "Worried about a child?", "<p>Ring 0808 157 0100, or 999 in an emergency.</p>")


def _next_deadline(issue: Issue, now: datetime) -> None:
    with transaction():
        creating.ensure_next_issue(issue, title="March 2027", deadline=NEXT_DEADLINE, actor=None, now=now)


def _large(number: int) -> Callable[[Issue, datetime], None]:
    def write(issue: Issue, now: datetime) -> None:
        for part in range(number):
            _section(issue, now, f"Part {part}", f"<p>{'Some words of news. ' * 100}</p>" * 7)

    return write


def _accent(colour: str) -> Callable[[Issue, datetime], None]:
    def choose(issue: Issue, now: datetime) -> None:
        with transaction():
            issue.mailing_list.accent = colour

    return choose


def _nothing(issue: Issue, now: datetime) -> None:
    return


def _linked(words: str) -> Callable[[Issue, datetime], None]:
    return lambda issue, now: _section(issue, now, body=f"<p>{_link('https://larkmere.gov.uk/plans', words)}</p>")


def _two(first: str, second: str) -> Callable[[Issue, datetime], None]:
    def write(issue: Issue, now: datetime) -> None:
        _section(issue, now, first)
        _section(issue, now, second)

    return write


def _picture(**data: object) -> Callable[[Issue, datetime], None]:
    return lambda issue, now: _add(issue, now, "image", **data)


def _weighing(size: int) -> Write:
    def show(issue: Issue, now: datetime) -> None:
        with transaction():
            db.session.add(
                Media(
                    name="a.png", content_type="image/png", width=600, height=400, size=size, sha256=b"", body=b"",
                    created_at=now,
                )
            )  # fmt: skip
        _add(issue, now, "image", media="a.png", alt="The lake")

    return show


def _in_the_book(name: str, ends: bool) -> Write:
    def write(issue: Issue, now: datetime) -> None:
        with transaction():
            entry = BookEntry(
                kind=BookKind.PERSON, name=name, data={"email": f"{name[:2]}@example.org"}, created_at=now
            )
            if ends:
                entry.ended_at, entry.end_reason = now + timedelta(days=1), "Works elsewhere"
            db.session.add(entry)
        _add(issue, now, "contact", heading="Who to ask", name=name, email=f"{name[:2]}@example.org")

    return write


def _subheading_first(issue: Issue, now: datetime) -> None:
    with transaction():
        for block in list(issue.blocks):
            if block.kind not in ("masthead", "footer"):
                editing.delete_block(block, actor=None, now=now)
        editing.add_block(issue, "event", {"title": "A walk round the lake"}, position=1, actor=None, now=now)


#: The code, what makes it speak, what leaves it silent.
WHOLE: tuple[tuple[str, Write, Write], ...] = (
    ("help_line", _help_line_wanted, _help_line),
    ("next_deadline", _nothing, _next_deadline),
    ("book_ended", _in_the_book("Bethan Price", ends=True), _in_the_book("Tamsin Orme", ends=False)),
    ("vague_link", _linked("here"), _linked("the plans of the year")),
    ("bare_link", _linked("https://larkmere.gov.uk/plans"), _linked("the plans of the year")),
    ("section", lambda issue, now: _add(issue, now, "contact", name="Bethan"), _section),
    ("missing_alt", _picture(media="a.png"), _picture(media="a.png", alt="The lake at noon")),
    ("missing_picture", _picture(media="a.png", alt="The lake"), _section),
    ("heavy_pictures", _weighing(1_200_000), _section),
    ("same_anchor", _two("News", "News"), _two("News", "More news")),
    ("heading_order", _subheading_first, _section),
    ("large_mail", _large(6), _large(1)),
    ("accent_changed", _accent("#ffcc00"), _accent("#0e5a63")),
    ("accent", _accent("yellow"), _accent("#0e5a63")),
    ("mail", lambda issue, now: setattr(issue, "subject", "For {first_name}"), _section),
)


@pytest.mark.parametrize(("code", "speaks", "silent"), WHOLE)
def test_the_whole(issue: Issue, d: Desk, now: datetime, code: str, speaks: Write, silent: Write) -> None:
    other = draft(d, now, "Another")
    speaks(issue, now)
    assert code in {each.code for each in checking.run_checks(issue, now)}
    with transaction():
        if not code.startswith("accent"):
            issue.mailing_list.accent = "#0e5a63"
    silent(other, now)
    assert code not in {each.code for each in checking.run_checks(other, now)}


def test_a_mail_between_the_two_limits_is_worth_a_look_only(issue: Issue, now: datetime) -> None:
    sizes = []
    for part in range(40):
        _section(issue, now, f"Part {part}", f"<p>{'Some words of news. ' * 60}</p>" * 2)
        sizes = [each.blocking for each in checking.run_checks(issue, now) if each.code == "large_mail"]
        if sizes:
            break
    assert sizes == [False]


def test_a_colour_is_mended_by_the_mail_itself() -> None:
    assert [(each.code, each.blocking) for each in check_accent("#ffcc00")] == [("accent_changed", False)]
    assert list(check_accent("#0e5a63")) == []


def test_what_a_heading_spells_out_may_be_short_below_it(issue: Issue, now: datetime) -> None:
    _section(issue, now, "Early Help Assessment (EHA)", "<p>The EHA is new.</p>")
    assert "acronym" not in {each.code for each in checking.run_checks(issue, now)}


def test_what_the_book_knows_need_not_be_spelled_out(issue: Issue, now: datetime) -> None:
    _section(issue, now, body="<p>The EHA is new.</p>")
    assert "acronym" in {each.code for each in checking.run_checks(issue, now)}
    with transaction():
        known = {"meaning": "Early Help Assessment"}
        db.session.add(BookEntry(kind=BookKind.ACRONYM, name="EHA", data=known, created_at=now))
    assert "acronym" not in {each.code for each in checking.run_checks(issue, now)}


def test_every_check_is_tried_both_ways() -> None:
    tried = {code for code, *_rest in (*WORDS, *INBOX, *WHOLE)}
    assert tried == set(RULES)


def test_the_docs_have_the_very_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \| (.+) \|$", DOCS.read_text(encoding="utf-8"), re.M)
    assert rows == [(rule.code, rule.weight.value, rule.what, rule.mend) for rule in RULES.values()]
    assert {rule.family for rule in RULES.values()} == set(FAMILY_WORDS)


def test_only_what_a_person_may_judge_is_passed_with_a_reason(issue: Issue, now: datetime) -> None:
    _section(issue, now, body="<p>Please email: by Friday. See 999 123 4578. It is is so.</p>")
    found = {each.code: each for each in checking.run_checks(issue, now)}
    assert [found[code].passable for code in ("empty_contact", "nhs_number", "repeated_word")] == [False, True, True]
    assert RULES["lost_link"].weight is Weight.REASON
