"""Signed in, people write on pages of one question each: saved as they go, checked, sent, changed, taken back."""

import html
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from newsletter.db import db, transaction
from newsletter.deadlines import Deadline
from newsletter.domain.calls.deadline import reading
from newsletter.domain.calls.decisions import confirming, triage
from newsletter.domain.calls.reminding import extending
from newsletter.domain.calls.texts import revisions
from newsletter.models import Contribution, Contributor, Issue, Media, Notice
from newsletter.states import ContributionState, IssueState
from tests import contributors, people, pictures
from tests.delivery.sending.makers import rendition
from tests.fixtures.documents.make_word import packed, parts

NEWS = {"d.heading": "Training on neglect", "d.body": "Two half days in February.\n\nBook by 20 January."}
FINDINGS = {
    "d.heading": "Three findings",
    **{f"d.items.{n}.subheading": f"Finding {n}" for n in range(3)},
    **{f"d.items.{n}.text": f"What we saw, {n}." for n in range(3)},
}


def at(hour: int, minute: int, second: int = 0) -> datetime:
    """A moment of the day on which the call closes, at 5pm."""
    return datetime(2026, 12, 11, hour, minute, second, tzinfo=UTC)


@pytest.fixture
def december(app: Flask, now: datetime) -> Issue:
    """Its deadline is 5pm, Friday 11 December 2026."""
    return people.issue(now, people.larkmere(now))


@pytest.fixture
def sam(december: Issue, now: datetime) -> Contributor:
    return contributors.contributor(now)


class Writer:
    """A signed-in browser whose clock on the wall is ours; it is sent on to wherever a page leads."""

    def __init__(self, client: FlaskClient, now: datetime) -> None:
        self.client, self.now = client, now
        self.address = ""

    def get(self, address: str = "") -> str:
        with time_machine.travel(self.now, tick=False):
            page = self.client.get(address or self.address, follow_redirects=True)
        self.address = page.request.path
        return page.text

    def post(self, address: str = "", *, expected: int | None = None, **fields: object) -> TestResponse:
        """Post to a page as it stands: its own hidden fields go along."""
        hidden = {} if expected is None else {"expected": str(expected)}
        with time_machine.travel(self.now, tick=False):
            page = self.client.post(
                address or self.address, data={**hidden, **fields}, follow_redirects=True,
                content_type="multipart/form-data",
            )  # fmt: skip
        if page.status_code == 200:
            self.address = page.request.path
        return page

    def begin(self, kind: str = "section") -> Contribution:
        page = self.get("/contribute/december-2026")
        opened = re.search(r'name="opened" value="([^"]+)"', page)
        assert opened
        self.post("/contribute/december-2026/begin", kind=kind, opened=opened[1])
        return newest()

    def write(self, contribution: Contribution, fields: dict[str, str] = NEWS, **more: object) -> TestResponse:
        return self.post(
            f"/contribute/mine/{contribution.public_id}/words",
            expected=contribution.revision,
            **fields,
            do="go",
            **more,
        )

    def send(self, contribution: Contribution) -> TestResponse:
        return self.post(
            f"/contribute/mine/{contribution.public_id}/send", expected=contribution.revision, declared="y"
        )

    def at(self, moment: datetime) -> "Writer":
        self.now = moment
        return self


@pytest.fixture
def writer(client: FlaskClient, sam: Contributor, now: datetime) -> Writer:
    contributors.sign_in(client, sam, at(9, 0))
    return Writer(client, at(9, 30))


def newest() -> Contribution:
    db.session.expire_all()
    return db.session.scalars(select(Contribution).order_by(Contribution.id.desc()).limit(1)).one()


def test_from_the_first_page_to_the_reference(writer: Writer, december: Issue) -> None:
    page = writer.get("/contribute/december-2026")
    assert "What do you have for December 2026?" in page
    writing = writer.begin()
    assert writer.address.endswith("/words")
    answers = writer.write(writing)
    assert "Check your answers" in answers.text
    assert "Book by 20 January." in answers.text
    assert "Larkmere Police" in answers.text

    done = writer.send(newest())
    sent = newest()
    assert "Sent to the editors" in done.text
    assert sent.reference in done.text
    assert "You can edit it until 5pm, Friday 11 December 2026." in done.text
    assert reading.undecided(december) == [sent]
    assert db.session.scalars(select(Notice.template)).all() == ["contribution_receipt"]
    again = writer.send(sent)
    assert sent.reference in again.text
    assert db.session.scalar(select(func.count()).select_from(Notice)) == 1


