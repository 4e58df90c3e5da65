"""Pictures of a Word file that is read into a form come along: signed in or not, and each is asked what it shows."""

import html
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from newsletter.db import db, transaction
from newsletter.delivery.notices.notice_values import values_of
from newsletter.domain.calls.decisions import triage
from newsletter.domain.calls.texts import sent_pictures
from newsletter.domain.issues import comparing
from newsletter.domain.issues import pictures as stored
from newsletter.models import Contribution, Issue, Media, Notice
from newsletter.rendering.notices import compose
from newsletter.rendering.pictures import Picture
from newsletter.states import Role
from newsletter.tokens import Purpose
from tests import contributors, people, pictures
from tests.contributions import sent_in
from tests.fixtures.documents.make_word import packed, paragraph, parts, picture, relations
from tests.rendering.test_notices import FRAME

COLOURS = ("navy", "green", "red", "olive", "teal", "plum", "gold", "gray")
WRITTEN = {
    "d.heading": "Training on neglect", "d.body": "Two half days.", "agency": "Larkmere Council",
    "contact_name": "Cara Bell", "contact_address": "cara@council.example.org", "declared": "y",
}  # fmt: skip


def at(hour: int, minute: int = 0) -> datetime:
    """On the day on which the call closes, at 5pm."""
    return datetime(2026, 12, 11, hour, minute, tzinfo=UTC)


def word(*shown: tuple[str, bytes]) -> bytes:
    """A Word file of a few words, with a picture below them for each (description, bytes)."""
    numbers = range(len(shown))
    body = [paragraph("Words of the file."), *(paragraph(picture(f"rId9{n}", shown[n][0])) for n in numbers)]
    related = relations(*((f"rId9{n}", "image", f"media/p{n}.png", False) for n in numbers))
    files = {f"word/media/p{n}.png": shown[n][1] for n in numbers}
    return packed({**parts("".join(body)), "word/_rels/document.xml.rels": related, **files})


LAKE_AND_MAP = word(
    ("The lake at noon", pictures.drawing()),
    ("", pictures.drawing(colour="green")),
    ("", pictures.drawing(60, 60)),
)


@pytest.fixture
def december(app: Flask, now: datetime) -> Issue:
    return people.issue(now, people.larkmere(now))


