"""Contributors need no account, no cookie and no luck: what they type is kept, whatever the hour."""

import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from newsletter.db import db, transaction
from newsletter.delivery.notices.notice_values import values_of
from newsletter.domain.calls.deadline import reading
from newsletter.domain.calls.partners import proving
from newsletter.domain.calls.texts.items import Item
from newsletter.models import Contribution, Issue, LimitCounter, Media, Notice
from newsletter.rendering.notices import compose
from newsletter.states import ContributionState, IssueState
from newsletter.web.contribute.write_now import WITHOUT_SIGNING_IN
from tests import contributors, people, pictures
from tests.fixtures.documents.make_word import FILE
from tests.rendering.test_notices import FRAME

FIELDS = {
    "d.heading": "Training on neglect",
    "d.body": "Two half days in February.\n\nBook by 20 January.",
    "agency": "Larkmere Council",
    "contact_name": "Cara Bell",
    "contact_address": "cara@council.example.org",
    "contact_phone": "01632 960 117",
    "declared": "y",
}


@pytest.fixture
def december(app: Flask, now: datetime) -> Issue:
    """Its deadline is 5pm, Friday 11 December 2026."""
    return people.issue(now, people.larkmere(now))


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 12, 11, hour, minute, second, tzinfo=UTC)


def opened(client: FlaskClient, when: datetime) -> dict[str, str]:
    """The hidden fields of the form, as it was opened then."""
    with time_machine.travel(when, tick=False):
        page = client.get("/contribute/december-2026").text
    found = re.search(r'name="opened" value="([^"]+)"', page)
    assert found is not None
    return {"opened": found[1]}


def send(client: FlaskClient, when: datetime, fields: dict[str, Any], *, follow: bool = True) -> TestResponse:
    with time_machine.travel(when, tick=False):
        return client.post("/contribute/december-2026", data=fields, follow_redirects=follow)