def test_an_unfinished_page_is_saved_and_says_what_is_missing(writer: Writer) -> None:
    page = writer.write(writer.begin(), {"d.heading": "", "d.body": "Half a sen"})

    assert page.status_code == 422
    assert "<title>Error: " in page.text
    assert "Give the section a heading." in page.text
    assert newest().body == "Half a sen"


def test_finish_later_is_no_error_and_leads_to_the_list(writer: Writer) -> None:
    writing = writer.begin()
    page = writer.post(expected=1, **{"d.heading": "", "d.body": "Half a sen", "do": "later"})

    assert page.status_code == 200
    assert "Waiting for you" in page.text
    assert str(writing.public_id) in page.text


def test_the_promise_is_asked_for_and_the_text_stays(writer: Writer) -> None:
    writing = writer.begin()
    writer.write(writing)
    page = writer.post(f"/contribute/mine/{writing.public_id}/send", expected=newest().revision)

    assert page.status_code == 422
    assert "Tick the box to say that this may be published" in page.text
    assert newest().state is ContributionState.DRAFT


def test_ten_thousand_words_are_kept_and_refused_in_a_sentence(writer: Writer) -> None:
    page = writer.write(writer.begin(), {"d.heading": "Long", "d.body": "word " * 10_000})

    assert page.status_code == 422
    assert "Use 400 words or fewer: there are 10,000." in page.text
    assert newest().body.count("word") == 10_000
    assert writer.send(newest()).status_code == 422


def test_saving_while_typing_answers_for_the_script(writer: Writer, sam: Contributor) -> None:
    writing = writer.begin()
    with time_machine.travel(writer.now, tick=False):
        address = f"/contribute/mine/{writing.public_id}/words"
        saved = writer.client.post(address, data={**NEWS, "expected": "1"}, headers={"X-Autosave": "1"})
        clash = writer.client.post(address, data={"d.heading": "x", "expected": "1"}, headers={"X-Autosave": "1"})
        writer.client.delete_cookie("__Host-contributor", domain="localhost")
        writer.client.delete_cookie("__Host-contributor", domain="news.example.org")
        nobody = writer.client.post(address, data={**NEWS, "expected": "2"}, headers={"X-Autosave": "1"})

    assert (saved.status_code, saved.json and saved.json["expected"], saved.json and saved.json["at"]) == (
        200, 2, "Saved at 9:30am",
    )  # fmt: skip
    assert clash.status_code == 409
    assert nobody.status_code == 401
    assert newest().title == "Training on neglect"


def test_two_windows_lose_nothing(writer: Writer) -> None:
    writing = writer.begin()
    writer.write(writing, {"d.heading": "Window one", "d.body": "First words."})
    other = writer.post(
        f"/contribute/mine/{writing.public_id}/words",
        expected=1,
        **{"d.heading": "Window two", "d.body": "Second words."},
    )

    assert other.status_code == 409
    assert "First words." in other.text
    assert "Second words." in other.text
    hidden = dict(re.findall(r'<input type="hidden" name="(d\.[a-z]+|expected)" value="([^"]*)"', other.text))
    for _click in range(2):
        both = writer.post(f"/contribute/mine/{writing.public_id}/words", **hidden, do="both")
    assert "Both are kept, as two drafts." in both.text
    assert "Second words." in both.text
    drafts = db.session.scalars(select(Contribution).order_by(Contribution.id)).all()
    assert [(one.title, one.opened_at) for one in drafts] == [
        ("Window one", writing.opened_at), ("Window two", writing.opened_at)
    ]  # fmt: skip
    writer.post(f"/contribute/mine/{writing.public_id}/words", **hidden, do="go")
    assert [each.title for each in revisions.of(writing)] == ["News", "Window one", "Window two"]


