"""Ruth brings a picture in, says what it shows, and throws one away: by forms alone, as without scripts."""

import io
import re
from datetime import datetime

import pytest
import time_machine
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from newsletter.db import db, transaction
from newsletter.domain.issues import editing
from newsletter.models import Account, Block, Issue, Media
from newsletter.states import Role
from tests import people
from tests.pictures import drawing, from_a_phone, moving, photograph
from tests.web import desk

_PICTURES = "/desk/issues/january-2027/pictures"


@pytest.fixture(autouse=True)
def _today(now: datetime) -> object:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def ruth(client: FlaskClient, now: datetime) -> Account:
    return desk.ruth(client, now)


@pytest.fixture
def issue(ruth: Account, now: datetime) -> Issue:
    return desk.january(now, people.larkmere(now), ruth)


@pytest.fixture
def section(issue: Issue, ruth: Account, now: datetime) -> Block:
    """An empty section for a picture."""
    with transaction():
        return editing.add_block(issue, "image", position=3, actor=ruth, now=now)


def choose(section: Block) -> str:
    return f"/desk/issues/january-2027/write/{section.id}/picture/media"


def upload(client: FlaskClient, content: bytes, path: str = _PICTURES, **more: str) -> TestResponse:
    return client.post(path, data={"file": (io.BytesIO(content), "IMG 0001.jpg"), **more})


def one_picture(client: FlaskClient, content: bytes = b"") -> Media:
    upload(client, content or photograph(1300, 650))
    return db.session.query(Media).order_by(Media.id.desc()).first()


def test_a_photograph_is_brought_in_and_shown(client: FlaskClient, issue: Issue) -> None:
    assert "No pictures yet" in client.get(_PICTURES).text
    answer = upload(client, from_a_phone())
    media = db.session.query(Media).one()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{_PICTURES}#p-{media.id}")
    page = client.get(_PICTURES).text
    assert "The picture is here. Choose it in a section that shows a picture." in page
    assert "1200 by 1800" in page
    assert "No section shows it." in page
    served = client.get(f"/media/{media.name}")
    assert served.data == media.body
    assert b"Larkmere Cameras" not in served.data


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Choose a file."),
        (b"<svg/>", "This is an SVG drawing, which mail programs do not show."),
        (moving(), "The picture moves, which distracts from reading."),
    ],
)
def test_what_is_no_picture_is_refused_at_its_field(
    client: FlaskClient, issue: Issue, content: bytes, sentence: str
) -> None:
    answer = upload(client, content)
    assert answer.status_code == 422
    assert answer.text.count(sentence) == 2  # in the summary and at the field
    assert '<a href="#file">' in answer.text
    assert db.session.query(Media).count() == 0


def test_a_script_is_told_what_became_of_the_file(client: FlaskClient, issue: Issue) -> None:
    def sent(content: bytes) -> TestResponse:
        file = {"file": (io.BytesIO(content), "x")}
        return client.post(_PICTURES, data=file, headers={"Accept": "application/json"})

    answer = sent(drawing())
    media = db.session.query(Media).one()
    assert (answer.status_code, answer.json) == (201, {"name": media.name, "anchor": f"p-{media.id}"})
    refused = sent(b"hello")
    assert refused.status_code == 422
    assert refused.json == {"sentence": "This is not a picture that mail programs show. Use PNG, JPEG, WebP or GIF."}


def test_the_section_is_saved_before_its_picture_is_chosen(client: FlaskClient, section: Block) -> None:
    page = client.get(f"/desk/issues/january-2027/write/{section.id}").text
    assert 'value="picture:media"' in page
    path = f"/desk/issues/january-2027/write/{section.id}"
    answer = client.post(path, data={"expected": "1", "do": "picture:media", "d.caption": "By the lake"})
    assert (answer.status_code, answer.headers["Location"]) == (303, choose(section))
    db.session.refresh(section)
    assert section.data["caption"] == "By the lake"
    shown = client.get(choose(section))
    assert shown.status_code == 200
    assert "What does it show?" in shown.text


def test_a_picture_is_brought_in_and_used_at_once(client: FlaskClient, section: Block) -> None:
    answer = upload(client, photograph(800, 400), choose(section), expected="1", alt="The lake at noon")
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(f"/write/{section.id}?saved=1#d-media")
    db.session.refresh(section)
    media = db.session.query(Media).one()
    assert section.data == {"media": media.name, "alt": "The lake at noon", "decorative": False, "caption": ""}
    page = client.get(f"/desk/issues/january-2027/write/{section.id}").text
    assert f'src="/media/{media.name}"' in page
    assert "Choose another picture" in page
    preview = client.get("/desk/issues/january-2027/preview/html").text
    assert f"/media/{media.name}" in preview


def test_a_picture_without_words_comes_back_and_is_not_sent_twice(client: FlaskClient, section: Block) -> None:
    answer = upload(client, photograph(800, 400), choose(section), expected="1")
    assert answer.status_code == 422
    media = db.session.query(Media).one()
    assert "Describe the picture in words, or mark it as decoration." in answer.text
    assert '<a href="#picture-alt">' in answer.text
    assert re.search(rf'value="{media.name}"[^>]* checked', answer.text)
    db.session.refresh(section)
    assert section.data["media"] == ""

    again = client.post(choose(section), data={"expected": "1", "media": media.name, "decorative": "y"})
    assert again.status_code == 303
    db.session.refresh(section)
    assert (section.data["media"], section.data["decorative"]) == (media.name, True)