class Stranger:
    """Writes without signing in; each page's own hidden fields go along with what is typed."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        with time_machine.travel(at(15), tick=False):
            self.page = client.get("/contribute/december-2026").text

    def fields(self) -> dict[str, Any]:
        opened = re.search(r'name="opened" value="([^"]+)"', self.page)
        assert opened
        typed = re.findall(r'name="held_alt" type="text"(?: maxlength="300")?(?: value="([^"]*)")?', self.page)
        return {"opened": opened[1], "held": self.held(), "held_alt": [html.unescape(each) for each in typed]}

    def held(self) -> list[str]:
        return re.findall(r'name="held" value="([^"]+)"', self.page)

    def posts(self, when: datetime, **fields: Any) -> TestResponse:
        data = WRITTEN | self.fields() | fields
        with time_machine.travel(when, tick=False):
            answer = self.client.post(
                "/contribute/december-2026", data=data, content_type="multipart/form-data", follow_redirects=True
            )
        self.page = answer.text
        return answer

    def reads(self, file: bytes, when: datetime = at(15, 10), **fields: Any) -> TestResponse:
        return self.posts(when, do="document", document=(io.BytesIO(file), "news.docx"), **fields)


@pytest.fixture
def stranger(december: Issue, client: FlaskClient) -> Stranger:
    return Stranger(client)


def the_one() -> Contribution:
    db.session.expire_all()
    return db.session.scalars(select(Contribution)).one()


def media() -> list[Media]:
    db.session.expire_all()
    return list(db.session.scalars(select(Media).order_by(Media.id)))


def test_they_stand_on_the_page_until_it_is_sent(stranger: Stranger) -> None:
    page = stranger.reads(LAKE_AND_MAP)

    assert "It came with 2 pictures: say below your text what they show." in page.text
    assert "1 picture stays behind" in page.text
    assert [each.deleted_at is not None for each in media()] == [True, True], "nobody has sent them yet"
    assert all(f'src="/media/{each.name}"' in page.text for each in media())
    assert stranger.fields()["held_alt"] == ["The lake at noon", ""]

    wrong = stranger.posts(at(15, 20), contact_name="", held_alt=["The lake at noon", "Where the hubs are"])
    assert wrong.status_code == 422
    assert stranger.fields()["held_alt"] == ["The lake at noon", "Where the hubs are"]

    sent = stranger.posts(at(15, 30))
    assert "One step left" in sent.text
    assert [each["alt"] for each in the_one().pictures] == ["The lake at noon", "Where the hubs are"]
    assert [each["media"] for each in the_one().pictures] == [each.name for each in media()]
    assert [each.deleted_at for each in media()] == [None, None]
    assert all(f'src="/media/{each.name}" alt="' in sent.text for each in media())


def test_one_is_left_out_and_another_is_chosen_besides(stranger: Stranger) -> None:
    stranger.reads(LAKE_AND_MAP)
    poster = (io.BytesIO(pictures.drawing(colour="red")), "poster.png")
    stranger.posts(at(15, 30), held_left=stranger.held()[:1], picture=poster, alt="A poster")

    left, kept, chosen = media()
    assert [each["media"] for each in the_one().pictures] == [kept.name, chosen.name]
    assert left.deleted_at is not None
    with transaction():
        assert stored.forget_deleted(at(15, 30) + stored.KEPT_FOR) == 1
    assert len(media()) == 2


def test_a_file_that_is_read_twice_brings_each_once(stranger: Stranger) -> None:
    stranger.reads(LAKE_AND_MAP)
    stranger.reads(LAKE_AND_MAP, at(15, 20), held_alt=["The lake at noon", "A map"])

    assert stranger.fields()["held_alt"] == ["The lake at noon", "A map"]
    assert [each.deleted_at is not None for each in media()] == [True, True], "thrown away still, till it is sent"


def test_what_is_gone_by_the_time_it_is_sent_costs_nobody_a_word(stranger: Stranger) -> None:
    stranger.reads(LAKE_AND_MAP)
    with transaction():
        stored.forget_deleted(at(15, 10) + stored.KEPT_FOR + timedelta(days=1))
    assert media() == []
    stranger.posts(at(15, 30))

    assert (the_one().title, the_one().pictures) == ("Training on neglect", [])


def test_nobody_sends_a_picture_that_they_were_not_shown_here(stranger: Stranger, app: Flask) -> None:
    with transaction():
        other = stored.store_picture(Picture(b"private", "image/png", 300, 200), actor=None, now=at(9)).name
    sealed_otherwise = app.extensions["newsletter_signer"].sign_name(Purpose.DRAFT, other)
    stranger.posts(at(15, 30), held=[other, sealed_otherwise, ""], held_alt=["a", "b", "c"])

    assert the_one().pictures == []


def test_more_than_six_stay_behind_and_a_seventh_is_refused(stranger: Stranger) -> None:
    many = word(*(("", pictures.drawing(colour=each)) for each in COLOURS))
    assert "2 pictures stay behind" in stranger.reads(many).text
    assert len(stranger.held()) == 6
    two_more = word(*(("", pictures.drawing(colour=each)) for each in ("pink", "brown")))
    assert "2 pictures stay behind" in stranger.reads(two_more, at(15, 20), held_alt=[""] * 6).text
    assert len(stranger.held()) == 6

    poster = {"picture": (io.BytesIO(pictures.drawing(colour="black")), "poster.png")}
    refused = stranger.posts(at(15, 30), **poster)
    assert refused.status_code == 422
    assert "Send 6 pictures or fewer with one text." in refused.text
    assert len(stranger.held()) == 6
    too_long = stranger.posts(at(15, 31), held_alt=["x" * 301, *[""] * 5])
    assert too_long.status_code == 422
    assert '<a href="#held-alt-1">Use 300 characters or fewer.</a>' in too_long.text
    stranger.posts(at(15, 32), held_alt=[""] * 6)
    assert len(the_one().pictures) == 6


def test_a_network_brings_so_many_a_day_and_no_more(stranger: Stranger) -> None:
    for number in range(5):
        file = word(*(("", pictures.drawing(250, 200 + 4 * number + n)) for n in range(4)))
        stranger.reads(file, held=[], held_alt=[])
    refused = stranger.reads(word(("", pictures.drawing(251, 251))), held=[], held_alt=[])

    assert "1 picture stays behind" in refused.text
    assert len(media()) == 20


@pytest.fixture
def draft(december: Issue, client: FlaskClient, now: datetime) -> str:
    """The address of the first page of Sam's draft."""
    contributors.sign_in(client, contributors.contributor(now), at(9))
    with time_machine.travel(at(10), tick=False):
        client.post("/contribute/december-2026/begin", data={"kind": "section"})
    return f"/contribute/mine/{the_one().public_id}"