def test_whose_time_to_be_signed_in_is_over_loses_no_word(writer: Writer, sam: Contributor) -> None:
    writing = writer.begin()
    writer.at(at(9, 0) + timedelta(hours=20))
    typed = {**NEWS, "d.body": "<!--xhtml--><p>Two half days.</p>", "do": "add:items", "expected": "1"}
    words = f"/contribute/mine/{writing.public_id}/words"

    page = writer.post(words, **typed)

    assert (page.status_code, newest().revision) == (401, 1)
    assert "Training on neglect" in page.text
    assert "<p>Two half days.</p>" in page.text
    again = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text))
    again = {name: html.unescape(value) for name, value in again.items()}
    assert again == {**typed, "do": "later"}
    assert writer.post(words, **again).status_code == 401
    contributors.sign_in(writer.client, sam, writer.now)
    assert writer.post(words, **again).status_code == 200
    assert newest().data["body"] == "<p>Two half days.</p>"


def test_reasons_come_back_too_and_nothing_that_another_site_has_written(writer: Writer) -> None:
    writing = writer.begin()
    writer.write(writing)
    writer.at(at(9, 0) + timedelta(hours=20))
    asking = writer.post("/contribute/december-2026/more-time", reason="Our manager is away.")
    assert (asking.status_code, "Our manager is away." in asking.text) == (401, True)
    assert 'action="/contribute/december-2026/more-time"' in asking.text
    withdrawing = writer.post(f"/contribute/mine/{writing.public_id}/withdraw", words="")
    assert withdrawing.request.path == "/contribute/sign-in"

    del writer.client.environ_base["HTTP_SEC_FETCH_SITE"]
    foreign = writer.post(f"/contribute/mine/{writing.public_id}/words", **{"d.heading": "Buy this"})
    assert foreign.request.path == "/contribute/sign-in"
    assert "Buy this" not in foreign.text


def test_the_back_button_and_the_same_page_again_change_nothing(writer: Writer) -> None:
    writing = writer.begin()
    writer.write(writing)
    page = writer.write(writing)

    assert "Check your answers" in page.text
    assert newest().revision == 2


def test_after_the_deadline_it_is_kept_and_there_is_a_way_to_ask_for_more_time(writer: Writer, december: Issue) -> None:
    writing = writer.begin()
    writer.write(writing)
    page = writer.at(at(17, 30)).get(f"/contribute/mine/{writing.public_id}/check")
    assert "The deadline has passed." in page
    done = writer.send(newest())

    assert "Your text is saved" in done.text
    assert "Ask for more time" in done.text
    assert "Two half days in February." in done.text
    assert reading.late(december) == [newest()]


def test_more_time_is_asked_for_given_and_used(writer: Writer, december: Issue, sam: Contributor) -> None:
    writing = writer.begin()
    writer.write(writing)
    writer.at(at(17, 30)).send(newest())
    page = writer.get(f"/contribute/mine/{writing.public_id}")
    asking = re.search(r'href="(/contribution/[^"]+/more-time)"', page)
    assert asking
    assert "Ask for more time" in writer.get(asking[1])
    with transaction():
        until = Deadline.of(date(2026, 12, 14), time(12), "Europe/London")
        extending.give(december, until, contributor=sam, actor=None, now=at(18, 0))
    page = writer.at(at(18, 5)).get("/contribute/mine")
    assert "You have more time" in page
    done = writer.send(newest())

    assert "Sent to the editors" in done.text
    assert f"You can edit it until {until.words}." in done.text
    assert "You had more time" not in done.text
    writer.at(datetime(2026, 12, 14, 12, 30, tzinfo=UTC))
    contributors.sign_in(writer.client, sam, writer.now)
    over = writer.get("/contribute/mine")
    assert f"You had more time until {until.words}." in over
    assert reading.undecided(december) == [newest()]


def test_a_draft_names_the_end_of_the_time_that_its_writer_has(
    writer: Writer, december: Issue, sam: Contributor
) -> None:
    writer.write(writer.begin())
    assert december.deadline is not None
    assert f"Send it by {december.deadline.words}." in writer.get("/contribute/mine")
    with transaction():
        until = Deadline.of(date(2026, 12, 14), time(12), "Europe/London")
        extending.give(december, until, contributor=sam, actor=None, now=at(16, 0))

    assert f"Send it by {until.words}." in writer.get("/contribute/mine")
    assert f"Send it by {until.words}." in writer.at(at(18, 0)).get("/contribute/mine")


