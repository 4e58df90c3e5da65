"""A call for views on the web: anybody answers, nobody is recognised; editors read, download, close, delete."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from newsletter.db import db, transaction
from newsletter.delivery.launch import launch
from newsletter.domain.calls.asking_views import views, views_reading
from newsletter.domain.issues import editing, publishing
from newsletter.domain.issues.content import issue_content
from newsletter.domain.subscribers import forgetting
from newsletter.models import Activity, LimitCounter, ViewsPage
from newsletter.rendering.issue import render
from newsletter.states import Role
from newsletter.web.archive.closings import with_closings
from tests import people
from tests.domain.test_calls_views import ASKED, CLOSING, TOO_LATE, answers, asked, out, say
from tests.web import desk
from tests.web.public_pages import words


@pytest.fixture
def page(app: Flask, now: datetime) -> ViewsPage:
    return out(now, people.staff(now))


def get(client: FlaskClient, path: str, when: datetime) -> TestResponse:
    with time_machine.travel(when, tick=False):
        return client.get(path)


def post(client: FlaskClient, path: str, when: datetime, data: dict[str, str] | None = None) -> TestResponse:
    with time_machine.travel(when, tick=False):
        return client.post(path, data=data or {})


def address(page: ViewsPage) -> str:
    return f"/views/{page.public_id}"


def opened(client: FlaskClient, page: ViewsPage, when: datetime) -> str:
    """The hidden field of the form, as it was opened then."""
    found = re.search(r'name="opened" value="([^"]+)"', get(client, address(page), when).text)
    assert found
    return found[1]


def test_anybody_reads_the_question_and_until_when_it_is_asked(
    client: FlaskClient, page: ViewsPage, now: datetime
) -> None:
    shown = get(client, address(page), now)
    assert shown.status_code == 200
    assert "What should the new guide cover?" in words(shown)
    assert "It closes at 5pm, Friday 22 January 2027 (UK time)" in words(shown)
    assert "<strong>neglect</strong>" in shown.text
    assert shown.text.count("<h1") == 1
    assert shown.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in shown.headers


def test_who_gives_no_name_is_not_recognised_by_anything(client: FlaskClient, page: ViewsPage, now: datetime) -> None:
    token = opened(client, page, now)
    sent = post(client, address(page), now, {"opened": token, "body": "More on school holidays."})

    assert (sent.status_code, sent.location) == (303, f"{address(page)}/thanks")
    assert "Set-Cookie" not in sent.headers
    thanks = get(client, sent.location, now)
    assert "Thank you for your answer" in words(thanks)
    assert "Set-Cookie" not in thanks.headers
    assert [each.body for each in answers(page)] == ["More on school holidays."]
    counted = db.session.scalars(select(LimitCounter.key)).all()
    assert sorted(counted) == ["views everywhere:", f"views page:{page.id}"], "no network is counted"


def test_a_double_click_is_one_answer(client: FlaskClient, page: ViewsPage, now: datetime) -> None:
    data = {"opened": opened(client, page, now), "body": "More on school holidays."}
    assert [post(client, address(page), now, data).status_code for _click in range(2)] == [303, 303]
    assert len(answers(page)) == 1


def test_an_empty_answer_comes_back_with_what_was_typed(client: FlaskClient, page: ViewsPage, now: datetime) -> None:
    data = {"opened": opened(client, page, now), "body": " ", "name": "Nadia Rahman", "address": "nadia@"}
    wrong = post(client, address(page), now, data)

    assert wrong.status_code == 422
    assert "<title>Error: " in wrong.text
    assert words(wrong).count("Write your answer") == 2, "in the summary and at the field"
    assert 'value="Nadia Rahman"' in wrong.text
    assert f'value="{data["opened"]}"' in wrong.text, "the form is still the one that was opened then"
    assert answers(page) == []


def test_what_comes_too_late_is_shown_to_be_copied(client: FlaskClient, page: ViewsPage) -> None:
    token = opened(client, page, CLOSING - timedelta(minutes=1))
    in_grace = post(client, address(page), TOO_LATE + timedelta(minutes=5), {"opened": token, "body": "In time."})
    late = post(client, address(page), TOO_LATE + timedelta(minutes=20), {"opened": token, "body": "Long <b>words</b>"})

    assert in_grace.status_code == 303
    assert late.status_code == 409
    assert "This call for views has closed" in words(late)
    assert "Long &lt;b&gt;words&lt;/b&gt;" in late.text
    closed = get(client, address(page), TOO_LATE)
    assert "closed at 5pm, Friday 22 January 2027 (UK time)" in words(closed)
    assert "<form" not in closed.text


def test_a_form_whose_token_proves_nothing_counts_from_its_arrival(
    client: FlaskClient, page: ViewsPage, now: datetime
) -> None:
    for token in ("", "x" * 80, "\0"):
        assert post(client, address(page), now, {"opened": token, "body": f"By {token!r}"}).status_code == 303
    assert post(client, address(page), TOO_LATE, {"opened": "", "body": "Too late."}).status_code == 409
    assert len(answers(page)) == 3


def test_a_machine_that_fills_in_everything_is_thanked_and_forgotten(
    client: FlaskClient, page: ViewsPage, now: datetime
) -> None:
    data = {"opened": opened(client, page, now), "body": "Buy now", "website": "https://evil.example.org"}
    assert post(client, address(page), now, data).status_code == 303
    assert answers(page) == []


def test_a_flood_is_stopped_and_nobody_loses_a_word(
    client: FlaskClient, page: ViewsPage, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.web.contribute.views_page.MOST_IN_TEN_MINUTES", 1)
    post(client, address(page), now, {"body": "First"})
    stopped = post(client, address(page), now, {"body": "Second, with every word"})
    assert stopped.status_code == 429
    assert "Second, with every word" in stopped.text
    assert [each.body for each in answers(page)] == ["First"]


def test_a_draft_has_no_page_but_for_those_who_write_it(client: FlaskClient, app: Flask, now: datetime) -> None:
    ruth = people.staff(now)
    issue = asked(now, ruth)
    (block,) = [each for each in issue.blocks if each.kind == "ask_views"]
    path = f"/views/{block.id}"

    assert get(client, path, now).status_code == 404
    assert post(client, path, now, {"body": "Too early"}).status_code == 404
    assert get(client, f"{path}/thanks", now).status_code == 404
    ruths_own = app.test_client()
    with time_machine.travel(now, tick=False):
        people.sign_in(ruths_own, ruth)
        preview = ruths_own.get(path)
    assert "This is a preview." in words(preview)
    assert "Send my answer" not in preview.text
    assert get(client, f"/views/{uuid.uuid4()}", now).status_code == 404
    assert get(client, "/views/1", now).status_code == 404


def test_the_published_article_says_on_time_that_it_is_closed(app: Flask, now: datetime) -> None:
    ewan = people.staff(now, "Ewan Marsh")
    issue = asked(now, ewan)
    web = render(issue_content(issue)).web
    with transaction():
        publishing.publish(issue, now)
    (page,) = views_reading.pages_in(issue)

    assert with_closings(web, issue, CLOSING + timedelta(seconds=59)) == web
    closed = with_closings(web, issue, TOO_LATE)
    assert "Closed <strong><time" in closed
    assert address(page) in web
    assert address(page) not in closed, "the button goes"
    with transaction():
        views.close_early(page, actor=ewan, now=now)
    assert "This has closed." in with_closings(web, issue, now)


# --- editors ----------------------------------------------------------------------------------------------------


@pytest.fixture
def ruths(client: FlaskClient, page: ViewsPage, now: datetime) -> FlaskClient:
    """Ruth's browser, signed in; two people have answered."""
    say(page, now)
    say(page, now, form="two", body="=1+1", name="Nadia Rahman", address="nadia@health.example.org")
    with time_machine.travel(now, tick=False):
        people.sign_in(client, people.staff(now, "Ewan Marsh"))
    return client


