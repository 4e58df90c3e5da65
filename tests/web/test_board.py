"""The board of a call on the editors' desk, more time with one button, and "nothing this time" from a mail."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from html import unescape

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from newsletter.db import db, transaction
from newsletter.domain.calls.reminding import extending, opening
from newsletter.domain.calls.reminding.board import board
from newsletter.domain.calls.reminding.concerned import Standing
from newsletter.domain.issues import creating
from newsletter.models import Account, AgencyAnswer, Contribution, Extension, Issue, MailingList, Notice
from newsletter.states import ExtensionState, Role
from newsletter.tokens import Purpose, Signer
from tests import people
from tests.domain import call_makers as make
from tests.web.public_pages import heading, words

START = datetime(2017, 11, 6, 10, 0, tzinfo=UTC)
FRIDAY = make.deadline(date(2017, 11, 24))
CALL = "/desk/issues/december-2017/call"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as clock:
        yield clock


@pytest.fixture
def ruth(app: Flask, client: FlaskClient) -> Account:
    account = make.partnership(START)[1]
    people.sign_in(client, account)
    return account


@pytest.fixture
def december(ruth: Account) -> Issue:
    return make.call(db.session.query(MailingList).one(), START, FRIDAY)


@pytest.fixture
def opened(december: Issue, ruth: Account) -> Issue:
    with transaction():
        opening.open_the_call(december, actor=ruth, now=START - timedelta(days=4))
    make.forget_mails()
    return december


def said(response: TestResponse) -> str:
    """What the page says has just happened."""
    found = re.findall(r'<div class="app-flash.*?<p>(.*?)</p>', response.text, re.DOTALL)
    return " ".join(unescape(each) for each in found)


def test_the_call_is_opened_with_the_number_on_the_button(client: FlaskClient, december: Issue) -> None:
    board = client.get(CALL)
    assert heading(board) == "News from 0 of 4 agencies"
    assert f'href="{CALL}/open"' in board.text

    page = client.get(f"{CALL}/open")
    assert heading(page) == "Open the call to 4 people"
    assert "Invite 4 people" in page.text
    assert "Tuesday 21 November 2017" in page.text
    assert make.mails() == []

    done = client.post(f"{CALL}/open", follow_redirects=True)
    assert said(done) == "The call is open. 4 people are invited."
    client.post(f"{CALL}/open")
    assert len(make.to("call_invitation")) == 4
    assert "Invited Mon 6 Nov" in done.text


def test_the_board_shows_who_is_where_and_keeps_drafts_private(client: FlaskClient, opened: Issue) -> None:
    make.sent(opened, START, make.person("Cara"))
    make.piece(opened, START, make.person("Nadia"), title="Not for anybody yet")

    page = client.get(CALL)

    assert heading(page) == "News from 1 of 4 agencies"
    assert "Read the new one" in page.text
    assert "1 person is still writing" in words(page)
    assert "Not for anybody yet" not in page.text
    lanes = re.findall(r"<h3>(.*?) <span>(\d+)</span></h3>", page.text)
    assert lanes == [("Sent in", "1"), ("Writing", "1"), ("Nothing this time", "0"), ("Nothing yet", "2")]


def test_one_agency_is_reminded_once_a_day(client: FlaskClient, opened: Issue) -> None:
    key = make.agency_of("Sam").public_id
    assert "Remind now" in client.get(f"{CALL}/with/{key}").text

    assert said(client.post(f"{CALL}/remind/{key}", follow_redirects=True)) == "1 reminder goes to Larkmere Police."
    again = client.post(f"{CALL}/remind/{key}", follow_redirects=True)
    assert said(again).startswith("Larkmere Police was written to today already")
    assert make.to("call_reminder") == ["sam"]
    afterwards = client.get(f"{CALL}/with/{key}").text
    assert "Remind now" not in afterwards
    assert "You can remind them again tomorrow." in afterwards


def test_nothing_this_time_on_their_behalf_and_back(client: FlaskClient, opened: Issue) -> None:
    key = make.agency_of("Helen").public_id
    client.post(f"{CALL}/nothing/{key}")
    assert db.session.query(AgencyAnswer).count() == 1
    assert "They may have something after all" in client.get(f"{CALL}/with/{key}").text
    client.post(f"{CALL}/nothing/{key}", data={"undo": "1"})
    assert db.session.query(AgencyAnswer).count() == 0


def nothing_url(app: Flask, name: str) -> str:
    signer: Signer = app.extensions["newsletter_signer"]
    return f"/contribute/december-2017/nothing/{signer.sign_id(Purpose.AGENCY_NOTHING, make.person(name).public_id)}"


def test_an_agency_says_nothing_this_time_with_one_button(app: Flask, opened: Issue) -> None:
    browser, url = app.test_client(), nothing_url(app, "Helen")
    for _scanner in range(3):
        assert heading(browser.get(url)) == "Nothing this time?"
    browser.head(url)
    assert db.session.query(AgencyAnswer).count() == 0

    for _twice in range(2):
        answered = browser.post(url, follow_redirects=True)
    assert heading(answered) == "Thank you: nothing this time"
    assert "The Harbour School has no news for December 2017" in words(answered)
    assert db.session.query(AgencyAnswer).count() == 1
    back = browser.post(url, data={"undo": "1"}, follow_redirects=True)
    assert heading(back) == "Nothing this time?"
    assert answered.headers["Cache-Control"] == "no-store"
    assert answered.headers["Referrer-Policy"] == "no-referrer"


def test_a_link_of_somebody_who_left_or_of_nobody_does_nothing(app: Flask, opened: Issue) -> None:
    browser, url = app.test_client(), nothing_url(app, "Helen")
    with transaction():
        make.person("Helen").ended_at = START
    assert browser.get(url).status_code == 404
    assert browser.post(url).status_code == 404
    assert browser.post(url[:-8]).status_code == 404
    assert db.session.query(AgencyAnswer).count() == 0


def test_somebody_who_is_signed_in_finds_the_button_beside_the_question(app: Flask, opened: Issue) -> None:
    browser = app.test_client()
    people.sign_in_contributor(browser, make.person("Helen"))
    page = browser.get("/contribute/december-2017")
    assert nothing_url(app, "Helen") in page.text


def test_somebody_without_an_agency_says_it_for_themselves(app: Flask, client: FlaskClient, opened: Issue) -> None:
    lena = make.contributor("Lena Roth", START)
    browser, url = app.test_client(), nothing_url(app, "Lena")
    people.sign_in_contributor(browser, lena)
    assert url in browser.get("/contribute/december-2017").text
    assert "you have no news for December 2017" in words(browser.get(url))
    for _twice in range(2):
        answered = browser.post(url, follow_redirects=True)
    assert "You have no news for December 2017. We will not ask you again" in words(answered)
    assert [row.name for row in board(opened).lane(Standing.NOTHING)] == ["Lena Roth"]
    page = f"{CALL}/with/{lena.public_id}"
    assert "They may have something after all" in client.get(page).text
    client.post(f"{CALL}/nothing/{lena.public_id}", data={"undo": "1"})
    assert board(opened).lane(Standing.NOTHING) == []
    client.post(f"{CALL}/nothing/{lena.public_id}")
    assert [row.name for row in board(opened).lane(Standing.NOTHING)] == ["Lena Roth"]


def test_where_no_agencies_are_used_people_answer_for_themselves(app: Flask, opened: Issue) -> None:
    with transaction():
        opened.mailing_list.uses_agencies = False
    app.test_client().post(nothing_url(app, "Helen"))
    assert db.session.query(AgencyAnswer).count() == 0
    assert [row.name for row in board(opened).lane(Standing.NOTHING)] == ["Helen Price"]


def kept_url(app: Flask, piece: Contribution) -> str:
    signer: Signer = app.extensions["newsletter_signer"]
    return f"/contribution/{signer.sign_id(Purpose.CONTRIBUTION, piece.public_id)}/more-time"


def test_sam_asks_with_the_key_to_his_text_and_ruth_presses_one_button(
    app: Flask, client: FlaskClient, opened: Issue, clock: time_machine.Traveller
) -> None:
    clock.move_to(datetime(2017, 11, 24, 17, 40, tzinfo=UTC))
    people.sign_in(client, db.session.query(Account).one())
    piece = make.piece(opened, START, late=True, title="One number for domestic abuse")
    sam, url = app.test_client(), kept_url(app, piece)

    page = sam.get(url)
    assert heading(page) == "Ask for more time"
    assert "It is ready now" in page.text
    assert "By noon, Monday 27 November 2017" in page.text
    assert "One number for domestic abuse" in page.text
    for _twice in range(2):
        asked = sam.post(url, data={"ready": "soon", "reason": "Our manager is away."}, follow_redirects=True)
    assert heading(asked) == "The editors have been asked"
    assert make.to("more_time_asked") == ["ruth"]
    [extension] = db.session.query(Extension).all()

    answer = f"{CALL}/time/{extension.public_id}"
    question = client.get(answer)
    assert "Our manager is away." in question.text
    assert 'value="Monday 27 November 2017"' in question.text
    done = client.post(answer, data={"deadline_day": "Monday 27 November 2017", "deadline_time": "noon"},
                       follow_redirects=True)  # fmt: skip
    assert said(done) == "They have until noon, Monday 27 November 2017 (UK time), and are told."
    assert heading(sam.get(url)) == "You have until noon, Monday 27 November 2017"
    client.post(f"{answer}/revoke")
    assert [one.state for one in db.session.query(Extension)] == [ExtensionState.REVOKED]


def test_somebody_who_is_signed_in_asks_before_the_deadline_too(app: Flask, opened: Issue) -> None:
    browser, url = app.test_client(), "/contribute/december-2017/more-time"
    assert browser.get(url).headers["Location"].startswith("/contribute/sign-in?next=")
    assert browser.get("/contribute/nowhere/more-time").status_code == 404
    people.sign_in_contributor(browser, make.person("Sam"))
    assert "It is ready now" not in browser.get(url).text
    asked = browser.post(url, data={"ready": "later"}, headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=True)
    assert heading(asked) == "The editors have been asked"
    assert "until noon, Wednesday 29 November 2017" in words(asked)


def test_refused_with_a_word(app: Flask, client: FlaskClient, opened: Issue) -> None:
    with transaction():
        asked = extending.ask(opened, contributor=make.person("Sam"), now=START)
    url = f"{CALL}/time/{asked.public_id}"
    done = client.post(url, data={"do": "refuse", "note": "It is full."}, follow_redirects=True)
    assert said(done) == "Refused. They get a mail that says so."
    assert db.session.query(Notice).filter_by(template="more_time_refused").count() == 1
    assert "You can still give it" in client.get(url).text


@pytest.mark.parametrize(
    ("day", "at", "sentence"),
    [
        ("Thursday 23 November 2017", "5pm", "Everybody has until 5pm, Friday 24 November 2017"),
        ("", "", "Enter a date"),
        ("27 November 2017", "midnight", "“midnight” can mean"),
        ("27 November 2018", "5pm", "The issue goes out at"),
    ],
)
def test_an_end_that_cannot_be_is_said_at_its_field(
    client: FlaskClient, opened: Issue, day: str, at: str, sentence: str
) -> None:
    key = make.agency_of("Sam").public_id
    answered = client.post(f"{CALL}/give/{key}", data={"whom": "agency", "deadline_day": day, "deadline_time": at})
    assert answered.status_code == 422
    assert "<title>Error: " in answered.text
    assert sentence in unescape(answered.text)
    assert db.session.query(Extension).count() == 0


def test_more_time_unasked_for_an_agency_one_of_its_people_or_one_text(client: FlaskClient, opened: Issue) -> None:
    until = {"deadline_day": "Monday 27 November 2017", "deadline_time": "noon"}
    police, sam = make.agency_of("Sam"), make.person("Sam")
    client.post(f"{CALL}/give/{police.public_id}", data={"whom": "agency", **until})
    client.post(f"{CALL}/give/{police.public_id}", data={"whom": str(sam.public_id), **until})
    piece = make.sent(opened, START, make.person("Cara"))
    client.post(f"/desk/contributions/{piece.reference}/more-time", data=until)
    given = [(one.agency_id, one.contributor_id, one.contribution_id) for one in db.session.query(Extension).all()]
    assert given == [(police.id, None, None), (None, sam.id, None), (None, None, piece.id)]


def test_a_viewer_sees_the_board_and_can_do_nothing(app: Flask, opened: Issue) -> None:
    browser = app.test_client()
    people.sign_in(browser, people.staff(START, "Vera Holt", Role.VIEWER))
    page = browser.get(CALL)
    key = make.agency_of("Sam").public_id
    assert page.status_code == 200
    assert "<form" not in page.text.partition("<main")[2].partition("</main>")[0]
    assert browser.get(f"{CALL}/with/{key}").status_code == 200
    for path in (f"{CALL}/open", f"{CALL}/remind/{key}", f"{CALL}/nothing/{key}", f"{CALL}/give/{key}"):
        assert browser.post(path).status_code == 403, path


def test_an_empty_board_says_what_to_do_and_an_issue_without_a_call_has_none(client: FlaskClient, app: Flask) -> None:
    mailing_list = people.larkmere(START)
    people.sign_in(client, people.staff(START))
    make.call(mailing_list, START, FRIDAY)
    page = client.get(CALL)
    assert "Nobody is invited to send news yet" in page.text
    assert 'href="/desk/agencies"' in page.text
    people.issue(START, people.policy_changes(START), "No call", "no-call")
    assert client.get("/desk/issues/no-call/call").status_code == 404


def test_the_issue_and_the_quarter_lead_to_it(client: FlaskClient, december: Issue) -> None:
    assert f'href="{CALL}"' in client.get("/desk/issues/december-2017").text
    quarter = client.get("/desk").text
    assert f'href="{CALL}"' in quarter
    assert "Open the call to 4 people" in quarter


def test_an_earlier_deadline_is_confirmed_on_the_page(client: FlaskClient, ruth: Account) -> None:
    with transaction():
        opened = creating.create_issue(
            db.session.query(MailingList).one(), title="December 2017", deadline=FRIDAY, actor=ruth, now=START
        )
    with transaction():
        opening.open_the_call(opened, actor=ruth, now=START)
    people.sign_in(client, people.staff(START, "Ewan Marsh", Role.APPROVER))
    form = {
        "title": "December 2017", "subject": "December", "planned_day": "8 December 2017", "planned_time": "5pm",
        "deadline_day": "20 November 2017", "deadline_time": "5pm",
    }  # fmt: skip
    refused = client.post("/desk/issues/december-2017/frame", data=form)
    assert refused.status_code == 422
    assert "4 people were told 24 November 2017" in refused.text
    assert 'name="confirmation"' in refused.text
    client.post(
        "/desk/issues/december-2017/frame", data={**form, "confirmation": "4 people were told 24 November 2017"}
    )
    assert opened.deadline == make.deadline(date(2017, 11, 20))
    later = {**form, "deadline_day": "2 December 2017", "deadline_time": "11:59pm"}
    warned = client.post("/desk/issues/december-2017/frame", data=later, follow_redirects=True)
    assert "The deadline is on a Saturday: 11:59pm, Saturday 2 December 2017" in unescape(warned.text)
    assert opened.deadline == make.deadline(date(2017, 12, 2), time(23, 59))