def test_nothing_chosen_says_so_and_keeps_the_words(client: FlaskClient, section: Block) -> None:
    one_picture(client)
    answer = client.post(choose(section), data={"expected": "1", "alt": "A heron"})
    assert answer.status_code == 422
    assert "Choose a picture." in answer.text
    assert ">A heron</textarea>" in answer.text


def test_somebody_else_s_change_is_not_written_over(
    client: FlaskClient, section: Block, ruth: Account, now: datetime
) -> None:
    media = one_picture(client)
    with transaction():
        editing.edit_block(section, {"caption": "Mine"}, expected_version=1, actor=ruth, now=now)
    chosen = {"expected": "1", "media": media.name, "alt": "A lake"}
    answer = client.post(choose(section), data=chosen)
    assert answer.status_code == 409
    assert "Somebody else changed this section" in answer.text
    assert 'name="expected" value="2"' in answer.text
    assert client.post(choose(section), data={**chosen, "expected": "2"}).status_code == 303
    db.session.refresh(section)
    assert (section.data["caption"], section.data["media"]) == ("Mine", media.name)


def test_a_dialog_asks_whether_the_choice_is_whole_and_changes_nothing(client: FlaskClient, section: Block) -> None:
    media = one_picture(client)
    part = client.get(choose(section), headers={"X-Part": "yes"}).text
    assert part.lstrip().startswith("<form")
    answer = client.post(choose(section), data={"do": "check", "media": media.name})
    assert answer.status_code == 422
    assert client.post(choose(section), data={"do": "check", "media": media.name, "alt": "A"}).status_code == 204
    db.session.refresh(section)
    assert section.version == 1


def test_the_page_says_what_the_pictures_of_the_mail_weigh(client: FlaskClient, section: Block) -> None:
    upload(client, photograph(800, 400), choose(section), expected="1", alt="The lake at noon")
    page = client.get(_PICTURES).text
    assert re.search(r"The pictures of this mail have \d+ KB together; up to 1 MB is well\.", page)
    with transaction() as session:
        session.query(Media).update({Media.size: 1_200_000})
    page = client.get(_PICTURES).text
    assert "The pictures of this mail have 1.1 MB together." in page
    assert "More than 1 MB takes long on a phone" in page


def test_where_it_is_used_and_what_is_not_is_thrown_away_and_taken_back(client: FlaskClient, section: Block) -> None:
    upload(client, photograph(800, 400), choose(section), expected="1", alt="The lake at noon")
    used = db.session.query(Media).one()
    unused = one_picture(client, drawing())
    page = client.get(_PICTURES).text
    assert f"/write/{section.id}#write" in page
    assert page.count("Throw away") == 1

    refused = client.post(f"{_PICTURES}/{used.name}/delete")
    assert refused.status_code == 422
    assert "“January 2027” shows this picture. Take it out there first." in refused.text

    gone = client.post(f"{_PICTURES}/{unused.name}/delete", follow_redirects=True)
    assert "The picture was thrown away." in gone.text
    assert unused.name not in gone.text.replace(f"{unused.name}/undo", "")
    back = client.post(f"{_PICTURES}/{unused.name}/undo", follow_redirects=True)
    assert f"/media/{unused.name}" in back.text


def test_older_pictures_stand_on_a_page_of_their_own(client: FlaskClient, issue: Issue) -> None:
    for number in range(26):
        with transaction() as session:
            session.add(
                Media(
                    name=f"p{number}.png", content_type="image/png", width=10, height=10, size=90, body=b"x",
                    sha256=bytes([number]) * 32, created_at=issue.created_at,
                )
            )  # fmt: skip
    first = client.get(_PICTURES).text
    assert "/media/p25.png" in first
    assert "/media/p1.png" not in first
    older = re.search(r'href="([^"]+before=\d+)"', first)
    assert older
    assert "/media/p1.png" in client.get(older[1]).text


def test_a_section_for_words_has_no_place_for_one(client: FlaskClient, issue: Issue) -> None:
    words = desk.block_id(issue, "section")
    for field in ("media", "body"):
        assert client.get(f"/desk/issues/january-2027/write/{words}/picture/{field}").status_code == 404


def test_whoever_may_only_look_sees_and_changes_nothing(client: FlaskClient, section: Block, now: datetime) -> None:
    media = one_picture(client)
    people.sign_in(client, people.staff(now, "Vera Nowak", Role.VIEWER))
    page = client.get(_PICTURES)
    assert page.status_code == 200
    assert "Throw away" not in page.text
    assert 'type="file"' not in page.text
    assert upload(client, drawing()).status_code == 403
    assert client.post(f"{_PICTURES}/{media.name}/delete").status_code == 403
    assert client.get(choose(section)).status_code == 403


def test_a_picture_of_a_list_one_may_not_see_is_not_explained(
    client: FlaskClient, section: Block, now: datetime
) -> None:
    upload(client, photograph(800, 400), choose(section), expected="1", alt="Behind closed doors")
    other = people.policy_changes(now)
    omar = people.staff(now, "Omar Haddad", Role.EDITOR, on=other)
    with transaction():
        from newsletter.domain.issues import creating

        creating.create_issue(other, title="Spring changes", actor=omar, now=now)
    people.sign_in(client, omar)
    page = client.get("/desk/issues/spring-changes/pictures").text
    assert "in another newsletter" in page
    assert "Behind closed doors" not in page
    assert "January 2027" not in page