def test_editors_read_the_answers(ruths: FlaskClient, page: ViewsPage, now: datetime) -> None:
    listed = get(ruths, "/desk/views", now)
    assert "What should the new guide cover?" in words(listed)
    assert "2 answers." in words(listed)
    shown = words(get(ruths, f"/desk{address(page)}", now))
    assert "More on school holidays. No name given" in shown
    assert "=1+1 Nadia Rahman. nadia@health.example.org" in shown


def test_nothing_asked_yet_says_what_to_do(client: FlaskClient, app: Flask, now: datetime) -> None:
    people.larkmere(now)
    with time_machine.travel(now, tick=False):
        people.sign_in(client, people.staff(now))
    assert "No question has gone out yet" in words(get(client, "/desk/views", now))


def test_the_spreadsheet_is_safe_to_open_and_its_taking_is_on_record(
    ruths: FlaskClient, page: ViewsPage, now: datetime
) -> None:
    sheet = post(ruths, f"/desk{address(page)}/answers.csv", now)
    assert sheet.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert sheet.data.startswith(b"\xef\xbb\xbf")
    assert '"\'=1+1","Nadia Rahman"' in sheet.text
    assert db.session.scalars(select(Activity).where(Activity.action == "views.exported")).one().detail == {"number": 2}


