"""Calls for views: a page opens with its issue, takes answers until its minute is over, and forgets them after use."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from newsletter.db import db, transaction
from newsletter.domain.calls.asking_views import views, views_reading
from newsletter.domain.calls.asking_views.views import Answer
from newsletter.domain.calls.asking_views.views_reading import Standing
from newsletter.domain.issues import editing, publishing
from newsletter.domain.issues.content import issue_content
from newsletter.errors import Conflict, Invalid
from newsletter.models import Account, Activity, Issue, ViewsAnswer, ViewsPage
from newsletter.rendering.blocks import kind
from newsletter.rendering.context import Context
from tests import people

#: 5pm on Friday 22 January 2027, UK time, and the first instant that is too late.
CLOSING = datetime(2027, 1, 22, 17, 0, tzinfo=UTC)
TOO_LATE = CLOSING + timedelta(minutes=1)
ASKED = {
    "heading": "What should the new guide cover?",
    "question": "<p>We are writing a guide on <strong>neglect</strong>.</p>",
    "own_page": True,
    "button": "Tell us",
    "closes": "2027-01-22T17:00",
    "next": "<p>We print what we heard.</p>",
}


@pytest.fixture
def ruth(app: Flask, now: datetime) -> Account:
    return people.staff(now)


def asked(now: datetime, ruth: Account, **changed: object) -> Issue:
    """December 2026 with one question on a page of ours."""
    issue = people.issue(now, people.larkmere(now))
    with transaction():
        editing.add_block(issue, "ask_views", {**ASKED, **changed}, position=1, actor=ruth, now=now)
    return issue


def out(now: datetime, ruth: Account, **changed: object) -> ViewsPage:
    """The page of the question, in an issue that has just gone out."""
    issue = asked(now, ruth, **changed)
    with transaction():
        publishing.publish(issue, now)
    (page,) = views_reading.pages_in(issue)
    return page


def say(page: ViewsPage, when: datetime, form: str = "a form", **typed: str) -> bool:
    with transaction():
        return views.answer(
            page, Answer(**{"body": "More on school holidays.", **typed}), form=form, opened_at=when, now=when
        )


def answers(page: ViewsPage) -> list[ViewsAnswer]:
    return views_reading.answers_to(page)


def test_the_page_opens_with_the_issue_and_not_before(now: datetime, ruth: Account) -> None:
    issue = asked(now, ruth)
    (block,) = [each for each in issue.blocks if each.kind == "ask_views"]

    assert views_reading.find_page(block.id) is None
    assert views_reading.section_at(block.id) == (block, issue)

    with transaction():
        publishing.publish(issue, now)
        publishing.publish(issue, now)

    page = views_reading.find_page(block.id)
    assert page is not None
    assert views_reading.section_at(block.id) is None
    assert page.question == "What should the new guide cover?"
    assert page.deadline is not None
    assert page.deadline.words_with_zone == "5pm, Friday 22 January 2027 (UK time)"
    assert len(views_reading.pages_in(issue)) == 1


def test_a_question_that_is_answered_elsewhere_gets_no_page(now: datetime, ruth: Account) -> None:
    issue = asked(now, ruth, own_page=False, url="mailto:views@example.org")
    with transaction():
        publishing.publish(issue, now)
    assert views_reading.pages_in(issue) == []


def test_the_button_leads_to_the_page_in_mail_text_and_web(now: datetime, ruth: Account) -> None:
    issue = asked(now, ruth)
    content = issue_content(issue)
    (block,) = [each for each in content.blocks if each.kind == "ask_views"]
    context, address = Context(content.frame), f"https://news.example.org/views/{block.id}"

    for made in (kind("ask_views").mjml, kind("ask_views").web, kind("ask_views").text):
        assert address in made(block, context)
    assert kind("ask_views").validate(block, context) == []


def test_a_question_without_any_way_to_answer_stops_the_issue(now: datetime, ruth: Account) -> None:
    content = issue_content(asked(now, ruth, own_page=False))
    (block,) = [each for each in content.blocks if each.kind == "ask_views"]
    problems = kind("ask_views").validate(block, Context(content.frame))
    assert [(each.field, each.sentence) for each in problems] == [
        ("url", "Enter the address where people answer, or use a page of this newsletter.")
    ]


def test_a_closing_time_that_the_clocks_skip_stops_the_issue(now: datetime, ruth: Account) -> None:
    content = issue_content(asked(now, ruth, closes="2027-03-28T01:30"))
    (block,) = [each for each in content.blocks if each.kind == "ask_views"]
    (problem,) = kind("ask_views").validate(block, Context(content.frame))
    assert problem.field == "closes"


def test_an_issue_sent_past_its_checks_has_a_page_that_ends_all_the_same(now: datetime, ruth: Account) -> None:
    page = out(now, ruth, closes="")
    assert page.deadline is not None
    assert page.deadline.words == "5pm, Monday 4 January 2027"


def test_an_answer_without_a_name_keeps_nothing_but_its_words_and_the_hour(now: datetime, ruth: Account) -> None:
    page = out(now, ruth)
    recorded = db.session.scalars(select(Activity.id)).all()

    assert say(page, now + timedelta(minutes=47, seconds=11))

    (kept,) = answers(page)
    assert (kept.body, kept.name, kept.organisation, kept.address) == ("More on school holidays.", "", "", "")
    assert kept.at == now
    assert db.session.scalars(select(Activity.id)).all() == recorded


def test_one_form_is_one_answer(now: datetime, ruth: Account) -> None:
    page = out(now, ruth)
    assert say(page, now)
    assert not say(page, now)
    assert not say(page, now, body="Something else, by the same form.")
    assert say(page, now, form="another form")
    assert [each.body for each in answers(page)] == ["More on school holidays."] * 2


def test_without_a_form_the_same_words_are_one_answer(now: datetime, ruth: Account) -> None:
    page = out(now, ruth)
    assert [say(page, now, form="", body=words) for words in ("Yes.", "Yes.", "No.")] == [True, False, True]


def test_who_must_give_a_name_is_told_all_that_is_missing(now: datetime, ruth: Account) -> None:
    page = out(now, ruth, named=True)
    with pytest.raises(Invalid) as refused:
        say(page, now, body=" ")
    assert [each.field for each in refused.value.problems] == ["body", "name", "address"]

    later = now + timedelta(minutes=5)
    assert say(page, later, name="Nadia Rahman", address="nadia@health.example.org")
    assert [(each.name, each.at) for each in answers(page)] == [("Nadia Rahman", later)]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"body": "x" * 5_001}, "body"),
        ({"address": "nadia at health"}, "address"),
        ({"name": "Nadia\x07"}, "name"),
        ({"organisation": "o" * 151}, "organisation"),
    ],
)
def test_what_cannot_be_kept_is_said(now: datetime, ruth: Account, typed: dict[str, str], field: str) -> None:
    page = out(now, ruth)
    with pytest.raises(Invalid) as refused:
        say(page, now, **typed)
    assert [each.field for each in refused.value.problems] == [field]
    assert answers(page) == []


@pytest.mark.parametrize(
    ("opened", "posted", "taken", "in_grace"),
    [
        (CLOSING, CLOSING + timedelta(seconds=59), True, False),
        (CLOSING, TOO_LATE, True, True),
        (CLOSING, TOO_LATE + timedelta(minutes=15), False, False),
        (TOO_LATE, TOO_LATE, False, False),
    ],
)
def test_it_closes_at_the_end_of_its_minute_with_the_grace_of_a_form_that_was_open(
    now: datetime, ruth: Account, opened: datetime, posted: datetime, taken: bool, in_grace: bool
) -> None:
    page = out(now, ruth)
    with transaction():
        if taken:
            assert views.answer(page, Answer("Late but fine."), form="f", opened_at=opened, now=posted)
        else:
            with pytest.raises(Conflict, match="closed"):
                views.answer(page, Answer("Too late."), form="f", opened_at=opened, now=posted)
    assert [each.in_grace for each in answers(page)] == ([in_grace] if taken else [])


def test_it_can_be_closed_early_and_opened_again_until_its_day(now: datetime, ruth: Account) -> None:
    page, closed = out(now, ruth), now + timedelta(hours=1)
    with transaction():
        views.close_early(page, actor=ruth, now=closed)
    assert views_reading.standing(page, closed) is Standing.CLOSED_EARLY
    assert views_reading.accepts(page, closed + timedelta(minutes=14), now), "a form that was open may be sent"
    with pytest.raises(Conflict):
        say(page, closed + timedelta(minutes=1))

    with transaction():
        views.reopen(page, actor=ruth, now=closed + timedelta(days=1))
    assert say(page, closed + timedelta(days=2))

    with pytest.raises(Conflict, match="only until"), transaction():
        views.reopen(page, actor=ruth, now=TOO_LATE)
    with pytest.raises(Conflict, match="closed already"), transaction():
        views.close_early(page, actor=ruth, now=TOO_LATE)


def test_answers_are_deleted_by_hand_once_it_is_closed_and_their_number_stays(now: datetime, ruth: Account) -> None:
    page = out(now, ruth)
    say(page, now, name="Nadia Rahman")
    say(page, now, form="two")
    with pytest.raises(Conflict, match="close it first"), transaction():
        views.purge(page, actor=ruth, now=now)

    with transaction():
        assert views.purge(page, actor=ruth, now=TOO_LATE + timedelta(hours=1)) == 2
        assert views.purge(page, actor=ruth, now=TOO_LATE + timedelta(hours=1)) == 0

    assert answers(page) == []
    assert views_reading.number_of_answers(page) == 2


def test_a_year_after_closing_answers_are_deleted_by_themselves(now: datetime, ruth: Account) -> None:
    page = out(now, ruth)
    say(page, now)
    with transaction():
        views.purge_due(CLOSING + timedelta(days=364))
    assert len(answers(page)) == 1
    with transaction():
        views.purge_due(CLOSING + timedelta(days=365))
        views.purge_due(CLOSING + timedelta(days=366))
    assert (answers(page), page.answered) == ([], 1)


def test_no_answer_becomes_a_formula_in_a_spreadsheet(now: datetime, ruth: Account) -> None:
    page = out(now, ruth)
    say(page, now, body='=HYPERLINK("https://evil.example.org")', name="@Nadia", organisation="Café, Larkmere")

    header, line = "".join(views_reading.csv_lines(page)).split("\r\n")[:2]

    assert header.startswith("\ufeff")
    assert line == ('"2026-12-07","\'=HYPERLINK(""https://evil.example.org"")","\'@Nadia","Café, Larkmere",""')