def test_whoever_writes_hears_how_long_there_is(writer: Writer, december: Issue, sam: Contributor) -> None:
    """By the end that is theirs, and nothing once it is over."""
    writing = writer.begin()
    page = f"/contribute/mine/{writing.public_id}/words"
    assert f'data-closes-in="{60 * 60}"' in writer.at(at(16, 1)).get(page)
    answers = writer.write(writing).text
    assert f'data-closes-in="{60 * 60}"' in answers
    with transaction():
        until = Deadline.of(date(2026, 12, 11), time(20), "Europe/London")
        extending.give(december, until, contributor=sam, actor=None, now=at(16, 2))
    assert f'data-closes-in="{4 * 60 * 60}"' in writer.get(page)
    assert "data-closes-in" not in writer.at(at(20, 5)).get(page)


def test_who_began_in_time_has_a_quarter_of_an_hour(writer: Writer, december: Issue) -> None:
    writing = writer.at(at(16, 58)).begin()
    writer.at(at(17, 5)).write(writing)
    writer.at(at(17, 14)).send(newest())

    assert newest().in_grace
    assert reading.undecided(december) == [newest()]


def test_what_was_sent_is_changed_until_the_deadline_and_not_after(writer: Writer) -> None:
    writing = writer.begin()
    writer.write(writing)
    writer.send(newest())
    page = writer.at(at(16, 59)).write(newest(), {"d.heading": "A better heading", "d.body": "New words."})
    assert page.status_code == 200
    assert newest().title == "A better heading"
    late = writer.at(at(17, 30)).write(newest(), {"d.heading": "Too late", "d.body": "New words."})

    assert late.status_code == 422
    assert "The time to change it is over." in late.text
    assert newest().title == "A better heading"
    assert "Change it" not in writer.get(f"/contribute/mine/{writing.public_id}")


def test_points_of_a_list_move_and_the_page_opens_where_one_was(writer: Writer) -> None:
    writing = writer.begin("findings")
    page = writer.post(f"/contribute/mine/{writing.public_id}/words", expected=1, **FINDINGS, do="down:items.0")
    assert [each["subheading"] for each in newest().data["items"]] == ["Finding 1", "Finding 0", "Finding 2"]
    assert re.search(r'value="down:items.1" autofocus', page.text)
    rows = {**FINDINGS, "d.items.0.subheading": "Finding 1", "d.items.1.subheading": "Finding 0"}
    page = writer.post(expected=newest().revision, **rows, do="down:items.1")
    assert re.search(r'value="up:items.2" autofocus', page.text)
    page = writer.post(expected=newest().revision, **FINDINGS, do="add:items")

    assert re.search(r'name="d.items.3.subheading"[^>]* autofocus', page.text)


def test_an_event_asks_on_two_pages_and_reads_dates_as_people_write_them(writer: Writer) -> None:
    writing = writer.begin("event")
    fields = {"d.title": "Neglect", "d.start": "9.30am, 9 February 2027", "d.end": "12.30pm, 9 February 2027"}
    page = writer.write(writing, {**fields, "d.place": "Online"})
    assert "Cost and booking" in page.text
    answers = writer.post(expected=newest().revision, **{"d.cost": "Free", "do": "go"})

    assert "9:30am, Tuesday 9 February 2027" in answers.text
    assert newest().data["place"] == "Online"


def test_it_is_something_else_after_all(writer: Writer) -> None:
    writing = writer.begin()
    writer.write(writing)
    writer.post(f"/contribute/mine/{writing.public_id}/kind", kind="policy_update", expected=newest().revision)

    assert newest().kind == "policy_update"
    assert newest().data["heading"] == "Training on neglect"
    assert "Two half days" in newest().data["what"]


def test_who_is_not_known_well_is_asked_once(client: FlaskClient, december: Issue, now: datetime) -> None:
    nadia = contributors.contributor(now, "", "nadia@health.example.org", agency="")
    contributors.sign_in(client, nadia, at(9, 0))
    writer = Writer(client, at(9, 30))
    page = writer.write(writer.begin())
    assert "Who it is from" in page.text
    hurried = writer.send(newest())
    assert hurried.status_code == 422
    assert 'href="#row-from"' in hurried.text
    writer.get(f"/contribute/mine/{newest().public_id}/from")
    assert writer.post(agency="", contact_name="").status_code == 422
    answers = writer.post(agency="Larkmere Health", contact_name="Nadia Rahman", contact_phone="01632 960 120")

    assert "Check your answers" in answers.text
    db.session.expire_all()
    assert (nadia.name, nadia.phone) == ("Nadia Rahman", "01632 960 120")


