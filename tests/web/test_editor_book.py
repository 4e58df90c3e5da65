"""Ruth keeps the book on its page, and puts people and links from it into sections."""

from datetime import datetime

import pytest
import time_machine
from flask.testing import FlaskClient

from newsletter.db import db, transaction
from newsletter.domain.issues import book
from newsletter.models import Account, BookEntry, Issue, MailingList
from newsletter.states import BookKind, Role
from tests import people
from tests.web import desk

ANN = {"name": "Ann Tully", "role": "Trainer", "organisation": "", "email": "ann@example.org", "phone": ""}


@pytest.fixture(autouse=True)
def _at_work(now: datetime) -> object:
    """The clock stands at the Larkmere present."""
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def ruth(client: FlaskClient, now: datetime) -> Account:
    return desk.ruth(client, now)


@pytest.fixture
def mailing_list(now: datetime) -> MailingList:
    return people.larkmere(now)


@pytest.fixture
def january(ruth: Account, mailing_list: MailingList, now: datetime) -> Issue:
    return desk.january(now, mailing_list, ruth)


def _ann(client: FlaskClient) -> int:
    client.post("/desk/book/new/person", data={"list": "safeguarding-news", **ANN})
    return db.session.query(BookEntry).one().id


def test_an_entry_is_added_changed_and_listed(client: FlaskClient, ruth: Account, mailing_list: MailingList) -> None:
    assert "None yet." in client.get("/desk/book").text
    number = _ann(client)
    page = client.get("/desk/book").text
    assert "Trainer, ann@example.org" in page
    client.post(f"/desk/book/{number}", data={**ANN, "role": "Head trainer"})
    assert "Head trainer" in client.get("/desk/book?list=safeguarding-news").text
    refused = client.post(f"/desk/book/{number}", data={**ANN, "email": "ann at home"})
    assert refused.status_code == 422
    assert 'value="ann at home"' in refused.text
    assert '<a href="#email">' in refused.text


@pytest.mark.parametrize("kind", ["person", "link", "acronym"])
def test_what_cannot_be_kept_is_said_at_its_field(
    client: FlaskClient, ruth: Account, mailing_list: MailingList, kind: str
) -> None:
    assert client.get(f"/desk/book/new/{kind}").status_code == 200
    refused = client.post(f"/desk/book/new/{kind}", data={"list": "safeguarding-news", "name": ""})
    assert refused.status_code == 422
    assert '<a href="#name">' in refused.text
    assert client.get("/desk/book/new/song").status_code == 404


def test_an_entry_of_all_lists_serves_each(
    client: FlaskClient, ruth: Account, mailing_list: MailingList, now: datetime
) -> None:
    other = people.policy_changes(now)
    client.post("/desk/book/new/acronym", data={"list": "", "name": "DSL", "meaning": "designated safeguarding lead"})
    assert book.acronyms(mailing_list) == book.acronyms(other) == {"DSL": "designated safeguarding lead"}
    assert "All lists" in client.get("/desk/book").text


def test_ending_shows_where_it_still_stands(client: FlaskClient, january: Issue) -> None:
    with transaction():
        bethan = book.add(
            january.mailing_list, BookKind.PERSON, "Bethan Price", {"email": "bethan@example.org"}, actor=None,
            now=january.created_at,
        ).id  # fmt: skip
    contact = desk.block_id(january, "contact")
    for data, field in (
        ({"day": "soon", "reason": "Left"}, "day"),
        ({"day": "1 January 2027", "reason": ""}, "reason"),
    ):
        refused = client.post(f"/desk/book/{bethan}/end", data=data)
        assert refused.status_code == 422
        assert f'<a href="#{field}">' in refused.text
    answer = client.post(
        f"/desk/book/{bethan}/end", data={"day": "1 January 2027", "reason": "Left"}, follow_redirects=True
    )
    assert "Ended on Friday 1 January 2027." in answer.text
    assert f"/desk/issues/january-2027/write/{contact}#write" in answer.text
    again = client.post(f"/desk/book/{bethan}/again", follow_redirects=True)
    assert "It is in use again." in again.text


def test_the_book_fills_a_contact_with_what_was_typed_kept(client: FlaskClient, january: Issue) -> None:
    contact = desk.block_id(january, "contact")
    url = f"/desk/issues/january-2027/write/{contact}"
    assert "From the book" not in client.get(url).text
    number = _ann(client)
    assert "Ann Tully, Trainer" in client.get(url).text
    typed = {"expected": "1", "d.heading": "Ask us", "d.lead": "About training", "d.name": "", "d.email": ""}
    answer = client.post(f"{url}/book", data={**typed, "book": str(number)})
    assert "Ann Tully was put in from the book." in client.get(answer.location).text
    db.session.expire_all()
    block = next(each for each in january.blocks if each.kind == "contact")
    assert (block.data["heading"], block.data["lead"]) == ("Ask us", "About training")
    assert (block.data["name"], block.data["email"]) == ("Ann Tully", "ann@example.org")
    late = client.post(f"{url}/book", data={**typed, "d.heading": "Ask them", "book": str(number)})
    assert late.status_code == 409
    assert "Ask them" in late.text


def test_without_a_choice_the_words_are_saved_and_it_is_said(client: FlaskClient, january: Issue) -> None:
    _ann(client)
    contact = desk.block_id(january, "contact")
    url = f"/desk/issues/january-2027/write/{contact}"
    typed = {"expected": "1", "d.heading": "Ask us", "d.name": "Bo", "d.email": "bo@example.org", "book": ""}
    page = client.post(f"{url}/book", data=typed, follow_redirects=True).text
    assert "from the book first" in page
    assert 'value="Ask us"' in page


def test_who_may_not_write_on_a_list_may_not_change_its_book(
    client: FlaskClient, january: Issue, now: datetime
) -> None:
    number = _ann(client)
    other = people.policy_changes(now)
    people.sign_in(client, people.staff(now, "Olu Bright", Role.EDITOR, on=other))
    for path in (f"/desk/book/{number}", f"/desk/book/{number}/end"):
        assert client.get(path).status_code == 403
    assert client.post(f"/desk/book/{number}/again").status_code == 403
    assert "Ann Tully" not in client.get("/desk/book").text
    made = client.post("/desk/book/new/acronym", data={"list": "safeguarding-news", "name": "X", "meaning": "Y"})
    assert made.status_code == 422
    people.sign_in(client, people.staff(now, "Vera Holt", Role.VIEWER))
    page = client.get("/desk/book").text
    assert "Ann Tully" in page
    assert "Change" not in page
    assert client.get("/desk/book/999").status_code in (403, 404)
