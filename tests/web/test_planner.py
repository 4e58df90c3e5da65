"""Ruth chooses a rhythm, lays out a year, moves a date: what the pages say, and what they refuse."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select
from werkzeug.test import TestResponse

from newsletter.db import db, transaction
from newsletter.domain.calls.rhythm import cadence, planning
from newsletter.domain.calls.rhythm.cadence import PRESETS, Rhythm
from newsletter.models import Activity, CadenceRule, Issue, MailingList
from newsletter.states import IssueNaming, Role
from tests import people
from tests.web.desk import ruth

LIST = "/desk/lists/safeguarding-news"
#: The third Friday, put together from pieces; sent on the last Thursday of the same months.
PIECES = {
    "months": ["1", "4", "7", "10"],
    "send_way": "nth", "send_ordinal": "-1", "send_weekday": "3", "send_time": "10am",
    "send_later": "0", "send_early": "1", "send_earlier": "0",
    "deadline_before": "0", "deadline_way": "nth", "deadline_ordinal": "3", "deadline_weekday": "4",
    "deadline_time": "5pm", "deadline_later": "0", "deadline_early": "1", "deadline_earlier": "0",
    "region": "GB-ENG", "naming": "month", "approval_days_before": "2", "reminder_days": "14, 3, 1",
}  # fmt: skip


@pytest.fixture
def quarterly(app: Flask, now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def desk(client: FlaskClient, quarterly: MailingList, now: datetime) -> Iterator[FlaskClient]:
    """Ruth at her desk, on Monday 7 December 2026."""
    with time_machine.travel(now, tick=False):
        ruth(client, now)
        yield client


def with_rhythm(mailing_list: MailingList, now: datetime, **changes: object) -> None:
    with transaction():
        cadence.choose(mailing_list, replace(PRESETS[0].rhythm, **changes), actor=None, now=now)


def laid_out(mailing_list: MailingList, now: datetime) -> list[Issue]:
    with_rhythm(mailing_list, now)
    with transaction():
        return planning.lay_out(mailing_list, 2027, actor=None, now=now)


def words(page: TestResponse) -> str:
    """What is read on a page."""
    text = re.sub(r"<(script|style)\b.*?</\1>", "", page.text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).replace("&#39;", "'").split())


def shown(page: TestResponse) -> dict[str, str]:
    """The mark of the days that the page has shown."""
    found = re.search(r'name="shown" value="([0-9a-f]+)"', page.text)
    return {"shown": found[1]} if found else {}


# --- the rhythm ----------------------------------------------------------------------------------------------------


def test_an_empty_year_says_what_to_do(desk: FlaskClient) -> None:
    page = desk.get(f"{LIST}/year", follow_redirects=True)

    assert "No rhythm yet" in page.text
    assert f'href="{LIST}/rhythm"' in page.text


def test_without_an_issue_this_quarter_leads_to_the_year(desk: FlaskClient) -> None:
    assert f'href="{LIST}/year"' in desk.get("/desk").text


def test_a_rhythm_is_shown_before_it_is_kept(desk: FlaskClient) -> None:
    page = desk.post(f"{LIST}/rhythm", data=PIECES | {"do": "save"})

    assert page.status_code == 200
    assert "News closes at 5pm on the third Friday of January, April, July and October." in words(page)
    assert "January 2027 News by 5pm, Friday 15 January 2027 Out at 10am, Thursday 28 January 2027" in words(page)
    assert words(page).count("Out at") == 4
    assert db.session.scalar(select(func.count(CadenceRule.list_id))) == 0
    kept = desk.post(f"{LIST}/rhythm", data=PIECES | shown(page) | {"do": "save"}, follow_redirects=True)
    assert "The rhythm is kept." in kept.text
    assert db.session.scalars(select(CadenceRule.deadline_rule)).one() == "FREQ=YEARLY;BYMONTH=1,4,7,10;BYDAY=3FR"


def test_what_was_changed_after_looking_is_shown_again(desk: FlaskClient) -> None:
    page = desk.post(f"{LIST}/rhythm", data=PIECES | {"do": "show"})
    again = desk.post(f"{LIST}/rhythm", data=PIECES | {"deadline_ordinal": "2"} | shown(page) | {"do": "save"})

    assert "News by 5pm, Friday 8 January 2027" in words(again)
    assert db.session.get(CadenceRule, 1) is None


def test_a_day_that_moves_says_why(desk: FlaskClient) -> None:
    """The 26th of March 2027 is Good Friday."""
    page = desk.post(
        f"{LIST}/rhythm",
        data=PIECES
        | {"months": ["3", "9"], "deadline_way": "day", "deadline_day": "1st"}
        | {"send_way": "day", "send_day": "26", "send_february": ""},
    )

    assert "Friday 26 March 2027 is Good Friday: moved to Thursday 25 March 2027." in words(page)
    assert "Sunday 26 September 2027 is at the weekend: moved to Friday 24 September 2027." in words(page)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_each_rhythm_to_begin_with_fills_in_the_fields(desk: FlaskClient, preset: cadence.Preset) -> None:
    page = desk.get(f"{LIST}/rhythm?preset={preset.name}")
    fields = dict(re.findall(r'<input class="govuk-input[^>]*name="(\w+)"[^>]*value="([^"]*)"', page.text))
    fields |= dict(re.findall(r'name="(\w+)" type="radio" value="(\w*)" checked', page.text))
    for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', page.text, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    months = re.findall(r'name="months" type="checkbox" value="(\d+)" checked', page.text)

    kept = desk.post(f"{LIST}/rhythm", data=fields | {"months": months} | shown(page) | {"do": "save"})
    assert kept.status_code == 303, words(kept)
    row = db.session.get(CadenceRule, 1)
    assert row is not None
    assert (row.send_rule, row.deadline_rule) == (preset.rhythm.send_rule, preset.rhythm.deadline_rule)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"months": []}, "Choose the months in which an issue goes out"),
        ({"send_time": "midnight"}, "“midnight” can mean"),
        ({"deadline_time": "soon"}, "Enter a time, such as 5pm"),
        ({"deadline_way": "day", "deadline_day": "32"}, "Enter a day of the month from 1 to 31"),
        ({"deadline_way": "day", "deadline_day": "31"}, "There is never such a day in April."),
        ({"deadline_way": "rule", "deadline_rule": "FREQ=DAILY"}, "begins with FREQ=YEARLY or FREQ=MONTHLY"),
        ({"deadline_way": "rule", "deadline_rule": "<b>x</b>"}, "is no part of a rule"),
        ({"deadline_ordinal": "-1", "deadline_weekday": "3"}, "has no deadline of its own"),
        ({"approval_days_before": "two"}, "Enter numbers, such as 14, 3, 1"),
        ({"approval_days_before": "99"}, "from 0 to 20"),
        ({"reminder_days": "14, 0"}, "such as 14, 3, 1"),
        ({"naming": "season", "months": [str(month) for month in range(1, 13)], "deadline_ordinal": "1"}, "Winter"),
        ({"region": "XX"}, "Not a valid choice"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field(desk: FlaskClient, change: dict[str, object], sentence: str) -> None:
    page = desk.post(f"{LIST}/rhythm", data=PIECES | change | {"do": "save"})

    assert page.status_code == 422
    assert "<title>Error: " in page.text
    assert re.search(sentence, words(page))
    assert "Use this rhythm" not in page.text
    # While somebody is still choosing, the same is no fault.
    live = desk.post(f"{LIST}/rhythm", data=PIECES | change, headers={"HX-Request": "true"})
    assert live.status_code == 200


def test_a_rhythm_that_is_kept_comes_back_to_be_changed(
    desk: FlaskClient, quarterly: MailingList, now: datetime
) -> None:
    with_rhythm(quarterly, now, send_rule="FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;BYMONTH=1,4,7,10")
    page = desk.get(f"{LIST}/rhythm")

    assert "FREQ=MONTHLY;BYMONTH=1,4,7,10;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1" in page.text
    assert re.search(r'name="send_way" type="radio" value="rule" checked', page.text)
    assert "Begin again with another rhythm" in page.text


# --- the year ------------------------------------------------------------------------------------------------------


def test_laying_out_shows_what_it_makes_and_makes_it_once(
    desk: FlaskClient, quarterly: MailingList, now: datetime
) -> None:
    with_rhythm(quarterly, now)
    planner = desk.get(f"{LIST}/year/2027")
    assert "Lay out 2027" in planner.text
    assert words(planner).count("Not laid out") == 4

    preview = desk.get(f"{LIST}/year/2027/lay-out")
    assert "Make 4 issues" in preview.text
    assert "5pm, Friday 16 July 2027" in preview.text
    assert db.session.scalar(select(func.count(Issue.id))) == 0

    done = desk.post(f"{LIST}/year/2027/lay-out", follow_redirects=True)
    assert "4 issues are laid out." in done.text
    assert "Deadline 5pm, Friday 16 April" in words(done).replace("\u00a0", " ")
    again = desk.post(f"{LIST}/year/2027/lay-out", follow_redirects=True)
    assert "They were all there already." in again.text
    assert db.session.scalar(select(func.count(Issue.id))) == 4


def test_a_turn_whose_deadline_is_over_says_so(desk: FlaskClient, quarterly: MailingList, now: datetime) -> None:
    """News for 15 December 2026 closed on 20 November."""
    with transaction():
        cadence.choose(quarterly, PRESETS[1].rhythm, actor=None, now=now)
    page = words(desk.get(f"{LIST}/year/2026/lay-out"))

    assert "Make 1 issue" in page
    assert "This deadline is over: move it" in page
    assert page.count("Is over") == 3


def test_a_time_that_a_day_does_not_have_is_said(desk: FlaskClient, quarterly: MailingList, now: datetime) -> None:
    """In Cairo the clocks go forward as the last Friday of April begins: half past midnight is no time then."""
    with transaction():
        quarterly.timezone = "Africa/Cairo"
        half_past = Rhythm(
            "FREQ=YEARLY;BYMONTH=4,10;BYDAY=-1FR", "FREQ=YEARLY;BYMONTH=4,10;BYDAY=1MO", time(0, 30), region=""
        )
        cadence.choose(quarterly, half_past, actor=None, now=now)
    planner = desk.get(f"{LIST}/year/2027")
    assert planner.status_code == 200
    assert "Lay out 2027" in planner.text

    for ask in (desk.get, desk.post):
        answer = ask(f"{LIST}/year/2027/lay-out", follow_redirects=True)
        assert "12:30am on Friday 30 April 2027 does not exist" in answer.text
    assert db.session.scalar(select(func.count(Issue.id))) == 0


def test_a_year_says_when_each_call_opens_closes_and_goes_out(
    desk: FlaskClient, quarterly: MailingList, now: datetime
) -> None:
    laid_out(quarterly, now)
    page = words(desk.get(f"{LIST}/year/2027")).replace("\u00a0", " ")

    assert (
        "April 2027 Call opens Thursday 28 January Deadline 5pm, Friday 16 April "
        "Approve by Tuesday 27 April Send 10am, Thursday 29 April" in page
    )
    assert "Take 4 empty issues back" in page


def test_issues_that_are_counted_ask_for_their_first_number(
    desk: FlaskClient, quarterly: MailingList, now: datetime
) -> None:
    with_rhythm(quarterly, now, naming=IssueNaming.NUMBER)
    wrong = desk.post(f"{LIST}/year/2027/lay-out", data={"first_number": "forty-two"})
    assert wrong.status_code == 422
    assert "<title>Error: " in wrong.text
    desk.post(f"{LIST}/year/2027/lay-out", data={"first_number": "42"})

    assert list(db.session.scalars(select(Issue.title).order_by(Issue.id)))[:2] == ["Issue 42", "Issue 43"]


def test_a_year_is_taken_back_while_nobody_has_begun(desk: FlaskClient, quarterly: MailingList, now: datetime) -> None:
    laid_out(quarterly, now)
    page = desk.post(f"{LIST}/year/2027/take-back", follow_redirects=True)

    assert "Taken back: January 2027, April 2027, July 2027, October 2027." in page.text
    again = desk.post(f"{LIST}/year/2027/take-back", follow_redirects=True)
    assert "Somebody has begun with each of these issues." in again.text


def test_a_year_of_many_issues_asks_the_database_no_more_often(
    desk: FlaskClient, quarterly: MailingList, now: datetime
) -> None:
    def statements() -> int:
        found: list[str] = []

        def note(*given: object) -> None:
            found.append(str(given[2]))

        db.session.expire_all()
        event.listen(db.engine, "before_cursor_execute", note)
        assert desk.get(f"{LIST}/year/2027").status_code == 200
        event.remove(db.engine, "before_cursor_execute", note)
        return len(found)

    for begin in (lambda: None, lambda: laid_out(quarterly, now)):
        begin()
        few = statements()
        for number in range(12):
            people.issue(now + timedelta(days=40 + number), quarterly, f"Extra {number}", f"extra-{few}-{number}")
        assert statements() == few


def test_the_planner_opens_at_the_year_of_the_next_issue(
    desk: FlaskClient, quarterly: MailingList, now: datetime
) -> None:
    assert desk.get(f"{LIST}/year").headers["Location"].endswith("/year/2026")
    laid_out(quarterly, now)
    assert desk.get(f"{LIST}/year").headers["Location"].endswith("/year/2027")


@pytest.mark.parametrize("year", ["1999", "2101", "999999999999"])
def test_years_that_nobody_plans_are_not_found(desk: FlaskClient, year: str) -> None:
    assert desk.get(f"{LIST}/year/{year}").status_code == 404


def test_a_list_without_a_rhythm_has_no_year_to_lay_out(desk: FlaskClient, now: datetime) -> None:
    people.policy_changes(now)

    assert "comes as things happen" in desk.get("/desk/lists/policy-changes/year", follow_redirects=True).text
    assert desk.get("/desk/lists/policy-changes/rhythm").status_code == 303
    assert desk.get("/desk/lists/policy-changes/year/2027/lay-out").status_code == 303


# --- one issue's dates ---------------------------------------------------------------------------------------------

DATES = {
    "deadline_day": "23 April 2027", "deadline_time": "5pm", "planned_day": "6 May 2027", "planned_time": "10am",
    "approval_on": "Tuesday 27 April 2027",
}  # fmt: skip


def test_a_date_is_moved_by_hand(desk: FlaskClient, quarterly: MailingList, now: datetime) -> None:
    laid_out(quarterly, now)
    form = desk.get("/desk/issues/april-2027/dates")
    assert "By the rhythm: news by 5pm, Friday 16 April 2027, out on Thursday 29 April 2027." in form.text
    page = words(desk.post("/desk/issues/april-2027/dates", data=DATES, follow_redirects=True)).replace("\u00a0", " ")

    assert "The dates of April 2027 are kept." in page
    assert "Deadline 5pm, Friday 23 April Approve by Tuesday 4 May Send 10am, Thursday 6 May" in page
    assert db.session.scalars(select(Activity.action).where(Activity.action == "issue.replanned")).all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"planned_day": "22 April 2027"}, "News must close before the issue goes out"),
        ({"planned_day": ""}, "Enter a date"),
        ({"deadline_day": ""}, "Enter a date"),
        ({"deadline_day": "Monday 23 April 2027"}, "That day is a Friday"),
        ({"approval_on": "7 May 2027"}, "It must be approved before it goes out"),
        ({"approval_on": "in time"}, "Enter a date"),
        ({"planned_day": "1 January 0000"}, "There is no such day"),
        ({"planned_day": "31 December 9999"}, "Check the year: it can be 2000 to 2100"),
        ({"deadline_day": "31 December 9999"}, "Check the year"),
        ({"approval_on": "1 January 0001"}, "Check the year"),
        # The clocks go forward at 1am on 28 March 2027, and back at 2am on 31 October.
        ({"deadline_day": "28 March 2027", "deadline_time": "1:30am"}, "does not exist"),
        ({"planned_day": "31 October 2027", "planned_time": "1:30am"}, "Say which of the two times you mean"),
    ],
)
def test_dates_that_cannot_be_are_said_at_their_field(
    desk: FlaskClient, quarterly: MailingList, now: datetime, change: dict[str, str], sentence: str
) -> None:
    laid_out(quarterly, now)
    page = desk.post("/desk/issues/april-2027/dates", data=DATES | change)

    assert page.status_code == 422
    assert "<title>Error: " in page.text
    assert sentence in words(page)
    assert DATES["deadline_time"] in page.text


def test_this_quarter_goes_by_the_day_of_approval_that_was_chosen(
    desk: FlaskClient, quarterly: MailingList, now: datetime
) -> None:
    laid_out(quarterly, now)
    assert "Approve by Tuesday 26 January" in words(desk.get("/desk")).replace("\u00a0", " ")
    january = {
        "deadline_day": "15 January 2027", "deadline_time": "5pm", "planned_day": "28 January 2027",
        "planned_time": "10am", "approval_on": "25 January 2027",
    }  # fmt: skip
    desk.post("/desk/issues/january-2027/dates", data=january)

    assert "Approve by Monday 25 January" in words(desk.get("/desk")).replace("\u00a0", " ")


@pytest.mark.parametrize("path", ["%00/year/2027", "%00/rhythm", "safeguarding-news%00/year", "é/year"])
def test_lists_that_cannot_be_are_not_found(desk: FlaskClient, path: str) -> None:
    assert desk.get(f"/desk/lists/{path}").status_code == 404


# --- who may -------------------------------------------------------------------------------------------------------


def test_a_viewer_reads_the_year_and_changes_nothing(
    client: FlaskClient, quarterly: MailingList, now: datetime
) -> None:
    laid_out(quarterly, now)
    with time_machine.travel(now, tick=False):
        people.sign_in(client, people.staff(now, "Vera Lunn", Role.VIEWER))
        page = client.get(f"{LIST}/year/2027")

        assert page.status_code == 200
        assert "Move" not in words(page)
        assert "Lay out" not in page.text
        for path in ("rhythm", "year/2028/lay-out", "year/2027/take-back"):
            assert client.post(f"{LIST}/{path}").status_code == 403
        assert client.post("/desk/issues/april-2027/dates", data=DATES).status_code == 403


def test_an_editor_of_another_list_sees_none_of_it(client: FlaskClient, quarterly: MailingList, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        people.sign_in(client, people.staff(now, role=Role.EDITOR, on=people.policy_changes(now)))

        assert client.get(f"{LIST}/year/2027").status_code == 403
        assert client.get(f"{LIST}/rhythm").status_code == 403
