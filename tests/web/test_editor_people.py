"""Who is subscribed, and what people sent in."""

import re
from datetime import datetime

import pytest
import time_machine
from flask.testing import FlaskClient

from newsletter.db import db, transaction
from newsletter.models import MailingList, Notice, Subscriber, Subscription
from newsletter.states import Role, SubscriptionState
from tests import people
from tests.web import desk


@pytest.fixture(autouse=True)
def _today(now: datetime) -> object:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def quarterly(now: datetime) -> MailingList:
    return people.larkmere(now)


def _name(address: str, name: str, organisation: str) -> Subscriber:
    with transaction():
        person = db.session.query(Subscriber).filter_by(address=address).one()
        person.name, person.organisation = name, organisation
    return person


# --- subscribers -------------------------------------------------------------------------------------------------


def test_helen_is_found_by_her_school(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    people.subscribers(now, quarterly, 60)
    _name("reader7@example.org", "Helen Price", "Oakfield School")
    desk.ruth(client, now)
    page = client.get("/desk/subscribers").text
    assert "60 subscribers" in page
    found = client.get("/desk/subscribers?q=oakfield").text
    assert "1 person matches “oakfield”." in found
    assert "Helen Price" in found
    assert "reader8@example.org" not in found
    none = client.get("/desk/subscribers?q=okfield").text
    assert "Nobody matches “okfield”." in none
    assert "search everyone who ever subscribed" in none


def test_pages_go_on_where_the_last_one_ended(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    people.subscribers(now, quarterly, 60)
    desk.ruth(client, now)
    first = client.get("/desk/subscribers").text
    following = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert following
    second = client.get(following[1].replace("&amp;", "&")).text
    seen = [set(re.findall(r"reader\d+@example\.org", page)) for page in (first, second)]
    assert [len(each) for each in seen] == [50, 10]
    assert not seen[0] & seen[1]


def test_a_viewer_sees_addresses_in_part(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    people.subscribers(now, quarterly, 2)
    people.sign_in(client, people.staff(now, "Vera Lund", Role.VIEWER))
    page = client.get("/desk/subscribers").text
    assert "reader1@example.org" not in page
    assert "You see addresses in part" in page
    person = db.session.query(Subscriber).first()
    assert person is not None
    story = client.get(f"/desk/subscribers/{person.public_id}").text
    assert person.address not in story
    assert client.post(f"/desk/subscribers/{person.public_id}/leave/{quarterly.id}").status_code == 403


def test_who_edits_one_list_sees_no_others(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    people.subscribers(now, quarterly, 1)
    other = people.policy_changes(now)
    people.sign_in(client, people.staff(now, "Omar Field", Role.EDITOR, on=other))
    assert "reader1@example.org" not in client.get("/desk/subscribers").text
    person = db.session.query(Subscriber).one()
    assert client.get(f"/desk/subscribers/{person.public_id}").status_code == 404
    assert client.get("/desk/subscribers?list=safeguarding-news").text.count("reader1") == 0


def test_somebody_leaves_at_their_request(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    [subscription] = people.subscribers(now, quarterly, 1)
    desk.ruth(client, now)
    person = db.session.query(Subscriber).one()
    url = f"/desk/subscribers/{person.public_id}"
    answer = client.post(f"{url}/leave/{quarterly.id}", follow_redirects=True)
    assert "They no longer get “Safeguarding news”." in answer.text
    assert "Left “Safeguarding news”" in answer.text
    db.session.expire_all()
    assert db.session.get_one(Subscription, subscription.id).state is SubscriptionState.LEFT


def test_forgetting_asks_first(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    people.subscribers(now, quarterly, 1)
    desk.ruth(client, now)
    person = db.session.query(Subscriber).one()
    url = f"/desk/subscribers/{person.public_id}/forget"
    assert "This cannot be taken back." in client.get(url).text
    assert db.session.query(Subscriber).count() == 1
    assert client.post(url).headers["Location"] == "/desk/subscribers"
    assert db.session.query(Subscriber).count() == 0
    assert client.get(url).status_code == 404


def test_a_link_to_their_own_data(client: FlaskClient, now: datetime, quarterly: MailingList) -> None:
    people.subscribers(now, quarterly, 1)
    desk.ruth(client, now)
    person = db.session.query(Subscriber).one()
    client.post(f"/desk/subscribers/{person.public_id}/link")
    assert db.session.query(Notice).one().address == "reader1@example.org"