def test_advice_stops_nobody(writer: Writer) -> None:
    page = writer.write(writer.begin(), {"d.heading": "Dates", "d.body": "It is is on [here](https://a.example.org)."})

    assert "Worth a look" in page.text
    assert writer.send(newest()).status_code == 200


# --- pictures and files ------------------------------------------------------------------------------------------


def picture_page(writer: Writer, name: str, body: bytes, **fields: str) -> TestResponse:
    writing = writer.begin("image_text")
    writer.write(writing, {"d.heading": "Our poster", "d.text": "Please hang it up."})
    return writer.post(
        expected=newest().revision, do="go", picture=(io.BytesIO(body), name), **{"d.media": ""}, **fields
    )


def test_a_picture_is_remade_and_described(writer: Writer) -> None:
    page = picture_page(
        writer, "poster.jpg", pictures.from_a_phone(600, 400), **{"d.alt": "A poster in three languages"}
    )

    assert "Check your answers" in page.text
    media = db.session.scalars(select(Media)).one()
    assert newest().data["media"] == media.name
    assert b"Larkmere Cameras" not in media.body


@pytest.mark.parametrize(("said", "words"), [({"d.decorative": "true"}, "Yes"), ({"d.alt": "A poster"}, "No")])
def test_a_box_that_is_ticked_or_not_is_an_answer(writer: Writer, said: dict[str, str], words: str) -> None:
    page = picture_page(writer, "poster.png", pictures.drawing(), **said)

    assert "Check your answers" in page.text
    assert re.search(rf"Only decoration\s*</dt>\s*<dd[^>]*><p>{words}</p>", page.text)


def test_a_picture_without_a_description_is_kept_and_asked_about(writer: Writer) -> None:
    page = picture_page(writer, "poster.png", pictures.drawing())

    assert page.status_code == 422
    assert "Describe the picture in words, or mark it as decoration." in page.text
    assert db.session.scalars(select(Media.name)).one() in page.text


def test_nobody_shows_a_picture_that_they_did_not_send(writer: Writer) -> None:
    page = writer.post(
        f"/contribute/mine/{writer.begin('image_text').public_id}/picture",
        expected=1,
        **{"d.media": "0123456789ab-100x80.png", "d.alt": "Not mine", "do": "go"},
    )

    assert page.status_code == 422
    assert newest().data["media"] == ""


def test_what_is_no_picture_is_refused_in_a_sentence_and_the_words_stay(writer: Writer) -> None:
    page = picture_page(writer, "poster.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", **{"d.alt": "A poster"})

    assert page.status_code == 422
    assert "SVG drawing" in page.text
    assert newest().data["alt"] == "A poster"


def test_pictures_come_with_any_item_and_are_described_before_one_goes_on(writer: Writer) -> None:
    writing = writer.begin("section")
    writer.write(writing, NEWS)
    page = f"/contribute/mine/{writing.public_id}/pictures"
    assert f'href="{page}"' in writer.get(f"/contribute/mine/{writing.public_id}/check")
    poster = io.BytesIO(pictures.from_a_phone(600, 400))
    writer.post(page, do="add", picture=(poster, "poster.jpg"), alt="A poster")
    bare = writer.post(page, do="go", picture=(io.BytesIO(pictures.drawing()), "map.png"))
    first, second = newest().pictures
    assert bare.status_code == 422
    assert "Say what the picture shows." in bare.text
    assert (first["alt"], second["alt"]) == ("A poster", "")
    refused = writer.post(
        page, do="add", picture=(io.BytesIO(b"<svg/>"), "x.svg"), **{f"alt.{second['media']}": "A map"}
    )
    assert "SVG drawing" in refused.text
    assert [each["alt"] for each in newest().pictures] == ["A poster", "A map"]
    answers = writer.post(page, do="go").text
    assert "Check your answers" in answers
    assert "A map" in answers
    writer.post(page, do=f"remove.{first['media']}")
    assert [each["alt"] for each in newest().pictures] == ["A map"]
    writer.send(newest())
    writer.at(at(17, 20)).post(page, do=f"remove.{second['media']}")
    assert [each["alt"] for each in newest().pictures] == ["A map"], "its time to change is over"