def test_editors_close_open_and_delete(ruths: FlaskClient, page: ViewsPage, now: datetime) -> None:
    room = f"/desk{address(page)}"
    assert get(ruths, f"{room}/delete", now).status_code == 303, "it is open: nothing to delete yet"
    assert "close it first" in words(_followed(ruths, f"{room}/delete", now))

    assert "It is closed." in words(_followed(ruths, f"{room}/close", now))
    assert "This call for views has closed" in words(get(ruths, address(page), now + timedelta(minutes=1)))
    assert "It takes answers again." in words(_followed(ruths, f"{room}/reopen", now))
    assert "only until its own closing time" in words(_followed(ruths, f"{room}/reopen", now))

    assert "Delete 2 answers?" in words(get(ruths, f"{room}/delete", _signed_in_at(ruths, TOO_LATE)))
    assert "2 answers are deleted." in words(_followed(ruths, f"{room}/delete", TOO_LATE + timedelta(minutes=20)))
    assert answers(page) == []


def _followed(client: FlaskClient, path: str, when: datetime) -> TestResponse:
    with time_machine.travel(when, tick=False):
        return client.post(path, follow_redirects=True)


def _signed_in_at(client: FlaskClient, when: datetime) -> datetime:
    """The session has ended long since; they sign in again."""
    with time_machine.travel(when, tick=False):
        people.sign_in(client, people.staff(when, "Asha Patel", Role.EDITOR))
    return when


@pytest.mark.parametrize("what", ["", "/answers.csv", "/close", "/reopen", "/delete"])
def test_viewers_and_strangers_learn_nothing(
    client: FlaskClient, app: Flask, page: ViewsPage, now: datetime, what: str
) -> None:
    path = f"/desk{address(page)}{what}"
    ask = get if not what else post
    with time_machine.travel(now, tick=False):
        people.sign_in(client, people.staff(now, "Vera Viewer", Role.VIEWER))
    assert ask(client, path, now).status_code == 403
    assert ask(app.test_client(), path, now).status_code in (302, 400)
    assert page.closed_early_at is None


def test_who_is_erased_is_erased_here_too(page: ViewsPage, now: datetime) -> None:
    say(page, now, name="Nadia Rahman", organisation="Health", address="Nadia@health.example.org")
    with transaction():
        forgetting.erase_address("nadia@health.example.org", route="test", now=now)
    (kept,) = answers(page)
    assert (kept.body, kept.name, kept.organisation, kept.address) == ("More on school holidays.", "", "", "")


def test_a_named_page_counts_networks(client: FlaskClient, now: datetime) -> None:
    page = out(now, people.staff(now), named=True)
    sent = {"body": "Yes", "name": "Nadia Rahman", "address": "nadia@health.example.org"}
    assert post(client, address(page), datetime(2026, 12, 8, tzinfo=UTC), sent).status_code == 303
    counted = db.session.scalars(select(LimitCounter.key)).all()
    assert any(key.startswith("views network:") for key in counted)


def test_an_issue_that_goes_out_opens_its_question_and_its_page_closes_it_on_time(
    client: FlaskClient, app: Flask, now: datetime
) -> None:
    mailing_list, ruth = people.larkmere(now), people.staff(now)
    people.subscribers(now, mailing_list, 1)
    with time_machine.travel(now, tick=False):
        issue = desk.january(now, mailing_list, ruth)
        closes = "2027-02-26T17:00"
        with transaction():
            editing.add_block(issue, "ask_views", {**ASKED, "closes": closes}, position=2, actor=ruth, now=now)
        desk.approve(issue, people.staff(now, "Ewan Marsh", Role.APPROVER), now)
        desk.schedule(issue, ruth, now, now + timedelta(hours=1))
    out_at = now + timedelta(hours=1)
    with time_machine.travel(out_at, tick=False):
        assert launch(issue.id, out_at)
    (page,) = views_reading.pages_in(issue)

    closing = datetime(2027, 2, 26, 17, 0, tzinfo=UTC)
    article = get(client, "/news/january-2027", closing + timedelta(seconds=59))
    assert f"https://news.example.org{address(page)}" in article.text
    assert get(client, address(page), closing + timedelta(seconds=59)).text.count("<form") == 1
    over = get(client, "/news/january-2027", closing + timedelta(seconds=60))
    assert "Closed 5pm, Friday 26 February 2027" in words(over)
    assert address(page) not in over.text
    assert "<form" not in get(client, address(page), closing + timedelta(seconds=60)).text