def test_signed_in_they_come_with_the_draft_and_are_asked_about(client: FlaskClient, draft: str) -> None:
    def posts(step: str, **fields: Any) -> TestResponse:
        with time_machine.travel(at(10, 5), tick=False):
            return client.post(
                f"{draft}/{step}", data=fields, content_type="multipart/form-data", follow_redirects=True
            )

    file = (io.BytesIO(LAKE_AND_MAP), "news.docx")
    page = posts("words", expected="1", do="document", document=file, **{"d.heading": "", "d.body": ""})
    assert "It came with 2 pictures, which are kept: you are asked what they show." in page.text
    lake, plan = the_one().pictures
    assert (lake["alt"], plan["alt"]) == ("The lake at noon", "")

    words = {"d.heading": "The lake", "d.body": "Words of the file."}
    page = posts("words", expected=str(the_one().revision), do="go", **words)
    assert page.request.path == f"{draft}/pictures", "nobody has said what the map shows"
    page = posts("pictures", do="go", **{f"alt.{plan['media']}": "Where the hubs are"})
    assert "Check your answers" in page.text
    assert page.text.count("<figcaption") == 2
    page = posts("send", expected=str(the_one().revision), declared="y")
    assert f'src="/media/{plan["media"]}" alt="Where the hubs are"' in page.text
    receipt = db.session.scalars(select(Notice).where(Notice.template == "contribution_receipt")).one()
    _subject, text, _html = compose("contribution_receipt", values_of(receipt, at(10, 6)), FRAME)
    assert re.search(r"With 2 pictures:\s+• The lake at noon\s+• Where the hubs are\n", text)


def test_a_draft_that_is_full_takes_no_more(client: FlaskClient, draft: str, now: datetime) -> None:
    there = [sent_pictures.Came(Picture(f"{n}".encode(), "image/png", 300, 200), "Seen") for n in range(5)]
    with transaction():
        sent_pictures.attach(the_one(), there, now)
    with time_machine.travel(at(10, 5), tick=False):
        data = {"expected": "1", "do": "document", "document": (io.BytesIO(LAKE_AND_MAP), "news.docx")}
        page = client.post(f"{draft}/words", data=data, content_type="multipart/form-data")

    assert "2 pictures stay behind" in page.text
    assert len(the_one().pictures) == 6
    assert the_one().body.startswith("Words of the file.")