def test_more_pictures_than_six_are_refused_in_a_sentence(writer: Writer) -> None:
    writing = writer.begin("section")
    with transaction():
        writing.pictures = [{"media": f"{number}.png", "alt": "One"} for number in range(6)]
    page = f"/contribute/mine/{writing.public_id}/pictures"
    answer = writer.post(page, do="add", picture=(io.BytesIO(pictures.drawing()), "seventh.png"))
    assert "Send 6 pictures or fewer with one text." in answer.text
    assert len(newest().pictures) == 6


def test_a_word_file_becomes_words_to_look_at(writer: Writer) -> None:
    file = Path("tests/fixtures/documents/larkmere.docx").read_bytes()
    writing = writer.begin()
    page = writer.post(
        expected=1, do="document", document=(io.BytesIO(file), "larkmere.docx"), **{"d.heading": "", "d.body": "Mine."}
    )

    assert page.status_code == 200
    assert "We have read larkmere.docx." in page.text
    assert newest().body.startswith("Mine.")
    assert len(newest().body) > 1000
    assert newest().state is ContributionState.DRAFT
    assert newest().id == writing.id


def bomb() -> bytes:
    return packed({**parts(), "word/media/big.bin": b"\0" * 30_000_000})


def with_macros() -> bytes:
    return packed({**parts(), "word/vbaProject.bin": b"x"})


def locked() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


@pytest.mark.parametrize(
    ("make", "words"), [(bomb, "unpacks to far more"), (with_macros, "macros"), (locked, "password"), (bytes, "empty")]
)
def test_a_file_that_cannot_be_read_says_why_and_the_words_stay(
    writer: Writer, make: Callable[[], bytes], words: str
) -> None:
    writer.begin()
    page = writer.post(expected=1, do="document", document=(io.BytesIO(make()), "a.docx"), **NEWS)

    assert page.status_code == 422
    assert words in page.text
    assert newest().title == "Training on neglect"


# --- whose it is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["", "/words", "/check", "/withdraw", "/kind", "/from"])
def test_nobody_reads_what_others_write(writer: Writer, app: Flask, december: Issue, now: datetime, page: str) -> None:
    address = f"/contribute/mine/{writer.begin().public_id}{page}"
    other = app.test_client()
    with time_machine.travel(writer.now, tick=False):
        assert other.get(address).location.startswith("/contribute/sign-in")
        contributors.sign_in(other, contributors.contributor(now, "Nadia", "nadia@health.example.org"), at(9, 0))
        assert other.get(address).status_code == 404


def test_a_form_on_another_site_changes_nothing(writer: Writer) -> None:
    writing = writer.begin()
    writer.client.environ_base["HTTP_SEC_FETCH_SITE"] = "cross-site"
    writer.post(f"/contribute/mine/{writing.public_id}/withdraw")

    assert newest().state is ContributionState.DRAFT


def test_looking_changes_nothing(writer: Writer) -> None:
    writing = writer.begin()
    writer.write(writing)
    before = (newest().updated_at, newest().revision, newest().state)
    for page in ("", "/words", "/check", "/withdraw", "/kind", "/from", "/words?at=items.1&do=up&more=items"):
        writer.get(f"/contribute/mine/{writing.public_id}{page}")
    writer.get("/contribute/mine")

    assert (newest().updated_at, newest().revision, newest().state) == before


# --- taking back --------------------------------------------------------------------------------------------------


def test_a_draft_is_thrown_away_after_a_question(writer: Writer) -> None:
    writing = writer.begin()
    assert "Throw this draft away?" in writer.get(f"/contribute/mine/{writing.public_id}/withdraw")
    page = writer.post(f"/contribute/mine/{writing.public_id}/withdraw")

    assert "Withdrawn" in page.text
    assert newest().state is ContributionState.WITHDRAWN


