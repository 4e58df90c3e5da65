"""What is stopped, what is only worth a look, and how a person answers."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from newsletter.db import db, transaction
from newsletter.domain.issues import checking, creating, editing
from newsletter.domain.issues.checking.dates import check_dates
from newsletter.domain.issues.checking.findings import Finding
from newsletter.domain.issues.checking.links import check_link
from newsletter.domain.issues.checking.passages import addresses, passages
from newsletter.domain.issues.checking.person_numbers import is_nhs_number, is_upn
from newsletter.domain.issues.checking.privacy import check_privacy
from newsletter.domain.issues.checking.surroundings import Surroundings
from newsletter.domain.issues.checking.words import check_words
from newsletter.errors import NotFound, Refused
from newsletter.models import Activity, CheckPass, Issue
from newsletter.rendering.content import BlockContent, Frame, IssueContent
from tests.domain.issue_makers import Desk, desk, draft

#: The issue goes out on Monday 14 December 2026, from example.org with the phone 01632 960 100.
_AROUND = Surroundings(datetime(2026, 12, 14, 10, 0), True, frozenset({"example.org"}), frozenset({"01632960100"}))


def _content(body: str) -> IssueContent:
    frame = Frame(
        organisation="", publication="", label="", web_url="", privacy_url="", accessibility_url="",
        organisation_address="", contact_email="", why="", media_base="",
    )  # fmt: skip
    return IssueContent((BlockContent("a", "section", {"heading": "News", "body": body}),), frame)


@pytest.fixture
def d(app: Flask, now: datetime) -> Desk:
    return desk(now)


@pytest.fixture
def issue(d: Desk, now: datetime) -> Issue:
    """Goes out on Monday 14 December 2026."""
    return draft(d, now)


def _write(issue: Issue, d: Desk, now: datetime, body: str, kind: str = "section", **data: object) -> None:
    with transaction():
        editing.add_block(issue, kind, data or {"heading": "News", "body": body}, position=2, actor=d.ruth, now=now)


def _found(issue: Issue, now: datetime) -> list[Finding]:
    return [each for each in checking.run_checks(issue, now) if each.code not in ("section", "mail", "next_deadline")]


def _codes(issue: Issue, now: datetime) -> list[tuple[str, bool]]:
    return [(each.code, each.blocking) for each in _found(issue, now)]


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ("<p>Phone:</p>", True),
        ("<p>To book, call us on:</p>", True),
        ("<p>For a place please ring:</p>", True),
        ("<p>Telephone: 01632 960 143</p>", False),
        ("<p>Please call: 01632 960 143</p>", False),
        ("<p>When you call:</p><ul><li>say which agency you are from</li></ul>", False),
    ],
)
def test_a_phone_number_is_missed_where_one_was_promised(words: str, missing: bool) -> None:
    found = [one for passage in passages(_content(words)) for one in check_words(passage)]
    assert [one.sentence for one in found if one.code == "empty_contact"] == ["A phone number is missing."] * missing


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("We measure the risk and, and improve.", [("repeated_word", False)]),
        ("It is is so.", [("repeated_word", False)]),
        ("He had had enough of that that day.", []),
        ("We'd would welcome your views.", [("awkward_words", False)]),
        ("The priorities for next year should are these.", [("awkward_words", False)]),
        ("We’ll see what can be done.", []),
        ("Write to us by email:", [("empty_contact", True)]),
        ("Please email: by Friday.", [("empty_contact", True)]),
        ("Email us at: newsletter@example.org", []),
        ("E-mail: <a href='mailto:newsletter@example.org'>the desk</a>", []),
        ("Tel: and leave a message.", [("empty_contact", True)]),
        ("Tel: 01632 960 100", []),
        ("View our training programme.", [("lost_link", True)]),
        ("<a href='https://example.org/training'>View our training programme</a>.", []),
        ("To book, click here.", [("lost_link", True)]),
        ("Interviews differ, and we download figures.", []),
        ("Courses run October - March 2027.", [("ambiguous_range", False)]),
        ("Courses run January – March 2027.", []),
        ("It begins on Friday 15 January 2027.", []),
        ("It begins on Monday 15 January 2027.", [("wrong_weekday", True)]),
        ("It begins on 31 February 2027.", [("no_such_date", True)]),
        ("Book by 10 December 2026.", [("past_date", True)]),
        ("Book by 14 December 2026.", []),
        ("The guide will change on 10 December 2026.", [("past_date", False)]),
        ("The board met on 10 December 2026.", []),
        ("Book by 10 December 2019, they said.", [("past_date", False)]),
    ],
)
def test_words(words: str, codes: list[tuple[str, bool]]) -> None:
    found = [
        finding
        for passage in passages(_content(f"<p>{words}</p>"))
        for finding in (*check_words(passage), *check_dates(passage, _AROUND))
    ]
    assert [(each.code, each.blocking) for each in found] == codes


def test_a_hole_is_filled_by_the_paragraph_below(issue: Issue, d: Desk, now: datetime) -> None:
    _write(issue, d, now, "<p>Write to us by email:</p><p>newsletter@example.org</p>")
    assert _codes(issue, now) == []


def test_better_words_are_offered(issue: Issue, d: Desk, now: datetime) -> None:
    _write(issue, d, now, "<p>Courses run October - March 2027.</p>")
    (found,) = _found(issue, now)
    assert found.suggestion == "October 2026 to March 2027"
    assert found.why == "We suggest “October 2026 to March 2027”."
    assert (found.field, found.excerpt) == ("body", "Courses run October - March 2027.")


def test_each_finding_says_where_it_is(issue: Issue, d: Desk, now: datetime) -> None:
    items = [{"subheading": "One", "text": "<p>Fine.</p>"}, {"subheading": "Two", "text": "<p>It it is.</p>"}]
    _write(issue, d, now, "", "findings", heading="Findings", items=items)
    (found,) = _found(issue, now)
    assert (found.field, found.block_id) == ("items.1.text", str(issue.blocks[2].id))


def test_what_the_sections_lack_is_found_but_not_what_only_the_schedule_asks(
    issue: Issue, d: Desk, now: datetime
) -> None:
    _write(issue, d, now, "", "contact", name="Bethan Ashdown-Lee")
    found = [each for each in checking.run_checks(issue, now) if each.code != "next_deadline"]
    assert [(each.code, each.sentence, each.field) for each in found] == [
        ("section", "Enter an email address or phone number.", "email")
    ]
    assert found[0].stops
    assert not found[0].passable


# --- personal data ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("NHS number 943 476 5919.", [("nhs_number", True)]),
        ("NHS number 9434765919.", [("nhs_number", True)]),
        ("NHS number 943 476 5918.", []),
        ("Reference 1111111111.", []),
        ("She is QQ 12 34 56 C.", []),
        ("She is AB 12 34 56 C.", [("ni_number", True)]),
        ("Pupil A123456789012 moved.", [("upn", True)]),
        ("Sam, born on 3 May 2015, is well.", [("birth_date", True)]),
        ("DOB: 03/05/2015", [("birth_date", True)]),
        ("Ring 01632 960 143 at any hour.", [("phone_number", True)]),
        ("Ring +44 (0)1632 960143.", [("phone_number", True)]),
        ("Ring our desk on 01632 960100 or +44 1632 960 100.", []),
        ("In an emergency ring 999 or 101.", []),
        ("In 2026/2027 we saw 1,234,567,890 steps.", []),
        ("Write to sam.private@example.com today.", [("outside_email", False)]),
        ("Write to desk@news.example.org today.", []),
    ],
)
def test_personal_data(words: str, codes: list[tuple[str, bool]]) -> None:
    found = [
        finding for passage in passages(_content(f"<p>{words}</p>")) for finding in check_privacy(passage, _AROUND)
    ]
    assert [(each.code, each.blocking) for each in found] == codes


def test_a_contact_is_meant_to_be_read(issue: Issue, d: Desk, now: datetime) -> None:
    _write(issue, d, now, "", "contact", name="Front Door", email="front.door@example.com", phone="01632 960 143")
    assert _codes(issue, now) == []


def test_the_check_digit_of_an_nhs_number() -> None:
    numbers = ("9434765919", "9434765918", "4010232137", "987654321", "000000000x")
    assert [is_nhs_number(number) for number in numbers] == [True, False, True, False, False]


def test_the_check_letter_of_a_pupils_number() -> None:
    numbers = ("A123456789012", "B123456789012", "A12345678901", "A1234567890x2")
    assert [is_upn(number) for number in numbers] == [True, False, False, False]


def test_personal_data_is_masked_wherever_it_is_shown(
    issue: Issue, d: Desk, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    _write(issue, d, now, "<p>Ask about 943 476 5919.</p>")
    (found,) = _found(issue, now)
    with transaction():
        checking.pass_check(issue, found, actor=d.ruth, now=now, reason="It is the number of a form.")
    shown = [repr(found), str(found.to_json()), caplog.text]
    shown += [str(entry.detail) for entry in db.session.scalars(select(Activity))]
    assert found.excerpt == "94• ••• ••••"
    assert not [text for text in shown if "5919" in text]


# --- links, mail, pictures ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "code", "better"),
    [
        ("https://bit.ly/3abc", "short_link", ""),
        ("https://192.168.0.4/plans", "inside_link", ""),
        ("https://intranet.larkmere.local/plans", "inside_link", ""),
        ("https://example.org/a?page=2&utm_source=news&fbclid=x", "tracking_link", "https://example.org/a?page=2"),
    ],
)
def test_links_that_lead_elsewhere(url: str, code: str, better: str) -> None:
    (found,) = _of_links(url)
    assert (found.code, found.blocking, found.suggestion) == (code, False, better)


def test_a_good_link_is_silent() -> None:
    assert _of_links("https://example.org/a?page=2") == []


def _of_links(url: str) -> list[Finding]:
    content = _content(f"<p><a href='{url.replace('&', '&amp;')}'>the plans for next year</a></p>")
    return [finding for link in addresses(content) for finding in check_link(link, _AROUND)]


@pytest.mark.parametrize(
    ("subject", "preheader", "codes"),
    [
        ("December: the Boathouse is open", "A place by the lake, and what else is new.", []),
        ("y" * 71, "A place by the lake, and what else is new.", ["long_subject"]),
        ("READ THIS AT ONCE", "A place by the lake, and what else is new.", ["loud_subject"]),
        ("News of December", "news of december", ["same_preheader"]),
        ("News of December", "Short.", ["preheader_length"]),
        ("News of December", "y" * 131, ["preheader_length"]),
    ],
)
def test_the_line_in_the_inbox(
    issue: Issue, d: Desk, now: datetime, subject: str, preheader: str, codes: list[str]
) -> None:
    with transaction():
        creating.change_frame(issue, subject=subject, preheader=preheader, actor=d.ruth, now=now)
    assert [each.code for each in _found(issue, now)] == codes


def test_a_mail_that_is_too_large_is_stopped_and_a_large_one_is_not(issue: Issue, d: Desk, now: datetime) -> None:
    paragraph = f"<p>{'Some words of news. ' * 100}</p>"
    for number in range(6):
        with transaction():
            data = {"heading": f"Part {number}", "body": paragraph * 7}
            editing.add_block(issue, "section", data, position=2, actor=d.ruth, now=now)
    sizes = [(each.code, each.blocking) for each in checking.run_checks(issue, now) if each.code == "large_mail"]
    assert sizes == [("large_mail", True)]


# --- answers ------------------------------------------------------------------------------------------------


def test_it_is_right_is_remembered_for_that_text_only(issue: Issue, d: Desk, now: datetime) -> None:
    _write(issue, d, now, "<p>It is is so.</p>")
    (found,) = _found(issue, now)
    assert checking.find_finding(issue, found.key, now) == found
    for _time in range(2):
        with transaction():
            checking.pass_check(issue, found, actor=d.ruth, now=now)
    (passed,) = _found(issue, now)
    assert passed.passed
    assert db.session.scalar(select(func.count()).select_from(CheckPass)) == 1
    section = issue.blocks[2]
    with transaction():
        editing.edit_block(section, {"heading": "News", "body": "<p>That was was so.</p>"},
                           expected_version=section.version, actor=d.ruth, now=now)  # fmt: skip
    (other,) = _found(issue, now)
    assert not other.passed
    with pytest.raises(NotFound):
        checking.find_finding(issue, found.key, now)


def test_what_stops_an_issue_is_mended_and_not_passed(issue: Issue, d: Desk, now: datetime) -> None:
    _write(issue, d, now, "<p>Write to us by email:</p>")
    (hole,) = _found(issue, now)
    with pytest.raises(Refused), transaction():
        checking.pass_check(issue, hole, actor=d.ruth, now=now)


def test_a_number_that_only_looks_like_a_persons_is_passed_with_a_reason(issue: Issue, d: Desk, now: datetime) -> None:
    _write(issue, d, now, "<p>Form 943 476 5919 is new.</p>")
    (found,) = _found(issue, now)
    with pytest.raises(Refused, match="Say why"), transaction():
        checking.pass_check(issue, found, actor=d.ruth, now=now, reason=" ")
    with transaction():
        checking.pass_check(issue, found, actor=d.ruth, now=now, reason="It is the number of a form.")
    (passed,) = _found(issue, now)
    assert not passed.stops
    entry = db.session.scalars(select(Activity).where(Activity.action == "check.passed")).one()
    assert (entry.actor_name, entry.detail["reason"]) == ("Ruth Adeyemi", "It is the number of a form.")


def test_what_blocks_comes_first(issue: Issue, d: Desk, now: datetime) -> None:
    _write(issue, d, now, "<p>It is is so. View the figures. Write by email:</p>")
    assert [each.stops for each in _found(issue, now)] == [True, True, False]


def test_a_planned_day_that_is_over_is_today(issue: Issue, d: Desk, now: datetime) -> None:
    _write(issue, d, now, "<p>Book by 16 December 2026.</p>")
    assert _codes(issue, now) == []
    assert _codes(issue, now + timedelta(days=12)) == [("past_date", True)]