def test_the_call_says_what_is_asked_and_until_when(december: Issue, client: FlaskClient, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        page = client.get("/contribute/december-2026")

    assert "5pm, Friday 11 December 2026 (UK time)" in page.text
    assert "4 days left." in page.text
    assert page.text.count("<h1") == 1
    assert page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers


def test_on_its_day_the_call_says_what_time_it_is_here(december: Issue, client: FlaskClient) -> None:
    """Whatever a browser's own clock says: ours decides."""
    with time_machine.travel(at(16, 41), tick=False):
        page = client.get("/contribute/december-2026").text
    assert "It is today, and here it is 4:41pm now." in page
    assert f'data-closes-in="{20 * 60}"' in page


def test_news_in_time_is_kept_and_confirmed(december: Issue, client: FlaskClient) -> None:
    page = send(client, at(16, 0), FIELDS | opened(client, at(15, 50)))

    contribution = db.session.scalars(select(Contribution)).one()
    assert page.status_code == 200
    assert "One step left" in page.text
    assert "it counts from now on if you show by 4pm, Saturday 12 December 2026" in page.text
    assert contribution.reference in page.text
    assert "c…@council.example.org" in page.text
    assert "Book by 20 January." in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert contribution.opened_at == at(15, 50)
    assert db.session.scalars(select(Notice.template)).all() == ["contribution_receipt"]


def test_the_code_from_the_mail_makes_it_count_and_signs_in(december: Issue, client: FlaskClient) -> None:
    page = send(client, at(16, 0), FIELDS | opened(client, at(15, 50)))
    notice = db.session.scalars(select(Notice)).one()
    where = re.search(r'action="(/contribute/code/[^"]+)"', page.text)
    assert where is not None
    with time_machine.travel(at(16, 5), tick=False):
        page = client.post(where[1], data={"code": proving.code_of(notice.nonce)}, follow_redirects=True)

    assert "We have your news" in page.text
    assert "go to My contributions" in page.text
    assert reading.undecided(december) == db.session.scalars(select(Contribution)).all()


def test_the_copy_says_until_when_it_may_be_changed_and_where(december: Issue, client: FlaskClient) -> None:
    send(client, at(16, 0), FIELDS | opened(client, at(15, 50)))
    notice = db.session.scalars(select(Notice)).one()
    values = values_of(notice, at(16, 1))
    _subject, words, _html = compose(notice.template, values, FRAME)

    assert "You can edit it until 5pm, Friday 11 December 2026 (UK time)." in words
    assert values["url"] in words
    assert "Book by 20 January." not in words, "whoever reads this mail may have sent nothing"
    with time_machine.travel(at(16, 1), tick=False):
        assert client.get(str(values["url"])).status_code == 200


@pytest.mark.parametrize("item", WITHOUT_SIGNING_IN, ids=lambda item: item.kind)
def test_each_kind_has_a_form_and_says_what_is_missing(december: Issue, client: FlaskClient, item: Item) -> None:
    with time_machine.travel(at(15, 50), tick=False):
        page = client.get(f"/contribute/december-2026?kind={item.kind}")
    wrong = send(client, at(16, 0), {"kind": item.kind} | opened(client, at(15, 50)))

    assert page.text.count("<h1") == 1
    assert f'name="kind" value="{item.kind}"' in page.text
    assert wrong.status_code == 422
    assert db.session.scalar(select(func.count()).select_from(Contribution)) == 0


def test_a_list_grows_without_a_script_and_without_being_sent(december: Issue, client: FlaskClient) -> None:
    rows = {"kind": "key_dates", "d.manual.0.date": "16 January 2027", "d.manual.0.what": "Conference"}
    page = send(client, at(16, 0), rows | {"do": "add:manual"} | opened(client, at(15, 50)))

    assert page.status_code == 200
    assert "Saturday 16 January 2027" in page.text
    assert re.search(r'name="d.manual.1.date"[^>]* autofocus', page.text)
    assert db.session.scalar(select(func.count()).select_from(Contribution)) == 0


def test_dates_alone_have_no_words_to_count(december: Issue, client: FlaskClient, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        pages = {kind: client.get(f"/contribute/december-2026?kind={kind}").text for kind in ("key_dates", "findings")}

    assert "Up to 400 words." not in pages["key_dates"]
    assert "Other dates" not in pages["key_dates"], "other than what, nobody who sends them in can know"
    assert "Up to 400 words." in pages["findings"]


def test_a_word_file_fills_the_form_and_nothing_is_sent(december: Issue, client: FlaskClient) -> None:
    hidden = opened(client, at(15, 50)) | {"do": "document", "agency": "Larkmere Police"}
    with time_machine.travel(at(16, 0), tick=False):
        file = {"document": (io.BytesIO(FILE.read_bytes()), "news.docx")}
        page = client.post("/contribute/december-2026", data={**hidden, **file}, content_type="multipart/form-data")
        none = client.post("/contribute/december-2026", data=hidden | {"d.body": "Mine."})

    assert "We have read news.docx." in page.text
    assert 'value="Larkmere Police"' in page.text
    assert none.status_code == 422
    assert "Choose a file." in none.text
    assert "Mine." in none.text
    assert db.session.scalar(select(func.count()).select_from(Contribution)) == 0


def test_a_picture_comes_along_without_signing_in(december: Issue, client: FlaskClient) -> None:
    hidden = opened(client, at(15, 50))

    def with_picture(**more: str) -> TestResponse:
        drawing = (io.BytesIO(pictures.drawing()), "map.png")
        return send(client, at(16, 0), FIELDS | hidden | {"alt": "A map", "picture": drawing} | more)

    wrong = with_picture(contact_name="")
    assert wrong.status_code == 422
    assert "Choose the picture again." in wrong.text
    assert 'value="A map"' in wrong.text
    assert db.session.scalar(select(func.count(Media.id))) == 0
    page = with_picture().text
    kept = db.session.scalars(select(Contribution)).one()
    name = db.session.scalars(select(Media.name)).one()
    assert kept.pictures == [{"media": name, "alt": "A map"}]
    assert f'src="/media/{name}" alt="A map"' in page


def test_what_is_worth_a_look_is_said_when_it_is_sent(december: Issue, client: FlaskClient) -> None:
    words = FIELDS | {"d.body": "The the room is open on 29 February 2027."}
    page = send(client, at(16, 0), words | opened(client, at(15, 50)))
    assert "Worth a look" in page.text
    assert '<li>A word is repeated. <span class="app-quiet">“The the' in page.text
    assert "There is no 29 February 2027." in page.text


def test_what_the_editor_of_words_posts_is_cleaned(december: Issue, client: FlaskClient) -> None:
    nasty = '<!--xhtml--><p onclick="x()">Two <script>alert(1)</script><strong>days</strong></p>'
    send(client, at(16, 0), FIELDS | {"d.body": nasty} | opened(client, at(15, 50)))

    assert db.session.scalars(select(Contribution)).one().data["body"] == "<p>Two <strong>days</strong></p>"


def test_who_is_signed_in_needs_no_proof_for_their_own_address(
    december: Issue, client: FlaskClient, now: datetime
) -> None:
    hidden = opened(client, at(15, 50))
    contributors.sign_in(client, contributors.contributor(now), at(15, 55))
    own = send(client, at(16, 0), FIELDS | {"contact_address": "Sam@police.example.org."} | hidden)
    other = send(client, at(16, 1), FIELDS | {"d.heading": "For Cara"} | hidden)

    assert "We have your news" in own.text
    assert "One step left" in other.text


def test_a_lost_mail_is_sent_again(december: Issue, client: FlaskClient) -> None:
    kept = send(client, at(16, 0, 1), FIELDS | opened(client, at(16, 0)), follow=False).location
    with time_machine.travel(at(16, 5), tick=False):
        page = client.post(f"{kept}/prove", follow_redirects=True)

    assert "Check your email" in page.text
    assert db.session.scalars(select(Notice.template)).all() == ["prove_address"]


def test_a_day_later_the_page_still_has_a_way_to_prove_it(december: Issue, client: FlaskClient, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        hidden = opened(client, now - timedelta(minutes=10))
    kept = send(client, now, FIELDS | hidden, follow=False).location
    with time_machine.travel(now + timedelta(hours=25), tick=False):
        page = client.get(kept).text
        assert "One step left" in page
        assert "Show it now, and your text counts from then on." in page
        assert f'action="{kept}/prove"' in page
        asked = client.post(f"{kept}/prove", follow_redirects=True).text

    assert "Check your email" in asked


def test_who_opened_the_form_before_the_deadline_has_a_quarter_of_an_hour(december: Issue, client: FlaskClient) -> None:
    page = send(client, at(17, 9), FIELDS | opened(client, at(16, 58)))

    assert "You began before the deadline, so it counts." in page.text
    assert db.session.scalars(select(Contribution.state)).one() is ContributionState.SUBMITTED


def test_what_comes_too_late_is_saved_and_shown(december: Issue, client: FlaskClient) -> None:
    page = send(client, at(17, 40), FIELDS | opened(client, at(16, 50)))

    assert "<h1" in page.text
    assert "Your text is saved" in page.text
    assert "The deadline passed at 5pm, Friday 11 December 2026, and you sent this at 5:40pm" in page.text
    assert "Two half days in February." in page.text
    assert "/more-time" in page.text
    assert db.session.scalars(select(Contribution.late)).one()


def test_a_token_that_was_made_up_proves_nothing(december: Issue, client: FlaskClient) -> None:
    page = send(client, at(17, 5), FIELDS | {"opened": "AAAAAAAA" + "A" * 43})

    assert "Your text is saved" in page.text


def test_a_wrong_form_comes_back_with_every_word_and_its_first_hour(december: Issue, client: FlaskClient) -> None:
    hidden = opened(client, at(16, 55))
    wrong = FIELDS | {"contact_address": "cara at council", "declared": "", "d.heading": " "} | hidden

    page = send(client, at(16, 59), wrong)

    assert page.status_code == 422
    assert "<title>Error: " in page.text
    assert "Tick the box to say that this may be published" in page.text
    assert "Two half days in February." in page.text
    assert hidden["opened"] in page.text
    assert "Give the section a heading." in page.text
    assert "Enter one email address, without spaces" in page.text
    # Mended after the deadline, it still has the hour of the first page.
    page = send(client, at(17, 10), FIELDS | hidden)
    assert "You began before the deadline, so it counts." in page.text


def test_a_text_is_never_cut_off(december: Issue, client: FlaskClient) -> None:
    long = "word " * 4000

    page = send(client, at(16, 0), FIELDS | {"d.body": long} | opened(client, at(15, 0)))

    assert page.status_code == 422
    assert "Use 400 words or fewer: there are 4,000." in page.text
    assert page.text.count("word ") >= 3999


def test_a_double_click_sends_once(december: Issue, client: FlaskClient) -> None:
    fields = FIELDS | opened(client, at(15, 50))
    first = send(client, at(16, 0), fields, follow=False)
    second = send(client, at(16, 0, 1), fields, follow=False)

    assert first.location == second.location
    assert db.session.scalar(select(func.count()).select_from(Contribution)) == 1


def test_what_a_machine_sends_makes_no_mail(december: Issue, client: FlaskClient) -> None:
    quick = send(client, at(16, 0, 1), FIELDS | opened(client, at(16, 0)))
    trapped = send(client, at(16, 5), FIELDS | {"website": "https://spam.example"} | opened(client, at(15, 59)))

    for page in (quick, trapped):
        assert "One step left" in page.text
        assert "Email me a link and a code" in page.text
    assert db.session.scalar(select(func.count()).select_from(Notice)) == 0
    assert db.session.scalar(select(func.count()).select_from(Contribution)) == 2


def test_a_flood_is_refused_and_the_text_comes_back(december: Issue, client: FlaskClient) -> None:
    hidden = opened(client, at(15, 0))
    for number in range(20):
        send(client, at(16, 0), FIELDS | {"d.heading": f"Number {number}"} | hidden, follow=False)

    page = send(client, at(16, 1), FIELDS | hidden)

    assert page.status_code == 429
    assert "Your text is still here" in page.text
    assert "Two half days in February." in page.text
    assert db.session.scalar(select(func.count()).select_from(Contribution)) == 20


def test_looking_changes_nothing(december: Issue, client: FlaskClient) -> None:
    kept = send(client, at(16, 0), FIELDS | opened(client, at(15, 50)), follow=False).location
    before = [db.session.scalar(select(func.count()).select_from(table)) for table in (Contribution, LimitCounter)]
    for path in ("/contribute", "/contribute/december-2026", kept, "/deadlines.ics"):
        assert client.get(path).status_code == 200
        assert client.head(path).status_code == 200
    after = [db.session.scalar(select(func.count()).select_from(table)) for table in (Contribution, LimitCounter)]

    assert before == after


def test_after_the_deadline_the_page_says_so_and_leads_on(december: Issue, client: FlaskClient, now: datetime) -> None:
    people.issue(now + timedelta(days=90), december.mailing_list, "March 2027", "march-2027")

    with time_machine.travel(at(17, 1), tick=False):
        page = client.get("/contribute/december-2026").text

    assert "The deadline has passed" in page
    assert "<form" not in page
    assert "/contribute/march-2027" in page
    assert 'href="/contribute/december-2026/more-time">Ask for more time</a>' in page
    with transaction():
        december.state = IssueState.CANCELLED
        december.cancelled_at = at(17, 2)
    with time_machine.travel(at(17, 3), tick=False):
        assert "Ask for more time" not in client.get("/contribute/december-2026").text


def test_open_calls_are_listed_and_none_is_said(december: Issue, client: FlaskClient, now: datetime) -> None:
    with time_machine.travel(now, tick=False):
        page = client.get("/contribute").text
    assert "Safeguarding news, December 2026" in page
    assert "5pm, Friday 11 December 2026" in page

    with time_machine.travel(at(17, 1), tick=False):
        assert "No issue asks for news at the moment" in client.get("/contribute").text


@pytest.mark.parametrize("slug", ["nothing", "1", "bulletin", "cancelled"])
def test_what_has_no_call_is_not_found(december: Issue, client: FlaskClient, now: datetime, slug: str) -> None:
    people.issue(now, people.policy_changes(now), "Bulletin", "bulletin")
    cancelled = people.issue(now, december.mailing_list, "Cancelled", "cancelled")
    with transaction():
        cancelled.state, cancelled.cancelled_at = IssueState.CANCELLED, now

    assert client.get(f"/contribute/{slug}").status_code == 404


@pytest.mark.parametrize("slug", ["nothing", "1", "bulletin"])
def test_nothing_is_sent_to_what_has_no_call(december: Issue, client: FlaskClient, now: datetime, slug: str) -> None:
    people.issue(now, people.policy_changes(now), "Bulletin", "bulletin")

    assert client.post(f"/contribute/{slug}", data=FIELDS).status_code == 404


def test_who_writes_while_the_issue_is_cancelled_loses_nothing(december: Issue, client: FlaskClient) -> None:
    hidden = opened(client, at(15, 0))
    with transaction():
        december.state, december.cancelled_at = IssueState.CANCELLED, at(15, 30)

    page = send(client, at(16, 0), FIELDS | hidden)

    assert "Your text is saved" in page.text
    assert "December 2026 takes nothing more." in page.text
    assert "Two half days in February." in page.text


def test_nobody_reads_what_others_sent(december: Issue, client: FlaskClient) -> None:
    kept = send(client, at(16, 0), FIELDS | opened(client, at(15, 50)), follow=False).location

    assert client.get(kept[:-1] + ("A" if kept[-1] != "A" else "B")).status_code == 404
    assert client.get("/contribution/1").status_code == 404