def test_what_is_accepted_is_asked_back_with_a_reason(writer: Writer, now: datetime) -> None:
    people.staff(now)
    writing = writer.begin()
    writer.write(writing)
    writer.send(newest())
    with transaction():
        triage.place(newest(), mail=triage.Mail(send=False), actor=None, now=now)
    assert "Ask the editors to take it out?" in writer.get(f"/contribute/mine/{writing.public_id}/withdraw")
    assert writer.post(words=" ").status_code == 422
    page = writer.post(words="The date has moved.")

    assert "You asked to take it out" in page.text
    assert newest().withdrawal_words == "The date has moved."
    assert "sender_withdraws" in db.session.scalars(select(Notice.template)).all()


# --- where each stands --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ContributionState.CHANGES_REQUESTED, "Please change it and send it again"),
        (ContributionState.ACCEPTED, "It goes into December 2026."),
        (ContributionState.DECLINED, "The editors decided not to use it"),
    ],
)
def test_each_says_where_it_stands_and_what_happens_next(
    writer: Writer, now: datetime, state: ContributionState, words: str
) -> None:
    writer.write(writer.begin())
    writer.send(newest())
    with transaction():
        newest().state = state

    assert words in writer.get("/contribute/mine")


def test_a_decision_is_told_when_its_mail_leaves(writer: Writer, december: Issue) -> None:
    writer.write(writer.begin())
    writer.send(newest())
    with transaction():
        triage.decline(newest(), "We had two of these.", actor=None, now=at(10, 0))
    address = f"/contribute/mine/{newest().public_id}"
    before = writer.at(at(10, 1)).get(address)
    assert "With the editors" in writer.get("/contribute/mine")
    after = writer.at(at(10, 30)).get(address)

    assert "We had two of these." not in before
    assert "Not used" not in before
    assert "We had two of these." in after
    assert "Not used" in after


def test_an_acceptance_is_not_given_away_by_a_link_to_ask_it_back(writer: Writer) -> None:
    writer.write(writer.begin())
    writer.send(newest())
    with transaction():
        triage.place(newest(), actor=None, now=at(10, 0))
    address = f"/contribute/mine/{newest().public_id}"

    assert "Ask the editors to take it out" not in writer.at(at(10, 1)).get(address)
    assert "Ask the editors to take it out" in writer.at(at(10, 30)).get(address)
    writer.at(at(10, 2))
    with transaction():
        confirming.ask(newest(), actor=None, now=at(10, 2))
    assert "Ask the editors to take it out" in writer.get(address), "who is asked whether it is right knows"


@pytest.mark.parametrize("state", [IssueState.CANCELLED, IssueState.SENDING, IssueState.SENT])
def test_an_issue_that_goes_out_or_is_cancelled_while_one_writes_loses_no_word(
    writer: Writer, december: Issue, state: IssueState
) -> None:
    writing = writer.begin()
    writer.write(writing, NEWS)
    moment = at(9, 40)
    with transaction() as session:
        found = session.get_one(Issue, december.id)
        if state is IssueState.CANCELLED:
            found.cancelled_at, found.cancel_reason = moment, "Nobody has time."
        else:
            found.rendition_id, found.started_at = rendition(moment, found).id, moment
            found.sent_at = moment if state is IssueState.SENT else None
        found.state = state
    typed = NEWS | {"d.body": "Words typed since."}
    page = f"/contribute/mine/{writing.public_id}/words"
    saved = writer.post(page, expected=newest().revision, do="go", **typed)
    assert saved.status_code < 500
    assert "Words typed since." in saved.text + newest().body
    sent = writer.send(newest())
    assert sent.status_code < 500
    assert newest().state is ContributionState.DRAFT
    assert "Training on neglect" in writer.get("/contribute/mine")


def test_the_list_is_empty_with_a_way_to_begin(writer: Writer) -> None:
    page = writer.get("/contribute/mine")

    assert "You have written nothing yet" in page
    assert "/contribute/december-2026" in page


def test_a_call_that_closed_shows_what_was_begun(writer: Writer) -> None:
    writer.write(writer.begin())
    page = writer.at(at(18, 0) + timedelta(hours=1)).get("/contribute/december-2026")

    assert "The deadline has passed" in page
    assert "Training on neglect" in page