def test_a_file_that_was_read_in_a_second_window_brings_its_pictures_all_the_same(
    client: FlaskClient, draft: str
) -> None:
    def posts(**fields: Any) -> TestResponse:
        with time_machine.travel(at(10, 5), tick=False):
            return client.post(f"{draft}/words", data={"expected": "1"} | fields, content_type="multipart/form-data")

    posts(do="later", **{"d.heading": "The other window"})
    both = posts(do="document", document=(io.BytesIO(LAKE_AND_MAP), "news.docx"), **{"d.heading": "This window"})

    assert both.status_code == 409
    assert "Words of the file." in both.text
    assert (the_one().title, len(the_one().pictures)) == ("The other window", 2)


def test_editors_see_them_wherever_they_compare(december: Issue, client: FlaskClient, now: datetime) -> None:
    with transaction():
        names = [
            stored.store_picture(Picture(body, "image/png", 300, 200), actor=None, now=now).name
            for body in (b"lake", b"map", b"portrait")
        ]
    one = sent_in(december, now, pictures=[{"media": names[0], "alt": "The lake"}])
    other = sent_in(december, now + timedelta(hours=1), "Another", pictures=[{"media": names[1], "alt": ""}])
    portrait = {"heading": "Who leads", "text": "<p>Helen.</p>", "media": names[2], "alt": "Helen Price"}
    third = sent_in(december, now + timedelta(hours=2), "Who leads", kind="image_text", data=portrait)
    people.sign_in(client, people.staff(now, "Ruth Adeyemi", Role.EDITOR))

    beside = client.get(f"/desk/contributions/{one.reference}/beside?with={other.reference}").text
    assert f'src="/media/{names[0]}" alt="The lake"' in beside
    assert f'src="/media/{names[1]}" alt="Picture 1, without a description"' in beside
    changes = client.get(f"/desk/contributions/{one.reference}/changes").text
    assert f'src="/media/{names[0]}" alt="The lake"' in changes
    page = client.get(f"/desk/contributions/{third.reference}").text
    assert f'src="/media/{names[2]}" alt="Helen Price"' in page
    beside = client.get(f"/desk/contributions/{third.reference}/beside?with={one.reference}").text
    assert f'src="/media/{names[2]}" alt="Helen Price"' in beside
    assert "300 by 200" not in beside, "a picture is looked at, and not read"


def test_who_has_not_proved_the_address_gets_no_word_of_a_picture(stranger: Stranger) -> None:
    stranger.reads(LAKE_AND_MAP)
    stranger.posts(at(15, 30))
    receipt = db.session.scalars(select(Notice).where(Notice.template == "contribution_receipt")).one()
    values = values_of(receipt, at(15, 31))
    assert values["pictures"] == []
    assert "The lake" not in compose("contribution_receipt", values, FRAME)[1]


def test_a_sender_sees_the_pictures_as_they_stand_and_a_history_says_which_one_it_was(
    december: Issue, client: FlaskClient, app: Flask, now: datetime
) -> None:
    with transaction():
        names = [
            stored.store_picture(Picture(body, "image/png", 300, 200), actor=None, now=now).name
            for body in (b"portrait", b"map")
        ]
    portrait = {"heading": "Who leads", "text": "<p>Helen.</p>", "media": names[0], "alt": "Helen Price"}
    besides = [{"media": names[1], "alt": ""}]
    news = sent_in(december, now, "Who leads", kind="image_text", data=portrait, pictures=besides)
    with transaction():
        section = triage.place(news, mail=triage.Mail(send=False), actor=None, now=now)
    token = app.extensions["newsletter_signer"].sign_id(Purpose.CONTRIBUTION, news.public_id)

    page = client.get(f"/contribution/{token}/section").text
    assert f'src="/media/{names[0]}" alt="Helen Price"' in page
    assert f'src="/media/{names[1]}" alt="Picture 2, without a description"' in page
    assert "300 by 200" not in page
    mark = names[0][:4]
    assert comparing.stood(section).lines()["media"][1] == f"picture {mark}, 300 by 200"
